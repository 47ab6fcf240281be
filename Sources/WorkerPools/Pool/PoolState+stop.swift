import DequeModule

extension PoolState {
    /// No new jobs from outside; accepted ones are finished.
    mutating func drain() {
        if phase == .open { phase = .draining }
        refuseRoomWaiters { !$0.isNested }
    }

    /// No new jobs; waiting ones are handed back, running ones cancelled.
    mutating func cancel(_ locks: borrowing AllLocks) -> [Job] {
        phase = .cancelled
        refuseRoomWaiters { _ in true }
        let undone = queue.takeAll() + delayed.sorted { $0.key < $1.key }.map(\.value.job)
        delayed.removeAll()
        for job in undone { decideEnd(of: job.record, configuration.cancelled(job.record)) }
        for case let worker? in workers.slots {
            if worker.verdict(locks) == .inTime { worker.cancel(locks) }
            if let task = worker.task { followUp.toCancel.append(task) }
        }
        return undone
    }

    mutating func cancel(_ record: JobRecord, _ locks: borrowing AllLocks) {
        switch record.phase {
        case .decided: break
        case .submitted:
            record.isCancelRequested = true
            if let index = roomWaiters.firstIndex(where: { $0.job.record === record }) {
                answer(roomWaiters.remove(at: index), .jobCancelled)
            }
        case .inCaller: record.isCancelRequested = true
        case .queued: cancelQueued(record)
        case .delayed(let ticket):
            decideEnd(of: record, configuration.cancelled(record))
            if let job = delayed.removeValue(forKey: ticket)?.job { queue.discard(job) }
        case .running(let slot):
            guard let worker = workers.slots[slot] else { return }
            if worker.verdict(locks) != .overrun { worker.cancel(locks) }
            if let task = worker.task { followUp.toCancel.append(task) }
        }
    }

    mutating func cancelQueued(_ record: JobRecord) {
        decideEnd(of: record, configuration.cancelled(record))
        queue.noteCancelled()
    }

    private mutating func refuseRoomWaiters(where isRefused: (RoomWaiter) -> Bool) {
        for waiter in roomWaiters where isRefused(waiter) { answer(waiter, .closed) }
        roomWaiters.removeAll(where: isRefused)
    }

    mutating func answer(_ waiter: RoomWaiter, _ admission: Admission) {
        followUp.toAnswer.append((waiter.continuation, admission))
    }
}

extension WorkerPool.Configuration {
    func cancelled(_ record: JobRecord?) -> JobEnd { .stopped(.cancelled(pool: name, job: record?.details?.name)) }

    func dropped(_ record: JobRecord?) -> JobEnd { .stopped(.dropped(pool: name, job: record?.details?.name)) }

    func timedOut(_ record: JobRecord?, attempts: Int32) -> PoolError {
        .timedOut(
            pool: name, job: record?.details?.name, limit: record?.details?.timeout ?? timeout ?? .zero, attempts: Int(attempts))
    }
}
