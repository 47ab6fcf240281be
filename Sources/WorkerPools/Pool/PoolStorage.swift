import Synchronization

/// A pool's state with its locks, and the workers: what happens outside the locks happens here.
///
/// Three kinds of locks, taken in this order: the pool's own; one for each thread's ``LocalQueue``; the ``Inbox``'s. A submit
/// under load takes the last alone, a worker under load that of its thread alone.
@usableFromInline
final class PoolStorage: Sendable {
    let configuration: WorkerPool.Configuration
    let alarms: any Alarms
    let timeout: UInt64
    let inbox: Inbox
    let locals: LocalQueues
    private let state: Guarded<PoolState>

    init(_ configuration: WorkerPool.Configuration) {
        configuration.check()
        self.configuration = configuration
        alarms = configuration.alarms ?? configuration.executor as? any Alarms ?? WheelThread.shared
        timeout = configuration.timeout.map(Self.timeLimit) ?? 0
        inbox = Inbox(levels: configuration.priorityLevels, lock: configuration.lock)
        locals = LocalQueues(for: configuration.executor, lock: configuration.lock)
        state = Guarded(PoolState(configuration, locals: locals), lock: configuration.lock)
    }

    deinit {
        inbox.free()
        locals.free()
    }

    func makeJob(_ body: Job.Body, _ record: JobRecord?, priority: JobPriority) -> Job {
        Job(body: body, record: record, level: level(of: priority))
    }

    @usableFromInline
    func level(of priority: JobPriority) -> UInt8 {
        UInt8(truncatingIfNeeded: min(priority.level, configuration.priorityLevels - 1))
    }

    /// In nanoseconds; 0 would be none, so one that is up already is as short as can be.
    static func timeLimit(_ limit: Duration) -> UInt64 { max(1, limit.nanoseconds) }

    // Steps of the state, each with what follows from it.

    /// A step that looks at no other worker's attempt.
    /// - Parameter shutsInbox: nobody may leave anything there meanwhile, since the step takes a job in beside it, or closes the
    ///   pool.
    @inline(__always)
    func step<Result>(shutsInbox: Bool = false, _ change: (inout PoolState) -> Result) -> Result {
        let (result, calls) = state.withLock { state in
            if shutsInbox { state.takeAllIn(inbox) } else { state.takeIn(inbox) }
            let result = change(&state)
            state.settle(inbox)
            return (result, state.takeCalls())
        }
        perform(calls)
        return result
    }

    /// What changes nothing and depends on no job.
    @inline(__always)
    func look<Result>(_ read: (borrowing PoolState) -> Result) -> Result {
        state.withLock { read($0) }
    }

    /// A step during which all workers and submitters stand still.
    func stepAlone<Result>(_ change: (inout PoolState) -> Result) -> Result {
        let (result, calls) = state.withLock { state in
            for local in locals {
                local.close()
                local.closeHand()
            }
            inbox.close()
            state.takeInClosed(inbox)
            let result = change(&state)
            inbox.open()
            for local in locals { local.open() }
            state.settle(inbox)
            return (result, state.takeCalls())
        }
        perform(calls)
        return result
    }

    var counters: PoolCounters { stepAlone { $0.snapshot } }

    // What other threads and tasks are waiting for, done after the lock.

    @inline(__always)
    private func perform(_ calls: PoolState.Calls) {
        if let first = calls.first { perform(first) }
        if let second = calls.second { perform(second) }
        for submitter in calls.answered { submitter.resume() }
        if calls.isSizingAlarmWanted { leaveSizingAlarm() }
        if calls.isWatchWanted {
            // Held for that long, because weak references would make every count of strong ones dearer.
            WheelThread.shared.call(at: WheelThread.shared.now &+ PoolState.patience) { [self] in
                step { $0.lookAgain(now: Timers.now) }
            }
        }
    }

    private func perform(_ call: PoolState.Call) {
        switch call {
        case .resume(let continuation): continuation.resume()
        case .start(let slot): start(slot)
        }
    }

    private func leaveSizingAlarm() {
        let alarm = PoolAlarm(self)
        state.withLock { state in
            if state.hasEnded { alarm.silence() } else { state.sizingAlarm = alarm }
        }
        alarms.call(at: alarms.now &+ configuration.sizing.settle.nanoseconds) {
            alarm.ring { storage in
                for worker in storage.stepAlone({ $0.shrink() }) { worker.resume() }
            }
        }
    }

    func perform(_ more: borrowing PoolState.FollowUp) {
        guard let others = more.others else { return }
        for lender in others.returned { lender.resume() }
        for worker in others.leaving { worker.resume() }
        for waiter in others.rested { waiter.resume() }
        for record in others.withdrawn { record.settle(.stopped(cancellation(of: record))) }
        if !others.withdrawn.isEmpty { noteTold(others.withdrawn.count) }
    }

    /// Ends that were counted have been made known; the pool may be idle with that.
    func noteTold(_ count: Int) {
        var more = PoolState.FollowUp()
        step { $0.told(count, &more) }
        perform(more)
    }

    func cancellation(of record: JobRecord?) -> PoolError {
        .cancelled(pool: configuration.name, job: record?.details?.name)
    }

    func lateness(of record: JobRecord?, attempts: Int) -> PoolError {
        let limit = record?.details?.timeout ?? configuration.timeout ?? .zero
        return .timedOut(pool: configuration.name, job: record?.details?.name, limit: limit, attempts: attempts)
    }

    private func start(_ slot: Int) {
        let worker = Worker(self, slot: slot)
        let task = Task.detached(executorPreference: configuration.executor) { await worker.live() }
        if step({ $0.introduce(task, of: worker) }) { task.cancel() }
    }

    func leaveAlarm(at due: UInt64, for slot: Int) {
        alarms.call(at: due) { [weak self] in self?.ring(due, slot) }
    }

    private func ring(_ due: UInt64, _ slot: Int) {
        let now = alarms.now
        let retries = configuration.retry.map { $0.retriesTimeouts ? $0.times : 0 } ?? 0
        switch stepAlone({ $0.ring(alarm: due, at: slot, now: now, retries: retries) }) {
        case .stale: return
        case .later(let deadline): leaveAlarm(at: deadline, for: slot)
        case .expired(let task): task?.cancel()
        case .overrun(let task, let record, let attempts):
            task?.cancel()
            record?.settle(.stopped(lateness(of: record, attempts: attempts)))
            noteTold(1)
        }
    }
}
