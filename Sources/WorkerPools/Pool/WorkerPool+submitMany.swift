extension WorkerPool {
    /// Queues many jobs while locking the queue only a few times.
    ///
    /// Waits for room as often as necessary, if the pool's policy is to suspend. For closures in an
    /// array: `closures.map { PoolJob($0) }`. There is no overload for those, because Swift would
    /// cast an array of closures of a slightly different type at run time, which fails.
    /// - Throws: as `submit(priority:_:)`; jobs before the refused one have been accepted.
    @inlinable
    public func submit(contentsOf jobs: some Sequence<PoolJob>, priority: JobPriority = .normal) async throws {
        var batch = JobBatch(storage.level(of: priority))
        defer { batch.free() }
        for job in jobs {
            batch.append(job.body)
            if batch.isFull { try await enter(&batch) }
        }
        try await enter(&batch)
    }

    @usableFromInline
    func enter(_ batch: inout JobBatch) async throws {
        while true {
            storage.injector.push(&batch.jobs, level: batch.level)
            guard batch.jobs.count > 0 else { return }
            try await storage.enter(batch.jobs.removeFirst())
        }
    }
}

/// A job to submit along with others: a closure that can be stored in arrays and sequences.
public struct PoolJob: Sendable {
    @usableFromInline let body: Job.Body

    @inlinable
    public init(_ job: @escaping @Sendable () async throws -> Void) { body = .asynchronous(job) }

    /// A job that awaits nothing; a closure without `await` resolves to this overload.
    @inlinable
    public init(_ job: @escaping @Sendable () throws -> Void) { body = .plain(job) }
}

/// Jobs that are submitted together.
@usableFromInline
struct JobBatch {
    @usableFromInline let level: UInt8
    @usableFromInline var jobs = JobBuffer(capacity: 256)

    @usableFromInline
    init(_ level: UInt8) { self.level = level }

    @inlinable
    var isFull: Bool { jobs.count >= 256 }

    @inlinable
    mutating func append(_ body: consuming Job.Body) { jobs.append(Job(body: body, level: level)) }

    /// Must be called once, when the batch has been submitted or refused.
    @usableFromInline
    mutating func free() { jobs.free() }
}
