extension PoolState {
    /// What a worker does next.
    enum Turn {
        /// The job that it has been given; leave an alarm for then, unless that is 0.
        case run(alarm: UInt64)
        /// Look out for jobs for a little while, counted as ``called``, and then come again.
        case lookOut
        case park
        case retire
    }

    /// What is to be done for others after a step. Rarely anything.
    struct FollowUp {
        var others: Others?
    }

    final class Others {
        var returned: [UnsafeContinuation<Void, Never>] = []
        var rested: [UnsafeContinuation<Void, Never>] = []
        var leaving: [UnsafeContinuation<Void, Never>] = []
        /// Jobs that were cancelled while their submitters waited for room.
        var withdrawn: [JobRecord] = []
    }

    /// A worker's task has begun to live; it makes itself known, so that the pool can tell who is waiting for it.
    mutating func enroll(_ worker: Worker) {
        workers[worker.slot] = worker
        places[worker.identity] = worker.slot
    }

    /// Stores the handle of a worker's task, which cancellation needs.
    /// - Returns: whether a cancellation came first.
    mutating func introduce(_ task: Task<Void, Never>, of worker: Worker) -> Bool {
        guard worker.phase.isLive else { return false }
        worker.task = task
        return worker.verdict != .inTime
    }

    /// Frees the place of an attempt that has ended. The job's end has been counted, or it goes on elsewhere.
    mutating func release(_ worker: Worker) {
        worker.deadline = 0
        worker.phase = .called
        busy -= 1
    }

    /// The same before the worker comes to the queue, in another step.
    mutating func releaseAhead(_ worker: Worker) {
        release(worker)
        called += 1
    }

    /// Chooses what a worker without a job does now, and what that means for others.
    /// - Parameters:
    ///   - local: that of the thread it runs on.
    ///   - mayLookOut: it has not just looked out.
    mutating func take(
        by worker: Worker, from local: LocalQueue, mayLookOut: Bool, _ more: inout FollowUp
    ) -> Turn {
        if !returning.isEmpty { more.note { $0.returned += handBack() } }
        takeBack(of: worker)
        expectNothing(from: worker)
        admitSuspended()
        var turn = Turn.park
        if worker.verdict != .inTime || live - lent > limit {
            vacate(worker)
            turn = .retire
        } else if busy < limit, !isLeftToOthers, let job = nextOrAdmittedJob(&more) {
            busy += 1
            counters.peakRunning = max(counters.peakRunning, busy)
            worker.phase = .running
            turn = .run(alarm: worker.begin(job))
            takeAhead(by: worker, into: local, &more)
        } else if phase != .open, outstanding == 0 {
            vacate(worker)
            turn = .retire
        } else if mayLookOut, !isLeftToOthers, !isLookingOut, called == 0, busy < limit, phase == .open, lookingOut.isWorthwhile() {
            called += 1
            isLookingOut = true
            lookingOut.begin()
            turn = .lookOut
        }
        if !waiters.isEmpty || phase != .open { settleDown(&more) }
        return turn
    }

    private mutating func nextJob(_ more: inout FollowUp) -> Job? {
        while let job = queue.popFirst() {
            guard let record = job.record, record.isCancelRequested else { return job }
            record.phase = .settled
            counters.cancelled += 1
            untold += 1
            more.note { $0.withdrawn.append(record) }
            queue.discard(job)
        }
        return nil
    }

    /// Where all that waited was withdrawn there is room for those who wait to get in.
    private mutating func nextOrAdmittedJob(_ more: inout FollowUp) -> Job? {
        while true {
            if let job = nextJob(&more) { return job }
            admitSuspended()
            if queue.count == 0 { return nil }
        }
    }

    /// So many ends that were counted have been made known.
    mutating func told(_ count: Int, _ more: inout FollowUp) {
        untold -= count
        settleDown(&more)
    }

    /// Takes the worker's task out; it has ended or is about to.
    private mutating func vacate(_ worker: Worker) {
        places.removeValue(forKey: worker.identity)
        worker.phase = .vacant
        worker.task = nil
        workers[worker.slot] = nil
        vacant.append(worker.slot)
        live -= 1
    }

    /// Lays the worker down, unless something has come up since its turn was chosen.
    mutating func park(_ worker: Worker, _ continuation: UnsafeContinuation<Void, Never>) -> Bool {
        let hasEnded = phase != .open && outstanding == 0
        if hasEnded || (queue.count > called + willBeBegun && busy + called < limit) || live - lent > limit {
            called += 1
            return false
        }
        worker.phase = .parked(continuation)
        parked.append(worker.slot)
        return true
    }

