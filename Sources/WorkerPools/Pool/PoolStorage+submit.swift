extension PoolStorage {
    /// Takes a job in, by whichever way the pool's state and policy allow.
    /// - Parameter policy: nil for the pool's own.
    @usableFromInline
    func enter(_ job: Job, whenFull policy: FullQueuePolicy? = nil) async throws {
        switch offer(job) {
        case .accepted: return
        case .closed: throw refusal(.closed(pool: configuration.name))
        case .full: break
        }
        switch policy ?? configuration.whenFull {
        case .suspend:
            try await whileWaiting { try await waitForRoom(job) }
        case .runInCaller:
            try check(step { $0.acceptInCaller(job) })
            await runInCaller(job)
        case .reject, .dropOldest, .dropNewest:
            try enterFullQueue(job)
        }
    }

    /// For a submitter that cannot wait.
    func enterNow(_ job: Job) throws(PoolError) {
        switch offer(job) {
        case .accepted: return
        case .closed: throw refusal(.closed(pool: configuration.name))
        case .full: try enterFullQueue(job)
        }
    }

    /// Jobs of the pool itself may submit while it drains.
    private func offer(_ job: Job) -> PoolState.Admission {
        guard let job = push(job) else { return .accepted }
        let admission = step { $0.offer(job) }
        guard case .closed = admission, isNested else { return admission }
        return step { $0.offer(job, isNested: true) }
    }

    /// For submitters that cannot wait: both `suspend` and `runInCaller` count as `reject`.
    private func enterFullQueue(_ job: Job) throws(PoolError) {
        switch configuration.whenFull {
        case .suspend, .reject, .runInCaller:
            throw refusal(.full(pool: configuration.name, capacity: configuration.queue.limit))
        case .dropOldest: try check(exclusiveStep { $0.acceptDroppingOldest(job, $1) })
        case .dropNewest: try check(step { $0.dropNewest(job) })
        }
    }

    /// The pool may have closed since the job was offered.
    private func check(_ admission: PoolState.Admission) throws(PoolError) {
        guard case .accepted = admission else { throw refusal(.closed(pool: configuration.name)) }
    }

    /// Whether the caller is a job of this pool, or a task that takes elements for one.
    private var isNested: Bool { ownSlot != nil || callerRuns > 0 || Self.pumpingFor == ObjectIdentifier(self) }

    /// The pools whose jobs the current task runs as their submitter.
    @TaskLocal private static var runsFor: [ObjectIdentifier] = []

    /// How many jobs of this pool the current task runs as their submitter, nested in each other.
    var callerRuns: Int { Self.runsFor.count { $0 == ObjectIdentifier(self) } }

    /// The pool of the job that waits for the current task.
    @TaskLocal private static var pumpingFor: ObjectIdentifier?

    /// A task that takes elements from a sequence for the caller, which waits for it, and submits
    /// jobs as if it were the caller.
    func taskForElements(_ body: @escaping @Sendable () async throws -> Void) -> Task<Void, any Error> {
        Self.$pumpingFor.withValue(isNested ? ObjectIdentifier(self) : Self.pumpingFor) { Task { try await body() } }
    }

    private func refusal(_ error: PoolError) -> PoolError {
        step { $0.counters.rejected += 1 }
        return error
    }

    private func waitForRoom(_ job: Job) async throws {
        let isNested = isNested
        let ticket = step { $0.takeTicket() }
        let reply = Guarded(SubmitReply.withdrawn)
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let submit = SuspendedSubmit(
                    job: job, ticket: ticket, isNested: isNested, reply: reply, continuation: continuation)
                // A cancellation before the job is in line is seen here; a later one finds it in
                // line.
                let isCancelled = step { state in
                    if Task.isCancelled { return true }
                    state.suspend(submit)
                    return false
                }
                if isCancelled { continuation.resume() }
            }
        } onCancel: {
            step { $0.withdraw(ticket: ticket) }
        }
        switch reply.withLock({ $0 }) {
        case .accepted: return
        case .closed: throw refusal(.closed(pool: configuration.name))
        case .withdrawn: throw CancellationError()
        case .cancelled: throw PoolError.cancelled(pool: configuration.name, job: job.record?.details?.name)
        }
    }

    /// One attempt, without timeout or retry: the submitter's task is not the pool's to cancel.
    private func runInCaller(_ job: Job) async {
        let end: JobEnd
        do {
            try await Self.$runsFor.withValue(Self.runsFor + [ObjectIdentifier(self)]) {
                switch job.body {
                case .plain(let body): try body()
                case .plainOfRecord(let attempt): if let record = job.record { try attempt(record) }
                case .asynchronous(let body): try await body()
                case .asynchronousOfRecord(let attempt): if let record = job.record { try await attempt(record) }
                case .movedOut: preconditionFailure("a running job was submitted")
                }
            }
            end = .done
        } catch {
            await report(job, error, retryAfter: nil)
            end = .failed(error)
        }
        job.record?.settle(end, endWaits)
        step { $0.endInCaller(job.record, end) }
    }
}
