/// When a pool may shrink.
struct Sizing {
    /// Whether an alarm will fire then.
    var isAlarmSet = false
    /// Whether a job has waited since the alarm was set.
    var hasWaited = false
}

extension PoolState {
    /// Asks the sizing policy whether the job just queued is a reason to grow.
    mutating func grow() {
        guard places.bounds.lowerBound < places.bounds.upperBound, unserved > 0 else { return }
        sizing.hasWaited = true
        guard places.limit < places.bounds.upperBound else { return }
        setLimit(configuration.sizing.grow(load))
        requestSizingAlarm()
    }

    /// Called at the beginning and the end of each step, as jobs may be queued without one.
    @inline(__always)
    mutating func noteWaiting() {
        if sizing.isAlarmSet, !sizing.hasWaited { sizing.hasWaited = unserved > 0 }
    }

    /// Considers shrinking, each time a `quietPeriod` has passed.
    mutating func shrink(_: borrowing AllLocks) {
        sizing.isAlarmSet = false
        if !sizing.hasWaited, unserved == 0 { setLimit(min(places.limit, configuration.sizing.shrink(load))) }
        sizing.hasWaited = unserved > 0
        dismissExcess()
        requestSizingAlarm()
    }

    /// Sets new bounds. Running jobs are not touched: after the limit is lowered, none begins until
    /// few enough are running, and prefetched ones are back in the queue.
    mutating func resize(to bounds: ClosedRange<Int>, _: borrowing AllLocks) {
        places.bounds = bounds
        setLimit(places.limit)
        dismissExcess()
        requestSizingAlarm()
    }

    /// Clamped to the bounds.
    private mutating func setLimit(_ proposed: Int) {
        places.limit = min(max(proposed, places.bounds.lowerBound), places.bounds.upperBound)
    }

    private mutating func requestSizingAlarm() {
        guard !sizing.isAlarmSet, places.limit > places.bounds.lowerBound, !hasEnded else { return }
        sizing.isAlarmSet = true
        followUp.isSizingAlarmWanted = true
    }

    /// Waiting jobs beyond those that idle workers are about to take, including those that the
    /// queue has no room for.
    var unserved: Int { max(0, waiting + roomWaiters.count - max(0, places.limit - places.busy)) }

    private var load: PoolLoad {
        PoolLoad(waiting: unserved, running: places.busy, workers: places.limit, bounds: places.bounds)
    }
}
