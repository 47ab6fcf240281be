import Synchronization

/// Jobs that one thread has prefetched from the queue, for the workers that run on it: with them a
/// worker ends one job and begins the next under a lock that other threads seldom take.
///
/// Filled only with the pool's lock held as well, by a worker whose job is older than those it
/// prefetches. When that worker next comes to the pool, what it has prefetched and not begun goes
/// back to the head of the queue. So a job waits here only for an older one, and jobs that wait for
/// older ones always finish.
final class PrefetchQueue: Sendable {
    static let capacity = 128
    /// A thread prefetches as many jobs as it finishes in this time, in nanoseconds.
    private static let horizon: UInt64 = 128_000
    /// What it finishes in this time need not be shared: other threads would not be awake before.
    private static let wakeUpTime: UInt64 = 16_000

    /// Only a thread that holds the queue's lock has this.
    struct State: VerdictLock {
        fileprivate(set) var jobs = JobBuffer()
        /// Jobs of this thread that have ended with success since they were last counted.
        fileprivate var done = 0
        /// The same since the queue was last filled.
        fileprivate var doneSinceFilling = 0
        /// How many jobs may be taken at a time; the first of them is not stored here.
        fileprivate var pace = 1

        mutating func noteDone() {
            done += 1
            doneSinceFilling += 1
        }
    }

    private let state: Guarded<State>
    /// How many jobs wait here. Without the pool's lock it can only go down.
    private let count = Atomic(0)
    private let filled = Atomic<UInt64>(0)

    init(lock choice: LockChoice) { state = Guarded(State(), lock: choice) }

    deinit { state.withLock { $0.jobs.free() } }

    var waiting: Int { count.load(ordering: .acquiring) }

    /// When it was last filled, by the system's monotonic clock. Jobs here are older than those of
    /// a queue that was filled later, and all are older than those in the pool's queue.
    var filledAt: UInt64 { filled.load(ordering: .relaxed) }

    @inline(__always)
    func withLock<Result>(_ body: (inout State) -> Result) -> Result { state.withLock { body(&$0) } }

    /// Ends the worker's job with success and gives it the next one, if there is one here and
    /// nothing has happened to the attempt.
    /// - Returns: false if the pool has to be asked.
    @inline(__always)
    func endAndBeginNext(of worker: Worker) -> Bool {
        withLock { state in
            guard state.jobs.count > 0, worker.verdict(state) == .inTime, worker.mayTakeJobs(from: self) else { return false }
            state.noteDone()
            worker.begin(state.jobs.removeFirst(), state)
            count.store(state.jobs.count, ordering: .releasing)
            return true
        }
    }

    /// Takes over the pool's first jobs; nothing if there are some here.
    /// - Parameters:
    ///   - share: the most that may be taken, so that other threads find some too; more for very
    ///     short jobs.
    ///   - queue: the pool's.
    /// - Returns: the pace; nil if there were some here.
    func fill(_ state: inout State, share: Int, longest: Int, now: UInt64, from queue: LevelQueue) -> Int? {
        guard state.jobs.count == 0 else { return nil }
        // Up to twice what this thread has finished since the last filling, or else as many as
        // before, but without what others took away.
        let through = state.doneSinceFilling
        let time = max(1, now &- filledAt)
        let affordable = Int(min(UInt64(longest), UInt64(through) * Self.horizon / time))
        let quick = Int(min(UInt64(longest), UInt64(through) * Self.wakeUpTime / time))
        state.pace = max(1, min(max(state.pace, 2 * through), affordable))
        state.doneSinceFilling = 0
        filled.store(now, ordering: .relaxed)
        let most = min(state.pace - 1, max(share, quick))
        if most > 0 { queue.popFirst(most, into: &state.jobs) }
        count.store(state.jobs.count, ordering: .releasing)
        return state.pace
    }

    /// Returns all jobs to the head of the pool's queue.
    /// - Returns: how many have ended with success since they were last counted.
    func takeBack(_ state: inout State, to queue: LevelQueue) -> Int {
        while state.jobs.count > 0 { queue.prepend(state.jobs.removeLast()) }
        count.store(0, ordering: .releasing)
        return exchange(&state.done, with: 0)
    }
}

/// A thread that has one holds a lock under which an attempt's verdict does not change: changing it
/// takes all of these locks.
protocol VerdictLock: ~Copyable {}

extension PoolState: VerdictLock {}

/// A thread that has it holds the pool's lock and those of all prefetch queues, which are empty: no
/// worker ends a job or begins one. Made by ``PoolState/standingStill(_:)`` alone.
struct AllLocks: VerdictLock, ~Copyable {
    fileprivate init() {}
}

/// A pool's prefetch queues, one for each thread that its workers run on.
struct PrefetchQueues: Sendable {
    let all: [PrefetchQueue]
    /// Whether the threads are those of a ``ThreadExecutor``, which are numbered.
    private let areNumbered: Bool

    init(for executor: (any TaskExecutor)?, lock: LockChoice) {
        let threads = (executor as? ThreadExecutor)?.threadCount
        areNumbered = threads != nil
        all = (0..<(threads ?? WorkerPool.coreCount)).map { _ in PrefetchQueue(lock: lock) }
    }

    /// The calling thread's queue. Threads that share one only get in each other's way.
    var own: PrefetchQueue {
        let number = areNumbered ? RunLoop.current?.index ?? 0 : ThreadNumber.current
        return all[all.count == 1 ? 0 : number % all.count]
    }

    var waiting: Int { all.reduce(0) { $0 + $1.waiting } }

    /// Takes back everything that was prefetched since `time`, in order. Never only a part of it,
    /// or jobs in the queue would be older than some prefetched ones.
    /// - Returns: how many jobs have ended with success on these threads.
    func takeBack(since time: UInt64, to queue: LevelQueue) -> Int {
        var done = 0
        for prefetchQueue in lastFilledFirst where prefetchQueue.filledAt >= time && prefetchQueue.waiting > 0 {
            done += prefetchQueue.withLock { prefetchQueue.takeBack(&$0, to: queue) }
        }
        return done
    }

    fileprivate var lastFilledFirst: [PrefetchQueue] { all.sorted { $0.filledAt > $1.filledAt } }
}

extension PoolState {
    /// Takes back all prefetched jobs, and keeps workers from ending or beginning any meanwhile.
    mutating func standingStill<Result>(_ body: (inout PoolState, borrowing AllLocks) -> Result) -> Result {
        func locked(_ rest: ArraySlice<PrefetchQueue>) -> Result {
            guard let prefetchQueue = rest.first else { return body(&self, AllLocks()) }
            return prefetchQueue.withLock { state in
                let done = prefetchQueue.takeBack(&state, to: queue)
                counters.done += done
                return locked(rest.dropFirst())
            }
        }
        return locked(prefetchQueues.lastFilledFirst[...])
    }
}
