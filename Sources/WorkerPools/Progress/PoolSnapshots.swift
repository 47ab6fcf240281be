/// Looks at a pool at regular intervals, from now until it has ended; the last is taken then.
public struct PoolSnapshots: AsyncSequence, Sendable {
    public typealias Element = PoolCounters

    let storage: PoolStorage
    let interval: Duration

    public func makeAsyncIterator() -> Iterator { Iterator(storage: storage, interval: interval) }

    public struct Iterator: AsyncIteratorProtocol {
        let storage: PoolStorage
        let interval: Duration
        private var isFirst = true
        private var hasEnded = false

        init(storage: PoolStorage, interval: Duration) {
            self.storage = storage
            self.interval = interval
        }

        /// nil also when the task is cancelled, at the latest after one interval.
        public mutating func next() async -> PoolCounters? {
            guard !hasEnded, !Task.isCancelled else { return nil }
            if !isFirst { await storage.waitForEnd(atMost: interval) }
            isFirst = false
            guard !Task.isCancelled else { return nil }
            let (counters, ended) = storage.state.withLock { ($0.snapshot, $0.hasEnded) }
            hasEnded = ended
            return counters
        }
    }
}

extension WorkerPool {
    /// The pool's counters, every `interval`, and a last time when the pool has ended.
    public func snapshots(every interval: Duration) -> PoolSnapshots {
        precondition(interval > .zero, "snapshots need an interval above zero, not \(interval)")
        return PoolSnapshots(storage: storage, interval: interval)
    }
}

extension PoolStorage {
    /// Waits until the pool has ended, but no longer than `interval`.
    func waitForEnd(atMost interval: Duration) async {
        let ticket = state.withLock { $0.takeTicket() }
        await withUnsafeContinuation { continuation in
            let hasEnded = state.withLock { state in
                guard !state.hasEnded else { return true }
                state.waiters.append(
                    Waiter(occasion: .ended, isNested: false, ticket: ticket, continuation: continuation))
                return false
            }
            if hasEnded { return continuation.resume() }
            alarms.call(at: alarms.now &+ interval.nanoseconds) { [weak self] in
                self?.state.withLock { $0.withdrawWaiter(ticket: ticket) }?.resume()
            }
        }
    }
}
