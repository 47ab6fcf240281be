extension PoolStorage {
    /// Takes a job in, by whichever way the pool's state and policy allow.
    /// - Parameter policy: nil for the pool's own.
    func enter(_ job: Job, whenFull policy: FullQueuePolicy? = nil) async throws {
        guard let job = injector.push(job) else { return }
        switch step(shutsInjector: true, { $0.offer(job) }) {
        case .accepted: return
        case .full:
            try await submitToFullQueue(job, policy)
        case .closed:
            switch offerAsNested(job) {
            case .accepted: return
            case .full: try await submitToFullQueue(job, policy)
            case .closed: throw refusal(closedError)
            }
        }
    }

    /// For a submitter that cannot wait, when the pool is not open.
    func offerNested(_ job: Job) throws(PoolError) {
        switch offerAsNested(job) {
        case .accepted: return
        case .full: try submitNowToFullQueue(job)
        case .closed:
            throw refusal(closedError)
        }
    }

    /// Jobs of the pool itself may submit while it drains.
    private func offerAsNested(_ job: Job) -> PoolState.Admission {
        guard isNested else { return .closed }
        return step(shutsInjector: true) { $0.offer(job, isNested: true) }
    }

    /// The slow ways into the queue, once ``PoolState/offer(_:isNested:)`` has found it full.
    private func submitToFullQueue(_ job: Job, _ policy: FullQueuePolicy?) async throws {
        switch policy ?? configuration.whenFull {
        case .suspend:
            try await whileWaiting { try await waitForRoom(job) }
        case .runInCaller:
            guard step(shutsInjector: true, { $0.acceptInCaller(job) }) else { throw refusal(closedError) }
            await runInCaller(job)
        case .reject, .dropOldest, .dropNewest:
            try submitNowToFullQueue(job)
        }
    }

    /// For submitters that cannot wait: both `suspend` and `runInCaller` count as `reject`.
    func submitNowToFullQueue(_ job: Job) throws(PoolError) {
        switch configuration.whenFull {
        case .suspend, .reject, .runInCaller:
            throw refusal(.full(pool: configuration.name, capacity: configuration.queue.limit))
        case .dropOldest:
            let (admission, dropped) = exclusiveStep { state in
                state.returnAllPrefetched()
                return state.acceptDroppingOldest(job)
            }
            guard case .accepted = admission else { throw refusal(closedError) }
            guard let dropped else { return }
            dropped.record?.settle(.stopped(drop(of: dropped.record)))
            noteAnnounced(1)
        case .dropNewest:
            guard step({ $0.dropNewest(job) }) else { throw refusal(closedError) }
            job.record?.settle(.stopped(drop(of: job.record)))
            noteAnnounced(1)
        }
    }

    var closedError: PoolError { .closed(pool: configuration.name) }

    /// Whether the caller is a job of this pool, or a task that takes elements for one.
    var isNested: Bool { ownSlot != nil || callerRuns > 0 || Self.pumpingFor == ObjectIdentifier(self) }

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

    private func drop(of record: JobRecord?) -> PoolError {
        .dropped(pool: configuration.name, job: record?.details?.name)
    }

    private func waitForRoom(_ job: Job) async throws {
        let isNested = isNested
        let ticket = step { $0.takeTicket() }
        let reply = SubmitReply()
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                // A cancellation before the job is in line is seen here; a later one finds it in
                // line.
                guard !Task.isCancelled else { return continuation.resume() }
                let submit = SuspendedSubmit(
                    job: job, ticket: ticket, isNested: isNested, reply: reply, continuation: continuation)
                if !step(shutsInjector: true, { $0.suspend(submit) }) {
                    continuation.resume()
                } else if Task.isCancelled {
                    step { $0.withdraw(ticket: ticket) }?.resume()
                }
            }
        } onCancel: {
            step { $0.withdraw(ticket: ticket) }?.resume()
        }
        switch read({ _ in reply.answer }) {
        case .accepted: return
        case .closed:
            throw refusal(closedError)
        case .withdrawn: throw CancellationError()
        case .cancelled: throw cancellation(of: job.record)
        }
    }

    /// One attempt, without timeout or retry: the submitter's task is not the pool's to cancel.
    private func runInCaller(_ job: Job) async {
        do {
            try await Self.$runsFor.withValue(Self.runsFor + [ObjectIdentifier(self)]) {
                switch job.body {
                case .plain(let body): try body()
                case .plainOfRecord: try job.record?.attempt()
                case .asynchronous(let body): try await body()
                case .asynchronousOfRecord(let attempt): if let record = job.record { try await attempt(record) }
                case .movedOut: preconditionFailure("a running job was submitted")
                }
            }
            job.record?.settle(.done)
            endInCaller(job, counting: \.done)
        } catch {
            await report(job, error, retryAfter: nil)
            job.record?.settle(.failed(error))
            endInCaller(job, counting: \.failed)
        }
    }

    private func endInCaller(_ job: Job, counting count: WritableKeyPath<PoolCounters, Int>) {
        var deferred = PoolState.DeferredActions()
        step { state in
            job.record?.phase = .settled
            state.counters.inCallers -= 1
            state.counters[keyPath: count] += 1
            state.resumeWaiters(&deferred)
        }
        perform(deferred)
    }
}
