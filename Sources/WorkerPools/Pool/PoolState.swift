import DequeModule

/// Everything a pool knows but for the jobs that threads have taken ahead, as a pure state machine: methods change it and
/// return what is to be done after the lock has been left.
struct PoolState {
    /// ```
    /// open ──drain──▶ draining ──cancel──▶ cancelled
    ///   └───────────────cancel───────────────▲
    /// ```
    /// A draining or cancelled pool has ended once nothing is outstanding and its workers have gone.
    enum Phase { case open, draining, cancelled }

    var phase = Phase.open
    let queue: LevelQueue
    /// Jobs that threads have taken ahead; still waiting.
    let locals: LocalQueues
    let capacity: Int
    var bounds: ClosedRange<Int>
    let sizing: SizingPolicy

    /// Workers by their slots, from when they have begun to live.
    var workers: ContiguousArray<Worker?> = []
    var vacant: [Int] = []
    var parked: [Int] = []
    /// Slots by the identity of their workers' tasks.
    var slotsByTask: [Int: Int] = [:]
    let longestRun: Int
    /// The concurrency limit.
    var limit: Int
    /// Slots whose worker exists.
    var live = 0
    /// Slots that count against the limit: running, overruns included.
    var busy = 0
    var lent = 0
    /// Those lent slots whose job has timed out for good already.
    var lentOverruns = 0
    /// Workers on their way to the queue.
    var searching = 0
    /// Workers called at once. Each calls the next when it has taken a job and more wait, so few are enough,
    /// and few keep a burst of tiny jobs from waking thousands.
    static var maxSearching: Int { 2 }
    /// Of those called, one may be looking out for jobs already.
    var isSpinning = false
    var spinPolicy = SpinPolicy()
    /// So many waiting jobs the workers that run will get through in a moment, going by the last ones: nobody is called for
    /// them. Forgotten when the one who was to come for them has come, or ends otherwise, and when the watch rings, so that a job
    /// that takes long after all holds up nobody for longer than that.
    private(set) var expectedStarts = 0
    private var expectedStarter = 0
    /// Threads may have jobs that they have taken ahead.
    var hasPrefetched = false
    private var isWatchdogSet = false
    /// How many jobs submitters may leave, counted with those in the inbox; nil while it is shut.
    private var allowance: Int?
    /// Calls that have been decided on and are to be made after the lock.
    var wakeups = Wakeups()

    /// Jobs that wait for room, with their submitters.
    var suspended: Deque<SuspendedSubmit> = []
    var nextTicket: UInt64 = 0
    /// Jobs between two attempts.
    var delayed: [UInt64: (job: Job, alarm: PoolAlarm)] = [:]
    /// Lenders that want their place in the limit back.
    var returning: Deque<(slot: Int, continuation: UnsafeContinuation<Void, Never>)> = []
    var waiters: [Waiter] = []
    /// Jobs that wait for all others.
    var nestedWaiters = 0
    /// Ends that are counted and on their way to those who want to know: until then the pool is not idle.
    var unannounced = 0

    var counters = PoolCounters()
    /// Whether a job has waited since the sizing alarm was left.
    var hasWaited = false
    var isSizingAlarmSet = false
    /// That alarm, once it is left.
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

    /// Jobs that nobody has begun, without those in the inbox: if any stay there, there are some here.
    var waiting: Int { queue.count + prefetchedCount }

    /// Never less than there are: without the locks of the local queues they can only become fewer.
    private var prefetchedCount: Int {
        var count = 0
        for local in locals { count += local.waiting }
        return count
    }

    var outstanding: Int {
        waiting + busy + lent - counters.overrunning + delayed.count + counters.inCallers + unannounced
    }

    /// Nothing is outstanding, nothing can come, and the workers have gone.
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

    /// A job that has overrun is not outstanding any more, so nobody need except it; but its worker cannot go while it waits.
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

// Calling workers, at the end of every step.
extension PoolState {
    /// What is to be done to call a worker.
    enum Wakeup {
        case resume(UnsafeContinuation<Void, Never>)
        case start(slot: Int)
    }

    /// What is to be done after a step so that the waiting jobs are begun.
    struct Wakeups {
        private(set) var first: Wakeup?
        private(set) var second: Wakeup?
        /// Leave an alarm for ``PoolState/lookAgain()``.
        var isWatchdogWanted = false
        /// Leave an alarm for ``PoolState/shrink()``.
        var isSizingAlarmWanted = false
        /// Submitters that have waited for room and have their reply.
        var answered: [UnsafeContinuation<Void, Never>] = []
        /// To be let go of.
        var discarded: [Job] = []

