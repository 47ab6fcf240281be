import DequeModule

/// Everything a pool knows except the prefetched jobs, as a pure state machine: its methods change
/// it and return what to do after the lock is released.
struct PoolState {
    /// ```
    /// open ──drain──▶ draining ──cancel──▶ cancelled
    ///   └───────────────cancel───────────────▲
    /// ```
    /// A draining or cancelled pool has ended once nothing is outstanding and its workers are gone.
    enum Phase { case open, draining, cancelled }

    var phase = Phase.open
    let queue: LevelQueue
    /// Jobs that threads have prefetched; still waiting.
    let locals: LocalQueues
    let capacity: Int
    var bounds: ClosedRange<Int>
    let sizing: SizingPolicy

    /// Workers by slot, once they have started.
    var workers: ContiguousArray<Worker?> = []
    var vacant: [Int] = []
    var parked: [Int] = []
    /// Slots by the identity of their workers' tasks.
    var slotsByTask: [Int: Int] = [:]
    let longestRun: Int
    /// The concurrency limit.
    var limit: Int
    /// Slots that have a worker.
    var live = 0
    /// Slots that count against the limit: running, including overruns.
    var busy = 0
    var lent = 0
    /// Lent slots whose job has already timed out for good.
    var lentOverruns = 0
    /// Workers on their way to the queue.
    var searching = 0
    /// How many workers may search at once. Each wakes the next when it has taken a job and more
    /// are waiting, so few are enough, and few keep a burst of tiny jobs from waking thousands.
    static var maxSearching: Int { 2 }
    /// Whether one of the searching workers is spinning already.
    var isSpinning = false
    var spinPolicy = SpinPolicy()
    /// How many waiting jobs the running workers are expected to start within a moment, judging by
    /// recent ones. No worker is woken for these. Reset when the worker expected to start them
    /// takes its next turn or otherwise ends, and when the watchdog fires, so that a job that turns
    /// out long holds up the others for no longer than that.
    private(set) var expectedStarts = 0
    private var expectedStarter = 0
    /// Whether threads may hold prefetched jobs.
    var hasPrefetched = false
    private var isWatchdogSet = false
    /// How many jobs submitters may push, including those in the injector; nil while it is shut.
    private var allowance: Int?
    /// Wake-ups decided on, to be performed after the lock is released.
    var wakeups = Wakeups()

    /// Jobs waiting for room, with their submitters.
    var suspended: Deque<SuspendedSubmit> = []
    var nextTicket: UInt64 = 0
    /// Jobs between two attempts.
    var delayed: [UInt64: (job: Job, alarm: PoolAlarm)] = [:]
    /// Lenders that want their place in the limit back.
    var returning: Deque<(slot: Int, continuation: UnsafeContinuation<Void, Never>)> = []
    var waiters: [Waiter] = []
    /// Jobs that wait for all others.
    var nestedWaiters = 0
    /// Ends that have been counted but not announced yet: until they are, the pool is not idle.
    var unannounced = 0

    var counters = PoolCounters()
    /// Whether a job has waited since the sizing alarm was set.
    var hasWaited = false
    var isSizingAlarmSet = false
    /// The sizing alarm, once it is set.
    var sizingAlarm: PoolAlarm?

    init(_ configuration: WorkerPool.Configuration, locals: LocalQueues) {
        queue = LevelQueue(levels: configuration.priorityLevels, ageing: configuration.ageing)
        self.locals = locals
        capacity = configuration.queue.limit
        bounds = configuration.workers
        longestRun = min(configuration.longestRun, LocalQueue.capacity)
        sizing = configuration.sizing
        limit = configuration.workers.lowerBound
        counters.workers = limit
        counters.peakWorkers = limit
    }

    /// Jobs that no worker has begun, not counting those in the injector: while any stay there,
    /// there are some here.
    var waiting: Int { queue.count + prefetchedCount }

    /// An upper bound: without the locks of the local queues the number can only go down.
    private var prefetchedCount: Int {
        var count = 0
        for local in locals { count += local.waiting }
        return count
    }

    var outstanding: Int {
        waiting + busy + lent - counters.overrunning + delayed.count + counters.inCallers + unannounced
    }

    /// Nothing is outstanding, nothing can come, and the workers are gone.
    var hasEnded: Bool { phase != .open && live == 0 && outstanding == 0 }

    mutating func takeTicket() -> UInt64 {
        nextTicket += 1
        return nextTicket
    }

