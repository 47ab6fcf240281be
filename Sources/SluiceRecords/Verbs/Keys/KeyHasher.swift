import SluiceCEL

/// Hashes keys made from several expressions. Keys that are equal in expressions have equal hashes.
struct KeyHasher {
    private let evaluations: [(evaluate: BoundProgram.Evaluation, program: BoundProgram)]
    private let batch: RecordBatch
    private let hashing: SipHash
    private let key = ByteBuffer(capacity: 256)

    init(_ by: [BoundProgram], _ batch: RecordBatch, _ hashing: SipHash) {
        evaluations = by.map { ($0.evaluation(over: batch), $0) }
        self.batch = batch
        self.hashing = hashing
    }

    func hash(_ row: Int) throws(RecordFailure) -> Hash128 {
        key.count = 0
        for (evaluate, program) in evaluations {
            let cell = evaluate(row)
            if cell.kind == .error { throw program.failure(row, of: batch) }
            do throws(EvaluationError) {
                _ = try GroupKey.append(cell, to: key, batch.scratch)
            } catch {
                throw RecordFailure(error)
            }
        }
        return hashing.hash(key.start, key.count)
    }
}
