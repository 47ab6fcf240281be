// Unsafe code: `current` is kept in a thread's own slot without a reference count. The thread itself holds the loop
// for as long as it runs, so the pointer cannot outlive the loop.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif
import DequeModule
import Synchronization

/// One thread of a ``ThreadExecutor``: a queue of runnable jobs that its neighbours may take from, and a timer wheel.
final class RunLoop: Sendable {
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

    let index: Int
    let timers: Timers
    private let queue = Guarded(Deque<UnownedJob>())
    private let spot: ParkingSpot
    private let crew: Crew

    init(index: Int, crew: Crew) {
        let spot = ParkingSpot()
        self.index = index
        self.spot = spot
        self.crew = crew
        timers = Timers(wake: { spot.unpark() })
    }

    /// Puts a task to sleep on this thread's wheel.
    func nap(_ length: UInt64, _ continuation: UnsafeContinuation<Void, Never>) {
        timers.nap(length, continuation)
        crew.seeToWatch()
    }

    func push(_ job: UnownedJob) {
        queue.withLock { $0.append(job) }
    }

    func unpark() { spot.unpark() }

    func isOn(_ other: Crew) -> Bool { crew === other }

    /// Runs jobs until the crew is told to stop and nothing is left to run.
    func run(on executor: UnownedTaskExecutor) {
        pthread_setspecific(Self.key, Unmanaged.passUnretained(self).toOpaque())
        defer { pthread_setspecific(Self.key, nil) }
        var fired: [Alarm] = []
        var lookedAt: UInt64 = 0
        while true {
            let time = Timers.coarseNow
            if time != lookedAt {
                lookedAt = time
                timers.takeDue(into: &fired)
                ring(&fired)
                crew.help(self, &fired)
            }
            if let job = take() {
                job.runSynchronously(on: executor)
                continue
            }
            let next = timers.planRest(into: &fired)
            if !fired.isEmpty {
                ring(&fired)
            } else if crew.isStopping {
                return
            } else {
                rest(until: next)
            }
        }
    }

    func ring(_ fired: inout [Alarm]) {
        for alarm in fired { alarm.ring() }
        fired.removeAll(keepingCapacity: true)
    }

    private func rest(until deadline: UInt64?) {
        crew.goIdle(self)
        // Whoever pushes looks for idle threads afterwards, so a job pushed before we were counted is found here.
        if !crew.hasWork && !crew.isStopping {
            let look = crew.watch(self)
            spot.park(until: [deadline, look].compactMap(\.self).min())
        }
        crew.leaveIdle(self)
    }

    private func take() -> UnownedJob? {
        queue.withLock { $0.popFirst() } ?? crew.steal(for: self)
    }

    var isEmpty: Bool { queue.withLock { $0.isEmpty } }

    /// Gives away the older half of what waits here; the caller runs the first of them.
    func giveHalf(to thief: RunLoop) -> UnownedJob? {
        var loot = queue.withLock { queue -> Deque<UnownedJob> in
            let count = (queue.count + 1) / 2
            let taken = Deque(queue.prefix(count))
            queue.removeFirst(count)
            return taken
        }
        let first = loot.popFirst()
        if !loot.isEmpty { thief.queue.withLock { $0.append(contentsOf: loot) } }
        return first
    }
}
