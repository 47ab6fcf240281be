import SluiceCEL

/// `set`: computes fields, each from the ones before.
struct SetStage: BatchStage {
    struct Assignment: Sendable {
        var value: BoundProgram
        /// Where the value goes.
        var column: Int
        /// Where the field's value was before; it stays where the expression is an empty optional.
        var previous: Int?
    }

    let site: StageSite
    let assignments: [Assignment]

    func run(_ batch: RecordBatch) throws {
        let table = batch.table
        let steps = assignments.map { ($0.value.evaluation(over: batch), $0) }
        try sift(batch) { (row) throws(RecordFailure) in
            let cells = table.row(row)
            for (evaluate, assignment) in steps {
                let value = evaluate(row)
                switch value.kind {
                case .error: throw assignment.value.failure(row, of: batch)
                case .absent: cells[assignment.column] = assignment.previous.map { cells[$0] } ?? .absent
                default: cells[assignment.column] = value
                }
            }
            return true
        }
    }
}
