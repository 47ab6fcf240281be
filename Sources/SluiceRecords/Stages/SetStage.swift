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

    /// One assignment after the other, each over all rows: a row is never seen by a later one before an earlier one is done with it.
    func run(_ batch: RecordBatch) throws {
        let received = batch.rows.count
        for assignment in assignments { try assign(assignment, in: batch) }
        batch.counts[site.index].received = received
        batch.counts[site.index].passed = batch.rows.count
    }

    private func assign(_ assignment: Assignment, in batch: RecordBatch) throws(RunError) {
        let table = batch.table
        let evaluate = assignment.value.evaluation(over: batch)
        let column = assignment.column
        try site.keep(in: batch) { (row) throws(RecordFailure) in
            let value = evaluate(row)
            switch value.kind {
            case .error: throw assignment.value.failure(row, of: batch)
            case .absent: table.row(row)[column] = assignment.previous.map { table.row(row)[$0] } ?? .absent
            default: table.row(row)[column] = value
            }
            return true
        }
    }
}
