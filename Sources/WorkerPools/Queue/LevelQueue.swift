import DequeModule

/// Waiting jobs by priority: the highest level first, first in first out within it, with ageing.
///
/// Ageing counts instead of reading a clock: a level from which nothing was taken while `ageing` jobs of higher levels
/// were is served next. So the job at a level's head waits for at most `ageing` × (levels - 1) later arrivals.
struct LevelQueue {
    private var levels: [Deque<Job>]
    private var passedOver: [Int]
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

    /// Puts a job back where it was taken from.
    mutating func prepend(_ job: Job) {
        job.record?.phase = .queued
        levels[Int(job.level)].prepend(job)
        occupied |= 1 << UInt64(job.level)
        count += 1
    }

    /// Takes up to `limit` jobs that come next on a level, as long as they are plain.
    mutating func popRun(
        from level: UInt8, limit: Int, at slot: Int, into places: UnsafeMutablePointer<Job>
    ) -> Int {
        var taken = 0
        while taken < limit, let next = levels[Int(level)].first, next.isPlain {
            next.record?.phase = .inRun(slot: slot)
            (places + taken).initialize(to: levels[Int(level)].removeFirst())
            taken += 1
        }
        count -= taken
        if levels[Int(level)].isEmpty { occupied &= ~(1 << UInt64(level)) }
        return taken
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
            if chosen == highest, passedOver[level] > ageing { chosen = level }
        }
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
    /// Untried, untimed and wanted: needs no care before it begins.
    var isPlain: Bool {
        guard attempt == 1 else { return false }
        guard let record else { return true }
        guard case .queued = record.phase else { return false }
        return record.options.timeout == nil && !record.isCancelRequested
    }

    /// Cancelled while it waited: the entry is only a place in the queue.
    var isWithdrawn: Bool {
        guard let record, case .settled = record.phase else { return false }
        return true
    }
}
