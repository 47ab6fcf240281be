/// Waiting jobs by priority: the highest level first, first in, first out within it, with ageing.
///
/// Ageing counts instead of reading a clock: a level that was passed over `ageing` times is
/// overdue. The one that has been so for longest is served next, but never two overdue ones in a
/// row, or together they would starve the highest. So the job at a level's head waits while at most
/// `ageing` + 2 × (levels - 1) jobs of other levels are taken.
final class LevelQueue {
    @exclusivity(unchecked) private var levels: [JobBuffer]
    @exclusivity(unchecked) private var passedOver: [Int]
    /// Whether the last job taken came from an overdue level.
    @exclusivity(unchecked) private var wasOverdue = false
    /// Bit n is set while level n holds entries.
    @exclusivity(unchecked) private var occupied: UInt64 = 0
    private let ageing: Int
    /// Jobs that wait, not counting entries whose job was cancelled.
    @exclusivity(unchecked) private(set) var count = 0
    @exclusivity(unchecked) private var cancelledEntries = 0
    /// Jobs that have been removed. Their closures are released outside the lock, since what they
    /// hold may call the pool.
    @exclusivity(unchecked) private var discarded: [Job] = []

    init(levels: Int, ageing: Int) {
        self.levels = (0..<levels).map { _ in JobBuffer() }
        passedOver = Array(repeating: 0, count: levels)
        self.ageing = ageing
    }

    deinit {
        for level in levels.indices { levels[level].free() }
    }

    func append(_ job: consuming Job) {
        let level = noteEntry(job.level)
        levels[level].append(job)
    }

    /// Puts a job back where it was taken from.
    func prepend(_ job: consuming Job) {
        let level = noteEntry(job.level)
        levels[level].prepend(job)
    }

    @inline(__always)
    private func noteEntry(_ level: UInt8) -> Int {
        occupied |= 1 << UInt64(level)
        count += 1
        return Int(level)
    }

    @inline(__always)
    func popFirst() -> Job? {
        while count > 0 {
            let highest = 63 - occupied.leadingZeroBitCount
            if let job = take(from: hasOneLevel ? highest : chooseLevel(below: highest)) { return job }
        }
        discardCancelled()
        return nil
    }

    private var hasOneLevel: Bool { occupied & (occupied &- 1) == 0 }

    /// Moves the jobs that ``popFirst()`` would return next, up to `most` of them.
    func popFirst(_ most: Int, into jobs: inout JobBuffer) {
        guard cancelledEntries == 0, hasOneLevel, count > 0 else {
            while jobs.count < most, let job = popFirst() { jobs.append(job) }
            return
        }
        let level = occupied.trailingZeroBitCount
        let number = min(most, count)
        jobs.append(first: number, of: &levels[level])
        count -= number
        noteRemoval(at: level)
    }

    /// The job that has waited longest on the lowest level in use.
    func popOldestOfLowest() -> Job? {
        while count > 0 {
            if let job = take(from: occupied.trailingZeroBitCount) { return job }
        }
        return nil
    }

    /// The job of an entry that is still inside was cancelled and no longer waits.
    func noteCancelled() {
        count -= 1
        cancelledEntries += 1
        if count == 0 || cancelledEntries > max(64, count) { discardCancelled() }
    }

    private func discardCancelled() {
        guard cancelledEntries > 0 else { return }
        for job in takeAll().reversed() { prepend(job) }
    }

    func discard(_ job: consuming Job) { discarded.append(job) }

    func takeDiscarded() -> [Job] { exchange(&discarded, with: []) }

    /// All jobs, higher levels first, in their order within a level.
    func takeAll() -> [Job] {
        var jobs: [Job] = []
        for level in levels.indices.reversed() {
            while levels[level].count > 0 {
                let job = levels[level].removeFirst()
                if job.isCancelledEntry { discard(job) } else { jobs.append(job) }
            }
            levels[level].shrink()
        }
        (occupied, cancelledEntries, count) = (0, 0, 0)
        return jobs
    }

    @inline(__always)
    private func take(from level: Int) -> Job? {
        let job = levels[level].removeFirst()
        noteRemoval(at: level)
        // Records are only looked at if need be: they are in other processors' caches.
        if cancelledEntries > 0, job.isCancelledEntry {
            cancelledEntries -= 1
            discard(job)
            return nil
        }
        count -= 1
        if count == 0, cancelledEntries > 0 { discardCancelled() }
        return job
    }

    @inline(__always)
    private func noteRemoval(at level: Int) {
        guard levels[level].count == 0 else { return }
        occupied &= ~(1 << UInt64(level))
        levels[level].shrink()
    }

    private func chooseLevel(below highest: Int) -> Int {
        var chosen = highest
        for level in 0..<highest where occupied & (1 << UInt64(level)) != 0 {
            passedOver[level] += 1
            guard !wasOverdue, passedOver[level] > ageing else { continue }
            if chosen == highest || passedOver[level] > passedOver[chosen] { chosen = level }
        }
        wasOverdue = chosen != highest
        passedOver[chosen] = 0
        return chosen
    }
}
