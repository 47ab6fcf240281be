extension WorkerPool {
    /// Queues many jobs with few looks at the queue.
    ///
    /// Waits for room as often as it must, if the pool is to suspend then. Closures at hand in an array: `closures.map { PoolJob($0) }`;
    /// there is no such method for them, since Swift would cast an array of closures of a slightly different type as the program runs,
    /// which fails.
    /// - Throws: as `submit(priority:_:)`; jobs before the one that was refused have been accepted.
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

/// A job to be submitted with others: a closure that may be kept in arrays and sequences as it is.
public struct PoolJob: Sendable {
    @usableFromInline let body: Job.Body

    @inlinable
    public init(_ job: @escaping @Sendable () async throws -> Void) { body = .asynchronous(job) }

    /// A job that awaits nothing; a closure without `await` comes here by itself.
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

    /// To be called once, when the batch has been submitted or was refused.
    @usableFromInline
    mutating func free() { jobs.free() }
}
