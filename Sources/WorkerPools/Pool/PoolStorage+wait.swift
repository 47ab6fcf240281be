extension PoolStorage {
    /// The slot of the calling task, if it is one of this pool's workers.
    ///
    /// Child tasks of a job do not count: their parent may still be computing, and its place is not
    /// theirs to lend.
    var ownSlot: Int? {
        guard let identity = withUnsafeCurrentTask(body: { $0?.hashValue }) else { return nil }
        return read { $0.slotsByTask[identity] }
    }

    /// Waits for something that only this pool can bring about. A job that does so lends its place
    /// in the meantime, so that jobs waiting for jobs of their own pool never bring it to a halt.
    func whileWaiting<Value, Failure: Error>(_ wait: () async throws(Failure) -> Value) async throws(Failure) -> Value {
        guard let slot = ownSlot else { return try await wait() }
        perform(step { $0.lend(slot) })
        let result: Result<Value, Failure>
        do {
            result = .success(try await wait())
        } catch {
            result = .failure(error)
        }
        if !step({ $0.reclaim(slot) }) {
            await withUnsafeContinuation { continuation in
                if !exclusiveStep({ $0.waitForPlace(at: slot, continuation) }) { continuation.resume() }
            }
        }
        return try result.get()
    }

    @usableFromInline
    func end(of record: AwaitedRecord) async -> JobEnd {
        await whileWaiting { await record.waitForEnd() }
    }

    func wait(for condition: Waiter.Condition) async {
        await whileWaiting {
            await withUnsafeContinuation { join(condition, $0) }
        }
    }

    /// Starts a wait; if the condition already holds, the caller is woken at once.
    private func join(_ condition: Waiter.Condition, ticket: UInt64 = 0, _ continuation: UnsafeContinuation<Void, Never>) {
        let waiter = Waiter(
            condition: condition, slot: ownSlot, inCallers: callerRuns, ticket: ticket, continuation: continuation)
        var deferred = PoolState.DeferredActions()
        step { state in
            state.add(waiter)
            state.resumeWaiters(&deferred)
        }
        perform(deferred)
    }

    /// Waits for the condition, but no longer than `limit`; then calls `orElse`, on the clock's
    /// thread, and returns.
    func wait(
        for condition: Waiter.Condition, atMost limit: Duration, orElse: @escaping @Sendable (PoolStorage) -> Void = { _ in }
    ) async {
        await wait(for: condition, atMost: limit, ticket: step { $0.takeTicket() }, heedsCancellation: false, orElse)
    }

    /// The same, but returns at once when the task is cancelled.
    func waitUnlessCancelled(for condition: Waiter.Condition, atMost limit: Duration) async {
        let ticket = step { $0.takeTicket() }
        await withTaskCancellationHandler {
            await wait(for: condition, atMost: limit, ticket: ticket, heedsCancellation: true) { _ in }
        } onCancel: {
            step { $0.withdrawWaiter(ticket: ticket) }?.resume()
        }
    }

    private func wait(
        for condition: Waiter.Condition, atMost limit: Duration, ticket: UInt64, heedsCancellation: Bool,
        _ orElse: @escaping @Sendable (PoolStorage) -> Void
    ) async {
        await whileWaiting {
            await withUnsafeContinuation { continuation in
                join(condition, ticket: ticket, continuation)
                // A cancellation that came before there was a waiter to withdraw.
                if heedsCancellation, Task.isCancelled { step { $0.withdrawWaiter(ticket: ticket) }?.resume() }
                alarms.call(at: alarms.now &+ limit.nanoseconds) { [weak self] in
                    guard let self, let waiting = step({ $0.withdrawWaiter(ticket: ticket) }) else { return }
                    orElse(self)
                    waiting.resume()
                }
            }
        }
    }

    func perform(_ stop: PoolState.Stop) -> [UndoneJob] {
        for submitter in stop.refused { submitter.resume() }
        for worker in stop.retiring { worker.resume() }
        for worker in stop.cancelled { worker.cancel() }
        let undone = stop.undone.map { job in
            let undone = UndoneJob(job)
            job.record?.settle(.stopped(cancellation(of: job.record)))
            return undone
        }
        for waiter in stop.waiters { waiter.resume() }
        if !undone.isEmpty { noteAnnounced(undone.count) }
        return undone
    }

    func cancel(_ record: JobRecord) {
        switch exclusiveStep({ $0.cancel(record) }) {
        case .nothing: return
        case .cancel(let worker): worker?.cancel()
        case .ended(let record):
            record.settle(.stopped(cancellation(of: record)))
            noteAnnounced(1)
        }
    }
}
