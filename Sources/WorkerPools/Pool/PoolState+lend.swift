import DequeModule

extension PoolState {
    /// The job at `slot` begins to wait for its own pool: others may use its place.
    mutating func lend(_ slot: Int) -> (Wake, returned: [UnsafeContinuation<Void, Never>]) {
        closeRun(at: slot)
        slots[slot].phase = .lent
        busy -= 1
        lent += 1
        let returned = handBack()
        return (callWorker(), returned)
    }

    /// Gives free places back to jobs that had lent theirs; they go before any job in the queue.
    mutating func handBack() -> [UnsafeContinuation<Void, Never>] {
        var returned: [UnsafeContinuation<Void, Never>] = []
        while busy < limit, let lender = returning.popFirst() {
            lent -= 1
            busy += 1
            returned.append(lender)
        }
        return returned
    }

    /// The wait is over.
    /// - Returns: whether the place is free; if not, the job must wait for it with ``waitForReturn(_:)``.
    mutating func reclaim(_ slot: Int) -> Bool {
        slots[slot].phase = .running
        guard busy < limit, returning.isEmpty else { return false }
        lent -= 1
        busy += 1
        return true
    }

    /// - Returns: false if the place has become free in between.
    mutating func waitForReturn(_ continuation: UnsafeContinuation<Void, Never>) -> Bool {
        if busy < limit, returning.isEmpty {
            lent -= 1
            busy += 1
            return false
        }
        returning.append(continuation)
        return true
    }
}
