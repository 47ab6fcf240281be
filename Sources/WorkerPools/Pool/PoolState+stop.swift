import DequeModule

extension PoolState {
    /// No new jobs from outside; accepted ones are finished.
    mutating func drain() {
        if phase == .open { phase = .draining }
        refuseSuspended { !$0.isNested }
    }

    /// No new jobs; waiting ones are handed back, running ones cancelled.
    mutating func cancel(_ queues: borrowing AllQueues) -> [Job] {
        phase = .cancelled
        refuseSuspended { _ in true }
        let undone = queue.takeAll() + delayed.sorted { $0.key < $1.key }.map(\.value.job)
        delayed.removeAll()
        for job in undone { end(job.record, configuration.cancelled(job.record)) }
        for case let worker? in workers.slots {
            if worker.verdict(queues) == .inTime { worker.cancel(queues) }
            if let task = worker.task { followUp.cancelled.append(task) }
        }
        return undone
    }

    mutating func cancel(_ record: JobRecord, _ queues: borrowing AllQueues) {
        switch record.phase {
        case .settled: break
        case .offered:
            record.isCancelRequested = true
            if let index = suspended.firstIndex(where: { $0.job.record === record }) {
                answer(suspended.remove(at: index), .cancelled)
            }
        case .inCaller: record.isCancelRequested = true
        case .queued: cancelQueued(record)
        case .delayed(let ticket):
            end(record, configuration.cancelled(record))
            if let job = delayed.removeValue(forKey: ticket)?.job { queue.discard(job) }
        case .running(let slot):
            guard let worker = workers.slots[slot] else { return }
            if worker.verdict(queues) != .overrun { worker.cancel(queues) }
            if let task = worker.task { followUp.cancelled.append(task) }
        }
    }

    mutating func cancelQueued(_ record: JobRecord) {
        end(record, configuration.cancelled(record))
        queue.noteCancelled()
    }

    private mutating func refuseSuspended(where isRefused: (SuspendedSubmit) -> Bool) {
        for submit in suspended where isRefused(submit) { answer(submit, .closed) }
        suspended.removeAll(where: isRefused)
    }

    mutating func answer(_ submit: SuspendedSubmit, _ admission: Admission) {
        followUp.answered.append((submit.continuation, admission))
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
