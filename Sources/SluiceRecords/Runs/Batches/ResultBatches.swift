import Sluice
import SluiceCEL

/// Turns the results of a closing stage into batches.
///
/// `@unchecked Sendable`: the pipeline asks for one batch at a time.
final class ResultBatches: @unchecked Sendable {
    private let step: any ClosingStep
    private let stage: PlannedStage
    private let plan: Plan
    private let scratches: ScratchPool
    /// Records per batch.
    private let most: Int
    private var results: ClosingResults?
    private var given = 0

    /// Records per batch: enough to keep the following stages busy.
    static let most = 4096

    /// - Parameter most: records per batch.
    init(of step: any ClosingStep, _ stage: PlannedStage, _ plan: Plan, _ scratches: ScratchPool, most: Int = ResultBatches.most) {
        self.step = step
        self.stage = stage
        self.plan = plan
        self.scratches = scratches
        self.most = most
    }

    func next() throws(RunError) -> RecordBatch? {
        guard let segment = plan.segment(after: stage) else { preconditionFailure("a closing stage is followed by a segment") }
        let results = if let results { results } else { try step.results() }
        self.results = results
        let scratch = scratches.take()
        switch results {
        case .rows(let rows):
            let table = segment.decoding.table(rows: most)
            let count = try rows.next(table, scratch)
            return count > 0 ? batch(table, count, nil, in: segment, scratch) : nil
        case .texts(let all):
            var texts = RecordTexts(scratch: scratch)
            try all.next(&texts, most: most)
            guard !texts.frames.isEmpty else { return nil }
            let table = segment.decoding.decode(texts.frames, of: UnsafePointer(texts.bytes.start))
            for typed in texts.typed where typed.column < table.columns { table.row(typed.frame)[typed.column] = typed.cell }
            return batch(table, texts.frames.count, texts, in: segment, scratch)
        }
    }

    private func batch(_ table: RowTable, _ count: Int, _ texts: RecordTexts?, in segment: BoundSegment, _ scratch: Scratch) -> RecordBatch {
        defer { given += count }
        return RecordBatch(
            results: table, rows: count, texts, before: given, of: stage.place, in: segment, scratch: scratch, places: plan.places.count,
            tracksFates: plan.mayHaveEnough)
    }
}
