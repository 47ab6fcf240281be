internal import Synchronization

/// What went into a stage and what became of it, counted where it happens.
final class StageLedger: Sendable {
    let name: String
    let received = Atomic(0)
    let passed = Atomic(0)
    let filtered = Atomic(0)
    let dropped = Atomic(0)
    let dead = Atomic(0)
    let added = Atomic(0)
    let absorbed = Atomic(0)
    private let busyNanoseconds = Atomic(0)
    private let waitedNanoseconds = Atomic(0)

    init(name: String) {
        self.name = name
    }

    /// - Returns: the current time.
    @discardableResult
    func wasBusy(since start: ContinuousClock.Instant) -> ContinuousClock.Instant {
        let now = ContinuousClock.now
        busyNanoseconds.count(nanoseconds(from: start, to: now))
        return now
    }

    /// A result had to wait for room in what comes next.
    ///
    /// - Returns: the current time.
    @discardableResult
    func waited(since start: ContinuousClock.Instant) -> ContinuousClock.Instant {
        let now = ContinuousClock.now
        waitedNanoseconds.count(nanoseconds(from: start, to: now))
        return now
    }

    private func nanoseconds(from start: ContinuousClock.Instant, to end: ContinuousClock.Instant) -> Int {
        let (seconds, attoseconds) = start.duration(to: end).components
        return Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
    }

    var counts: StageCounts {
        StageCounts(
            in: received.now, out: passed.now, filtered: filtered.now, dropped: dropped.now, dead: dead.now,
            added: added.now, absorbed: absorbed.now)
    }

    var busy: Duration { .nanoseconds(busyNanoseconds.now) }

    var waited: Duration { .nanoseconds(waitedNanoseconds.now) }

    /// What was done outside of any stage.
    var activity: Report.Activity { Report.Activity(busy: busy, waited: waited, elements: passed.now) }
}

extension Atomic<Int> {
    func count(_ change: Int = 1) { wrappingAdd(change, ordering: .relaxed) }

    var now: Int { load(ordering: .relaxed) }
}
