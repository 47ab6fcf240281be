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
            await suspend { continuation in exclusiveStep { $0.waitForPlace(at: slot, continuation, $1) } }
        }
        return try result.get()
    }

    @usableFromInline
    func waitForEnd(of record: JobRecord) async -> JobEnd {
        await whileWaiting { await endWaits.waitForEnd(of: record) }
    }

    /// Waits for the condition, but no longer than `limit`; then calls `orElse`, on the clock's
    /// thread, and returns.
    /// - Parameter heedsCancellation: whether to return at once when the task is cancelled.
    func wait(
        for condition: Waiter.Condition, atMost limit: Duration? = nil, heedsCancellation: Bool = false,
        orElse: @escaping @Sendable (PoolStorage) -> Void = { _ in }
    ) async {
        let ticket = step { $0.takeTicket() }
        await withTaskCancellationHandler {
            await whileWaiting {
                await withUnsafeContinuation { continuation in
                    let waiter = Waiter(
                        condition: condition, slot: ownSlot, inCallers: callerRuns, ticket: ticket, continuation: continuation)
                    step { $0.add(waiter) }
                    // A cancellation that came before there was a waiter to withdraw.
                    if heedsCancellation, Task.isCancelled { withdrawWaiter(ticket)?.resume() }
                    guard let limit else { return }
                    setAlarm(at: alarms.now &+ limit.nanoseconds) { storage in
                        guard let waiting = storage.withdrawWaiter(ticket) else { return }
                        orElse(storage)
                        waiting.resume()
                    }
                }
            }
        } onCancel: {
            if heedsCancellation { withdrawWaiter(ticket)?.resume() }
        }
    }

    private func withdrawWaiter(_ ticket: UInt64) -> UnsafeContinuation<Void, Never>? {
        step { $0.withdrawWaiter(ticket: ticket) }
    }
}

/// Suspends the task until the continuation is resumed; not at all if `keep` returns false.
@inline(__always)
func suspend(_ keep: (UnsafeContinuation<Void, Never>) -> Bool) async {
    await withUnsafeContinuation { continuation in
        if !keep(continuation) { continuation.resume() }
    }
}
