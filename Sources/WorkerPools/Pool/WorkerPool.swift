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
        _ = storage.perform(storage.step(shutsInjector: true) { $0.drain() })
    }

    public var name: String { storage.configuration.name }

    /// A consistent look at the pool; costs about as much as a submit.
    public var counters: PoolCounters { storage.counters }

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
        if let unqueued = push(.asynchronous(job), priority) { try await enter(unqueued) }
    }

    /// Queues a job that awaits nothing; a closure without `await` comes here by itself.
    ///
    /// As `submit(priority:_:)`, but the job costs a function call where an asynchronous one costs about ten. A closure that belongs to
    /// an actor comes here, too, and is refused by the compiler: it is to say that it is `async`, as in `{ @MainActor () async in … }`.
    @inlinable
    public func submit(priority: JobPriority = .normal, _ job: @escaping @Sendable () throws -> Void) async throws {
        if let unqueued = push(.plain(job), priority) { try await enter(unqueued) }
    }

    @usableFromInline
    func push(_ body: consuming Job.Body, _ priority: JobPriority) -> Job? {
        storage.injector.push(Job(body: body, level: storage.level(of: priority)))
    }

    @usableFromInline
    func push(_ body: consuming Job.Body, _ record: JobRecord, _ priority: JobPriority) -> Job? {
        storage.injector.push(Job(body: body, record: record, level: storage.level(of: priority)))
    }

    @usableFromInline
    func enter(_ job: Job) async throws { try await storage.enter(job) }

    /// Queues a job with a name, limits or retries of its own.
    public func submit(_ options: JobOptions, _ job: @escaping @Sendable () async throws -> Void) async throws {
        let record = AwaitedRecord(options: options)
        if let unqueued = push(.asynchronous(job), record, options.priority) { try await enter(unqueued) }
    }

    /// The same for a job that awaits nothing.
    public func submit(_ options: JobOptions, _ job: @escaping @Sendable () throws -> Void) async throws {
        let record = AwaitedRecord(options: options)
        if let unqueued = push(.plain(job), record, options.priority) { try await enter(unqueued) }
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
        let record = ValueRecord<Value, Failure>(options: options, .asynchronous(job))
        if let unqueued = push(ValueRecord<Value, Failure>.asynchronousBody, record, options.priority) { try await enter(unqueued) }
        return TypedJobHandle(record: record, storage: storage)
    }

    /// Queues a job that awaits nothing, and whose result can be waited for; a closure without `await` comes here by itself.
    ///
    /// One with `await` that spells out its signature has to say `async` there, or it is taken for one without.
    @discardableResult
    @inlinable
    public func submit<Value: Sendable, Failure: Error>(
        _ options: JobOptions = JobOptions(),
        returning job: @escaping @Sendable () throws(Failure) -> Value
    ) async throws -> TypedJobHandle<Value, Failure> {
        let record = ValueRecord<Value, Failure>(options: options, .plain(job))
        if let unqueued = push(.plainOfRecord, record, options.priority) { try await enter(unqueued) }
        return TypedJobHandle(record: record, storage: storage)
    }

    /// Queues a job and calls `then` with its result: on the worker that ran it, on a clock's thread if its time was up, on the
    /// submitter's if it ran or dropped the job, or on that of whoever cancelled it. `then` must be quick and must not block.
    @inlinable
    public func submit<Value: Sendable, Failure: Error>(
        _ options: JobOptions = JobOptions(),
        returning job: @escaping @Sendable () async throws(Failure) -> Value,
        then: @escaping @Sendable (Result<Value, JobFailure<Failure>>) -> Void
    ) async throws {
        let record = CallbackRecord<Value, Failure>(options: options, .asynchronous(job), then: then)
        if let unqueued = push(ValueRecord<Value, Failure>.asynchronousBody, record, options.priority) { try await enter(unqueued) }
    }

    /// The same for a job that awaits nothing.
    @inlinable
    public func submit<Value: Sendable, Failure: Error>(
        _ options: JobOptions = JobOptions(),
        returning job: @escaping @Sendable () throws(Failure) -> Value,
        then: @escaping @Sendable (Result<Value, JobFailure<Failure>>) -> Void
    ) async throws {
        let record = CallbackRecord<Value, Failure>(options: options, .plain(job), then: then)
        if let unqueued = push(.plainOfRecord, record, options.priority) { try await enter(unqueued) }
    }

    /// Queues a job without ever waiting, for submitters that are not `async`: where a full queue would suspend the submitter or have it
    /// run the job, this is refused.
    public func submitNow(
        priority: JobPriority = .normal, _ job: @escaping @Sendable () async throws -> Void
    ) throws(PoolError) {
        try enterNow(push(.asynchronous(job), priority))
    }

    /// The same for a job that awaits nothing.
    public func submitNow(priority: JobPriority = .normal, _ job: @escaping @Sendable () throws -> Void) throws(PoolError) {
        try enterNow(push(.plain(job), priority))
    }

    private func enterNow(_ job: Job?) throws(PoolError) {
        guard let job else { return }
        switch storage.step(shutsInjector: true, { $0.offer(job) }) {
        case .accepted: return
        case .closed: try storage.offerNested(job)
        case .full: try storage.submitNowToFullQueue(job)
        }
    }
}
