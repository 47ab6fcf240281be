/// Some of a pool's jobs, to wait for or cancel together.
///
/// ```swift
/// let group = pool.group()
/// for page in pages { try await group.submit { try await fetch(page) } }
/// try await group.wait()          // throws the first error; the other jobs were cancelled then
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
    /// nil to use the pool's own.
    private let policy: FullQueuePolicy?
    private let state = Guarded(JobGroupState())

    init(_ storage: PoolStorage, rule: FailureRule, whenFull policy: FullQueuePolicy? = nil) {
        self.storage = storage
        self.rule = rule
        self.policy = policy
    }

    /// Jobs that have not ended yet.
    public var pending: Int { state.withLock { $0.open.count } }
    public var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Why the first job that did not succeed failed.
    var firstFailure: JobFailure<any Error>? { state.withLock { $0.failures.first } }

    /// Queues a job of the group, as `WorkerPool.submit(_:_:)` does.
    /// - Throws: once the group is cancelled, the error of the job that failed first, or
    ///   ``PoolError/cancelled(pool:job:)`` if none has. A submitter that is suspended then stops
    ///   waiting.
    public func submit(_ options: JobOptions, _ job: @escaping @Sendable () async throws -> Void) async throws {
        try await submit(options, .asynchronous(job))
    }

    /// The same for a job that awaits nothing; a closure without `await` resolves to this overload.
    public func submit(_ options: JobOptions, _ job: @escaping @Sendable () throws -> Void) async throws {
        try await submit(options, .plain(job))
    }

    /// Queues a job of the group with the pool's own limits.
    public func submit(_ job: @escaping @Sendable () async throws -> Void) async throws {
        try await submit(JobOptions(), .asynchronous(job))
    }

    /// The same for a job that awaits nothing.
    public func submit(_ job: @escaping @Sendable () throws -> Void) async throws {
        try await submit(JobOptions(), .plain(job))
    }

    private func submit(_ options: JobOptions, _ job: Job.Body) async throws {
        try await submit(JobRecord(options: options) { self.noteEnd(of: $0, $1) }, job, priority: options.priority)
    }

    /// - Parameter record: calls ``noteEnd(of:_:)`` when the job has ended; until then the group
    ///   lives.
    func submit(_ record: JobRecord, _ job: Job.Body, priority: JobPriority = .normal) async throws {
        guard state.withLock({ $0.add(record) }) else { throw reasonForEnd(of: record) }
        do {
            if let unqueued = storage.submitWithoutStep(job, record, priority) { try await storage.submit(unqueued, whenFull: policy) }
        } catch {
            remove(record)
            if case .cancelled = error as? PoolError { throw reasonForEnd(of: record) }
            throw error
        }
    }

    private func reasonForEnd(of record: JobRecord) -> any Error {
        if case .failed(let error) = firstFailure { return error }
        return PoolError.cancelled(pool: storage.configuration.name, job: record.details?.name)
    }

    /// Waits as ``waitForAll()`` does, and throws the first error. Cancelling the waiting task
    /// cancels the group.
    public func wait() async throws {
        if let first = await waitForAll().first { throw first }
    }

    /// Waits until every job of the group has ended, including those submitted in the meantime. A
    /// job that waits for its own group waits forever.
    /// - Returns: the errors in the order in which they occurred.
    public func waitForAll() async -> [any Error] {
        await withTaskCancellationHandler {
            await storage.whileWaiting {
                await suspend { continuation in state.withLock { $0.wait(continuation) } }
            }
        } onCancel: {
            cancel()
        }
        return state.withLock { $0.failures.map(\.cause) }
    }

    /// Cancels the jobs that have not ended; later ones are refused.
    public func cancel() {
        guard let (records, handler) = state.withLock({ $0.cancel() }) else { return }
        for record in records { storage.cancel(record) }
        handler?()
    }

    /// Calls `handler` once when the group is cancelled, or at once if it already has been.
    func onCancel(_ handler: @escaping @Sendable () -> Void) {
        if !state.withLock({ $0.setCancelHandler(handler) }) { handler() }
    }

    func noteEnd(of record: JobRecord, _ end: JobEnd) {
        if let failure = end.failure {
            state.withLock { $0.failures.append(failure) }
            if rule == .cancelRest { cancel() }
        }
        remove(record)
    }

    private func remove(_ record: JobRecord) {
        for waiter in state.withLock({ $0.remove(record) }) { waiter.resume() }
    }
}

extension WorkerPool {
    /// A new group of jobs on this pool.
    public func group(onFailure rule: JobGroup.FailureRule = .cancelRest) -> JobGroup {
        JobGroup(storage, rule: rule)
    }
}
