extension PoolState {
    /// What a worker does next.
    enum Turn {
        /// Run the job it has been given. Set an alarm for this time, unless it is 0.
        case run(alarm: UInt64)
        /// Spin for jobs for a while, counted as ``searching``, and then take another turn.
        case spin
        case park
        case retire
    }

    /// Actions on behalf of other tasks, to be performed after a step. Rarely any.
    struct DeferredActions {
        var list: DeferredActionList?
    }

    final class DeferredActionList {
        /// Jobs that have their place back.
        var lenders: [UnsafeContinuation<Void, Never>] = []
        var waiters: [UnsafeContinuation<Void, Never>] = []
        /// Parked workers to wake so that they retire.
        var retiring: [UnsafeContinuation<Void, Never>] = []
        /// Jobs that were cancelled while their submitters waited for room.
        var withdrawn: [JobRecord] = []
    }

    /// Called by a new worker's task, so that the pool can recognise it when it waits for the pool.
    mutating func register(_ worker: Worker) {
        workers[worker.slot] = worker
        slotsByTask[worker.identity] = worker.slot
    }

    /// Stores the handle of a worker's task, which cancellation needs.
    /// - Returns: whether the worker has already been cancelled.
    mutating func attach(_ task: Task<Void, Never>, to worker: Worker) -> Bool {
        guard worker.phase.isLive else { return false }
        worker.task = task
        return worker.verdict != .inTime
    }

    /// Frees the place of an attempt that has ended. The job's end has been counted, or the job
    /// goes on elsewhere.
    mutating func release(_ worker: Worker) {
        worker.deadline = 0
        worker.phase = .searching
        busy -= 1
    }

    /// The same, for a worker that takes its next turn in a later step.
    mutating func releaseEarly(_ worker: Worker) {
        release(worker)
        searching += 1
    }

    /// Chooses what a worker without a job does now, and what that means for others.
    /// - Parameters:
    ///   - local: the local queue of the thread it runs on.
    ///   - maySpin: whether it has not just spun.
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

    /// When all waiting jobs turn out to be withdrawn, there is room for suspended submitters.
    private mutating func nextOrAdmittedJob(_ deferred: inout DeferredActions) -> Job? {
        while true {
            if let job = nextJob(&deferred) { return job }
            admitSuspended()
            if queue.count == 0 { return nil }
        }
    }

    /// Records that this many counted ends have been announced.
    mutating func announced(_ count: Int, _ deferred: inout DeferredActions) {
        unannounced -= count
        resumeWaiters(&deferred)
    }

    /// Removes the worker, whose task has ended or is about to.
    private mutating func vacate(_ worker: Worker) {
        slotsByTask.removeValue(forKey: worker.identity)
        worker.phase = .vacant
        worker.task = nil
        workers[worker.slot] = nil
        vacant.append(worker.slot)
        live -= 1
    }

    /// Parks the worker, unless there is something for it to do after all.
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

    /// Wakes waiters whose condition is met.
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

// Jobs that threads prefetch.
extension PoolState {
    /// A thread that prefetches this many jobs is in a burst of short ones. Only then is it
    /// worthwhile not to wake another worker for the next jobs, and to wait for more before
    /// parking.
    private static var burst: Int { 32 }

    /// Prefetches some of the next jobs for the worker's thread. No returning job may be waiting to
    /// go before them.
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

    /// Returns the jobs that the worker has prefetched and no worker has begun, because it will not
    /// run them next.
    mutating func returnPrefetched(of worker: Worker) {
        if let prefetchQueue = worker.prefetchQueue, prefetchQueue.waiting > 0 { returnPrefetched(since: prefetchQueue.filledAt) }
        worker.prefetchQueue = nil
    }

    /// Returns jobs that were prefetched long ago and not begun, for free workers to begin.
    mutating func returnStalePrefetched(before time: UInt64) {
        hasPrefetched = locals.contains { $0.waiting > 0 }
        if locals.contains(where: { $0.waiting > 0 && $0.filledAt < time }) { returnPrefetched(since: 0) }
    }

    /// Returns everything prefetched since `time` to the head of the queue, in order. Never only a
    /// part of it, or jobs in the queue would be older than some prefetched ones.
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

    /// Returns all prefetched jobs. With the locks of all local queues held.
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
