import Sluice
import SluiceCEL

/// The first stage: decodes a batch of frames into a batch of records. What cannot be decoded
/// becomes a dead letter; blank lines are filtered.
struct SourceStage: Sendable {
    static let name = "source"

    private let plan: Plan
    private let scratches: ScratchPool

    init(_ plan: Plan, scratches: ScratchPool) {
        self.plan = plan
        self.scratches = scratches
    }

    func decode(_ source: Batch) -> RecordBatch {
        let scratch = scratches.take()
        let batch = RecordBatch(
            source: source, in: plan.segment(for: source.head), scratch: scratch, places: plan.places.count, tracksFates: plan.mayHaveEnough)
        let outcomes = batch.table.outcomes
        var counts = StageCounts()
        let setAside = source.setAside
        // A local array: each access to that of the batch would be checked.
        batch.rows = [UInt32](unsafeUninitializedCapacity: outcomes.count) { rows, count in
            for (row, outcome) in outcomes.enumerated() {
                switch outcome {
                case .decoded, .duplicated:
                    guard !setAside.isEmpty, setAside.contains(where: { $0.contains(row) }) else {
                        rows[count] = UInt32(row)
                        count += 1
                        continue
                    }
                    counts.dead += 1
                    batch.note(.dead, row, at: 0)
                    batch.refuse(row, at: Self.name, with: .suspect, record: nil)
                case .blank:
                    counts.filtered += 1
                    batch.note(.filtered, row, at: 0)
                case .failed:
                    counts.dead += 1
                    batch.note(.dead, row, at: 0)
                }
            }
        }
        for failure in batch.table.failures.sorted(by: { $0.row < $1.row }) {
            batch.refuse(failure.row, at: Self.name, with: RecordFailure(code: failure.code, message: failure.message), record: nil)
        }
        for record in source.spilled {
            counts.dead += 1
            batch.note(.dead, frame: record.beforeFrame, at: 0)
            batch.refuse(RefusedRecord(frame: record.beforeFrame, spilled: record), at: Self.name, with: RecordFailure(record))
        }
        counts.in = outcomes.count + source.spilled.count
        if let replayed = source.replayed { replayed.enter(batch, &counts) }
        counts.out = batch.rows.count
        batch.counts[0] = counts
        return batch
    }
}

extension RecordFailure {
    fileprivate static let suspect = RecordFailure(
        code: "record.suspect", message: "the record is from a damaged member, or one that does not match its checksum")

    fileprivate init(_ record: SpilledRecord) {
        switch record.reason {
        case .tooLong:
            self.init(code: "record.too_long", message: "the record has \(record.byteCount) bytes, more than source.max_record allows")
        case .bomb:
            self.init(
                code: "record.too_long",
                message: "the record has more than \(record.byteCount) bytes, which so little compressed data cannot have in earnest; its end was not read")
        case .torn:
            let rest = record.byteCount == 1 ? "byte" : "\(record.byteCount) bytes"
            self.init(code: "record.torn", message: "the last \(rest) of a record whose beginning was lost to damage")
        }
    }
}
