import DequeModule

/// A task that waits for the pool to reach some condition.
struct Waiter {
    enum Condition {
        /// Nothing outstanding.
        case idle
        /// Nothing outstanding, and all workers gone.
        case ended
        /// The same, or the pool has been cancelled.
        case endedOrCancelled
        /// No more jobs run than the limit allows, after it was lowered.
        case withinLimit
    }

    var condition: Condition
    /// The slot of the job of this pool inside which it waits, which is therefore not waited for.
    var slot: Int?
    /// How many jobs it waits inside of that their submitters run.
    var inCallers = 0
    /// How many outstanding jobs are not waited for, because they wait themselves.
    var nesting: Int { inCallers + (slot == nil ? 0 : 1) }
    /// The caller is a job of this pool, or an attempt that has overrun.
    var isInside = false
    /// Identifies it when it gives up.
    var ticket: UInt64
    var continuation: UnsafeContinuation<Void, Never>
}

extension PoolState {
    /// A job that has overrun is no longer outstanding, so it need not be excluded; but its worker
    /// cannot go away while it waits.
    mutating func add(_ waiter: Waiter) {
        var waiter = waiter
        waiter.isInside = waiter.nesting > 0
        if let slot = waiter.slot, workers.slots[slot]?.verdict(self) == .overrun { waiter.slot = nil }
        waiters.append(waiter)
    }

    mutating func withdrawWaiter(ticket: UInt64) -> UnsafeContinuation<Void, Never>? {
        waiters.firstIndex { $0.ticket == ticket }.map { waiters.remove(at: $0).continuation }
    }

    /// The job at that slot is no longer outstanding.
    mutating func forgetNestedWaiters(slot: Int) {
        for index in waiters.indices where waiters[index].slot == slot { waiters[index].slot = nil }
    }

    /// Wakes waiters whose condition is met.
    mutating func resumeWaiters() {
        guard phase != .open || !waiters.isEmpty else { return }
        let outstanding = outstanding
        if phase != .open, outstanding == 0 { dismissExcess() }
        let (hasEnded, isOnlyNested) = (hasEnded, outstanding <= waiters.reduce(0) { $0 + $1.nesting })
        let isMet = { [phase, places] (waiter: Waiter) in
            if waiter.isInside, isOnlyNested { return true }
            return switch waiter.condition {
            case .idle: outstanding == 0
            case .ended: hasEnded
            case .endedOrCancelled: hasEnded || phase == .cancelled
            case .withinLimit: places.busy <= places.limit
            }
        }
        followUp.toResume += waiters.lazy.filter(isMet).map(\.continuation)
        waiters.removeAll(where: isMet)
    }

    /// The job at `slot` starts to wait for its own pool: others may use its place.
    mutating func lend(_ slot: Int) {
        guard let worker = workers.slots[slot] else { return }
        returnPrefetched(of: worker)
        forgetExpectedStarts(by: worker)
        worker.phase = .lent
        places.busy -= 1
        places.lent += 1
        if worker.verdict(self) == .overrun { places.lentOverruns += 1 }
    }

    /// Gives free places back to jobs that had lent theirs; they go before any job in the queue.
    mutating func returnPlaces() {
        while places.busy < places.limit, let lender = places.returning.popFirst() {
            restorePlace(lender.slot)
            followUp.toResume.append(lender.continuation)
        }
    }

    /// The wait is over.
    /// - Returns: whether the place is free; if not, the job must wait for it with
    ///   ``waitForPlace(at:_:_:)``.
    mutating func reclaim(_ slot: Int) -> Bool {
        guard places.isFree else { return false }
        restorePlace(slot)
        return true
    }

    /// Prefetched jobs, which would go first, are back in the queue.
    /// - Returns: false if the place has become free in the meantime.
    mutating func waitForPlace(at slot: Int, _ continuation: UnsafeContinuation<Void, Never>, _: borrowing AllLocks) -> Bool {
        if reclaim(slot) { return false }
        places.returning.append((slot, continuation))
        return true
    }

    private mutating func restorePlace(_ slot: Int) {
        guard let worker = workers.slots[slot] else { return }
        worker.phase = .running
        places.lent -= 1
        places.busy += 1
        if worker.verdict(self) == .overrun { places.lentOverruns -= 1 }
    }
}
