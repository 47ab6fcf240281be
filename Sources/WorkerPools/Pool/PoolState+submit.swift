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

    private var capacity: Int { configuration.queue.limit }

    /// Takes the job, if the budget allows; if not, the pool has to be asked.
    @inline(__always)
    mutating func push(_ job: inout Job?) {
        guard budget > 0, job?.record?.isCancelRequested != true, let job = job.take() else { return }
        budget -= 1
        enqueue(job)
        if search.isSpinning { search.signal.set() }
    }

    /// The same for as many jobs as the budget allows. They are all of one level and have no
    /// records.
    mutating func push(_ jobs: inout JobBuffer, level: UInt8) {
        let number = min(jobs.count, budget)
        budget -= number
        counters.accepted += number
        queue.append(first: number, of: &jobs, level: level)
        if search.isSpinning { search.signal.set() }
    }

    @inline(__always)
    private mutating func enqueue(_ job: consuming Job) {
        counters.accepted += 1
        job.record?.phase = .queued
        queue.append(job)
    }

    mutating func setBudget() {
        guard phase == .open, suspended.isEmpty, places.limit == places.bounds.upperBound else { return budget = 0 }
        // Retries and lowered bounds may have left more jobs than there is room for.
        let room = max(0, capacity - waiting)
        budget = mayWakeWorker ? min(room, search.searching + imminentStarts - queue.count) : room
    }

    /// - Parameter isNested: the submitter is a job of this pool, so it is let in while the pool
    ///   drains.
    mutating func offer(_ job: Job, isNested: Bool = false) -> Admission {
        guard phase == .open || (isNested && isTaking) else { return .closed }
        guard suspended.isEmpty, waiting < capacity else { return .full }
        accept(job)
        return .accepted
    }

    private mutating func accept(_ job: Job) {
        enqueue(job)
        if let record = job.record, record.isCancelRequested { cancelQueued(record) }
        grow()
    }

    /// Whether a job that found the queue full may still be accepted in another way.
    private var isTaking: Bool { phase == .open || (phase == .draining && outstanding > 0) }

    /// Makes room by dropping the oldest job of the lowest level. Prefetched jobs are back in the
    /// queue.
    mutating func acceptDroppingOldest(_ job: Job, _: borrowing AllQueues) -> Admission {
        guard isTaking else { return .closed }
        if waiting >= capacity, let dropped = queue.popOldestOfLowest() {
            end(dropped.record, configuration.dropped(dropped.record))
            queue.discard(dropped)
        }
        accept(job)
        return .accepted
    }

    mutating func dropNewest(_ job: Job) -> Admission {
        guard isTaking else { return .closed }
        counters.accepted += 1
        end(job.record, configuration.dropped(job.record))
        return .accepted
    }

    mutating func acceptInCaller(_ job: Job) -> Admission {
        guard isTaking else { return .closed }
        counters.accepted += 1
        counters.inCallers += 1
        job.record?.phase = .inCaller
        return .accepted
    }

    mutating func endInCaller(_ record: JobRecord?, _ end: JobEnd) {
        record?.phase = .settled
        counters.inCallers -= 1
        counters.count(end)
    }

    /// Queues the job now or when there is room, and sets the submitter's reply.
    mutating func suspend(_ submit: SuspendedSubmit) {
        switch offer(submit.job, isNested: submit.isNested) {
        case .accepted: answer(submit, .accepted)
        case .closed: answer(submit, .closed)
        case .full where submit.job.record?.isCancelRequested == true: answer(submit, .cancelled)
        case .full:
            suspended.append(submit)
            grow()
        }
    }

    mutating func withdraw(ticket: UInt64) {
        guard let index = suspended.firstIndex(where: { $0.ticket == ticket }) else { return }
        followUp.resumed.append(suspended.remove(at: index).continuation)
    }

    /// Lets suspended submitters in once the queue has run down to half, as many as then fit.
    /// Called at the end of every step. The watchdog notices room made by prefetched jobs that were
    /// begun without a step.
    mutating func admitSuspended() {
        guard !suspended.isEmpty, waiting <= capacity / 2 else { return }
        while waiting < capacity, let next = suspended.popFirst() {
            accept(next.job)
            answer(next, .accepted)
        }
    }
}
