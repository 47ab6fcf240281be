/// An alarm's reference to a pool. Cancelling it releases the pool, so that one that has ended or
/// is cancelled does not stay alive for the rest of the wait. (A weak reference would make every
/// strong reference count more expensive.)
final class PoolAlarm: Sendable {
    private let storage: Guarded<PoolStorage?>

    init(_ storage: PoolStorage) { self.storage = Guarded(storage) }

    func fire(_ body: (PoolStorage) -> Void) {
        if let storage = take() { body(storage) }
    }

    /// The caller must hold a reference to the pool, and may hold its lock.
    func cancel() { _ = take() }

    private func take() -> PoolStorage? {
        storage.withLock { storage in
            defer { storage = nil }
            return storage
        }
    }
}
