extension WorkerPool {
    /// Queues many jobs while locking the queue only a few times.
    ///
    /// Waits for room as often as necessary, if the pool's policy is to suspend. For closures in an
    /// array: `closures.map { PoolJob($0) }`. There is no overload for those, because Swift would
    /// cast an array of closures of a slightly different type at run time, which fails.
    /// - Throws: as `submit(priority:_:)`; jobs before the refused one have been accepted.
    @inlinable
    public func submit(contentsOf jobs: some Sequence<PoolJob>, priority: JobPriority = .normal) async throws {
        var batch = JobBuffer()
        defer { batch.free() }
        let level = storage.level(of: priority)
        for job in jobs {
            batch.append(Job(body: job.body, level: level))
            if batch.count == 256 { try await submitAll(of: &batch) }
        }
        try await submitAll(of: &batch)
    }

    @usableFromInline
    func submitAll(of batch: inout JobBuffer) async throws {
        while true {
            storage.submitWithoutStep(&batch)
            guard batch.count > 0 else { return }
            try await storage.submit(batch.removeFirst())
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
