import DequeModule

extension PoolState {
    /// The job at `slot` starts to wait for its own pool: others may use its place.
    mutating func lend(_ slot: Int) -> DeferredActions {
        var deferred = DeferredActions()
        guard let worker = workers[slot] else { return deferred }
        returnPrefetched(of: worker)
        forgetExpectedStarts(by: worker)
        worker.phase = .lent
        busy -= 1
        lent += 1
        if case .overrun = worker.verdict { lentOverruns += 1 }
        let lenders = returnPlaces()
        if !lenders.isEmpty { deferred.note { $0.lenders += lenders } }
        resumeWaiters(&deferred)
        return deferred
    }

    /// Gives free places back to jobs that had lent theirs; they go before any job in the queue.
    mutating func returnPlaces() -> [UnsafeContinuation<Void, Never>] {
        var lenders: [UnsafeContinuation<Void, Never>] = []
        while busy < limit, let lender = returning.popFirst() {
            restorePlace(lender.slot)
            lenders.append(lender.continuation)
        }
        return lenders
    }

    /// The wait is over.
    /// - Returns: whether the place is free; if not, the job must wait for it with
    ///   ``waitForPlace(at:_:)``.
    mutating func reclaim(_ slot: Int) -> Bool {
        guard busy < limit, returning.isEmpty else { return false }
        restorePlace(slot)
        return true
    }

    /// With the locks of all local queues held: prefetched jobs would go first.
    /// - Returns: false if the place has become free in the meantime.
    mutating func waitForPlace(at slot: Int, _ continuation: UnsafeContinuation<Void, Never>) -> Bool {
        if reclaim(slot) { return false }
        returnAllPrefetched()
        returning.append((slot, continuation))
        return true
    }

    private mutating func restorePlace(_ slot: Int) {
        guard let worker = workers[slot] else { return }
        worker.phase = .running
        lent -= 1
        busy += 1
        counters.peakRunning = max(counters.peakRunning, busy)
        if case .overrun = worker.verdict { lentOverruns -= 1 }
    }
}
