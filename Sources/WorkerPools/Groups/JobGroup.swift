/// Some of a pool's jobs, to be waited for or cancelled together.
///
/// ```swift
/// let group = pool.group()
/// for page in pages { try await group.submit { try await fetch(page) } }
/// try await group.wait()          // throws the first error; the others were cancelled then
/// ```
public final class JobGroup: Sendable {
    /// What the failure of one job means for the others.
    public enum FailureRule: Sendable, Hashable {
        /// They are cancelled.
        case cancelRest
        /// They go on; ``JobGroup/waitForAll()`` lists all errors.
        case collect
    }

    private let storage: PoolStorage
    private let rule: FailureRule
    private let state = Guarded(JobGroupState())

    init(_ storage: PoolStorage, rule: FailureRule) {
        self.storage = storage
        self.rule = rule
    }

    /// Jobs that have no end yet.
    public var pending: Int { state.withLock { $0.records.count } }
    public var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Queues a job of the group, as ``WorkerPool/submit(_:_:)`` does.
    /// - Throws: also ``PoolError/cancelled(pool:job:)`` once the group is cancelled.
    public func submit(
        _ options: JobOptions, _ job: @escaping @Sendable () async throws -> Void
    ) async throws {
        let record = GroupRecord(self, options)
        guard state.withLock({ $0.add(record) }) else { throw storage.cancellation(of: record) }
        do {
            try await storage.enter(storage.makeJob(job, record, priority: options.priority))
        } catch {
            resume(state.withLock { $0.withdraw(record) })
            throw error
        }
    }

    /// Queues a job of the group with the pool's own limits.
    public func submit(_ job: @escaping @Sendable () async throws -> Void) async throws {
        try await submit(JobOptions(), job)
    }

    /// Waits for all jobs submitted so far; throws the first error. A cancelled waiter cancels the group.
    public func wait() async throws {
        if let first = await waitForAll().first { throw first }
    }

    /// Waits for all jobs submitted so far.
    /// - Returns: the errors in the order in which they came.
    public func waitForAll() async -> [any Error] {
        await withTaskCancellationHandler {
            await storage.whileWaiting {
                await withUnsafeContinuation { continuation in
                    if !state.withLock({ $0.wait(continuation) }) { continuation.resume() }
                }
            }
        } onCancel: {
            cancel()
        }
        return state.withLock { $0.errors }
    }

    /// Cancels the jobs that have not ended; later ones are refused.
    public func cancel() {
        for record in state.withLock({ $0.cancel() }) { storage.cancel(record) }
    }

    func end(_ record: GroupRecord, _ end: JobEnd) {
        let error: (any Error)? =
            switch end {
            case .done: nil
            case .failed(let error): error
            case .stopped(let error): error
            }
        let waiting = state.withLock { $0.end(record, error) }
        if error != nil, rule == .cancelRest { cancel() }
        resume(waiting)
    }

    private func resume(_ waiting: [UnsafeContinuation<Void, Never>]) {
        for waiter in waiting { waiter.resume() }
    }
}

extension WorkerPool {
    /// A new group of jobs on this pool.
    public func group(onFailure rule: JobGroup.FailureRule = .cancelRest) -> JobGroup {
        JobGroup(storage, rule: rule)
    }
}
