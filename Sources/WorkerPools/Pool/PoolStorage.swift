import Synchronization

/// A pool's state with its locks, and the workers: what happens outside the locks happens here.
///
/// Three kinds of locks, taken in this order: the pool's own; one for each thread's ``LocalQueue``;
/// the ``Injector``'s. Under load a submit takes only the last, and a worker only the one of its
/// thread.
@usableFromInline
final class PoolStorage: Sendable {
    let configuration: WorkerPool.Configuration
    let alarms: any Alarms
    let timeout: UInt64
    let injector: Injector
    let locals: LocalQueues
    private let state: Guarded<PoolState>

    init(_ configuration: WorkerPool.Configuration) {
        configuration.check()
        self.configuration = configuration
        alarms = configuration.alarms ?? configuration.executor as? any Alarms ?? WheelThread.shared
        timeout = configuration.timeout.map(Self.timeLimit) ?? 0
        injector = Injector(levels: configuration.priorityLevels, lock: configuration.lock)
        locals = LocalQueues(for: configuration.executor, lock: configuration.lock)
        state = Guarded(PoolState(configuration, locals: locals), lock: configuration.lock)
    }

    deinit {
        injector.free()
        locals.free()
    }

    func makeJob(_ body: Job.Body, _ record: JobRecord?, priority: JobPriority) -> Job {
        Job(body: body, record: record, level: level(of: priority))
    }

    @usableFromInline
    func level(of priority: JobPriority) -> UInt8 {
        UInt8(truncatingIfNeeded: min(priority.level, configuration.priorityLevels - 1))
    }

    /// In nanoseconds. 0 would mean no limit, so an expired one becomes the shortest possible.
    static func timeLimit(_ limit: Duration) -> UInt64 { max(1, limit.nanoseconds) }

    /// A step that does not look at other workers' attempts.
    /// - Parameter shutsInjector: nothing may be pushed there in the meantime, because the step
    ///   takes a job in directly or closes the pool.
    @inline(__always)
    func step<Result>(shutsInjector: Bool = false, _ change: (inout PoolState) -> Result) -> Result {
        let (result, wakeups) = state.withLock { state in
            if shutsInjector { state.takeAllJobs(from: injector) } else { state.takeJobs(from: injector) }
            let result = change(&state)
            state.settle(injector)
            return (result, state.takeWakeups())
        }
        perform(wakeups)
        return result
    }

    /// Reads something that depends on no job.
    @inline(__always)
    func read<Result>(_ body: (borrowing PoolState) -> Result) -> Result {
        state.withLock { body($0) }
    }

    /// A step during which all workers and submitters stand still.
    func exclusiveStep<Result>(_ change: (inout PoolState) -> Result) -> Result {
        let (result, wakeups) = state.withLock { state in
            for local in locals {
                local.lock()
                local.revokeAssigned()
            }
            injector.lock()
            state.takeAllJobsLocked(from: injector)
            let result = change(&state)
            injector.unlock()
            for local in locals { local.unlock() }
            state.settle(injector)
            return (result, state.takeWakeups())
        }
        perform(wakeups)
        return result
    }

    var counters: PoolCounters { exclusiveStep { $0.snapshot } }

    // Actions for other threads and tasks, performed outside the lock.

    @inline(__always)
    private func perform(_ wakeups: PoolState.Wakeups) {
        if let first = wakeups.first { perform(first) }
        if let second = wakeups.second { perform(second) }
        for submitter in wakeups.answered { submitter.resume() }
        if wakeups.isSizingAlarmWanted { setSizingAlarm() }
        if wakeups.isWatchdogWanted {
            // A strong reference for that long, because weak ones would make every strong count
            // more expensive.
            WheelThread.shared.call(at: WheelThread.shared.now &+ PoolState.watchdogInterval) { [self] in
                step { $0.watchdogFired(now: Timers.now) }
            }
        }
    }

    private func perform(_ wakeup: PoolState.Wakeup) {
        switch wakeup {
        case .resume(let continuation): continuation.resume()
        case .start(let slot): start(slot)
        }
    }

    private func setSizingAlarm() {
        let alarm = PoolAlarm(self)
        state.withLock { state in
            if state.hasEnded { alarm.cancel() } else { state.sizingAlarm = alarm }
        }
        alarms.call(at: alarms.now &+ configuration.sizing.settle.nanoseconds) {
            alarm.fire { storage in
                for worker in storage.exclusiveStep({ $0.shrink() }) { worker.resume() }
            }
        }
    }

    func perform(_ deferred: borrowing PoolState.DeferredActions) {
        guard let list = deferred.list else { return }
        for lender in list.lenders { lender.resume() }
        for worker in list.retiring { worker.resume() }
        for waiter in list.waiters { waiter.resume() }
        for record in list.withdrawn { record.settle(.stopped(cancellation(of: record))) }
        if !list.withdrawn.isEmpty { noteAnnounced(list.withdrawn.count) }
    }

    /// Counted ends have been announced, which may make the pool idle.
    func noteAnnounced(_ count: Int) {
        var deferred = PoolState.DeferredActions()
        step { $0.announced(count, &deferred) }
        perform(deferred)
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
        let task = Task.detached(executorPreference: configuration.executor) { await worker.run() }
        if step({ $0.attach(task, to: worker) }) { task.cancel() }
    }

    func setAlarm(at due: UInt64, for slot: Int) {
        alarms.call(at: due) { [weak self] in self?.alarmFired(due: due, slot: slot) }
    }

    private func alarmFired(due: UInt64, slot: Int) {
        let now = alarms.now
        let retries = configuration.retry.map { $0.retriesTimeouts ? $0.times : 0 } ?? 0
        switch exclusiveStep({ $0.alarmFired(due: due, at: slot, now: now, retries: retries) }) {
        case .stale: return
        case .later(let deadline): setAlarm(at: deadline, for: slot)
        case .expired(let task): task?.cancel()
        case .overrun(let task, let record, let attempts):
            task?.cancel()
            record?.settle(.stopped(lateness(of: record, attempts: attempts)))
            noteAnnounced(1)
        }
    }
}
