extension PoolState {
    /// Asks the sizing policy whether the job just queued is a reason to grow.
    mutating func grow() {
        guard bounds.lowerBound < bounds.upperBound, unserved > 0 else { return }
        hasWaited = true
        guard limit < bounds.upperBound else { return }
        setLimit(sizing.grow(load))
        requestSizingAlarm()
    }

    /// Considers shrinking, each time a `settle` has passed. With the locks of all local queues
    /// held.
    /// - Returns: workers to wake so that they retire.
    mutating func shrink() -> [UnsafeContinuation<Void, Never>] {
        isSizingAlarmSet = false
        sizingAlarm = nil
        returnAllPrefetched()
        if !hasWaited, unserved == 0 { setLimit(min(limit, sizing.shrink(load))) }
        hasWaited = unserved > 0
        defer { requestSizingAlarm() }
        return dismissExcess()
    }

    /// Sets new bounds. Running jobs are not touched: after the limit is lowered, none begins until
    /// few enough are running. With the locks of all local queues held.
    mutating func resize(to bounds: ClosedRange<Int>) -> DeferredActions {
        returnAllPrefetched()
        self.bounds = bounds
        setLimit(limit)
        var deferred = DeferredActions()
        let retiring = dismissExcess()
        let lenders = returnPlaces()
        if !retiring.isEmpty || !lenders.isEmpty {
            deferred.note { list in
                list.retiring = retiring
                list.lenders = lenders
            }
        }
        resumeWaiters(&deferred)
        requestSizingAlarm()
        return deferred
    }

    /// Clamped to the bounds.
    mutating func setLimit(_ proposed: Int) {
        limit = min(max(proposed, bounds.lowerBound), bounds.upperBound)
        counters.peakWorkers = max(counters.peakWorkers, limit)
    }

    /// Parked workers beyond the limit, to be woken so that they retire.
    mutating func dismissExcess() -> [UnsafeContinuation<Void, Never>] {
        var retiring: [UnsafeContinuation<Void, Never>] = []
        var excess = live - lent - searching - limit
        if phase != .open, outstanding == 0 { excess = parked.count }
        while excess > 0, let slot = parked.popLast() {
            guard let worker = workers[slot], case .parked(let continuation) = worker.phase else { continue }
            worker.phase = .searching
            searching += 1
            excess -= 1
            retiring.append(continuation)
        }
        return retiring
    }

    private mutating func requestSizingAlarm() {
        guard !isSizingAlarmSet, limit > bounds.lowerBound, !hasEnded else { return }
        isSizingAlarmSet = true
        wakeups.isSizingAlarmWanted = true
    }

    /// Notes that jobs wait, even where the pool cannot grow any further.
    mutating func noteWaiting() { hasWaited = unserved > 0 }

    /// Waiting jobs beyond those that idle workers are about to take, including those that the
    /// queue has no room for.
    private var unserved: Int { max(0, waiting + suspended.count - max(0, limit - busy)) }

    private var load: PoolLoad {
        PoolLoad(waiting: unserved, running: busy, workers: limit, bounds: bounds)
    }
}
