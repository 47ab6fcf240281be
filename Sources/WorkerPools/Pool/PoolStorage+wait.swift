extension PoolStorage {
    /// The slot of the calling task, if it is one of this pool's workers.
    ///
    /// Child tasks of a job do not count: their parent may still be computing, and its place is not
    /// theirs to lend.
    var ownSlot: Int? {
        withUnsafeCurrentTask { task in task.flatMap { task in read { $0.workers.slot(of: task) } } }
    }

    /// Waits for something that only this pool can bring about. A job that does so lends its place
    /// in the meantime, so that jobs waiting for jobs of their own pool never bring it to a halt.
    func whileWaiting<Value, Failure: Error>(_ wait: () async throws(Failure) -> Value) async throws(Failure) -> Value {
        guard let slot = ownSlot else { return try await wait() }
        step { $0.lend(slot) }
        let result: Result<Value, Failure>
        do {
            result = .success(try await wait())
        } catch {
            result = .failure(error)
        }
        if !step({ $0.reclaim(slot) }) {
            await withUnsafeContinuation { continuation in
                if !exclusiveStep({ $0.waitForPlace(at: slot, continuation, $1) }) { continuation.resume() }
            }
        }
        return try result.get()
    }

    @usableFromInline
    func end(of record: JobRecord) async -> JobEnd {
        await whileWaiting { await endWaits.end(of: record) }
    }

    func wait(for condition: Waiter.Condition) async {
        await whileWaiting {
            await withUnsafeContinuation { join(condition, ticket: 0, $0) }
        }
    }

    /// Starts a wait; if the condition already holds, the caller is woken at once.
    private func join(_ condition: Waiter.Condition, ticket: UInt64, _ continuation: UnsafeContinuation<Void, Never>) {
        let waiter = Waiter(
            condition: condition, slot: ownSlot, inCallers: callerRuns, ticket: ticket, continuation: continuation)
        step { $0.add(waiter) }
    }

    /// Waits for the condition, but no longer than `limit`; then calls `orElse`, on the clock's
    /// thread, and returns.
    /// - Parameter heedsCancellation: whether to return at once when the task is cancelled.
    func wait(
        for condition: Waiter.Condition, atMost limit: Duration, heedsCancellation: Bool = false,
        orElse: @escaping @Sendable (PoolStorage) -> Void = { _ in }
    ) async {
        let ticket = step { $0.takeTicket() }
        await withTaskCancellationHandler {
            await whileWaiting {
                await withUnsafeContinuation { continuation in
                    join(condition, ticket: ticket, continuation)
                    // A cancellation that came before there was a waiter to withdraw.
                    if heedsCancellation, Task.isCancelled { withdrawWaiter(ticket)?.resume() }
                    alarms.call(at: alarms.now &+ limit.nanoseconds) { [weak self] in
                        guard let self, let waiting = withdrawWaiter(ticket) else { return }
                        orElse(self)
                        waiting.resume()
                    }
                }
            }
        } onCancel: {
            if heedsCancellation { withdrawWaiter(ticket)?.resume() }
        }
    }

    private func withdrawWaiter(_ ticket: UInt64) -> UnsafeContinuation<Void, Never>? {
        step { $0.waits.withdraw(ticket: ticket) }
    }
}
