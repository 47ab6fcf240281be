extension PoolState {
    /// What a worker does next.
    enum Turn {
        /// The job that it has been given; leave an alarm for then, unless that is 0.
        case run(alarm: UInt64)
        /// Look out for jobs for a little while, counted as ``called``, and then come again.
        case spin
        case park
        case retire
    }

    /// What is to be done for others after a step. Rarely anything.
    struct DeferredActions {
        var list: DeferredActionList?
    }

    final class DeferredActionList {
        var lenders: [UnsafeContinuation<Void, Never>] = []
        var waiters: [UnsafeContinuation<Void, Never>] = []
        var retiring: [UnsafeContinuation<Void, Never>] = []
        /// Jobs that were cancelled while their submitters waited for room.
        var withdrawn: [JobRecord] = []
    }

    /// A worker's task has begun to live; it makes itself known, so that the pool can tell who is waiting for it.
    mutating func register(_ worker: Worker) {
        workers[worker.slot] = worker
        slotsByTask[worker.identity] = worker.slot
    }

    /// Stores the handle of a worker's task, which cancellation needs.
    /// - Returns: whether a cancellation came first.
    mutating func attach(_ task: Task<Void, Never>, to worker: Worker) -> Bool {
        guard worker.phase.isLive else { return false }
        worker.task = task
        return worker.verdict != .inTime
    }

    /// Frees the place of an attempt that has ended. The job's end has been counted, or it goes on elsewhere.
    mutating func release(_ worker: Worker) {
        worker.deadline = 0
        worker.phase = .searching
        busy -= 1
    }

    /// The same before the worker comes to the queue, in another step.
    mutating func releaseEarly(_ worker: Worker) {
        release(worker)
        searching += 1
    }

    /// Chooses what a worker without a job does now, and what that means for others.
    /// - Parameters:
    ///   - local: that of the thread it runs on.
    ///   - mayLookOut: it has not just looked out.
    mutating func take(
        by worker: Worker, from local: LocalQueue, maySpin: Bool, _ deferred: inout DeferredActions
    ) -> Turn {
        if !returning.isEmpty { deferred.note { $0.lenders += returnPlaces() } }
        returnPrefetched(of: worker)
        forgetExpectedStarts(by: worker)
        admitSuspended()
        var turn = Turn.park
        if worker.verdict != .inTime || live - lent > limit {
            vacate(worker)
            turn = .retire
        } else if busy < limit, !isBetterLeftToOthers, let job = nextOrAdmittedJob(&deferred) {
            busy += 1
            counters.peakRunning = max(counters.peakRunning, busy)
            worker.phase = .running
            turn = .run(alarm: worker.begin(job))
            prefetch(by: worker, into: local, &deferred)
        } else if phase != .open, outstanding == 0 {
            vacate(worker)
            turn = .retire
        } else if maySpin, !isBetterLeftToOthers, !isSpinning, searching == 0, busy < limit, phase == .open, spinPolicy.isWorthwhile() {
            searching += 1
            isSpinning = true
            spinPolicy.begin()
            turn = .spin
        }
        if !waiters.isEmpty || phase != .open { resumeWaiters(&deferred) }
        return turn
    }

    private mutating func nextJob(_ deferred: inout DeferredActions) -> Job? {
        while let job = queue.popFirst() {
            guard let record = job.record, record.isCancelRequested else { return job }
            record.phase = .settled
            counters.cancelled += 1
            unannounced += 1
            deferred.note { $0.withdrawn.append(record) }
            queue.discard(job)
        }
        return nil
    }

    /// Where all that waited was withdrawn there is room for those who wait to get in.
    private mutating func nextOrAdmittedJob(_ deferred: inout DeferredActions) -> Job? {
        while true {
            if let job = nextJob(&deferred) { return job }
            admitSuspended()
            if queue.count == 0 { return nil }
        }
    }

    /// So many ends that were counted have been made known.
    mutating func announced(_ count: Int, _ deferred: inout DeferredActions) {
        unannounced -= count
        resumeWaiters(&deferred)
    }

    /// Takes the worker's task out; it has ended or is about to.
    private mutating func vacate(_ worker: Worker) {
        slotsByTask.removeValue(forKey: worker.identity)
        worker.phase = .vacant
        worker.task = nil
        workers[worker.slot] = nil
        vacant.append(worker.slot)
        live -= 1
    }

    /// Lays the worker down, unless something has come up since its turn was chosen.
    mutating func park(_ worker: Worker, _ continuation: UnsafeContinuation<Void, Never>) -> Bool {
        let hasEnded = phase != .open && outstanding == 0
        if hasEnded || (queue.count > searching + imminentStarts && busy + searching < limit) || live - lent > limit {
            searching += 1
            return false
        }
        worker.phase = .parked(continuation)
        parked.append(worker.slot)
        return true
    }

    /// Wakes those who wait for rest, if it has come.
    mutating func resumeWaiters(_ deferred: inout DeferredActions) {
        let outstanding = outstanding
        guard outstanding <= nestedWaiters || phase == .cancelled || busy <= limit && !waiters.isEmpty else { return }
        if phase != .open, outstanding == 0 {
            let retiring = dismissExcess()
            if !retiring.isEmpty { deferred.note { $0.retiring += retiring } }
        }
        guard !waiters.isEmpty else { return }
        let isIdle = outstanding == 0
        let hasEnded = hasEnded
        let isOnlyNested = outstanding <= nestedWaiters
        var nested = 0
        var resumed: [UnsafeContinuation<Void, Never>] = []
        waiters.removeAll { waiter in
            let isMet =
                switch waiter.condition {
                case .idle: isIdle
                case .ended: hasEnded
                case .endedOrCancelled: hasEnded || phase == .cancelled
                case .withinLimit: busy <= limit
                }
            guard isMet || (waiter.isInside && isOnlyNested) else { return false }
            nested += waiter.nesting
            resumed.append(waiter.continuation)
            return true
        }
        nestedWaiters -= nested
        if !resumed.isEmpty { deferred.note { $0.waiters += resumed } }
    }
}

