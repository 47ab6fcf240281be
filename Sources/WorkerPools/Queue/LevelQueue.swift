import DequeModule

/// Waiting jobs by priority: the highest level first, first in first out within it, with ageing.
///
/// Ageing counts instead of reading a clock: a level that was passed over `ageing` times is overdue. The one that has been so
/// for longest is served next, but never two overdue ones in a row, or together they would starve the highest. So the job at
/// a level's head waits while at most `ageing` + 2 × (levels - 1) jobs of other levels are taken.
struct LevelQueue {
    private var levels: [Deque<Job>]
    private var passedOver: [Int]
    /// The last job taken was that of an overdue level.
    private var wasOverdue = false
    /// Bit n is set while level n holds entries.
    private var occupied: UInt64 = 0
    private let ageing: Int
    /// Jobs that wait; entries whose job was cancelled are not counted.
    private(set) var count = 0
    private var cancelledEntries = 0

    init(levels: Int, ageing: Int) {
        self.levels = Array(repeating: [], count: levels)
        passedOver = Array(repeating: 0, count: levels)
        self.ageing = ageing
    }

    mutating func append(_ job: Job) {
        levels[Int(job.level)].append(job)
        occupied |= 1 << UInt64(job.level)
        count += 1
    }

    /// Appends all of `jobs`, which is left empty: whichever of the two is shorter is moved.
    mutating func append(_ jobs: inout Deque<Job>, level: Int) {
        count += jobs.count
        occupied |= 1 << UInt64(level)
        if levels[level].count < jobs.count {
            while let last = levels[level].popLast() { jobs.prepend(last) }
            swap(&levels[level], &jobs)
        } else {
            while let first = jobs.popFirst() { levels[level].append(first) }
        }
    }

    /// The highest level in use.
    var highest: Int? { occupied == 0 ? nil : 63 - occupied.leadingZeroBitCount }

    /// Puts a job back where it was taken from.
    mutating func prepend(_ job: Job) {
        levels[Int(job.level)].prepend(job)
        occupied |= 1 << UInt64(job.level)
        count += 1
    }

    mutating func popFirst() -> Job? {
        while count > 0 {
            let highest = 63 - occupied.leadingZeroBitCount
            let level = occupied & (occupied - 1) == 0 ? highest : choose(below: highest)
            if let job = take(from: level) { return job }
        }
        if cancelledEntries > 0 { clear() }
        return nil
    }

    /// The job that has waited longest on the lowest level in use.
    mutating func popOldestOfLowest() -> Job? {
        while count > 0 {
            if let job = take(from: occupied.trailingZeroBitCount) { return job }
        }
        return nil
    }

    /// Says that the job of an entry that is still inside no longer waits.
    mutating func forgetOne() {
        count -= 1
        cancelledEntries += 1
        if count == 0 { return clear() }
        guard cancelledEntries > 64, cancelledEntries > count else { return }
        for level in levels.indices {
            levels[level].removeAll { $0.isWithdrawn }
            if levels[level].isEmpty { occupied &= ~(1 << UInt64(level)) }
        }
        cancelledEntries = 0
    }

    mutating func takeAll() -> [Job] {
        var jobs: [Job] = []
        while let job = popFirst() { jobs.append(job) }
        return jobs
    }

    private mutating func take(from level: Int) -> Job? {
        let job = levels[level].removeFirst()
        if levels[level].isEmpty { occupied &= ~(1 << UInt64(level)) }
        if job.isWithdrawn {
            cancelledEntries -= 1
            return nil
        }
        count -= 1
        return job
    }

    private mutating func choose(below highest: Int) -> Int {
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

    private mutating func clear() {
        for level in levels.indices { levels[level].removeAll() }
        occupied = 0
        cancelledEntries = 0
    }
}

extension Job {
    /// Cancelled while it waited: the entry is only a place in the queue.
    var isWithdrawn: Bool {
        guard let record, case .settled = record.phase else { return false }
        return true
    }
}
