/// What an alarm holds of a pool: nothing any more once it is silenced, so that a pool that has ended, or is cancelled, does not stay for
/// as long as the wait was to be. (A weak reference would make every count of strong ones dearer.)
final class PoolAlarm: Sendable {
    private let storage: Guarded<PoolStorage?>

    init(_ storage: PoolStorage) { self.storage = Guarded(storage) }

    /// The wait is over.
    func fire(_ body: (PoolStorage) -> Void) {
        if let storage = take() { body(storage) }
    }

    /// To be called by somebody who holds the pool, and may hold its lock.
    func cancel() { _ = take() }

    private func take() -> PoolStorage? {
        storage.withLock { storage in
            defer { storage = nil }
            return storage
        }
    }
}
