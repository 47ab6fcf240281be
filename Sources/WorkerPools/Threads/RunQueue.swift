/// What one thread has to run, now and shortly. Belongs to a ``RunLoop``, which frees it.
struct RunQueue {
    private(set) var ready = JobList()
    private var naps: NapWheel
    private var spare = SpareBlocks()

    init(now: UInt64) { naps = NapWheel(now: now) }

    /// The queue must not be used afterwards.
    mutating func deallocate() {
        naps.fire(until: .max, into: &ready)
        while ready.popFirst(&spare) != nil {}
        naps.deallocate()
        spare.deallocate()
    }

    mutating func push(_ job: UnownedJob) { ready.append(job, &spare) }

    mutating func push(_ jobs: inout JobList) { ready.append(&jobs) }

    /// - Returns: also whether so many sleepers have just woken that a neighbour should help.
    @inline(__always)
    mutating func pop(at now: UInt64) -> (job: UnownedJob?, isCrowded: Bool) {
        var isCrowded = false
        if naps.isDue(at: now) {
            naps.fire(until: now, into: &ready)
            isCrowded = ready.count > 2 * JobBlock.capacity
        }
        return (ready.popFirst(&spare), isCrowded)
    }

    @inline(__always)
    mutating func nap(_ job: UnownedJob, from now: UInt64, to due: UInt64) {
        if !naps.reaches(due, from: now) { naps.fire(until: now, into: &ready) }
        naps.insert(job, due: due, &spare)
    }

    mutating func removeHalf() -> JobList { ready.removeHalf(&spare) }

    /// Takes out the sleepers that have been due for a millisecond: the owner must be busy.
    mutating func removeLateSleepers(at now: UInt64) -> JobList {
        var late = JobList()
        if let due = naps.nextDue, due + 1_000_000 < now { naps.fire(until: now, into: &late) }
        return late
    }

    /// When the next sleeper must be woken.
    var nextDue: UInt64? { naps.nextDue }

    var isQuiescent: Bool { ready.isEmpty && naps.count == 0 }
}
