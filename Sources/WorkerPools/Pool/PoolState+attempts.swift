extension PoolState {
    /// An alarm has fired at a slot.
    /// - Returns: when to set another, if the slot has moved on to a later attempt.
    mutating func alarmFired(due: UInt64, at slot: Int, now: UInt64, _ locks: borrowing AllLocks) -> UInt64? {
        guard let worker = workers.slots[slot] else { return nil }
        if let later = worker.alarmFired(due: due, now: now, locks) { return later }
        guard worker.isLate(at: now, locks) else { return nil }
        let record = worker.job.record
        let retry = record?.details?.retry ?? configuration.retry
        let isLast = worker.job.attempt > (retry.map { $0.retriesTimeouts ? $0.times : 0 } ?? 0)
        worker.expire(isLast: isLast, locks)
        if let task = worker.task { followUp.toCancel.append(task) }
        guard isLast else { return nil }
        counters.overrunning += 1
        if case .lent = worker.phase {
            places.lentOverruns += 1
            forgetNestedWaiters(slot: slot)
        }
        decideEnd(of: record, .stopped(configuration.timedOut(record, attempts: worker.job.attempt)))
        return nil
    }

    /// Stores the handle of a worker's task, which cancellation needs.
    /// - Returns: whether the worker has already been cancelled.
    mutating func attach(_ task: Task<Void, Never>, to worker: Worker) -> Bool {
        if case .vacant = worker.phase { return false }
        worker.task = task
        return worker.verdict(self) != .inTime
    }

    /// Counts the job as done and frees its place.
    mutating func countSuccess(of worker: Worker, _ own: inout PrefetchQueue.State) {
        own.noteDone()
        release(worker)
    }

    /// Frees the place of an attempt that has ended. The job's end has been counted, or the job
    /// goes on elsewhere.
    private mutating func release(_ worker: Worker) {
        worker.phase = .searching
        places.busy -= 1
    }

    /// The same, for a worker that asks for its next action in a later step.
    private mutating func releaseBeforeNextStep(_ worker: Worker) {
        release(worker)
        wakeUps.onTheWay += 1
    }

    /// Counts how the job ended, and frees its place.
    mutating func countEnd(_ end: JobEnd, of worker: Worker) {
        counters.count(end)
        releaseBeforeNextStep(worker)
    }

    /// The attempt has ended after its job's end was announced.
    mutating func endOverrun(_ worker: Worker) {
        counters.overrunning -= 1
        releaseBeforeNextStep(worker)
    }

    /// Takes the job from its worker until its next attempt.
    /// - Returns: the ticket to requeue it with; nil if the job may not be retried after all.
    mutating func delay(_ worker: Worker, in pool: PoolStorage) -> UInt64? {
        guard phase != .cancelled, worker.verdict(self) != .cancelled else { return nil }
        var job = worker.takeJob()
        job.attempt += 1
        counters.retried += 1
        let ticket = takeTicket()
        job.record?.phase = .delayed(ticket: ticket)
        delayed[ticket] = (job, pool)
        releaseBeforeNextStep(worker)
        return ticket
    }

    /// Queues a job for its next attempt; a full queue does not hold up retries.
    mutating func resumeDelayed(ticket: UInt64) {
        guard let job = delayed.removeValue(forKey: ticket)?.job else { return }
        job.record?.phase = .queued
        queue.append(job)
        sizing.hasWaited = true
        grow()
    }
}
