/// Runs jobs, so many at once and no more; the others wait in its queue.
///
/// ```swift
/// let pool = WorkerPool(.init(name: "thumbnails", workers: 1...8))
/// for photo in photos {
///     try await pool.submit { try await makeThumbnail(of: photo) }   // waits while the queue is full
/// }
/// await pool.drain()                                                 // returns when all are done
/// ```
///
/// Jobs run in tasks of the pool's own, not in child tasks of the submitter: they inherit neither its cancellation nor
/// its task-local values. Letting go of the last reference drains the pool.
public final class WorkerPool: Sendable {
    @usableFromInline let storage: PoolStorage

    public init(_ configuration: Configuration) {
        storage = PoolStorage(configuration)
    }

    deinit {
        _ = storage.perform(storage.state.withLock { $0.drain() })
    }

    public var name: String { storage.configuration.name }

    /// A consistent look at the pool; costs about as much as a submit.
    public var counters: PoolCounters { storage.state.withLock { $0.snapshot } }

    // The three ways in.

    /// Queues a job, and waits for room first if the queue is full and the pool is to suspend then.
    ///
    /// An error of the job goes to ``Configuration/onFailure``, if it is not tried again. Allocates nothing beyond what
    /// the closure itself captures.
    /// - Throws: ``PoolError/closed(pool:)``, ``PoolError/full(pool:capacity:)``, or `CancellationError` if the submitting
    ///   task is cancelled while it waits for room; the job is then not accepted.
    @inlinable
    public func submit(
        priority: JobPriority = .normal, _ job: @escaping @Sendable () async throws -> Void
    ) async throws {
        // Inlined, so that a submit that need not wait is no asynchronous call.
        if enterNow(priority, job) { return }
        try await enterLater(priority, job)
    }

    @usableFromInline
    func enterNow(_ priority: JobPriority, _ job: @escaping @Sendable () async throws -> Void) -> Bool {
        let job = storage.makeJob(job, nil, priority: priority)
        guard case .accepted(let wake, let growth) = storage.state.withLock({ $0.offer(job) }) else { return false }
        storage.perform(wake)
        storage.perform(growth)
        return true
    }

    @usableFromInline
    func enterLater(_ priority: JobPriority, _ job: @escaping @Sendable () async throws -> Void) async throws {
        try await storage.enter(storage.makeJob(job, nil, priority: priority))
    }

    /// Queues a job with a name, limits or retries of its own.
    public func submit(_ options: JobOptions, _ job: @escaping @Sendable () async throws -> Void) async throws {
        try await enterLater(AwaitedRecord(options: options), job)
    }

    /// Queues a job whose result can be waited for.
    ///
    /// A closure of one expression with a value comes here too, when its handle is not made use of.
    @discardableResult
    @inlinable
    public func submit<Value: Sendable, Failure: Error>(
        _ options: JobOptions = JobOptions(),
        returning job: @escaping @Sendable () async throws(Failure) -> Value
    ) async throws -> TypedJobHandle<Value, Failure> {
        let record = ValueRecord<Value, Failure>(options: options)
        let body = record.keeping(job)
        if !enterNow(record, body) { try await enterLater(record, body) }
        return TypedJobHandle(record: record, storage: storage)
    }

    /// Queues a job and calls `then` with its result, on the worker that ran it or on a clock's thread if its time was
    /// up: `then` must be quick and must not block.
    @inlinable
    public func submit<Value: Sendable, Failure: Error>(
        _ options: JobOptions = JobOptions(),
        returning job: @escaping @Sendable () async throws(Failure) -> Value,
        then: @escaping @Sendable (Result<Value, JobFailure<Failure>>) -> Void
    ) async throws {
        let record = ValueRecord<Value, Failure>(options: options)
        record.then = { [unowned record] end in then(record.result(of: end)) }
        let body = record.keeping(job)
        if !enterNow(record, body) { try await enterLater(record, body) }
    }

    @usableFromInline
    func enterNow(_ record: JobRecord, _ body: @escaping @Sendable () async throws -> Void) -> Bool {
        let job = storage.makeJob(body, record, priority: record.options.priority)
        guard case .accepted(let wake, let growth) = storage.state.withLock({ $0.offer(job) }) else { return false }
        storage.perform(wake)
        storage.perform(growth)
        return true
    }

    @usableFromInline
    func enterLater(_ record: JobRecord, _ body: @escaping @Sendable () async throws -> Void) async throws {
        try await storage.enter(storage.makeJob(body, record, priority: record.options.priority))
    }

    /// Queues a job without ever waiting, for submitters that are not `async`: a full queue that would suspend refuses.
    public func submitNow(
        priority: JobPriority = .normal, _ job: @escaping @Sendable () async throws -> Void
    ) throws(PoolError) {
        let job = storage.makeJob(job, nil, priority: priority)
        switch storage.state.withLock({ $0.offer(job) }) {
        case .accepted(let wake, let growth):
            storage.perform(wake)
            storage.perform(growth)
        case .closed: try storage.offerNested(job)
        case .full: try storage.submitNowToFullQueue(job)
        }
    }
}
