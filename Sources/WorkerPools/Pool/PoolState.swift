import DequeModule

/// Everything a pool knows, as a pure state machine: methods change it and return what is to be done after the lock
/// has been left.
struct PoolState {
    /// ```
    /// open ──drain──▶ draining ──cancel──▶ cancelled
    ///   └───────────────cancel───────────────▲
    /// ```
    /// A draining or cancelled pool has ended once nothing is outstanding and its workers have gone.
    enum Phase { case open, draining, cancelled }

    /// What the caller must do about workers.
    enum Wake {
        case nobody
        case resume(UnsafeContinuation<Void, Never>)
        case start(slot: Int, generation: UInt64)
    }

    var phase = Phase.open
    var queue: LevelQueue
    let capacity: Int
    var bounds: ClosedRange<Int>
    let sizing: SizingPolicy

    var slots: ContiguousArray<Slot> = []
    var vacant: [Int] = []
    var parked: [Int] = []
    /// Slots by the identity of their workers' tasks.
    var places: [Int: Int] = [:]
    /// Slots that hold a run.
    var runSlots: [Int] = []
    var spareRuns: [JobRun] = []
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
    var called = 0
    /// Workers called at once. Each calls the next when it has taken a job and more wait, so few are enough,
    /// and few keep a burst of tiny jobs from waking thousands.
    static var mostCalled: Int { 2 }

    /// Jobs that wait for room, with their submitters.
    var suspended: Deque<SuspendedSubmit> = []
    var nextTicket: UInt64 = 0
    /// Jobs between two attempts.
    var delayed: [UInt64: Job] = [:]
    /// Lenders that want their place in the limit back.
    var returning: Deque<(slot: Int, continuation: UnsafeContinuation<Void, Never>)> = []
    var waiters: [Waiter] = []
    /// Jobs that wait for all others.
    var nestedWaiters = 0

    var counters = PoolCounters()
    /// Whether a job has waited since the sizing alarm was left.
    var hasWaited = false
    var isSizingAlarmLeft = false

    init(_ configuration: WorkerPool.Configuration) {
        queue = LevelQueue(levels: configuration.priorityLevels, ageing: configuration.ageing)
        capacity = configuration.queue.limit
        bounds = configuration.workers
        longestRun = min(configuration.longestRun, JobRun.longest)
        sizing = configuration.sizing
        limit = configuration.workers.lowerBound
        counters.workers = limit
        counters.peakWorkers = limit
    }

    var outstanding: Int {
        queue.count + busy + lent - counters.overrunning + delayed.count + counters.inCallers
    }

    /// Nothing is outstanding, nothing can come, and the workers have gone.
    var hasEnded: Bool { phase != .open && live == 0 && outstanding == 0 }

    mutating func withdrawWaiter(ticket: UInt64) -> UnsafeContinuation<Void, Never>? {
        guard let place = waiters.firstIndex(where: { $0.ticket == ticket }) else { return nil }
        return waiters.remove(at: place).continuation
    }

    var snapshot: PoolCounters {
        var counters = counters
        counters.queued = queue.count
        counters.running = busy - (counters.overrunning - lentOverruns)
        for slot in runSlots {
            guard let tally = slots[slot].run?.tally else { continue }
            counters.queued += tally.waiting
            counters.running -= 1 - tally.running
            counters.done += tally.ended
        }
        counters.lent = lent - lentOverruns
        counters.retrying = delayed.count
        counters.suspended = suspended.count
        counters.workers = limit
        return counters
    }

    /// Calls one more worker if a job waits for one and the limit allows it.
    mutating func callWorker() -> Wake {
        guard waiting > called, called < Self.mostCalled, busy + called < limit else { return .nobody }
        called += 1
        if let slot = parked.popLast() {
            guard case .parked(let continuation) = slots[slot].phase else { return .nobody }
            slots[slot].phase = .called
            return .resume(continuation)
        }
        live += 1
        let slot = vacant.popLast() ?? slots.count
        if slot == slots.count { slots.append(Slot()) }
        let generation = takeTicket()
        slots[slot].phase = .called
        slots[slot].generation = generation
        return .start(slot: slot, generation: generation)
    }
}

/// Someone who waits for the pool to come to rest.
struct Waiter {
    enum Occasion {
        /// Nothing outstanding.
        case idle
        /// Nothing outstanding, and all workers gone.
        case ended
        /// The same, or the pool has been cancelled.
        case endedOrCancelled
        /// No more jobs run than the limit allows, after it was lowered.
        case withinLimit
    }

    var occasion: Occasion
    /// Waits inside a job of this pool, which is therefore not waited for.
    var isNested: Bool
    /// Names a waiter who may give up; 0 for the others.
    var ticket: UInt64 = 0
    var continuation: UnsafeContinuation<Void, Never>
}

/// A job that waits for room in the queue, and its submitter.
struct SuspendedSubmit {
    var job: Job
    var ticket: UInt64
    var isNested: Bool
    var continuation: UnsafeContinuation<SubmitAnswer, Never>
}

enum SubmitAnswer {
    case accepted
    case closed
    case withdrawn
}