    mutating func withdrawWaiter(ticket: UInt64) -> UnsafeContinuation<Void, Never>? {
        guard let index = waiters.firstIndex(where: { $0.ticket == ticket }) else { return nil }
        nestedWaiters -= waiters[index].nesting
        return waiters.remove(at: index).continuation
    }

    /// A job that has overrun is no longer outstanding, so it need not be excluded; but its worker
    /// cannot go away while it waits.
    mutating func add(_ waiter: Waiter) {
        var waiter = waiter
        waiter.isInside = waiter.nesting > 0
        if let slot = waiter.slot, case .overrun? = workers[slot]?.verdict { waiter.slot = nil }
        nestedWaiters += waiter.nesting
        waiters.append(waiter)
    }

    mutating func forgetNested(slot: Int) {
        for index in waiters.indices where waiters[index].slot == slot {
            waiters[index].slot = nil
            nestedWaiters -= 1
        }
    }

    /// With the locks of all local queues held.
    var snapshot: PoolCounters {
        var counters = counters
        counters.queued = waiting
        counters.running = busy - (counters.overrunning - lentOverruns)
        for local in locals { counters.done += local.done }
        counters.lent = lent - lentOverruns
        counters.retrying = delayed.count
        counters.suspended = suspended.count
        counters.workers = limit
        return counters
    }
}

// Waking workers, at the end of every step.
extension PoolState {
    /// How to get a worker to the queue.
    enum Wakeup {
        case resume(UnsafeContinuation<Void, Never>)
        case start(slot: Int)
    }

    /// What to do after a step so that waiting jobs are begun.
    struct Wakeups {
        private(set) var first: Wakeup?
        private(set) var second: Wakeup?
        /// Set an alarm for ``PoolState/watchdogFired(now:)``.
        var isWatchdogWanted = false
        /// Set an alarm for ``PoolState/shrink()``.
        var isSizingAlarmWanted = false
        /// Submitters that waited for room and have their reply.
        var answered: [UnsafeContinuation<Void, Never>] = []
        /// To be released outside the lock.
        var discarded: [Job] = []

        /// At most ``PoolState/maxSearching`` in one step.
        mutating func add(_ wakeup: Wakeup) {
            precondition(second == nil, "more workers are woken than may search at once")
            if first == nil { first = wakeup } else { second = wakeup }
        }
    }

    mutating func takeWakeups() -> Wakeups {
        if queue.hasDiscarded { wakeups.discarded = queue.takeDiscarded() }
        defer { wakeups = Wakeups() }
        return wakeups
    }

    /// Takes over the injector's jobs, unless the queue has enough to do without them.
    mutating func takeJobs(from injector: Injector) {
        let taken = injector.empty(into: queue)
        counters.accepted += taken
        allowance = allowance.map { $0 - taken }
    }

    /// Takes over all of them, and keeps submitters out until the step is settled.
    mutating func takeAllJobs(from injector: Injector) {
        counters.accepted += injector.emptyAndShut(into: queue)
        allowance = nil
    }

    /// The same, while the caller holds the injector's lock.
    mutating func takeAllJobsLocked(from injector: Injector) {
        counters.accepted += injector.emptyAndShutLocked(into: queue)
        allowance = nil
    }

    /// Ends a step: wakes workers for the waiting jobs, as far as the limit allows, and tells
    /// submitters how many jobs they may push before the pool must be asked again.
    mutating func settle(_ injector: Injector) {
        // A job may have made room in many ways: prefetched, begun to wait, or gone.
        admitSuspended()
        while true {
            while mayWakeWorker, queue.count > searching + imminentStarts { wakeWorker() }
            if allow(budget, injector) { break }
            takeAllJobs(from: injector)
        }
        if isSizingAlarmSet, !hasWaited { noteWaiting() }
        if let alarm = sizingAlarm, hasEnded {
            alarm.cancel()
            sizingAlarm = nil
        }
        if isSpinning, queue.count > 0 || phase != .open { injector.signalSpinner() }
        if !isWatchdogSet, hasPrefetched || mayWakeWorker && imminentStarts > 0 {
            isWatchdogSet = true
            wakeups.isWatchdogWanted = true
        }
    }

    /// - Returns: false if too many jobs have been pushed already.
    private mutating func allow(_ budget: Int, _ injector: Injector) -> Bool {
        // A smaller budget only makes submitters ask the pool sooner than necessary. So they are
        // left alone unless it has become too large, or less than half.
        if let allowance, allowance <= budget, allowance >= budget / 2 { return true }
        allowance = budget
        return injector.setBudget(budget)
    }

    /// How long jobs that were about to be begun may wait, in nanoseconds.
    static var watchdogInterval: UInt64 { 1_000_000 }

