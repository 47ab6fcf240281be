import DequeModule

extension PoolState {
    /// What happens to a job that is submitted.
    enum Admission {
        /// The pool has it, or has dropped one.
        case accepted
        /// No room: the submitter waits or is refused.
        case full
        /// No room: the submitter runs it.
        case inCaller
        case closed
        /// The submitter was cancelled while it waited for room.
        case submitterCancelled
        /// The job was.
        case jobCancelled
    }

    private var capacity: Int { configuration.queue.limit }

    /// Takes the job, unless a step is needed to admit it.
    @inline(__always)
    mutating func enqueueWithoutStep(_ job: inout Job?) {
        guard freeSubmits > 0, job?.record?.isCancelRequested != true, let job = job.take() else { return }
        freeSubmits -= 1
        enqueue(job)
        if wakeUps.isSpinning { wakeUps.spinSignal.set() }
    }

    /// The same for as many of the jobs as need no step; they have no records.
    mutating func enqueueWithoutStep(_ jobs: inout JobBuffer) {
        let number = min(jobs.count, freeSubmits)
        freeSubmits -= number
        for _ in 0..<number { enqueue(jobs.removeFirst()) }
        if wakeUps.isSpinning { wakeUps.spinSignal.set() }
    }

    @inline(__always)
    private mutating func enqueue(_ job: consuming Job) {
        counters.accepted += 1
        job.record?.phase = .queued
        queue.append(job)
    }

    mutating func grantFreeSubmits() {
        guard phase == .open, roomWaiters.isEmpty, places.limit == places.bounds.upperBound else { return freeSubmits = 0 }
        // Retries and lowered bounds may have left more jobs than there is room for.
        let room = max(0, capacity - waiting)
        freeSubmits = mayWakeAnother ? min(room, wakeUps.onTheWay + imminentStarts - queue.count) : room
    }

    /// - Parameters:
    ///   - isNested: the submitter is a job of this pool, so it is let in while the pool drains.
    ///   - policy: what to do if there is no room.
    mutating func admit(_ job: Job, isNested: Bool = false, whenFull policy: FullQueuePolicy) -> Admission {
        guard phase == .open || (isNested && phase == .draining && outstanding > 0) else { return .closed }
        guard !roomWaiters.isEmpty || waiting >= capacity else {
            enqueueAndGrow(job)
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
            enqueueAndGrow(job)
        case .dropNewest:
            counters.accepted += 1
            decideEnd(of: job.record, configuration.dropped(job.record))
        }
        return .accepted
    }

    private mutating func enqueueAndGrow(_ job: Job) {
        enqueue(job)
        if let record = job.record, record.isCancelRequested { cancelQueued(record) }
        grow()
    }

    /// Makes room by dropping the oldest job of the lowest level, which a thread may have
    /// prefetched.
    private mutating func dropOldest() {
        takeBackPrefetched(since: 0)
        guard waiting >= capacity, let dropped = queue.popOldestOfLowest() else { return }
        decideEnd(of: dropped.record, configuration.dropped(dropped.record))
        queue.discard(dropped)
    }

    mutating func endInCaller(_ record: JobRecord?, _ end: JobEnd) {
        record?.phase = .decided
        counters.inCallers -= 1
        counters.count(end)
    }

    /// Queues the job now or when there is room, and sets the submitter's reply.
    mutating func admitOrKeepWaiting(_ waiter: RoomWaiter) {
        let admission = admit(waiter.job, isNested: waiter.isNested, whenFull: .suspend)
        guard case .full = admission else { return answer(waiter, admission) }
        if waiter.job.record?.isCancelRequested == true { return answer(waiter, .jobCancelled) }
        roomWaiters.append(waiter)
        grow()
    }

    mutating func withdrawRoomWaiter(ticket: UInt64) {
        guard let index = roomWaiters.firstIndex(where: { $0.ticket == ticket }) else { return }
        answer(roomWaiters.remove(at: index), .submitterCancelled)
    }

    /// Lets room waiters in once the queue has run down to half, as many as then fit.
    /// Called at the end of every step. The watchdog notices room made by prefetched jobs that were
    /// begun without a step.
    mutating func admitRoomWaiters() {
        guard !roomWaiters.isEmpty, waiting <= capacity / 2 else { return }
        while waiting < capacity, let next = roomWaiters.popFirst() {
            enqueueAndGrow(next.job)
            answer(next, .accepted)
        }
    }
}
