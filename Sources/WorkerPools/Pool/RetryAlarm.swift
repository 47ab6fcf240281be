/// What an alarm holds of a pool while a job waits for its next attempt: nothing any more once the job is cancelled, so that a
/// cancelled pool does not stay for as long as the wait was to be.
final class RetryAlarm: Sendable {
    private let storage: Guarded<PoolStorage?>

    init(_ storage: PoolStorage) { self.storage = Guarded(storage) }

    /// The wait is over.
    func ring(ticket: UInt64) { take()?.step { $0.resumeDelayed(ticket: ticket) } }

    /// To be called by somebody who holds the pool, and may hold its lock.
    func silence() { _ = take() }

    private func take() -> PoolStorage? {
        storage.withLock { storage in
            defer { storage = nil }
            return storage
        }
    }
}