    /// The watchdog has fired: jobs that were about to be begun may still be waiting.
    mutating func watchdogFired(now: UInt64) {
        isWatchdogSet = false
        expectedStarts = 0
        spinPolicy.giveUpShare()
        returnStalePrefetched(before: now &- Self.watchdogInterval)
    }

    /// If no worker is parked and there are as many as may be, a free one is about to park, and
    /// checks the queue once more before it does; a new one would only send it away.
    private var mayWakeWorker: Bool {
        searching < Self.maxSearching && busy + searching < limit && (!parked.isEmpty || live - lent < limit)
    }

    var imminentStarts: Int { isSpinning ? max(expectedStarts, spinPolicy.share) : busy > 0 ? expectedStarts : 0 }

    /// This worker is about to start that many waiting jobs.
    mutating func expectStarts(_ count: Int, by worker: Worker) {
        expectedStarts = count
        expectedStarter = worker.slot
    }

    mutating func forgetExpectedStarts(by worker: Worker) {
        if worker.slot == expectedStarter { expectedStarts = 0 }
    }

    /// A worker that takes what there is would only interfere with the one that is about to.
    var isBetterLeftToOthers: Bool { busy > 0 && queue.count > 0 && queue.count <= expectedStarts }

    private mutating func wakeWorker() {
        while let slot = parked.popLast() {
            guard let worker = workers[slot], case .parked(let continuation) = worker.phase else { continue }
            searching += 1
            worker.phase = .searching
            return wakeups.add(.resume(continuation))
        }
        guard live - lent < limit else { return }
        searching += 1
        live += 1
        let slot = vacant.popLast() ?? workers.count
        if slot == workers.count { workers.append(nil) }
        wakeups.add(.start(slot: slot))
    }

    private var budget: Int {
        guard phase == .open, suspended.isEmpty, limit == bounds.upperBound else { return 0 }
        let waiting = waiting
        // Retries and lowered bounds may have left more jobs than there is room for.
        let room = max(0, capacity - waiting)
        return mayWakeWorker ? min(room, searching + imminentStarts - queue.count) : room
    }
}

/// Whether to spin for jobs before parking, judging by how often spinning has paid off.
///
/// Waking a parked worker costs it and the submitter a few µs each, as much as a quarter of a spin.
/// So a success buys two more spins; with none left, only one in sixteen is tried.
struct SpinPolicy {
    /// How many jobs may arrive before another worker is woken to help the spinning one.
    private(set) var share = 0
    private var credit = 0
    private var passed = 0

    mutating func isWorthwhile() -> Bool {
        if credit > 0 { return true }
        passed += 1
        return passed % 16 == 0
    }

    mutating func begin() { share = 32 }

    /// It has taken longer than it may, because its thread was not scheduled.
    mutating func giveUpShare() { share = 0 }

    mutating func note(foundJob: Bool) { credit = foundJob ? min(8, credit + 2) : max(0, credit - 1) }
}

/// A task that waits for the pool to reach some condition.
struct Waiter {
    enum Condition {
        /// Nothing outstanding.
        case idle
        /// Nothing outstanding, and all workers gone.
        case ended
        /// The same, or the pool has been cancelled.
        case endedOrCancelled
        /// No more jobs run than the limit allows, after it was lowered.
        case withinLimit
    }

    var condition: Condition
    /// The slot of the job of this pool inside which it waits, which is therefore not waited for.
    var slot: Int?
    /// How many jobs it waits inside of that their submitters run.
    var inCallers = 0
    /// How many outstanding jobs are not waited for, because they wait themselves.
    var nesting: Int { inCallers + (slot == nil ? 0 : 1) }
    /// The caller is a job of this pool, or an attempt that has overrun.
    var isInside = false
    /// Identifies a waiter that may give up; 0 for the others.
    var ticket: UInt64 = 0
    var continuation: UnsafeContinuation<Void, Never>
}

/// A job that waits for room in the queue, and its submitter.
struct SuspendedSubmit {
    var job: Job
    var ticket: UInt64
    var isNested: Bool
    let reply: SubmitReply
    var continuation: UnsafeContinuation<Void, Never>
}

/// The answer to a submitter that waited for room. Read and written under the pool's lock: as far
/// as the Thread Sanitizer can see, a value passed through the continuation would be written after
/// the task may have resumed.
final class SubmitReply: @unchecked Sendable {
    enum Answer {
        case accepted
        case closed
        case withdrawn
        /// The job was cancelled before there was room for it.
        case cancelled
    }

    var answer = Answer.withdrawn
}
