/// Runs: several short jobs taken by one worker in one turn. See ``JobRun``.
extension PoolState {
    /// Jobs shorter than this on average are worth taking together, in nanoseconds.
    private static var short: UInt64 { 2_000 }
    /// Workers that may hold a run at once; bounds what a look at all of them costs.
    private static var mostRuns: Int { 16 }

    /// Jobs that nobody has begun. Exact where it matters: while the queue holds some, those in runs don't.
    var waiting: Int {
        guard queue.count == 0, !runSlots.isEmpty else { return queue.count }
        return runSlots.reduce(0) { $0 + (slots[$1].run?.waiting ?? 0) }
    }

    /// Learns from how long the worker took for what it had.
    mutating func adjustPace(of slot: Int, _ time: UInt64) {
        let since = slots[slot].since
        guard since != 0, longestRun > 1 else { return }
        slots[slot].since = 0
        let isShort = time &- since < Self.short * UInt64(slots[slot].taken)
        slots[slot].pace = isShort ? min(slots[slot].pace * 2, Int32(longestRun)) : 1
    }

    /// Takes more jobs along with the one just taken, if jobs are short and plenty: never more than half of this worker's
    /// fair share of the queue, so that others find some too.
    mutating func extend(_ job: Job, at slot: Int) -> JobRun? {
        slots[slot].taken = 1
        let length = min(Int(slots[slot].pace), queue.count / (2 * busy))
        guard length > 1, job.attempt == 1, runSlots.count < Self.mostRuns else { return nil }
        job.record?.phase = .inRun(slot: slot)
        slots[slot].record = nil
        let run = spareRuns.popLast() ?? JobRun()
        run.fill(after: job) { places, room in
            queue.popRun(from: job.level, limit: min(length - 1, room), at: slot, into: places)
        }
        slots[slot].taken += Int32(run.waiting)
        slots[slot].run = run
        runSlots.append(slot)
        return run
    }

    /// Ends the run at `slot`, if there is one: what ended is counted, what nobody has begun goes back to the queue.
    /// - Parameter isWorkerDone: the worker will not ask the run for another job, so that it may be used again.
    mutating func closeRun(at slot: Int, isWorkerDone: Bool = false) {
        guard let run = slots[slot].run else { return }
        var left: [Job] = []
        while let job = run.takeAway() { left.append(job) }
        for job in left.reversed() { queue.prepend(job) }
        counters.done += run.close()
        slots[slot].run = nil
        if isWorkerDone { spareRuns.append(run) }
        runSlots.removeAll { $0 == slot }
    }

    /// With nothing in the queue, half of what the fullest run has not begun goes back to it.
    mutating func takeFromRuns() {
        let fullest = runSlots.max { (slots[$0].run?.waiting ?? 0) < (slots[$1].run?.waiting ?? 0) }
        guard let fullest, let run = slots[fullest].run else { return }
        var wanted = (run.waiting + 1) / 2
        while wanted > 0, let job = run.takeAway() {
            job.record?.phase = .queued
            queue.append(job)
            wanted -= 1
        }
    }
}
