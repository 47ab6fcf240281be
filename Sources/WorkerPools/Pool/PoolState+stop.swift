import Synchronization

extension PoolState {
    /// Actions to perform after a drain or cancellation has been recorded.
    struct Stop {
        /// Submitters waiting for room, which are refused.
        var refused: [UnsafeContinuation<Void, Never>] = []
        var retiring: [UnsafeContinuation<Void, Never>] = []
        var waiters: [UnsafeContinuation<Void, Never>] = []
        /// Workers whose attempts are to be cancelled.
        var cancelled: [Task<Void, Never>] = []
        /// Jobs that have not been started, or are waiting for another attempt.
        var undone: [Job] = []
    }

    /// No new jobs from outside; accepted ones are finished.
    mutating func drain() -> Stop {
        var stop = Stop()
        if phase == .open { phase = .draining }
        refuseSuspended(&stop, all: false)
        collectWakeups(&stop)
        return stop
    }

    /// No new jobs; waiting ones are handed back, running ones cancelled. With the locks of all
    /// local queues held.
    mutating func cancel() -> Stop {
        var stop = Stop()
        phase = .cancelled
        refuseSuspended(&stop, all: true)
        returnAllPrefetched()
        stop.undone = queue.takeAll() + delayed.sorted { $0.key < $1.key }.map(\.value.job)
        for waiting in delayed.values { waiting.alarm.cancel() }
        delayed.removeAll()
        counters.cancelled += stop.undone.count
        unannounced += stop.undone.count
        for job in stop.undone { job.record?.phase = .settled }
        for case let worker? in workers {
            switch worker.phase {
            case .running, .lent:
                if worker.verdict == .inTime { worker.verdict = .cancelled }
                if let task = worker.task { stop.cancelled.append(task) }
            case .vacant, .searching, .parked: break
            }
        }
        collectWakeups(&stop)
        return stop
    }

    /// What cancelling one job requires.
    enum Cancellation {
        case nothing
        /// It had not begun: announce its end.
        case ended(JobRecord)
        case cancel(Task<Void, Never>?)
    }

    /// With the locks of all local queues held.
    mutating func cancel(_ record: JobRecord) -> Cancellation {
        switch record.phase {
        case .settled, .assigned: return .nothing
        case .offered:
            record.isCancelRequested = true
            if let index = suspended.firstIndex(where: { $0.job.record === record }) {
                let submit = suspended.remove(at: index)
                submit.reply.answer = .cancelled
                wakeups.answered.append(submit.continuation)
            }
            return .nothing
        case .inCaller:
            record.isCancelRequested = true
            return .nothing
        case .queued:
            returnAllPrefetched()
            record.phase = .settled
            queue.noteCancelled()
        case .delayed(let ticket):
            record.phase = .settled
            if let (job, alarm) = delayed.removeValue(forKey: ticket) {
                alarm.cancel()
                queue.discard(job)
            }
        case .running(let slot):
            guard let worker = workers[slot] else { return .nothing }
            if worker.verdict == .inTime || worker.verdict == .expired { worker.verdict = .cancelled }
            return .cancel(worker.task)
        }
        counters.cancelled += 1
        unannounced += 1
        return .ended(record)
    }

    private mutating func refuseSuspended(_ stop: inout Stop, all: Bool) {
        suspended.removeAll { submit in
            guard all || !submit.isNested else { return false }
            submit.reply.answer = .closed
            stop.refused.append(submit.continuation)
            return true
        }
    }

    private mutating func collectWakeups(_ stop: inout Stop) {
        var deferred = DeferredActions()
        resumeWaiters(&deferred)
        stop.retiring = deferred.list?.retiring ?? []
        stop.waiters = deferred.list?.waiters ?? []
    }
}
