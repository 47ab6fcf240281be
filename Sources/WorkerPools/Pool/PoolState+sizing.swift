extension PoolState {
    /// Asks the sizing policy whether the job that was just queued is a reason to grow.
    mutating func grow() -> Growth {
        guard unserved > 0 else { return .none }
        hasWaited = true
        guard limit < bounds.upperBound else { return .none }
        setLimit(sizing.grow(load))
        return watch()
    }

    /// The look at shrinking, each time a `settle` has passed. With the locks of all local queues held.
    /// - Returns: workers that must be woken to go, and whether to look again.
    mutating func shrink() -> (leaving: [UnsafeContinuation<Void, Never>], Growth) {
        isSizingAlarmLeft = false
        takeBackAll()
        if !hasWaited, unserved == 0 { setLimit(min(limit, sizing.shrink(load))) }
        hasWaited = unserved > 0
        return (dismissExcess(), watch())
    }

    /// New bounds. Jobs that run already are not touched: after the limit was lowered none begins until few enough run.
    /// With the locks of all local queues held.
    mutating func resize(to bounds: ClosedRange<Int>) -> (Growth, FollowUp) {
        takeBackAll()
        self.bounds = bounds
        setLimit(limit)
        var more = FollowUp()
        let leaving = dismissExcess()
        let returned = handBack()
        if !leaving.isEmpty || !returned.isEmpty {
            more.note { others in
                others.leaving = leaving
                others.returned = returned
            }
        }
        settleDown(&more)
        return (watch(), more)
    }

    /// Clamped to the bounds.
    mutating func setLimit(_ proposed: Int) {
        limit = min(max(proposed, bounds.lowerBound), bounds.upperBound)
        counters.peakWorkers = max(counters.peakWorkers, limit)
    }

    /// Parked workers beyond the limit, woken so that they go.
    mutating func dismissExcess() -> [UnsafeContinuation<Void, Never>] {
        var leaving: [UnsafeContinuation<Void, Never>] = []
        var excess = live - lent - called - limit
        if phase != .open, outstanding == 0 { excess = parked.count }
        while excess > 0, let slot = parked.popLast() {
            guard let worker = workers[slot], case .parked(let continuation) = worker.phase else { continue }
            worker.phase = .called
            called += 1
            excess -= 1
            leaving.append(continuation)
        }
        return leaving
    }

    private mutating func watch() -> Growth {
        guard !isSizingAlarmLeft, limit > bounds.lowerBound else { return .none }
        isSizingAlarmLeft = true
        return .watch
    }

    /// Jobs wait, also where the pool cannot grow any more.
    mutating func noteWaiting() { hasWaited = unserved > 0 }

    /// Waiting jobs beyond those that idle workers are about to take.
    private var unserved: Int { max(0, waiting - max(0, limit - busy)) }

    private var load: PoolLoad {
        PoolLoad(waiting: unserved, running: busy, workers: limit, bounds: bounds)
    }
}
