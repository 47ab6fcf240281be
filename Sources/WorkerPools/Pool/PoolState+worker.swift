extension PoolState {
    /// What a worker does next.
    enum Turn {
        case run(Job, then: JobRun?)
        case park
        case retire
    }

    /// What is to be done for others after a worker's step.
    struct FollowUp {
        var wake = Wake.nobody
        /// Rarely anything.
        var others: Others?
    }

    final class Others {
        var admitted: [UnsafeContinuation<SubmitAnswer, Never>] = []
        var returned: [UnsafeContinuation<Void, Never>] = []
        var rested: [UnsafeContinuation<Void, Never>] = []
        var leaving: [UnsafeContinuation<Void, Never>] = []
        /// Jobs that were cancelled while their submitters waited for room.
        var withdrawn: [JobRecord] = []
    }

    /// Frees the place of an attempt that has ended. The job's end has been counted, or it goes on elsewhere.
    mutating func release(_ slot: Int) {
        if slots[slot].record != nil { slots[slot].record = nil }
        slots[slot].deadline = 0
        slots[slot].phase = .called
        busy -= 1
    }

    /// Chooses what the worker at `slot` does now, and what that means for others.
    mutating func take(
        at slot: Int, timeout: UInt64, time: UInt64, clock: () -> UInt64, _ more: inout FollowUp
    ) -> (Turn, alarm: UInt64) {
        if !returning.isEmpty { more.note { $0.returned = handBack() } }
        if queue.count == 0, !runSlots.isEmpty { takeFromRuns() }
        adjustPace(of: slot, time)
        var turn = Turn.park
        var alarm: UInt64 = 0
        if slots[slot].verdict != .inTime || live - lent > limit {
            turn = .retire
            vacate(slot)
        } else if busy < limit, let job = nextJob(&more) {
            alarm = begin(job, at: slot, timeout: timeout, clock)
            turn = .run(job, then: alarm == 0 && timeout == 0 ? extend(job, at: slot) : nil)
            slots[slot].since = time
            if !suspended.isEmpty { more.note { $0.admitted = admitSuspended() } }
        } else if phase != .open, outstanding == 0 {
            turn = .retire
            vacate(slot)
        }
        more.wake = callWorker()
        if !waiters.isEmpty || phase != .open { settleDown(&more) }
        return (turn, alarm)
    }

    private mutating func nextJob(_ more: inout FollowUp) -> Job? {
        while let job = queue.popFirst() {
            guard let record = job.record, record.isCancelRequested else { return job }
            record.phase = .settled
            counters.cancelled += 1
            more.note { $0.withdrawn.append(record) }
        }
        return nil
    }

    /// Takes the worker's task out; it has ended or is about to.
    private mutating func vacate(_ slot: Int) {
        places.removeValue(forKey: slots[slot].identity)
        slots[slot] = Slot()
        vacant.append(slot)
        live -= 1
    }

    /// - Returns: when an alarm for this slot is to be left, or 0.
    private mutating func begin(_ job: Job, at slot: Int, timeout: UInt64, _ clock: () -> UInt64) -> UInt64 {
        busy += 1
        counters.peakRunning = max(counters.peakRunning, busy)
        slots[slot].phase = .running
        slots[slot].jobAttempt = job.attempt
        var timeout = timeout
        if let record = job.record {
            record.phase = .running(slot: slot)
            slots[slot].record = record
            if let own = record.options.timeout { timeout = own.nanoseconds }
        }
        guard timeout > 0 else { return 0 }
        let deadline = clock() &+ timeout
        slots[slot].deadline = deadline
        guard slots[slot].alarm == 0 || slots[slot].alarm > deadline else { return 0 }
        slots[slot].alarm = deadline
        return deadline
    }

    /// Lays the worker down, unless something has come up since its turn was chosen.
    mutating func park(at slot: Int, _ continuation: UnsafeContinuation<Void, Never>) -> Bool {
        let hasEnded = phase != .open && outstanding == 0
        if hasEnded || (waiting > called && busy + called < limit) || live - lent > limit {
            called += 1
            return false
        }
        slots[slot].phase = .parked(continuation)
        parked.append(slot)
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
            guard hasCome || (waiter.isNested && isOnlyNested) else { return false }
            if waiter.isNested { nested += 1 }
            rested.append(waiter.continuation)
            return true
        }
        nestedWaiters -= nested
        if !rested.isEmpty { more.note { $0.rested += rested } }
    }
}

extension PoolState.FollowUp {
    mutating func note(_ change: (PoolState.Others) -> Void) {
        let others = others ?? PoolState.Others()
        self.others = others
        change(others)
    }
}
