// Unsafe code: a job does not retain its group, because counting references to one group from all
// cores would cost more than everything else. Instead the group retains itself from its first open
// job to its last: see `begin` and `end`.

import Synchronization

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
    /// Kept outside `state`, so that workers count a job that succeeded without a lock.
    private let open = Atomic(0)

    init(_ storage: PoolStorage, rule: FailureRule, whenFull policy: FullQueuePolicy? = nil) {
        self.storage = storage
        self.rule = rule
        self.policy = policy
    }

    /// Jobs that have not ended yet.
    public var pending: Int { open.load(ordering: .acquiring) }
    public var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Why the first job that did not succeed failed.
    var firstFailure: JobFailure<any Error>? { state.withLock { $0.firstFailure } }

    /// Queues a job of the group, as `WorkerPool.submit(_:_:)` does.
    /// - Throws: once the group is cancelled, the error of the job that failed first, or
    ///   ``PoolError/cancelled(pool:job:)`` if none has. A submitter that is suspended then stops
    ///   waiting.
    public func submit(
        _ options: JobOptions, _ job: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await submit(options, .asynchronous(job))
    }

    /// The same for a job that awaits nothing; a closure without `await` resolves to this overload.
    public func submit(_ options: JobOptions, _ job: @escaping @Sendable () throws -> Void) async throws {
        try await submit(options, .plain(job))
    }

    private func submit(_ options: JobOptions, _ job: Job.Body) async throws {
        let record = GroupRecord(self, options)
        guard state.withLock({ $0.add(record) }) else { throw reasonForEnd(of: record) }
        begin()
        do {
            try await storage.enter(storage.makeJob(job, record, priority: options.priority), whenFull: policy)
        } catch {
            record.hasEnded.store(true, ordering: .releasing)
            defer { end() }
            if case .cancelled = error as? PoolError { throw reasonForEnd(of: record) }
            throw error
        }
    }

    private func reasonForEnd(of record: GroupRecord) -> any Error {
        guard case .failed(let error) = firstFailure else { return storage.cancellation(of: record) }
        return error
    }

    /// Queues a job of the group with the pool's own limits.
    public func submit(_ job: @escaping @Sendable () async throws -> Void) async throws {
        try await submit(JobOptions(), .asynchronous(job))
    }

    /// The same for a job that awaits nothing.
    public func submit(_ job: @escaping @Sendable () throws -> Void) async throws {
        try await submit(JobOptions(), .plain(job))
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
                await withUnsafeContinuation { continuation in
                    state.withLock { $0.wait(continuation) }
                    wakeIfAllHaveEnded()
                }
            }
        } onCancel: {
            cancel()
        }
        return state.withLock { $0.errors }
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

    func end(_ record: GroupRecord, _ end: JobEnd) {
        record.hasEnded.store(true, ordering: .releasing)
        switch end {
        case .done: break
        case .failed(let error): note(.failed(error))
        case .stopped(let error): note(.stopped(error))
        }
        self.end()
    }

    private func note(_ failure: JobFailure<any Error>) {
        state.withLock { $0.note(failure) }
        if rule == .cancelRest { cancel() }
    }

    private func begin() {
        let before = open.add(1, ordering: .sequentiallyConsistent).oldValue
        if before == 0 { _ = Unmanaged.passRetained(self) }
    }

    /// The last open job wakes the waiters and releases the group.
    private func end() {
        let before = open.subtract(1, ordering: .sequentiallyConsistent).oldValue
        guard before == 1 else { return }
        wakeIfAllHaveEnded()
        Unmanaged.passUnretained(self).release()
    }

    /// Called both after `open` drops to 0 and after a waiter is added, so whichever happens second
    /// sees the other.
    private func wakeIfAllHaveEnded() {
        let waiting = state.withLock { open.load(ordering: .sequentiallyConsistent) == 0 ? $0.takeWaiting() : [] }
        for waiter in waiting { waiter.resume() }
    }
}

extension WorkerPool {
    /// A new group of jobs on this pool.
    public func group(onFailure rule: JobGroup.FailureRule = .cancelRest) -> JobGroup {
        JobGroup(storage, rule: rule)
    }
}
