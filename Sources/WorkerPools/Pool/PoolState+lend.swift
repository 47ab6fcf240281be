import DequeModule

extension PoolState {
    /// The job at `slot` begins to wait for its own pool: others may use its place.
    mutating func lend(_ slot: Int) -> FollowUp {
        var more = FollowUp()
        guard let worker = workers[slot] else { return more }
        takeBack(of: worker)
        expectNothing(from: worker)
        worker.phase = .lent
        busy -= 1
        lent += 1
        if case .overrun = worker.verdict { lentOverruns += 1 }
        let returned = handBack()
        if !returned.isEmpty { more.note { $0.returned += returned } }
        settleDown(&more)
        return more
    }

    /// Gives free places back to jobs that had lent theirs; they go before any job in the queue.
    mutating func handBack() -> [UnsafeContinuation<Void, Never>] {
        var returned: [UnsafeContinuation<Void, Never>] = []
        while busy < limit, let lender = returning.popFirst() {
            takeBack(lender.slot)
            returned.append(lender.continuation)
        }
        return returned
    }

    /// The wait is over.
    /// - Returns: whether the place is free; if not, the job must wait for it with ``waitForReturn(to:_:)``.
    mutating func reclaim(_ slot: Int) -> Bool {
        guard busy < limit, returning.isEmpty else { return false }
        takeBack(slot)
        return true
    }

    /// With the locks of all local queues held: what threads have taken ahead would go first.
    /// - Returns: false if the place has become free in between.
    mutating func waitForReturn(to slot: Int, _ continuation: UnsafeContinuation<Void, Never>) -> Bool {
        if reclaim(slot) { return false }
        takeBackAll()
        returning.append((slot, continuation))
        return true
    }

    private mutating func takeBack(_ slot: Int) {
        guard let worker = workers[slot] else { return }
        worker.phase = .running
        lent -= 1
        busy += 1
        counters.peakRunning = max(counters.peakRunning, busy)
        if case .overrun = worker.verdict { lentOverruns -= 1 }
    }
}
