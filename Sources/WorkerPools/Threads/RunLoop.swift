// Unsafe code: `current` is kept in thread-local storage without a reference count; the thread
// itself holds the loop for as long as it runs, so the pointer cannot outlive the loop.

import Synchronization

/// One thread of a ``ThreadExecutor``: a queue of runnable jobs that its neighbours may steal from,
/// and a timer wheel.
final class RunLoop: SerialExecutor, @unchecked Sendable {  // what is not constant belongs to the loop's thread
    private static let ofThread = ThreadLocalPointer()

    /// The loop that the calling thread runs, if any.
    static var current: RunLoop? {
        guard let pointer = ofThread.current else { return nil }
        return Unmanaged<RunLoop>.fromOpaque(pointer).takeUnretainedValue()
    }

    let index: Int
    private let queue: Guarded<RunQueue>
    private let spot = ParkingSpot()
    let group: ThreadGroup
    /// What the queue has, for neighbours to read without its lock: else each of n threads would
    /// take n locks every few milliseconds, and whenever it looks for work.
    private let hasReadyNow = Atomic(false)
    private let hasSleepersNow = Atomic(false)

    // Only the loop's own thread touches these.
    @exclusivity(unchecked) private var napActor: NapActor?
    /// The time when it was last read, at most a few milliseconds ago.
    @exclusivity(unchecked) private var now: UInt64
    /// Whether ``now`` has been read since the last job began.
    @exclusivity(unchecked) private var isFresh = false
    /// When the next task to nap wants to be woken.
    @exclusivity(unchecked) private var due: UInt64 = 0
    /// When it last looked after its neighbours' sleepers.
    @exclusivity(unchecked) private var lastHelped: UInt64 = 0
    /// Whether it has been idle and not run a job since.
    @exclusivity(unchecked) private var hasIdled = false
    /// Counts the jobs it has run: does not change while one task runs without suspending.
    @exclusivity(unchecked) private(set) var turn: UInt64 = 0

    init(index: Int, group: ThreadGroup) {
        let now = OperatingSystem.now
        self.now = now
        self.index = index
        self.group = group
        queue = Guarded(RunQueue(now: now))
    }

    func push(_ job: UnownedJob) {
        withQueue { $0.push(job) }
    }

    private func withQueue<Result>(_ body: (inout RunQueue) -> Result) -> Result {
        queue.withLock { queue in
            let result = body(&queue)
            Self.update(hasReadyNow, to: !queue.ready.isEmpty)
            Self.update(hasSleepersNow, to: queue.hasSleepers)
            return result
        }
    }

    /// Writes only what has changed: neighbours have it in their caches.
    private static func update(_ flag: borrowing Atomic<Bool>, to value: Bool) {
        if flag.load(ordering: .relaxed) != value { flag.store(value, ordering: .relaxed) }
    }

    func unpark() { spot.unpark() }

    /// On the loop's own thread: the actor that puts a task to sleep, which it must call at once.
    func prepareNap(for length: UInt64) -> NapActor? {
        now = OperatingSystem.now
        isFresh = true
        due = now &+ length
        return napActor
    }

    /// A task starts a nap on this loop.
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        withQueue { $0.nap(job, from: now, to: due) }
        group.ensureWatcher()
    }

    /// Runs jobs until the group is told to stop and nothing is left to run.
    func run(on executor: UnownedTaskExecutor) {
        Self.ofThread.set(Unmanaged.passUnretained(self).toOpaque())
        napActor = NapActor(self)
        defer {
            napActor = nil
            Self.ofThread.set(nil)
        }
        while true {
            if let job = next() {
                if hasIdled {
                    hasIdled = false
                    group.handOverWatch()
                }
                isFresh = false
                turn += 1
                job.runSynchronously(on: executor)
                continue
            }
            if group.isStopping { return }
            parkUntilWork()
        }
    }

    private func next() -> UnownedJob? {
        checkClock()
        if let job = pop() { return job }
        now = OperatingSystem.now
        return pop() ?? group.steal(for: self)
    }

    private func pop() -> UnownedJob? {
        let (job, isCrowded) = withQueue { $0.pop(at: now) }
        if isCrowded { group.wakeOne() }
        return job
    }

    /// Reads the time cheaply; now and then takes over the neighbours' late sleepers.
    private func checkClock() {
        if !isFresh { now = max(now, OperatingSystem.coarseNow) }
        if now >= lastHelped + 4_000_000 {
            lastHelped = now
            group.takeOverLateSleepers(for: self, at: now)
        }
    }

    private func parkUntilWork() {
        group.goIdle(self)
        // A pushing thread looks for idle threads afterwards, so a job pushed before we were
        // counted is found here.
        if !group.hasWork && !group.isStopping {
            let due = queue.withLock { $0.nextDue }
            let checkAt = group.watch()
            spot.park(until: Self.earlier(due, checkAt))
            if checkAt != nil { group.endWatch() }
        }
        group.leaveIdle(self)
        hasIdled = true
        isFresh = false
    }

    /// Without an array, which would allocate on every wait.
    private static func earlier(_ one: UInt64?, _ other: UInt64?) -> UInt64? {
        guard let one, let other else { return one ?? other }
        return min(one, other)
    }

    var hasReady: Bool { queue.withLock { !$0.ready.isEmpty } }
    var isQuiescent: Bool { queue.withLock { $0.isQuiescent } }

    /// Gives away the older half of what waits here; the caller runs the first of them.
    func giveHalf(to thief: RunLoop) -> UnownedJob? {
        guard hasReadyNow.load(ordering: .relaxed) else { return nil }
        let stolen = withQueue { $0.removeHalf() }
        guard !stolen.isEmpty else { return nil }
        return thief.withQueue { queue in
            queue.push(stolen)
            return queue.pop(at: 0).job
        }
    }

    /// Gives away the sleepers that should have been woken long ago.
    func giveLateSleepers(at now: UInt64, to helper: RunLoop) {
        guard hasSleepersNow.load(ordering: .relaxed) else { return }
        let late = withQueue { $0.removeLateSleepers(at: now) }
        if !late.isEmpty { helper.withQueue { $0.push(late) } }
    }
}
