import DequeModule

extension PoolState {
    /// What happens to a job that is offered.
    enum Admission {
        /// The pool has it, or has dropped one.
        case accepted
        /// No room: the submitter waits or is refused.
        case full
        /// No room: the submitter runs it.
        case inCaller
        case closed
        /// The submitter was cancelled while it waited for room.
        case withdrawn
        /// The job was.
        case cancelled
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

    /// The same for as many jobs as the budget allows; they have no records.
    mutating func push(_ jobs: inout JobBuffer) {
        let number = min(jobs.count, budget)
        budget -= number
        for _ in 0..<number { enqueue(jobs.removeFirst()) }
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

    /// - Parameters:
    ///   - isNested: the submitter is a job of this pool, so it is let in while the pool drains.
    ///   - policy: what to do if there is no room.
    mutating func offer(_ job: Job, isNested: Bool = false, whenFull policy: FullQueuePolicy) -> Admission {
        guard phase == .open || (isNested && phase == .draining && outstanding > 0) else { return .closed }
        guard !suspended.isEmpty || waiting >= capacity else {
            accept(job)
            return .accepted
        }
        switch policy {
        case .suspend, .reject: return .full
        case .runInCaller:
            counters.accepted += 1
            counters.inCallers += 1
            job.record?.phase = .inCaller
            return .inCaller
        case .dropOldest:
            dropOldest()
            accept(job)
        case .dropNewest:
            counters.accepted += 1
            end(job.record, configuration.dropped(job.record))
        }
        return .accepted
    }

    private mutating func accept(_ job: Job) {
        enqueue(job)
        if let record = job.record, record.isCancelRequested { cancelQueued(record) }
        grow()
    }

    /// Makes room by dropping the oldest job of the lowest level, which a thread may have
    /// prefetched.
    private mutating func dropOldest() {
        takeBackPrefetched(since: 0)
        guard waiting >= capacity, let dropped = queue.popOldestOfLowest() else { return }
        end(dropped.record, configuration.dropped(dropped.record))
        queue.discard(dropped)
    }

    mutating func endInCaller(_ record: JobRecord?, _ end: JobEnd) {
        record?.phase = .settled
        counters.inCallers -= 1
        counters.count(end)
    }

    /// Queues the job now or when there is room, and sets the submitter's reply.
    mutating func suspend(_ submit: SuspendedSubmit) {
        let admission = offer(submit.job, isNested: submit.isNested, whenFull: .suspend)
        guard case .full = admission else { return answer(submit, admission) }
        if submit.job.record?.isCancelRequested == true { return answer(submit, .cancelled) }
        suspended.append(submit)
        grow()
    }

    mutating func withdraw(ticket: UInt64) {
        guard let index = suspended.firstIndex(where: { $0.ticket == ticket }) else { return }
        answer(suspended.remove(at: index), .withdrawn)
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
