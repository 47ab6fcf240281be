/// One stage as the run calls it: a batch at a time, in any order of batches, from several workers at once.
///
/// A stage changes the batch in place: rows it leaves out are filtered, rows it fails become dead letters; it never loses one.
protocol BatchStage: Sendable {
    var site: StageSite { get }

    /// - Throws: only what ends the run: ``RunError`` for a failure under `on_error: stop`, `CancellationError`.
    func run(_ batch: RecordBatch) async throws

    /// Called once, when no batch will come any more.
    func end() async

    /// How many batches are in the stage at once.
    func batches(_ pool: PoolOptions, threads: Int) -> ClosedRange<Int>

    /// What the stage's own workers did, where they are not the ones that take batches.
    var ownWorkers: OwnWorkers? { get }
}

/// Workers that a stage has besides those that take batches: the children of `exec`.
struct OwnWorkers: Sendable {
    var range: ClosedRange<Int>
    var peak: Int
    var retries: Int
    var timeouts: Int
    var busy: Duration
}

extension BatchStage {
    func end() async {}
    func batches(_ pool: PoolOptions, threads: Int) -> ClosedRange<Int> { pool.workers ?? 1...threads }
    var ownWorkers: OwnWorkers? { nil }
}

/// What every stage knows of itself: its place in the pipeline and the fields that reach it.
struct StageSite: Sendable {
    /// Its place in the ledger: 0 is the source.
    var index: Int
    var name: String
    var policy: FailurePolicy
    /// The longest time that one record may take. A computation is not cut off: its cost limit bounds it; a record that took longer fails.
    var timeout: Duration?
    /// The fields as they reach the stage.
    var fields: RecordFields

    /// Takes a failed record out of the batch's way, as the policy says. The caller leaves it out of `batch.rows`.
    func fail(_ row: Int, of batch: RecordBatch, with failure: RecordFailure) throws(RunError) {
        switch policy {
        case .deadLetter:
            batch.counts[index].dead += 1
            batch.add(
                DeadLetter(
                    frame: batch.origin(row), stage: name, failure: failure, record: fields.json(row, of: batch).withFilled(Array.init), oversized: nil))
        case .drop:
            batch.counts[index].filtered += 1
            batch.counts[index].dropped += 1
        case .stop:
            let position = batch.source.position(ofFrame: batch.origin(row))
            throw .stopped(
                stage: name, code: failure.code, message: failure.message, file: fields.inputs[batch.source.input].text,
                line: position.line)
        }
    }
}

extension StageSite {
    /// Leaves out the rows that `passes` is false for; one that it throws on goes the way of the policy. Counts nothing but failures.
    @inline(__always)
    func keep(in batch: RecordBatch, _ passes: (Int) throws(RecordFailure) -> Bool) throws(RunError) {
        guard let timeout else { return try keepRows(of: batch, passes) }
        try keepRows(of: batch) { (row) throws(RecordFailure) in
            let start = ContinuousClock.now
            let isKept = try passes(row)
            let elapsed = ContinuousClock.now - start
            guard elapsed <= timeout else {
                batch.counts[index].timeouts += 1
                throw RecordFailure(code: "timeout", message: "took \(elapsed), longer than \(timeout)")
            }
            return isKept
        }
    }

    @inline(__always)
    private func keepRows(of batch: RecordBatch, _ passes: (Int) throws(RecordFailure) -> Bool) throws(RunError) {
        var rows = batch.rows
        batch.rows = []
        var kept = 0
        for index in rows.indices {
            let row = rows[index]
            do throws(RecordFailure) {
                guard try passes(Int(row)) else { continue }
                rows[kept] = row
                kept += 1
            } catch {
                try fail(Int(row), of: batch, with: error)
            }
        }
        rows.removeSubrange(kept...)
        batch.rows = rows
    }

    /// Looks at each row in turn: `true` keeps it, `false` leaves it out, a failure goes the way of the policy.
    @inline(__always)
    func sift(_ batch: RecordBatch, _ passes: (Int) throws(RecordFailure) -> Bool) throws(RunError) {
        let received = batch.rows.count
        try keep(in: batch, passes)
        let passed = batch.rows.count
        let lost = batch.counts[index].dead + batch.counts[index].dropped
        batch.counts[index].received += received
        batch.counts[index].passed += passed
        batch.counts[index].filtered += received - passed - lost
    }
}