    /// Wakes those who wait for rest, if it has come.
    mutating func settleDown(_ more: inout FollowUp) {
        let outstanding = outstanding
        guard outstanding <= nestedWaiters || phase == .cancelled || busy <= limit && !waiters.isEmpty else { return }
        if phase != .open, outstanding == 0 {
            let leaving = dismissExcess()
            if !leaving.isEmpty { more.note { $0.leaving += leaving } }
        }
        guard !waiters.isEmpty else { return }
        let isIdle = outstanding == 0
        let hasEnded = hasEnded
        let isOnlyNested = outstanding <= nestedWaiters
        var nested = 0
        var rested: [UnsafeContinuation<Void, Never>] = []
        waiters.removeAll { waiter in
            let hasCome =
                switch waiter.occasion {
                case .idle: isIdle
                case .ended: hasEnded
                case .endedOrCancelled: hasEnded || phase == .cancelled
                case .withinLimit: busy <= limit
                }
            guard hasCome || (waiter.isInside && isOnlyNested) else { return false }
            nested += waiter.nesting
            rested.append(waiter.continuation)
            return true
        }
        nestedWaiters -= nested
        if !rested.isEmpty { more.note { $0.rested += rested } }
    }
}

// Jobs that threads take ahead of their workers' need.
extension PoolState {
    /// A thread that takes so many jobs ahead is in a flood of short ones: only then is it worth not to wake another for the
    /// next, and to look out for more before lying down.
    private static var flood: Int { 32 }

    /// Lets the worker's thread take some of the jobs that come next. Nobody may be waiting to go before them.
    private mutating func takeAhead(by worker: Worker, into local: LocalQueue, _ more: inout FollowUp) {
        guard longestRun > 1, returning.isEmpty, phase != .cancelled else { return }
        // Half of what each thread could have.
        let share = queue.count / (2 * min(busy + called, locals.count))
        let pace = local.fill(ended: worker.takeEnded(), share: share, longest: longestRun, now: Timers.now) { most, jobs in
            var left = most - queue.popFirst(most, into: &jobs)
            while left > 0, let job = nextJob(&more) {
                jobs.append(job)
                left -= 1
            }
        }
        guard let pace else { return }
        expect(soon: pace >= Self.flood ? pace - 1 : 0, from: worker)
        worker.isInFlood = pace >= Self.flood
        worker.hasFew = local.waiting < Inbox.some
        if local.waiting > 0 {
            worker.ahead = local
            hasTakenAhead = true
        }
    }

    /// What the worker has taken ahead and nobody has begun goes back: it will not come to it next.
    mutating func takeBack(of worker: Worker) {
        if let ahead = worker.ahead, ahead.waiting > 0 { takeBack(filledSince: ahead.filledAt) }
        worker.ahead = nil
    }

    /// What threads have taken ahead and have not come to for long goes back, for free workers to begin.
    mutating func takeBackStale(before time: UInt64) {
        hasTakenAhead = locals.contains { $0.waiting > 0 }
        if locals.contains(where: { $0.waiting > 0 && $0.filledAt < time }) { takeBack(filledSince: 0) }
    }

    /// What was taken ahead since then goes back to the head of the queue, in its order. Never only a part of it, or jobs in the
    /// queue would be older than some that threads have taken ahead.
    private mutating func takeBack(filledSince time: UInt64) {
        guard hasTakenAhead else { return }
        let filled = locals.filter { $0.waiting > 0 }
        for local in filled.sorted(by: { $0.filledAt > $1.filledAt }) where local.filledAt >= time {
            local.close()
            local.giveBack(to: queue)
            local.open()
        }
        hasTakenAhead = locals.contains { $0.waiting > 0 }
    }

    /// All that threads have taken ahead goes back. With the locks of all local queues held.
    mutating func takeBackAll() {
        for local in locals.sorted(by: { $0.filledAt > $1.filledAt }) { local.giveBack(to: queue) }
        hasTakenAhead = false
    }
}

extension PoolState.FollowUp {
    mutating func note(_ change: (PoolState.Others) -> Void) {
        let others = others ?? PoolState.Others()
        self.others = others
        change(others)
    }
}
