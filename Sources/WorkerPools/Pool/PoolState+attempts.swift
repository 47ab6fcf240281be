extension PoolState {
    /// What an alarm has found at a slot.
    enum Expiry {
        /// Nothing to do.
        case stale
        /// The slot is at a later attempt by now; look again at its deadline.
        case later(UInt64)
        /// The attempt's time is up: cancel its task and, if the job has ended with that, say so.
        case expired(worker: Task<Void, Never>?, ended: JobRecord?)
    }

    /// - Parameter retries: how many retries after timeouts the pool's own policy allows.
    mutating func ring(alarm due: UInt64, at slot: Int, now: UInt64, retries: Int) -> Expiry {
        guard slots[slot].alarm == due else { return .stale }
        slots[slot].alarm = 0
        let deadline = slots[slot].deadline
        guard deadline != 0, slots[slot].verdict == .inTime else { return .stale }
        guard deadline <= now else {
            slots[slot].alarm = deadline
            return .later(deadline)
        }
        let record = slots[slot].record
        var allowed = retries
        if let own = record?.options.retry { allowed = own.retriesTimeouts ? own.times : 0 }
        // While its place is lent the attempt waits for others and ends soon, so its own worker reports it.
        if case .lent = slots[slot].phase { allowed = .max }
        guard phase == .cancelled || slots[slot].jobAttempt > allowed else {
            slots[slot].verdict = .expired
            return .expired(worker: slots[slot].worker, ended: nil)
        }
        slots[slot].verdict = .overrun
        counters.timedOut += 1
        counters.overrunning += 1
        record?.phase = .settled
        return .expired(worker: slots[slot].worker, ended: record)
    }

    /// Counts the job as done and frees its place, if the attempt's success still counts.
    /// - Parameter isCounted: the job was the last of a run and is counted with it.
    mutating func succeed(_ record: JobRecord?, at slot: Int, isCounted: Bool) -> Bool {
        switch slots[slot].verdict {
        case .expired, .overrun: return false
        case .inTime, .cancelled: break
        }
        closeRun(at: slot, isWorkerDone: true)
        record?.phase = .settled
        if !isCounted { counters.done += 1 }
        release(slot)
        return true
    }

    /// The attempt has ended without success: from now on its time cannot run out. Tells what had become of it.
    mutating func conclude(at slot: Int) -> Slot.Verdict {
        slots[slot].deadline = 0
        closeRun(at: slot)
        return slots[slot].verdict
    }

    /// Counts how the job ended and frees its place.
    mutating func end(_ job: Job, at slot: Int, counting count: WritableKeyPath<PoolCounters, Int>) {
        job.record?.phase = .settled
        counters[keyPath: count] += 1
        release(slot)
    }

    /// The attempt has ended after its job's end was made known.
    mutating func endOverrun(at slot: Int) {
        counters.overrunning -= 1
        release(slot)
    }

    /// Takes the job out of its slot until its next attempt.
    /// - Returns: the ticket to put it back with; nil if the job may not be tried again after all.
    mutating func delay(_ job: Job, at slot: Int) -> UInt64? {
        guard phase != .cancelled, slots[slot].verdict != .cancelled else { return nil }
        var job = job
        job.attempt += 1
        counters.retried += 1
        let ticket = takeTicket()
        job.record?.phase = .delayed(ticket: ticket)
        delayed[ticket] = job
        release(slot)
        return ticket
    }

    /// Queues a job for its next attempt; retries are not held up by a full queue.
    mutating func resumeDelayed(ticket: UInt64) -> Wake {
        guard let job = delayed.removeValue(forKey: ticket) else { return .nobody }
        job.record?.phase = .queued
        queue.append(job)
        hasWaited = true
        return callWorker()
    }

    /// The worker's task makes itself known, so that the pool can tell who is waiting for it.
    mutating func enroll(_ identity: Int, at slot: Int) {
        slots[slot].identity = identity
        places[identity] = slot
    }

    /// Stores the handle of a worker's task, which cancellation needs; a cancellation that came first is returned.
    mutating func introduce(_ worker: Task<Void, Never>, at slot: Int, generation: UInt64) -> Task<Void, Never>? {
        guard slots[slot].generation == generation else { return nil }
        slots[slot].worker = worker
        return slots[slot].verdict == .inTime ? nil : worker
    }
}
