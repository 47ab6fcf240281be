/// Snapshots of a pool at regular intervals, from now until it has ended; the last is taken then.
public struct PoolSnapshots: AsyncSequence, Sendable {
    public typealias Element = PoolCounters

    let storage: PoolStorage
    let interval: Duration

    public func makeAsyncIterator() -> Iterator { Iterator(storage: storage, interval: interval) }

    public struct Iterator: AsyncIteratorProtocol {
        let storage: PoolStorage
        let interval: Duration
        var isFirst = true
        var hasEnded = false

        /// Also nil, at once, when the task is cancelled.
        public mutating func next() async -> PoolCounters? {
            guard !hasEnded, !Task.isCancelled else { return nil }
            if !isFirst { await storage.wait(for: .ended, atMost: interval, heedsCancellation: true) }
            isFirst = false
            guard !Task.isCancelled else { return nil }
            let (counters, ended) = storage.exclusiveStep { ($0.snapshot($1), $0.hasEnded) }
            hasEnded = ended
            return counters
        }
    }
}

extension WorkerPool {
    /// The pool's counters every `interval`, and one last time when the pool has ended.
    public func snapshots(every interval: Duration) -> PoolSnapshots {
        demand(interval > .zero, "snapshots need an interval above zero, not \(interval)")
        return PoolSnapshots(storage: storage, interval: interval)
    }
}