        /// At most ``PoolState/mostCalled`` in one step.
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

    /// Takes over what submitters have left, unless there is enough to do before that.
    mutating func takeJobs(from injector: Injector) {
        let taken = injector.empty(into: queue)
        counters.accepted += taken
        allowance = allowance.map { $0 - taken }
    }

    /// Takes over all of it, and keeps submitters out until the step is settled.
    mutating func takeAllJobs(from injector: Injector) {
        counters.accepted += injector.emptyAndShut(into: queue)
        allowance = nil
    }

    /// The same, between the inbox's closing and opening.
    mutating func takeAllJobsLocked(from injector: Injector) {
        counters.accepted += injector.emptyAndShutLocked(into: queue)
        allowance = nil
    }

    /// Ends a step: calls workers for the jobs that wait, as far as the limit allows, and tells the submitters how many jobs
    /// they may leave before the next look.
    mutating func settle(_ injector: Injector) {
        // Whatever has made room: a job may have taken a place ahead, begun to wait, or gone.
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

    /// - Returns: false if too many jobs have been left already.
    private mutating func allow(_ budget: Int, _ injector: Injector) -> Bool {
        // Where it is smaller they look at the pool sooner than they need. So they are disturbed only when it has become too large, or
        // less than half.
        if let allowance, allowance <= budget, allowance >= budget / 2 { return true }
        allowance = budget
        return injector.setBudget(budget)
    }

    /// How long jobs may wait that were about to be begun, in nanoseconds.
    static var watchdogInterval: UInt64 { 1_000_000 }

    /// The watch has rung: jobs that were about to be begun may still wait.
    mutating func watchdogFired(now: UInt64) {
        isWatchdogSet = false
        expectedStarts = 0
        spinPolicy.giveUpShare()
        returnStalePrefetched(before: now &- Self.watchdogInterval)
    }

    /// Where nobody is parked and all the workers are there that may be, one that is free is about to lie down, and looks at the queue
    /// once more before; a new one would only send it away.
    private var mayWakeWorker: Bool {
        searching < Self.maxSearching && busy + searching < limit && (!parked.isEmpty || live - lent < limit)
    }

    var imminentStarts: Int { isSpinning ? max(expectedStarts, spinPolicy.share) : busy > 0 ? expectedStarts : 0 }
    /// The worker is about to get through so many jobs that wait.
    mutating func expectStarts(_ count: Int, by worker: Worker) {
        expectedStarts = count
        expectedStarter = worker.slot
    }

    mutating func forgetExpectedStarts(by worker: Worker) {
        if worker.slot == expectedStarter { expectedStarts = 0 }
    }

    /// A worker that takes what there is would only get in the way of the one that is about to.
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
        // Retries and lowered bounds may have left more than there is room for.
        let room = max(0, capacity - waiting)
        return mayWakeWorker ? min(room, searching + imminentStarts - queue.count) : room
    }
}

/// Whether it is worth to look out for jobs before lying down, going by how often one came.
///
/// To be woken costs the sleeper and the submitter some µs each, as much as a quarter of a look-out. So a success buys two
/// more look-outs; without any left only one in sixteen times is tried.
struct SpinPolicy {
    /// So many jobs may come before another worker is called to help the one that looks out.
    private(set) var share = 0
    private var credit = 0
    private var passed = 0

    mutating func isWorthwhile() -> Bool {
        if credit > 0 { return true }
        passed += 1
        return passed % 16 == 0
    }

    mutating func begin() { share = 32 }

    /// It has taken longer than it may, since its thread was not run.
    mutating func giveUpShare() { share = 0 }

    mutating func note(foundJob: Bool) { credit = foundJob ? min(8, credit + 2) : max(0, credit - 1) }
}

/// Someone who waits for the pool to come to rest.
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
    /// That of the job of this pool inside which it waits, and which is therefore not waited for.
    var slot: Int?
    /// How many jobs it waits inside of that are run by their submitters.
    var inCallers = 0
    /// How many outstanding jobs are not waited for, since they wait themselves.
    var nesting: Int { inCallers + (slot == nil ? 0 : 1) }
    /// The caller is a job of this pool, or an attempt that has overrun.
    var isInside = false
    /// Names a waiter who may give up; 0 for the others.
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

/// What a submitter that has waited for room is told. Read and written under the pool's lock: a value handed over by the
/// continuation would be written after the task may have gone on, for all that the Thread Sanitizer can see.
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
