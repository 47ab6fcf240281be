// Unsafe code: `levels` are buffers behind a pointer, all of them initialised from `init` to
// `deinit`. An array would check for uniqueness on every access.

/// Waiting jobs by priority: the highest level first, first in, first out within it, with ageing.
/// To be used under a lock.
///
/// Ageing counts instead of reading a clock: a level that was passed over `ageing` times is
/// overdue. The one that has been so for longest is served next, but never two overdue ones in a
/// row, or together they would starve the highest. So the job at a level's head waits while at most
/// `ageing` + 2 × (levels - 1) jobs of other levels are taken.
final class LevelQueue {
    private let levels: UnsafeMutableBufferPointer<JobBuffer>
    @exclusivity(unchecked) private var passedOver: [Int]
    /// Whether the last job taken came from an overdue level.
    @exclusivity(unchecked) private var wasOverdue = false
    /// Bit n is set while level n holds entries.
    @exclusivity(unchecked) private(set) var occupied: UInt64 = 0
    private let ageing: Int
    /// Jobs that wait, not counting entries whose job was cancelled.
    @exclusivity(unchecked) private(set) var count = 0
    @exclusivity(unchecked) private var cancelledEntries = 0
    /// Jobs that have been removed. Their closures are released outside the lock, since what they
    /// hold may call the pool.
    @exclusivity(unchecked) private var discarded: [Job] = []

    init(levels: Int, ageing: Int) {
        self.levels = .allocate(capacity: levels)
        for level in 0..<levels { self.levels.initializeElement(at: level, to: JobBuffer(capacity: 16)) }
        passedOver = Array(repeating: 0, count: levels)
        self.ageing = ageing
    }

    deinit {
        for level in levels.indices { levels[level].free() }
        levels.deallocate()
    }

    /// Also true if it is empty.
    var hasOneLevel: Bool { occupied & (occupied &- 1) == 0 }

    func append(_ job: consuming Job) {
        let level = Int(job.level)
        occupied |= 1 << UInt64(level)
        count += 1
        levels[level].append(job)
    }

    /// Appends all of `jobs`, which is left empty. Moves whichever of the two is shorter.
    func append(_ jobs: inout JobBuffer, level: Int) {
        count += jobs.count
        occupied |= 1 << UInt64(level)
        if levels[level].count < jobs.count {
            while levels[level].count > 0 { jobs.prepend(levels[level].removeLast()) }
            swap(&levels[level], &jobs)
        } else {
            levels[level].append(first: jobs.count, of: &jobs)
        }
    }

    /// Moves the jobs that ``popFirst()`` would return next, up to `most` of them, as long as that
    /// needs no choice between levels and nothing of a job's record except whether its cancellation
    /// was requested.
    /// - Returns: how many.
    func popFirst(_ most: Int, into jobs: inout JobBuffer) -> Int {
        guard count > 0, cancelledEntries == 0, hasOneLevel else { return 0 }
        let level = occupied.trailingZeroBitCount
        let number = levels[level].countPrefix(most) { job in
            guard let record = job.pointee.record else { return true }
            return !record.isCancelRequested
        }
        guard number > 0 else { return 0 }
        jobs.append(first: number, of: &levels[level])
        count -= number
        noteRemoval(at: level)
        return number
    }

    /// Puts a job back where it was taken from.
    func prepend(_ job: consuming Job) {
        let level = Int(job.level)
        occupied |= 1 << UInt64(level)
        count += 1
        levels[level].prepend(job)
    }

    @inline(__always)
    func popFirst() -> Job? {
        while count > 0 {
            let highest = 63 - occupied.leadingZeroBitCount
            let level = hasOneLevel ? highest : chooseLevel(below: highest)
            if let job = take(from: level) { return job }
        }
        if cancelledEntries > 0 { clear() }
        return nil
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
        if count == 0 { return clear() }
        guard cancelledEntries > 64, cancelledEntries > count else { return }
        for level in levels.indices {
            for _ in 0..<levels[level].count {
                let job = levels[level].removeFirst()
                if job.isWithdrawn { discard(job) } else { levels[level].append(job) }
            }
            if levels[level].count == 0 { occupied &= ~(1 << UInt64(level)) }
        }
        cancelledEntries = 0
    }

    func discard(_ job: consuming Job) { discarded.append(job) }

    var hasDiscarded: Bool { !discarded.isEmpty }

    func takeDiscarded() -> [Job] {
        defer { discarded = [] }
        return discarded
    }

    /// All jobs, higher levels first, in their order within a level.
    func takeAll() -> [Job] {
        var jobs: [Job] = []
        for level in levels.indices.reversed() {
            while levels[level].count > 0 {
                if let job = take(from: level) { jobs.append(job) }
            }
        }
        return jobs
    }

    @inline(__always)
    private func take(from level: Int) -> Job? {
        let job = levels[level].removeFirst()
        noteRemoval(at: level)
        if job.isWithdrawn {
            cancelledEntries -= 1
            discard(job)
            return nil
        }
        count -= 1
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

    private func clear() {
        for level in levels.indices {
            while levels[level].count > 0 { discard(levels[level].removeFirst()) }
        }
        occupied = 0
        cancelledEntries = 0
    }
}

extension Job {
    /// Cancelled while it waited: the entry only takes up space in the queue.
    var isWithdrawn: Bool {
        guard let record, case .settled = record.phase else { return false }
        return true
    }
}
