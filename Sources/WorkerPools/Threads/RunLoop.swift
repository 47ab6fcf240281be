// Unsafe code: `current` is kept in a thread's own slot without a reference count; the thread itself holds the loop for
// as long as it runs, so the pointer cannot outlive the loop. `own` is a pointer because a property of a class pays for an
// exclusivity check on every access; only the loop's thread follows it, and `deinit`, when no thread can.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// One thread of a ``ThreadExecutor``: a queue of runnable jobs that its neighbours may take from, and a timer wheel.
final class RunLoop: SerialExecutor, @unchecked Sendable {  // `own` belongs to the loop's thread
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let failure = pthread_key_create(&key, nil)
        precondition(failure == 0, "the system has no thread-specific keys left")
        return key
    }()

    /// The loop that the calling thread runs, if it runs one.
    static var current: RunLoop? {
        guard let pointer = pthread_getspecific(key) else { return nil }
        return Unmanaged<RunLoop>.fromOpaque(pointer).takeUnretainedValue()
    }

    /// What only the loop's own thread knows.
    private struct Own {
        var bed: Bed?
        /// The time when last it was read, at most a few milliseconds behind.
        var now: UInt64
        /// ``now`` has been read since the last job began.
        var isFresh = false
        /// When the one who lies down next wants to be woken.
        var due: UInt64 = 0
        /// When last it looked after its neighbours' sleepers.
        var helped: UInt64 = 0
        /// It has not run a job since it rested.
        var hasRested = false
        /// Counts the jobs that it has run.
        var turn: UInt64 = 0
    }

    let index: Int
    private let queue: Guarded<RunQueue>
    private let spot = ParkingSpot()
    private let crew: Crew
    private let own: UnsafeMutablePointer<Own>

    init(index: Int, crew: Crew) {
        let now = Timers.now
        self.index = index
        self.crew = crew
        queue = Guarded(RunQueue(now: now))
        own = .allocate(capacity: 1)
        own.initialize(to: Own(now: now))
    }

    deinit {
        own.deinitialize(count: 1)
        own.deallocate()
        queue.withLock { $0.deallocate() }
    }

    func push(_ job: UnownedJob) {
        queue.withLock { $0.push(job) }
    }

    func unpark() { spot.unpark() }

    func isOn(_ other: Crew) -> Bool { crew === other }

    /// On the loop's own thread: the same as long as one task goes on there without a pause.
    var turn: UInt64 { own.pointee.turn }

    /// On the loop's own thread: where a task may lie down at once.
    func makeBed(for length: UInt64) -> Bed? {
        let now = Timers.now
        own.pointee.now = now
        own.pointee.isFresh = true
        own.pointee.due = now &+ length
        return own.pointee.bed
    }

    /// A task lies down in this loop's bed.
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let (now, due) = (own.pointee.now, own.pointee.due)
        queue.withLock { $0.nap(job, from: now, to: due) }
        crew.seeToWatch()
    }

    /// Runs jobs until the crew is told to stop and nothing is left to run.
    func run(on executor: UnownedTaskExecutor) {
        pthread_setspecific(Self.key, Unmanaged.passUnretained(self).toOpaque())
        own.pointee.bed = Bed(self)
        defer {
            own.pointee.bed = nil
            pthread_setspecific(Self.key, nil)
        }
        while true {
            if let job = next() {
                if own.pointee.hasRested {
                    own.pointee.hasRested = false
                    crew.leaveWatch()
                }
                own.pointee.isFresh = false
                own.pointee.turn += 1
                job.runSynchronously(on: executor)
                continue
            }
            if crew.isStopping { return }
            rest()
        }
    }

    private func next() -> UnownedJob? {
        let now = look()
        if let job = pop(at: now) { return job }
        own.pointee.now = Timers.now
        return pop(at: own.pointee.now) ?? crew.steal(for: self)
    }

    private func pop(at now: UInt64) -> UnownedJob? {
        let (job, isCrowded) = queue.withLock { $0.pop(at: now) }
        if isCrowded { crew.callForHelp() }
        return job
    }

    /// The time, cheaply; and now and then after the neighbours' sleepers.
    private func look() -> UInt64 {
        var now = own.pointee.now
        if !own.pointee.isFresh {
            now = max(now, Timers.coarseNow)
            own.pointee.now = now
        }
        if now >= own.pointee.helped + 4_000_000 {
            own.pointee.helped = now
            crew.help(self, at: now)
        }
        return now
    }

    private func rest() {
        crew.goIdle(self)
        // Whoever pushes looks for idle threads afterwards, so a job pushed before we were counted is found here.
        if !crew.hasWork && !crew.isStopping {
            let due = queue.withLock { $0.nextDue }
            let look = crew.watch()
            spot.park(until: Self.earlier(due, look))
            if look != nil { crew.endWatch() }
        }
        crew.leaveIdle(self)
        own.pointee.hasRested = true
        own.pointee.isFresh = false
    }

    /// Without an array, which would be memory for every rest.
    private static func earlier(_ one: UInt64?, _ other: UInt64?) -> UInt64? {
        guard let one, let other else { return one ?? other }
        return min(one, other)
    }

    var hasReady: Bool { queue.withLock { !$0.ready.isEmpty } }
    var isAtRest: Bool { queue.withLock { $0.isAtRest } }

    /// Gives away the older half of what waits here; the caller runs the first of them.
    func giveHalf(to thief: RunLoop) -> UnownedJob? {
        var loot = queue.withLock { $0.removeHalf() }
        guard !loot.isEmpty else { return nil }
        return thief.queue.withLock { queue in
            queue.push(&loot)
            return queue.pop(at: 0).job
        }
    }

    /// Gives away the sleepers that should long have been woken.
    func giveNeglected(at now: UInt64, to helper: RunLoop) {
        var late = queue.withLock { $0.removeNeglected(at: now) }
        if !late.isEmpty { helper.queue.withLock { $0.push(&late) } }
    }
}
