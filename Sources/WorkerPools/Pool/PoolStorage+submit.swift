extension PoolStorage {
    /// Takes in a job that needs a step, by whichever way the pool's state and policy allow.
    /// - Parameter policy: nil for the pool's own.
    @usableFromInline
    func submit(_ job: Job, whenFull policy: FullQueuePolicy? = nil) async throws {
        let policy = policy ?? configuration.whenFull
        var admission = admit(job, whenFull: policy)
        if case .full = admission, policy == .suspend { admission = await whileWaiting { await waitForRoom(job) } }
        switch admission {
        case .accepted: break
        case .inCaller: await runInCaller(job)
        case .full: throw refusal(full)
        case .closed: throw refusal(closed)
        case .submitterCancelled: throw CancellationError()
        case .jobCancelled: throw PoolError.cancelled(pool: configuration.name, job: job.record?.details?.name)
        }
    }

    /// The same for a submitter that can neither wait nor run the job.
    func submitNow(_ job: Job) throws(PoolError) {
        let policy: FullQueuePolicy =
            switch configuration.whenFull {
            case .suspend, .runInCaller: .reject
            case .reject, .dropOldest, .dropNewest: configuration.whenFull
            }
        switch admit(job, whenFull: policy) {
        case .accepted: break
        case .closed: throw refusal(closed)
        case .full, .inCaller, .submitterCancelled, .jobCancelled: throw refusal(full)
        }
    }

    private var full: PoolError { .full(pool: configuration.name, capacity: configuration.queue.limit) }
    private var closed: PoolError { .closed(pool: configuration.name) }

    private func refusal(_ error: PoolError) -> PoolError {
        step { $0.counters.rejected += 1 }
        return error
    }

    /// Jobs of the pool itself may submit while it drains.
    private func admit(_ job: Job, whenFull policy: FullQueuePolicy) -> PoolState.Admission {
        let admission = step { $0.admit(job, whenFull: policy) }
        guard case .closed = admission, isNested else { return admission }
        return step { $0.admit(job, isNested: true, whenFull: policy) }
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

    private func waitForRoom(_ job: Job) async -> PoolState.Admission {
        let isNested = isNested
        let ticket = step { $0.takeTicket() }
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let waiter = RoomWaiter(job: job, ticket: ticket, isNested: isNested, continuation: continuation)
                // A cancellation before the job is in line is seen here; a later one finds it in
                // line.
                step { if Task.isCancelled { $0.answer(waiter, .submitterCancelled) } else { $0.admitOrKeepWaiting(waiter) } }
            }
        } onCancel: {
            step { $0.withdrawRoomWaiter(ticket: ticket) }
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
            await report(error, of: job.record, job.attempt, retryAfter: nil)
            end = .failed(error)
        }
        job.record?.announce(end, endWaits)
        step { $0.endInCaller(job.record, end) }
    }
}
