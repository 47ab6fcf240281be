// Unsafe code: `current` is kept in thread-local storage without a reference count; the thread
// itself holds the loop for as long as it runs, so the pointer cannot outlive the loop. `local` is
// a pointer because a class property pays for an exclusivity check on every access; only the loop's
// thread follows it, and `deinit`, when no thread can.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// One thread of a ``ThreadExecutor``: a queue of runnable jobs that its neighbours may steal from,
/// and a timer wheel.
final class RunLoop: SerialExecutor, @unchecked Sendable {  // `local` belongs to the loop's thread
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let failure = pthread_key_create(&key, nil)
        precondition(failure == 0, "the system has no thread-specific keys left")
        return key
    }()

    /// The loop that the calling thread runs, if any.
    static var current: RunLoop? {
        guard let pointer = pthread_getspecific(key) else { return nil }
        return Unmanaged<RunLoop>.fromOpaque(pointer).takeUnretainedValue()
    }

    /// State that only the loop's own thread touches.
    private struct LocalState {
        var napActor: NapActor?
        /// The time when it was last read, at most a few milliseconds ago.
        var now: UInt64
        /// Whether ``now`` has been read since the last job began.
        var isFresh = false
        /// When the next task to nap wants to be woken.
        var due: UInt64 = 0
        /// When it last looked after its neighbours' sleepers.
        var lastHelped: UInt64 = 0
        /// Whether it has been idle and not run a job since.
        var hasIdled = false
        /// Counts the jobs it has run.
        var turn: UInt64 = 0
    }

    let index: Int
    private let queue: Guarded<RunQueue>
    private let spot = ParkingSpot()
    private let group: ThreadGroup
    private let local: UnsafeMutablePointer<LocalState>

    init(index: Int, group: ThreadGroup) {
        let now = Timers.now
        self.index = index
        self.group = group
        queue = Guarded(RunQueue(now: now))
        local = .allocate(capacity: 1)
        local.initialize(to: LocalState(now: now))
    }

    deinit {
        local.deinitialize(count: 1)
        local.deallocate()
        queue.withLock { $0.deallocate() }
    }

    func push(_ job: UnownedJob) {
        queue.withLock { $0.push(job) }
    }

    func unpark() { spot.unpark() }

    func belongs(to other: ThreadGroup) -> Bool { group === other }

    /// On the loop's own thread: does not change while one task runs there without suspending.
    var turn: UInt64 { local.pointee.turn }

    /// On the loop's own thread: the actor that puts a task to sleep, which it must call at once.
    func prepareNap(for length: UInt64) -> NapActor? {
        let now = Timers.now
        local.pointee.now = now
        local.pointee.isFresh = true
        local.pointee.due = now &+ length
        return local.pointee.napActor
    }

    /// A task starts a nap on this loop.
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let (now, due) = (local.pointee.now, local.pointee.due)
        queue.withLock { $0.nap(job, from: now, to: due) }
        group.ensureWatcher()
    }

    /// Runs jobs until the group is told to stop and nothing is left to run.
    func run(on executor: UnownedTaskExecutor) {
        pthread_setspecific(Self.key, Unmanaged.passUnretained(self).toOpaque())
        local.pointee.napActor = NapActor(self)
        defer {
            local.pointee.napActor = nil
            pthread_setspecific(Self.key, nil)
        }
        while true {
            if let job = next() {
                if local.pointee.hasIdled {
                    local.pointee.hasIdled = false
                    group.handOverWatch()
                }
                local.pointee.isFresh = false
                local.pointee.turn += 1
                job.runSynchronously(on: executor)
                continue
            }
            if group.isStopping { return }
            parkUntilWork()
        }
    }

    private func next() -> UnownedJob? {
        let now = checkClock()
        if let job = pop(at: now) { return job }
        local.pointee.now = Timers.now
        return pop(at: local.pointee.now) ?? group.steal(for: self)
    }

    private func pop(at now: UInt64) -> UnownedJob? {
        let (job, isCrowded) = queue.withLock { $0.pop(at: now) }
        if isCrowded { group.wakeHelper() }
        return job
    }

    /// Reads the time cheaply; now and then takes over the neighbours' late sleepers.
    private func checkClock() -> UInt64 {
        var now = local.pointee.now
        if !local.pointee.isFresh {
            now = max(now, Timers.coarseNow)
            local.pointee.now = now
        }
        if now >= local.pointee.lastHelped + 4_000_000 {
            local.pointee.lastHelped = now
            group.takeOverLateSleepers(for: self, at: now)
        }
        return now
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
        local.pointee.hasIdled = true
        local.pointee.isFresh = false
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
        var stolen = queue.withLock { $0.removeHalf() }
        guard !stolen.isEmpty else { return nil }
        return thief.queue.withLock { queue in
            queue.push(&stolen)
            return queue.pop(at: 0).job
        }
    }

    /// Gives away the sleepers that should have been woken long ago.
    func giveLateSleepers(at now: UInt64, to helper: RunLoop) {
        var late = queue.withLock { $0.removeLateSleepers(at: now) }
        if !late.isEmpty { helper.queue.withLock { $0.push(&late) } }
    }
}
