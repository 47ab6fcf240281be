import DequeModule

extension PoolState {
    /// What happens to a job that is offered.
    enum Admission {
        case accepted
        /// No room: the submitter waits, is refused, or runs the job itself, as the pool's policy
        /// says.
        case full
        case closed
    }

    /// - Parameter isNested: the submitter is a job of this pool, so it is let in while the pool
    ///   drains.
    mutating func offer(_ job: Job, isNested: Bool = false) -> Admission {
        guard phase == .open || (isNested && phase == .draining && outstanding > 0) else { return .closed }
        guard suspended.isEmpty, waiting < capacity || waitingForSure < capacity else { return .full }
        return accept(job)
    }

    /// Without those that an assignment in progress counts twice.
    private var waitingForSure: Int {
        var count = queue.count
        for local in locals {
            local.lock()
            count += local.waiting
            local.unlock()
        }
        return count
    }

    mutating func accept(_ job: Job) -> Admission {
        counters.accepted += 1
        job.record?.phase = .queued
        queue.append(job)
        grow()
        return .accepted
    }

    /// Whether a job that found the queue full may still be accepted in another way.
    private var isTaking: Bool { phase == .open || (phase == .draining && outstanding > 0) }

    /// Makes room by dropping the oldest job of the lowest level. All prefetched jobs must have
    /// been returned.
    mutating func acceptDroppingOldest(_ job: Job) -> (Admission, dropped: Job?) {
        guard isTaking else { return (.closed, nil) }
        let dropped = waiting < capacity ? nil : queue.popOldestOfLowest()
        if let dropped {
            counters.dropped += 1
            unannounced += 1
            dropped.record?.phase = .settled
        }
        return (accept(job), dropped)
    }

    /// - Returns: false if the pool has closed in the meantime.
    mutating func dropNewest(_ job: Job) -> Bool {
        guard isTaking else { return false }
        counters.accepted += 1
        counters.dropped += 1
        unannounced += 1
        job.record?.phase = .settled
        return true
    }

    /// - Returns: false if the pool has closed in the meantime.
    mutating func acceptInCaller(_ job: Job) -> Bool {
        guard isTaking else { return false }
        counters.accepted += 1
        counters.inCallers += 1
        job.record?.phase = .inCaller
        return true
    }

    /// - Returns: whether the submitter has to wait; if not, its reply has been set.
    mutating func suspend(_ submit: SuspendedSubmit) -> Bool {
        switch offer(submit.job, isNested: submit.isNested) {
        case .accepted:
            submit.reply.answer = .accepted
            return false
        case .closed:
            submit.reply.answer = .closed
            return false
        case .full where submit.job.record?.isCancelRequested == true:
            submit.reply.answer = .cancelled
            return false
        case .full:
            suspended.append(submit)
            grow()
            return true
        }
    }

    mutating func withdraw(ticket: UInt64) -> UnsafeContinuation<Void, Never>? {
        guard let index = suspended.firstIndex(where: { $0.ticket == ticket }) else { return nil }
        return suspended.remove(at: index).continuation
    }

    /// Lets suspended submitters in once the queue has run down to half, as many as then fit.
    /// Called at the end of every step. The watchdog notices room made by prefetched jobs that were
    /// begun without a step.
    mutating func admitSuspended() {
        guard !suspended.isEmpty, waiting <= capacity / 2 else { return }
        while waiting < capacity, let next = suspended.popFirst() {
            counters.accepted += 1
            next.job.record?.phase = .queued
            queue.append(next.job)
            next.reply.answer = .accepted
            wakeups.answered.append(next.continuation)
            grow()
        }
    }
}
