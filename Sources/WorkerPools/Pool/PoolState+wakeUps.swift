import Synchronization

/// Workers on their way to the queue, and what they are expected to do there.
struct WakeUps {
    /// How many workers may be on their way at once. Each wakes the next when it has taken a job
    /// and more are waiting, so few are enough, and few keep a burst of tiny jobs from waking
    /// thousands.
    static var mostOnTheWay: Int { 2 }

    var onTheWay = 0
    /// Whether one of them is spinning already.
    var isSpinning = false
    var spinPolicy = SpinPolicy()
    let spinSignal: SpinSignal
    /// How many waiting jobs a running worker is expected to start within a moment, judging by
    /// recent ones. No worker is woken for these. Reset when that worker asks for its next action
    /// or otherwise ends, and when the watchdog fires, so that a job that turns out long holds up
    /// the others for no longer than that.
    var expectedStarts = 0
    var expectedStarter = 0

    init(spinSignal: SpinSignal) { self.spinSignal = spinSignal }
}

/// Tells the spinning worker that there is a job, or that none will come.
final class SpinSignal: Sendable {
    private let state = Atomic(false)

    var isSet: Bool { state.load(ordering: .relaxed) }
    func set() { state.store(true, ordering: .relaxed) }
    func clear() { state.store(false, ordering: .relaxed) }
}

/// Whether to spin for jobs before parking, judging by how often spinning has paid off.
///
/// Waking a parked worker costs it and the submitter a few µs each, as much as a quarter of a spin.
/// So a success buys two more spins; with none left, only one in sixteen is tried.
struct SpinPolicy {
    /// How many jobs are left to the spinning worker before another is woken to help it.
    private(set) var leftToSpinner = 0
    private var credit = 0
    private var passed = 0

    mutating func isWorthwhile() -> Bool {
        if credit > 0 { return true }
        passed += 1
        return passed % 16 == 0
    }

    mutating func begin() { leftToSpinner = 32 }

    /// It has taken longer than it may, because its thread was not scheduled.
    mutating func giveUp() { leftToSpinner = 0 }

    mutating func note(foundJob: Bool) { credit = foundJob ? min(8, credit + 2) : max(0, credit - 1) }
}

extension PoolState {
    /// A thread that prefetches this many jobs is in a burst of short ones. Only then is it
    /// worthwhile not to wake another worker for the next jobs.
    private static var burst: Int { 32 }

    /// If no worker is parked and there are as many as may be, a free one is about to park, and
    /// checks the queue once more before it does; a new one would only send it away.
    var mayWakeAnother: Bool {
        wakeUps.onTheWay < WakeUps.mostOnTheWay && places.busy + wakeUps.onTheWay < places.limit
            && (!workers.parked.isEmpty || workers.live - places.lent < places.limit)
    }

    var imminentStarts: Int {
        if wakeUps.isSpinning { return max(wakeUps.expectedStarts, wakeUps.spinPolicy.leftToSpinner) }
        return places.busy > 0 ? wakeUps.expectedStarts : 0
    }

    mutating func forgetExpectedStarts(by worker: Worker) {
        if worker.slot == wakeUps.expectedStarter { wakeUps.expectedStarts = 0 }
    }

    mutating func wakeWorker() {
        wakeUps.onTheWay += 1
        if !resumeParked() { followUp.slotsToStart.append(workers.takeSlot()) }
    }

    /// - Returns: false if none was parked.
    private mutating func resumeParked() -> Bool {
        guard let slot = workers.parked.popLast(), let worker = workers.slots[slot], case .parked(let continuation) = worker.phase
        else { return false }
        worker.phase = .searching
        followUp.toResume.append(continuation)
        return true
    }

    /// Wakes parked workers beyond the limit, which then retire.
    mutating func dismissExcess() {
        var excess = workers.live - places.lent - wakeUps.onTheWay - places.limit
        if phase != .open, outstanding == 0 { excess = workers.parked.count }
        while excess > 0, resumeParked() {
            wakeUps.onTheWay += 1
            excess -= 1
        }
    }

    /// Chooses what a worker without a job does now.
    /// - Parameters:
    ///   - prefetchQueue: that of the thread it runs on, and its state.
    ///   - maySpin: whether it has not just spun.
    mutating func chooseNextAction(
        of worker: Worker, from prefetchQueue: PrefetchQueue, _ state: inout PrefetchQueue.State, maySpin: Bool, now: UInt64
    ) -> Worker.Action {
        forgetExpectedStarts(by: worker)
        if worker.verdict(state) != .inTime || workers.live - places.lent > places.limit { return retire(worker) }
        if places.isFree, let job = queue.popFirst() {
            places.busy += 1
            worker.phase = .running
            worker.begin(job, state)
            prefetch(by: worker, into: prefetchQueue, &state, now: now)
            return .run
        }
        if phase != .open, outstanding == 0 { return retire(worker) }
        guard maySpin, !wakeUps.isSpinning, wakeUps.onTheWay == 0, places.busy < places.limit, phase == .open,
            wakeUps.spinPolicy.isWorthwhile()
        else { return .park }
        wakeUps.onTheWay += 1
        wakeUps.isSpinning = true
        wakeUps.spinSignal.clear()
        wakeUps.spinPolicy.begin()
        return .spin
    }

    private mutating func retire(_ worker: Worker) -> Worker.Action {
        workers.vacate(worker)
        return .retire
    }

    /// A worker has come to the queue.
    mutating func noteArrival() { wakeUps.onTheWay -= 1 }

    /// The spinning worker has.
    mutating func endSpin() {
        wakeUps.isSpinning = false
        wakeUps.spinPolicy.note(foundJob: queue.count > 0)
        noteArrival()
    }

    /// Parks the worker, unless there is something for it to do after all.
    mutating func parkIfIdle(_ worker: Worker, _ continuation: UnsafeContinuation<Void, Never>) -> Bool {
        let hasEnded = phase != .open && outstanding == 0
        let hasJob = queue.count > wakeUps.onTheWay + imminentStarts && places.busy + wakeUps.onTheWay < places.limit
        if hasEnded || hasJob || workers.live - places.lent > places.limit {
            wakeUps.onTheWay += 1
            return false
        }
        worker.phase = .parked(continuation)
        workers.parked.append(worker.slot)
        return true
    }

    /// Prefetches some of the next jobs for the worker's thread. No returning job may be waiting to
    /// go before them.
    private mutating func prefetch(by worker: Worker, into prefetchQueue: PrefetchQueue, _ state: inout PrefetchQueue.State, now: UInt64) {
        guard configuration.longestRun > 1, places.returning.isEmpty, phase != .cancelled else { return }
        // Half of what each thread could have.
        let share = queue.count / (2 * min(places.busy + wakeUps.onTheWay, prefetchQueues.all.count))
        let pace = prefetchQueue.fill(&state, share: share, longest: configuration.longestRun, now: now, from: queue)
        guard let pace else { return }
        wakeUps.expectedStarts = pace >= Self.burst ? pace - 1 : 0
        wakeUps.expectedStarter = worker.slot
        worker.lingers = pace >= Self.burst && prefetchQueue.waiting < Self.burst
        if prefetchQueue.waiting > 0 { worker.prefetchedInto = prefetchQueue }
    }

    /// Returns the jobs that the worker has prefetched and no worker has begun, because it will not
    /// run them next.
    mutating func returnPrefetched(of worker: Worker) {
        if let prefetchQueue = worker.prefetchedInto, prefetchQueue.waiting > 0 { takeBackPrefetched(since: prefetchQueue.filledAt) }
        worker.prefetchedInto = nil
    }
}
