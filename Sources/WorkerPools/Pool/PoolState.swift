import DequeModule

/// Everything a pool knows except the prefetched jobs, as a pure state machine: its methods change
/// it and note what to do once the lock is released. A thread that has it holds the pool's lock.
struct PoolState {
    /// ```
    /// open ──drain──▶ draining ──cancel──▶ cancelled
    ///   └───────────────cancel───────────────▲
    /// ```
    /// A draining or cancelled pool has ended once nothing is outstanding and its workers are gone.
    enum Phase { case open, draining, cancelled }

    let configuration: WorkerPool.Configuration
    var phase = Phase.open
    let queue: LevelQueue
    /// Jobs that threads have prefetched; still waiting.
    let prefetchQueues: PrefetchQueues
    var workers = WorkerTable()
    var places: Places
    var wakeUps: WakeUps
    /// How many jobs may be queued without a step: none while the pool is closed, may still grow or
    /// has room waiters; else until there is no room, or a worker has to be woken.
    var freeSubmits = 0
    /// Jobs waiting for room, with their submitters.
    var roomWaiters: Deque<RoomWaiter> = []
    /// Jobs between two attempts. Each holds its pool, which nothing else may.
    var delayed: [UInt64: (job: Job, pool: PoolStorage)] = [:]
    /// Tasks that wait for the pool.
    var waiters: [Waiter] = []
    /// Jobs whose end has been decided but not announced yet.
    var unannounced = 0
    /// Without those that have ended with success on a thread with prefetched jobs.
    var counters = PoolCounters()
    var sizing = Sizing()
    private var isWatchdogSet = false
    private var lastTicket: UInt64 = 0
    var followUp = FollowUp()

    init(_ configuration: WorkerPool.Configuration, prefetchQueues: PrefetchQueues, spinSignal: SpinSignal) {
        self.configuration = configuration
        self.prefetchQueues = prefetchQueues
        queue = LevelQueue(levels: configuration.priorityLevels, ageing: configuration.ageing)
        places = Places(bounds: configuration.workers)
        wakeUps = WakeUps(spinSignal: spinSignal)
    }

    /// Jobs that no worker has begun.
    var waiting: Int { queue.count + prefetchQueues.waiting }

    var outstanding: Int {
        waiting + places.busy + places.lent - counters.overrunning + delayed.count + counters.inCallers + unannounced
    }

    /// Nothing is outstanding, nothing can come, and the workers are gone.
    var hasEnded: Bool { phase != .open && workers.live == 0 && outstanding == 0 }

    mutating func takeTicket() -> UInt64 {
        lastTicket += 1
        return lastTicket
    }

    func snapshot(_: borrowing AllLocks) -> PoolCounters {
        var counters = counters
        counters.queued = waiting + unannounced
        counters.running = places.busy - (counters.overrunning - places.lentOverruns)
        counters.lent = places.lent - places.lentOverruns
        counters.retrying = delayed.count
        counters.suspended = roomWaiters.count
        counters.size = PoolCounters.Size(limit: places.limit, highestLimit: places.peakLimit, mostRunning: places.peakBusy)
        return counters
    }

    /// Ends a step: wakes the tasks that can go on, and workers for the waiting jobs as far as the
    /// limit allows, and says how many jobs may be submitted without another step.
    mutating func finishStep() {
        admitRoomWaiters()
        returnPlaces()
        resumeWaiters()
        while mayWakeAnother, queue.count > wakeUps.onTheWay + imminentStarts { wakeWorker() }
        grantFreeSubmits()
        noteWaiting()
        if wakeUps.isSpinning, queue.count > 0 || phase != .open { wakeUps.spinSignal.set() }
        if !isWatchdogSet, mayWakeAnother && imminentStarts > 0 || prefetchQueues.waiting > 0 {
            isWatchdogSet = true
            followUp.isWatchdogWanted = true
        }
    }

    mutating func takeFollowUp() -> FollowUp {
        followUp.toRelease = queue.takeDiscarded()
        return exchange(&followUp, with: FollowUp())
    }

    /// How long jobs that were about to be begun may wait, in nanoseconds.
    static var watchdogInterval: UInt64 { 1_000_000 }

