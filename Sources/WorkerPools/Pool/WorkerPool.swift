/// Runs a limited number of jobs at once; the others wait in its queue.
///
/// ```swift
/// let pool = WorkerPool(.init(name: "thumbnails", workers: 1...8))
/// for photo in photos {
///     try await pool.submit { try await makeThumbnail(of: photo) }  // waits if the queue is full
/// }
/// await pool.drain()  // returns when all are done
/// ```
///
/// Jobs run in the pool's own tasks, not in child tasks of the submitter: they inherit neither its
/// cancellation nor its task-local values. Releasing the last reference drains the pool.
public final class WorkerPool: Sendable {
    @usableFromInline let storage: PoolStorage

    public init(_ configuration: Configuration) {
        storage = PoolStorage(configuration)
    }

    deinit {
        storage.step { $0.drain() }
    }

    public var name: String { storage.configuration.name }

    /// A consistent snapshot of the pool; costs about as much as a submit.
    public var counters: PoolCounters { storage.counters }

    /// Queues a job. If the queue is full and the pool's policy is to suspend, waits for room
    /// first.
    ///
    /// If the job fails and is not retried, its error goes to ``Configuration/onFailure``.
    /// Allocates nothing beyond what the closure itself captures.
    /// - Throws: ``PoolError/closed(pool:)``, ``PoolError/full(pool:capacity:)``, or
    ///   `CancellationError` if the submitting task is cancelled while it waits for room; the job
    ///   is then not accepted.
    @inlinable
    public func submit(
        priority: JobPriority = .normal, _ job: @escaping @Sendable () async throws -> Void
    ) async throws {
        // Inlined, so that a submit that does not have to wait is not an asynchronous call.
        if let unqueued = storage.submitWithoutStep(.asynchronous(job), nil, priority) { try await storage.submit(unqueued) }
    }

    /// Queues a job that awaits nothing; a closure without `await` resolves to this overload.
    ///
    /// As `submit(priority:_:)`, but the job costs one function call where an asynchronous one
    /// costs about ten. A closure isolated to an actor resolves to this overload as well and is
    /// refused by the compiler: declare it `async`, as in `{ @MainActor () async in … }`.
    @inlinable
    public func submit(priority: JobPriority = .normal, _ job: @escaping @Sendable () throws -> Void) async throws {
        if let unqueued = storage.submitWithoutStep(.plain(job), nil, priority) { try await storage.submit(unqueued) }
    }

    /// Queues a job with a name, limits or retries of its own.
    public func submit(_ options: JobOptions, _ job: @escaping @Sendable () async throws -> Void) async throws {
        let record = JobRecord(options: options)
        if let unqueued = storage.submitWithoutStep(.asynchronous(job), record, options.priority) { try await storage.submit(unqueued) }
    }

    /// The same for a job that awaits nothing.
    public func submit(_ options: JobOptions, _ job: @escaping @Sendable () throws -> Void) async throws {
        let record = JobRecord(options: options)
        if let unqueued = storage.submitWithoutStep(.plain(job), record, options.priority) { try await storage.submit(unqueued) }
    }

    /// Queues a job whose result can be awaited.
    ///
    /// A single-expression closure with a value also resolves to this overload, even if its handle
    /// is not used.
    @discardableResult
    @inlinable
    public func submit<Value: Sendable, Failure: Error>(
        _ options: JobOptions = JobOptions(),
        returning job: @escaping @Sendable () async throws(Failure) -> Value
    ) async throws -> TypedJobHandle<Value, Failure> {
        let record = ValueRecord<Value, Failure, Value?>(options: options, .asynchronous(job))
        if let unqueued = storage.submitWithoutStep(record.asynchronousBody, record, options.priority) {
            try await storage.submit(unqueued)
        }
        return TypedJobHandle(record: record, storage: storage)
    }

    /// Queues a job that awaits nothing and whose result can be awaited; a closure without `await`
    /// resolves to this overload.
    ///
    /// A closure with `await` that spells out its signature has to include `async`, or it is taken
    /// for one without.
    @discardableResult
    @inlinable
    public func submit<Value: Sendable, Failure: Error>(
        _ options: JobOptions = JobOptions(),
        returning job: @escaping @Sendable () throws(Failure) -> Value
    ) async throws -> TypedJobHandle<Value, Failure> {
        let record = ValueRecord<Value, Failure, Value?>(options: options, .plain(job))
        if let unqueued = storage.submitWithoutStep(record.plainBody, record, options.priority) { try await storage.submit(unqueued) }
        return TypedJobHandle(record: record, storage: storage)
    }

    /// Queues a job and calls `then` with its result: on the worker that ran it, on a clock's
    /// thread if it timed out, on the submitter's if that ran or dropped the job, or on the thread
    /// that cancelled it. `then` must be quick and must not block.
    @inlinable
    public func submit<Value: Sendable, Failure: Error>(
        _ options: JobOptions = JobOptions(),
        returning job: @escaping @Sendable () async throws(Failure) -> Value,
        then: @escaping @Sendable (Result<Value, JobFailure<Failure>>) -> Void
    ) async throws {
        let record = ValueRecord<Value, Failure, Value?>(options: options, .asynchronous(job), then: then)
        if let unqueued = storage.submitWithoutStep(record.asynchronousBody, record, options.priority) {
            try await storage.submit(unqueued)
        }
    }

    /// The same for a job that awaits nothing.
    @inlinable
    public func submit<Value: Sendable, Failure: Error>(
        _ options: JobOptions = JobOptions(),
        returning job: @escaping @Sendable () throws(Failure) -> Value,
        then: @escaping @Sendable (Result<Value, JobFailure<Failure>>) -> Void
    ) async throws {
        let record = ValueRecord<Value, Failure, Value?>(options: options, .plain(job), then: then)
        if let unqueued = storage.submitWithoutStep(record.plainBody, record, options.priority) { try await storage.submit(unqueued) }
    }

    /// Queues a job without ever waiting, for submitters that are not `async`. Where a full queue
    /// would suspend the submitter or have it run the job, the job is refused.
    public func submitNow(
        priority: JobPriority = .normal, _ job: @escaping @Sendable () async throws -> Void
    ) throws(PoolError) {
        if let unqueued = storage.submitWithoutStep(.asynchronous(job), nil, priority) { try storage.submitNow(unqueued) }
    }

    /// The same for a job that awaits nothing.
    public func submitNow(priority: JobPriority = .normal, _ job: @escaping @Sendable () throws -> Void) throws(PoolError) {
        if let unqueued = storage.submitWithoutStep(.plain(job), nil, priority) { try storage.submitNow(unqueued) }
    }
}
