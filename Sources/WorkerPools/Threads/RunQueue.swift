#if canImport(CPrefetch)
    import CPrefetch
#endif
import DequeModule

/// What one thread has to run, now and shortly.
struct RunQueue {
    /// A neighbour helps with this many sleepers that have just woken.
    private static let crowd = 60

    private(set) var ready: Deque<UnownedJob> = []
    private var naps: NapWheel

    init(now: UInt64) { naps = NapWheel(now: now) }

    mutating func push(_ job: UnownedJob) { ready.append(job) }

    mutating func push(_ jobs: Deque<UnownedJob>) { ready.append(contentsOf: jobs) }

    /// - Returns: also whether so many sleepers have just woken that a neighbour should help.
    @inline(__always)
    mutating func pop(at now: UInt64) -> (job: UnownedJob?, isCrowded: Bool) {
        var isCrowded = false
        if naps.isDue(at: now) {
            naps.fire(until: now, into: &ready)
            isCrowded = ready.count > Self.crowd
        }
        warm(3)
        return (ready.popFirst(), isCrowded)
    }

    /// Has the processor fetch a job a few places after the first. A task that has slept has left
    /// the cache, and loading its object and the frames after it, some eight lines, is most of the
    /// cost of running it.
    @inline(__always)
    private func warm(_ distance: Int) {
        #if canImport(CPrefetch)
            if distance < ready.count { prefetch_lines(unsafeBitCast(ready[distance], to: UInt.self), 8) }
        #endif
    }

    @inline(__always)
    mutating func nap(_ job: UnownedJob, from now: UInt64, to due: UInt64) {
        if !naps.reaches(due, from: now) { naps.fire(until: now, into: &ready) }
        naps.insert(job, due: due)
    }

    /// Takes out the older half, rounded up.
    mutating func removeHalf() -> Deque<UnownedJob> {
        var half: Deque<UnownedJob> = []
        for _ in 0..<(ready.count + 1) / 2 { half.append(ready.removeFirst()) }
        return half
    }

    /// Takes out the sleepers that have been due for a millisecond: the owner must be busy.
    mutating func removeLateSleepers(at now: UInt64) -> Deque<UnownedJob> {
        var late: Deque<UnownedJob> = []
        if let due = naps.nextDue, due + 1_000_000 < now { naps.fire(until: now, into: &late) }
        return late
    }

    /// When the next sleeper must be woken.
    var nextDue: UInt64? { naps.nextDue }

    var hasSleepers: Bool { naps.count > 0 }
    var isQuiescent: Bool { ready.isEmpty && !hasSleepers }
}
