import SluiceCEL

/// The first stage: a batch of frames to a batch of records. What cannot be decoded is a dead letter, blank lines are filtered.
struct SourceStage: Sendable {
    static let name = "source"

    private let decoding: Decoding
    private let scratches: FreeList<Scratch>
    /// Places in the ledger: the source, the stages, the sink.
    private let places: Int

    init(_ decoding: Decoding, scratches: FreeList<Scratch>, places: Int) {
        self.decoding = decoding
        self.scratches = scratches
        self.places = places
    }

    func decode(_ source: Batch) -> RecordBatch {
        let scratch = scratches.take() ?? Scratch(reader: JSONReader())
        let batch = RecordBatch(source: source, decodedBy: decoding, scratch: scratch, stages: places)
        let outcomes = batch.table.outcomes
        batch.rows.reserveCapacity(outcomes.count)
        var counts = StageCounts()
        for (row, outcome) in outcomes.enumerated() {
            switch outcome {
            case .decoded, .duplicated: batch.rows.append(UInt32(row))
            case .blank: counts.filtered += 1
            case .failed: counts.dead += 1
            }
        }
        for failure in batch.table.failures {
            batch.add(
                DeadLetter(
                    frame: failure.row, stage: Self.name, failure: RecordFailure(code: failure.code, message: failure.message),
                    record: [], oversized: nil))
        }
        for record in source.oversized {
            counts.dead += 1
            let failure = RecordFailure(
                code: "record.too_long", message: "the record has \(record.byteCount) bytes, more than source.max_record allows")
            batch.add(
                DeadLetter(frame: record.beforeFrame, stage: Self.name, failure: failure, record: [], oversized: record))
        }
        counts.received = outcomes.count + source.oversized.count
        counts.passed = batch.rows.count
        batch.counts[0] = counts
        return batch
    }
}
