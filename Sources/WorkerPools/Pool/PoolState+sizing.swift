extension PoolState {
    /// Asks the sizing policy whether the job that was just queued is a reason to grow.
    mutating func grow() {
        guard bounds.lowerBound < bounds.upperBound, unserved > 0 else { return }
        hasWaited = true
        guard limit < bounds.upperBound else { return }
        setLimit(sizing.grow(load))
        watch()
    }

    /// The look at shrinking, each time a `settle` has passed. With the locks of all local queues held.
    /// - Returns: workers that must be woken to go.
    mutating func shrink() -> [UnsafeContinuation<Void, Never>] {
        isSizingAlarmLeft = false
        sizingAlarm = nil
        takeBackAll()
        if !hasWaited, unserved == 0 { setLimit(min(limit, sizing.shrink(load))) }
        hasWaited = unserved > 0
        defer { watch() }
        return dismissExcess()
    }

    /// New bounds. Jobs that run already are not touched: after the limit was lowered none begins until few enough run.
    /// With the locks of all local queues held.
    mutating func resize(to bounds: ClosedRange<Int>) -> FollowUp {
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
        watch()
        return more
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

    private mutating func watch() {
        guard !isSizingAlarmLeft, limit > bounds.lowerBound, !hasEnded else { return }
        isSizingAlarmLeft = true
        calls.isSizingAlarmWanted = true
    }

    /// Jobs wait, also where the pool cannot grow any more.
    mutating func noteWaiting() { hasWaited = unserved > 0 }

    /// Waiting jobs beyond those that idle workers are about to take, those included that the queue has no room for.
    private var unserved: Int { max(0, waiting + suspended.count - max(0, limit - busy)) }

    private var load: PoolLoad {
        PoolLoad(waiting: unserved, running: busy, workers: limit, bounds: bounds)
    }
}
