import SluiceCEL

/// `keep` and `drop` at work.
struct FilterStage: EachStage {
    let site: StageSite
    let condition: BoundProgram
    /// What the condition must be for a record to stay.
    let keeps: Bool

    func run(_ batch: RecordBatch) throws {
        let evaluate = condition.evaluation(over: batch)
        try site.sift(batch) { (row) throws(RecordFailure) in
            guard let holds = evaluate.test(row) else { throw condition.failure(row, of: batch) }
            return holds == keeps
        }
    }
}
