// Unsafe code: `Worker` is unchecked because its properties belong to its own task alone, from its start to its end.

import Synchronization

/// One worker: takes jobs, lies down when there is none, goes when it is told to.
///
/// What it has at hand is kept in an object because a task that waits costs memory for every byte of its frames: a pool
/// with 10,000 sleeping jobs has 10,000 of them.
final class Worker: @unchecked Sendable {
    private enum Step { case run, park, retire }

    let storage: PoolStorage
    let slot: Int
    private var job = Job(body: {}, level: 0)
    /// The jobs that come after ``job`` without another look at the queue.
    private var run: JobRun?
    /// The job has ended, and is counted with the run it was the last of.
    private var isCounted = false
    private var failure: (any Error)?

    init(_ storage: PoolStorage, slot: Int) {
        self.storage = storage
        self.slot = slot
    }

    @concurrent
    func live() async {
        let identity = withUnsafeCurrentTask { $0?.hashValue ?? 0 }
        storage.state.withLock { $0.enroll(identity, at: slot) }
        var step = arrive()
        while step != .retire {
            if step == .park {
                await lieDown()
                step = arrive()
                continue
            }
            repeat { await attempt() } while goOn()
            if failure == nil, let next = succeed() {
                step = next
            } else {
                await endWithoutSuccess()
                step = goAgain()
            }
        }
    }

    private func attempt() async {
        do {
            try await job.body()
        } catch {
            failure = error
        }
    }

    /// Whether there is more in the run.
    private func goOn() -> Bool {
        guard let run, failure == nil else { return false }
        let record = job.record
        record?.isOver.store(true, ordering: .releasing)
        let (next, isCounted) = run.endAndDraw()
        guard let next else {
            self.isCounted = isCounted
            return false
        }
        record?.settle(.done)
        job = next
        return true
    }

    private func lieDown() async {
        await withUnsafeContinuation { continuation in
            if !storage.state.withLock({ $0.park(at: slot, continuation) }) { continuation.resume() }
        }
    }

    private func arrive() -> Step {
        nextTurn { state in
            state.called -= 1
            return true
        } ?? .retire
    }

    private func succeed() -> Step? {
        let (record, isCounted) = (job.record, isCounted)
        guard let step = nextTurn(after: { $0.succeed(record, at: slot, isCounted: isCounted) }) else { return nil }
        record?.settle(.done)
        return step
    }

    private func goAgain() -> Step { nextTurn { _ in true } ?? .retire }

    @inline(never)
    private func endWithoutSuccess() async {
        let failure = failure
        self.failure = nil
        await storage.endWithoutSuccess(job, failure, at: slot)
    }

    /// Notes the end of an attempt and chooses what comes next, in one turn under the lock.
    /// - Returns: nil if `note` says that the attempt needs more care.
    private func nextTurn(after note: (inout PoolState) -> Bool) -> Step? {
        var more = PoolState.FollowUp()
        let time = Timers.now
        let (storage, slot) = (storage, slot)
        let choice = storage.state.withLock { state -> (PoolState.Turn, alarm: UInt64)? in
            guard note(&state) else { return nil }
            return state.take(
                at: slot, timeout: storage.timeout, time: time, clock: { storage.alarms.now }, &more)
        }
        guard let (turn, alarm) = choice else { return nil }
        storage.perform(more)
        if alarm != 0 { storage.leaveAlarm(at: alarm, for: slot) }
        switch turn {
        case .run(let job, let run):
            self.job = job
            self.run = run
            isCounted = false
            return .run
        case .park:
            letGo()
            return .park
        case .retire:
            letGo()
            return .retire
        }
    }

    /// A worker that rests keeps no closure alive.
    private func letGo() {
        job = Job(body: {}, level: 0)
        run = nil
    }
}
