/// A pool's state with its locks, and the workers: what happens outside the locks happens here.
///
/// A job passes two kinds of locks, taken in this order: the pool's own, and one for each thread's
/// ``PrefetchQueue``. Under load a worker takes only the one of its thread.
@usableFromInline
final class PoolStorage: Sendable {
    let configuration: WorkerPool.Configuration
    let alarms: any Alarms
    let timeout: UInt64
    let prefetchQueues: PrefetchQueues
    let spinSignal = SpinSignal()
    let endWaits = EndWaits()
    private let state: Guarded<PoolState>

    init(_ configuration: WorkerPool.Configuration) {
        configuration.check()
        self.configuration = configuration
        alarms = configuration.alarms ?? WheelThread.shared
        timeout = configuration.timeout.map(Self.timeLimit) ?? 0
        prefetchQueues = PrefetchQueues(for: configuration.executor, lock: configuration.lock)
        state = Guarded(PoolState(configuration, prefetchQueues: prefetchQueues, spinSignal: spinSignal), lock: configuration.lock)
    }

    @usableFromInline
    func level(of priority: JobPriority) -> UInt8 {
        UInt8(truncatingIfNeeded: min(priority.level, configuration.priorityLevels - 1))
    }

    /// In nanoseconds. 0 would mean no limit, so an expired one becomes the shortest possible.
    static func timeLimit(_ limit: Duration) -> UInt64 { max(1, limit.nanoseconds) }

    /// Changes the pool's state, and does afterwards what follows from that for others.
    @inline(__always)
    func step<Result>(_ change: (inout PoolState) -> Result) -> Result {
        let (result, followUp) = state.withLock { state in
            state.noteWaiting()
            let result = change(&state)
            state.finishStep()
            return (result, state.takeFollowUp())
        }
        perform(followUp)
        return result
    }

    /// A step during which no job begins or ends.
    func exclusiveStep<Result>(_ change: (inout PoolState, borrowing AllLocks) -> Result) -> Result {
        step { $0.standingStill(change) }
    }

    /// Reads something that depends on no job.
    @inline(__always)
    func read<Result>(_ body: (borrowing PoolState) -> Result) -> Result {
        state.withLock { body($0) }
    }

    /// - Returns: the job, if a step is needed: see ``submit(_:whenFull:)``.
    @usableFromInline
    func submitWithoutStep(_ body: consuming Job.Body, _ record: consuming JobRecord?, _ priority: JobPriority) -> Job? {
        submitWithoutStep(Job(body: body, record: record, level: level(of: priority)))
    }

    @inline(__always)
    func submitWithoutStep(_ job: consuming Job) -> Job? {
        var job = Optional(job)
        state.withLock { $0.enqueueWithoutStep(&job) }
        return job
    }

    /// As many of the jobs as ``PoolState/freeSubmits`` allows, while locking once.
    func submitWithoutStep(_ jobs: inout JobBuffer) {
        state.withLock { $0.enqueueWithoutStep(&jobs) }
    }

    var counters: PoolCounters { exclusiveStep { $0.snapshot($1) } }

    // Actions for others, performed outside the lock.

    @inline(__always)
    private func perform(_ followUp: consuming FollowUp) {
        // Before anyone learns that these jobs have ended.
        followUp.toRelease = []
        for slot in followUp.slotsToStart { start(slot) }
        for task in followUp.toCancel { task.cancel() }
        for (record, end) in followUp.toAnnounce { record.announce(end, endWaits) }
        if !followUp.toAnnounce.isEmpty { step { $0.noteAnnounced(followUp.toAnnounce) } }
        for continuation in followUp.toResume { continuation.resume() }
        for (submitter, admission) in followUp.toAnswer { submitter.resume(returning: admission) }
        if followUp.isSizingAlarmWanted {
            setAlarm(at: alarms.now &+ configuration.sizing.quietPeriod.nanoseconds) { storage in
                storage.exclusiveStep { $0.shrink($1) }
            }
        }
        if followUp.isWatchdogWanted {
            WheelThread.shared.call(at: WheelThread.shared.now &+ PoolState.watchdogInterval) { [self] in
                step { $0.watchdogFired(now: OperatingSystem.now) }
            }
        }
    }

    private func start(_ slot: Int) {
        let worker = Worker(self, slot: slot)
        let task = Task.detached(executorPreference: configuration.executor) { await worker.run() }
        if step({ $0.attach(task, to: worker) }) { task.cancel() }
    }

    /// Calls `body` then, unless the pool has been released. So an alarm in the distant future does
    /// not keep alive a pool that has ended.
    func setAlarm(at due: UInt64, _ body: @escaping @Sendable (PoolStorage) -> Void) {
        alarms.call(at: due) { [weak self] in if let self { body(self) } }
    }

    /// For the end of an attempt's time.
    func setAlarm(at due: UInt64, for slot: Int) {
        setAlarm(at: due) { storage in
            let now = storage.alarms.now
            let later = storage.exclusiveStep { $0.alarmFired(due: due, at: slot, now: now, $1) }
            if let later { storage.setAlarm(at: later, for: slot) }
        }
    }

    func cancel() -> [UndoneJob] { exclusiveStep { $0.cancel($1) }.map { UndoneJob($0) } }

    func cancel(_ record: JobRecord) { exclusiveStep { $0.cancel(record, $1) } }
}
