extension PoolState {
    /// What an alarm finds at a slot.
    enum Expiry {
        /// Nothing to do.
        case stale
        /// The slot has moved on to a later attempt; check again at its deadline.
        case later(UInt64)
        /// The attempt has timed out: cancel its task. The job may be retried.
        case expired(worker: Task<Void, Never>?)
        /// The same, and this ends the job: announce it.
        case overrun(worker: Task<Void, Never>?, JobRecord?, attempts: Int)
    }

    /// With the locks of all local queues held.
    /// - Parameter retries: how many retries after timeouts the pool's own policy allows.
    mutating func alarmFired(due: UInt64, at slot: Int, now: UInt64, retries: Int) -> Expiry {
        guard let worker = workers[slot], worker.alarm == due else { return .stale }
        worker.alarm = 0
        let deadline = worker.deadline
        guard deadline != 0, worker.verdict == .inTime else { return .stale }
        guard deadline <= now else {
            worker.alarm = deadline
            return .later(deadline)
        }
        let record = worker.job.record
        let attempts = worker.job.attempt
        var allowed = retries
        if let own = record?.details?.retry { allowed = own.retriesTimeouts ? own.times : 0 }
        guard attempts > allowed else {
            worker.verdict = .expired
            return .expired(worker: worker.task)
        }
        worker.verdict = .overrun
        counters.timedOut += 1
        counters.overrunning += 1
        unannounced += 1
        if case .lent = worker.phase {
            lentOverruns += 1
            forgetNested(slot: slot)
        }
        record?.phase = .settled
        return .overrun(worker: worker.task, record, attempts: Int(attempts))
    }

    /// Counts the job as done and frees its place, if the attempt's success still counts.
    mutating func succeed(_ worker: Worker) -> Bool {
        guard finish(worker) else { return false }
        counters.done += 1
        release(worker)
        return true
    }

    /// Rules out any further change to the attempt and its job, if the attempt's success still
    /// counts. Both are still counted as running.
    func finish(_ worker: Worker) -> Bool {
        switch worker.verdict {
        case .expired, .overrun: return false
        case .inTime, .cancelled: break
        }
        worker.finish()
        return true
    }

    /// The attempt has ended without success, so it can no longer time out.
    /// - Returns: its verdict.
    mutating func conclude(_ worker: Worker) -> Worker.Verdict {
        worker.deadline = 0
        forgetExpectedStarts(by: worker)
        return worker.verdict
    }

    /// Counts how the job ended and frees its place.
    mutating func end(_ worker: Worker, counting count: WritableKeyPath<PoolCounters, Int>) {
        counters[keyPath: count] += 1
        releaseEarly(worker)
    }

    /// The attempt has ended after its job's end was announced.
    mutating func endOverrun(_ worker: Worker) {
        counters.overrunning -= 1
        releaseEarly(worker)
    }

    /// Takes the job from its worker until its next attempt.
    /// - Parameter alarm: the one that will fire for it.
    /// - Returns: the ticket to requeue it with; nil if the job may not be retried after all.
    mutating func delay(_ worker: Worker, until alarm: PoolAlarm) -> UInt64? {
        guard phase != .cancelled, worker.verdict != .cancelled else { return nil }
        var job = worker.job
        job.attempt += 1
        counters.retried += 1
        let ticket = takeTicket()
        job.record?.phase = .delayed(ticket: ticket)
        delayed[ticket] = (job, alarm)
        releaseEarly(worker)
        return ticket
    }

    /// Queues a job for its next attempt; a full queue does not hold up retries.
    mutating func resumeDelayed(ticket: UInt64) {
        guard let (job, _) = delayed.removeValue(forKey: ticket) else { return }
        job.record?.phase = .queued
        queue.append(job)
        hasWaited = true
        grow()
    }
}