// Jobs that threads take ahead of their workers' need.
extension PoolState {
    /// A thread that takes so many jobs ahead is in a flood of short ones: only then is it worth not to wake another for the
    /// next, and to look out for more before lying down.
    private static var burst: Int { 32 }

    /// Lets the worker's thread take some of the jobs that come next. Nobody may be waiting to go before them.
    private mutating func prefetch(by worker: Worker, into local: LocalQueue, _ deferred: inout DeferredActions) {
        guard longestRun > 1, returning.isEmpty, phase != .cancelled else { return }
        // Half of what each thread could have.
        let share = queue.count / (2 * min(busy + searching, locals.count))
        let pace = local.fill(ended: worker.takeEnded(), share: share, longest: longestRun, now: Timers.now) { most, jobs in
            var left = most - queue.popFirst(most, into: &jobs)
            while left > 0, let job = nextJob(&deferred) {
                jobs.append(job)
                left -= 1
            }
        }
        guard let pace else { return }
        expectStarts(pace >= Self.burst ? pace - 1 : 0, by: worker)
        worker.isInBurst = pace >= Self.burst
        worker.gotFew = local.waiting < Injector.worthFetching
        if local.waiting > 0 {
            worker.prefetchQueue = local
            hasPrefetched = true
        }
    }

    /// What the worker has taken ahead and nobody has begun goes back: it will not come to it next.
    mutating func returnPrefetched(of worker: Worker) {
        if let prefetchQueue = worker.prefetchQueue, prefetchQueue.waiting > 0 { returnPrefetched(since: prefetchQueue.filledAt) }
        worker.prefetchQueue = nil
    }

    /// What threads have taken ahead and have not come to for long goes back, for free workers to begin.
    mutating func returnStalePrefetched(before time: UInt64) {
        hasPrefetched = locals.contains { $0.waiting > 0 }
        if locals.contains(where: { $0.waiting > 0 && $0.filledAt < time }) { returnPrefetched(since: 0) }
    }

    /// What was taken ahead since then goes back to the head of the queue, in its order. Never only a part of it, or jobs in the
    /// queue would be older than some that threads have taken ahead.
    private mutating func returnPrefetched(since time: UInt64) {
        guard hasPrefetched else { return }
        let filled = locals.filter { $0.waiting > 0 }
        for local in filled.sorted(by: { $0.filledAt > $1.filledAt }) where local.filledAt >= time {
            local.lock()
            local.returnAll(to: queue)
            local.unlock()
        }
        hasPrefetched = locals.contains { $0.waiting > 0 }
    }

    /// All that threads have taken ahead goes back. With the locks of all local queues held.
    mutating func returnAllPrefetched() {
        for local in locals.sorted(by: { $0.filledAt > $1.filledAt }) { local.returnAll(to: queue) }
        hasPrefetched = false
    }
}

extension PoolState.DeferredActions {
    mutating func note(_ change: (PoolState.DeferredActionList) -> Void) {
        let list = list ?? PoolState.DeferredActionList()
        self.list = list
        change(list)
    }
}