    /// The watchdog has fired: jobs that were about to be begun may still be waiting.
    mutating func watchdogFired(now: UInt64) {
        isWatchdogSet = false
        wakeUps.expectedStarts = 0
        wakeUps.spinPolicy.giveUp()
        let before = now &- Self.watchdogInterval
        if prefetchQueues.all.contains(where: { $0.waiting > 0 && $0.filledAt < before }) { takeBackPrefetched(since: 0) }
    }

    /// Returns what was prefetched since then to the head of the queue.
    mutating func takeBackPrefetched(since time: UInt64) {
        let done = prefetchQueues.takeBack(since: time, to: queue)
        counters.done += done
    }

    /// Decides how a job ends, other than by its own attempt. That is announced once the lock is
    /// released, and then counted; of a job without a record, it is counted at once.
    mutating func decideEnd(of record: JobRecord?, _ end: JobEnd) {
        guard let record else { return counters.count(end) }
        record.phase = .decided
        unannounced += 1
        followUp.toAnnounce.append((record, end))
    }

    mutating func noteAnnounced(_ ends: [FollowUp.End]) {
        unannounced -= ends.count
        for (_, end) in ends { counters.count(end) }
    }
}

/// What to do for others once the pool's lock is released.
struct FollowUp {
    typealias End = (record: JobRecord, end: JobEnd)

    /// Slots to start workers in.
    var slotsToStart: [Int] = []
    /// Parked workers, jobs that have their place back, and waiters.
    var toResume: [UnsafeContinuation<Void, Never>] = []
    /// Submitters that waited for room.
    var toAnswer: [(UnsafeContinuation<PoolState.Admission, Never>, PoolState.Admission)] = []
    /// Workers whose attempts are to be cancelled.
    var toCancel: [Task<Void, Never>] = []
    /// Jobs whose end has been decided and must be announced, and then counted.
    var toAnnounce: [End] = []
    /// To be released.
    var toRelease: [Job] = []
    /// Set an alarm for ``PoolState/watchdogFired(now:)``.
    var isWatchdogWanted = false
    /// Set an alarm for ``PoolState/shrink(_:)``.
    var isSizingAlarmWanted = false
}

/// The limit, and who counts against it.
struct Places {
    /// The concurrency limit, and where it may lie.
    var limit: Int { didSet { peakLimit = max(peakLimit, limit) } }
    var bounds: ClosedRange<Int>
    private(set) var peakLimit: Int
    /// Running, including overruns.
    var busy = 0 { didSet { peakBusy = max(peakBusy, busy) } }
    private(set) var peakBusy = 0
    /// Running, but waiting for their own pool.
    var lent = 0
    /// Those of them whose job has already timed out for good.
    var lentOverruns = 0
    /// Lenders that want their place back.
    var returning: Deque<(slot: Int, continuation: UnsafeContinuation<Void, Never>)> = []

    init(bounds: ClosedRange<Int>) {
        self.bounds = bounds
        limit = bounds.lowerBound
        peakLimit = limit
    }

    var isFree: Bool { busy < limit && returning.isEmpty }
}

/// A pool's workers by slot.
struct WorkerTable {
    /// Once they have started.
    var slots: ContiguousArray<Worker?> = []
    private var vacant: [Int] = []
    var parked: [Int] = []
    /// Slots by their workers' tasks, which are only compared.
    private var slotsByTask: [UnsafeCurrentTask: Int] = [:]
    /// Slots that have a worker, or soon will.
    private(set) var live = 0

    mutating func takeSlot() -> Int {
        live += 1
        if let slot = vacant.popLast() { return slot }
        slots.append(nil)
        return slots.count - 1
    }

    /// Called by a new worker's task, so that the pool can recognise it when it waits for the pool.
    mutating func register(_ worker: Worker, _ task: UnsafeCurrentTask?) {
        slots[worker.slot] = worker
        worker.identity = task
        if let task { slotsByTask[task] = worker.slot }
    }

    func slot(of task: UnsafeCurrentTask) -> Int? { slotsByTask[task] }

    /// Removes a worker, whose task has ended or is about to.
    mutating func vacate(_ worker: Worker) {
        if let identity = worker.identity { slotsByTask[identity] = nil }
        worker.phase = .vacant
        worker.task = nil
        slots[worker.slot] = nil
        vacant.append(worker.slot)
        live -= 1
    }
}

/// A job that waits for room in the queue, and its submitter.
struct RoomWaiter {
    var job: Job
    var ticket: UInt64
    var isNested: Bool
    var continuation: UnsafeContinuation<PoolState.Admission, Never>
}
