// Unsafe code: `Worker` is unchecked because its properties are guarded in three ways, stated for
// each group of them.

/// One worker: takes jobs, parks when there is none, retires when told to.
///
/// ```
/// vacant ──start──▶ searching ──begin─▶ running ──end of attempt──▶ searching
///    ▲                │ ▲                 │   ▲
///    │                │ │               lend  reclaim
///    │              park wake             ▼   │
///    │                ▼ │                 lent
///    │               parked
///    └──retire── searching
/// ```
///
/// Its state is in an object because every byte of a waiting task's frames costs memory, and a pool
/// with 10,000 sleeping jobs has 10,000 of these tasks.
final class Worker: @unchecked Sendable {
    enum Phase {
        /// Gone.
        case vacant
        /// Started or woken, and on its way to the queue.
        case searching
        /// Waiting to be woken.
        case parked(UnsafeContinuation<Void, Never>)
        /// Making an attempt.
        case running
        /// Making an attempt that waits for its own pool; its place in the limit is lent to others.
        case lent
    }

    /// What has happened to the current attempt.
    enum Verdict {
        case inTime
        /// Cancelled because its time was up; another attempt may follow when it has really ended.
        case expired
        /// Cancelled because its time was up, and the job's end has already been announced.
        case overrun
        /// Cancelled on request.
        case cancelled
    }

    /// What it does next.
    enum Action {
        /// Run the job it has.
        case run
        /// The same, once other tasks have used its thread.
        case yield
        /// Spin for jobs for a while.
        case spin
        case park
        case retire
        /// End an attempt that has failed, or succeeded too late.
        case endWithoutSuccess
    }

    /// How long a worker may run without a pause before it yields its thread, in nanoseconds.
    private static let timeSlice: UInt64 = 4_000_000

    // Constant.
    private let storage: PoolStorage
    let slot: Int

    // Used only by the worker itself.
    @exclusivity(unchecked) private var failure: (any Error)?
    /// When it last yielded or unparked, by the system's monotonic clock.
    @exclusivity(unchecked) private var yieldedAt: UInt64 = 0
    /// Its thread's turn at that time.
    @exclusivity(unchecked) private var lastTurn: UInt64 = 0
    /// When to set an alarm for, once no lock is held; 0 for none.
    @exclusivity(unchecked) private var newAlarm: UInt64 = 0
    /// Its jobs are so short that many arrive while it fetches one, and it did not get many.
    @exclusivity(unchecked) var lingers = false
    /// The queue that holds the jobs it has prefetched.
    @exclusivity(unchecked) var prefetchedInto: PrefetchQueue?

    // The worker changes these with the lock of its thread's prefetch queue, others with the locks
    // of all prefetch queues and of the pool, and the caller shows what it holds. Others change
    // only the verdict and the alarm. The worker itself reads `job` and `deadline` without a lock,
    // moves the body out while it runs, and lets go of the job once nobody else may look at it:
    // when it has no deadline, and its end is decided.
    @exclusivity(unchecked) private(set) var job = Job.none
    @exclusivity(unchecked) private var verdict = Verdict.inTime
    /// When the attempt times out; 0 for never. Nanoseconds of the pool's alarms.
    @exclusivity(unchecked) private var deadline: UInt64 = 0
    /// The earliest alarm set for this slot; 0 for none. One alarm serves many attempts: an alarm
    /// that finds a later deadline sets another for that time.
    @exclusivity(unchecked) private var alarm: UInt64 = 0

    // Under the pool's lock.
    @exclusivity(unchecked) var phase = Phase.searching
    @exclusivity(unchecked) var task: Task<Void, Never>?
    /// Its task, to recognise a job that waits for its own pool. Only compared.
    @exclusivity(unchecked) var identity: UnsafeCurrentTask?

    init(_ storage: PoolStorage, slot: Int) {
        self.storage = storage
        self.slot = slot
    }

    @concurrent
    func run() async {
        yieldedAt = OperatingSystem.now
        var action = nextAction { state, _ in
            withUnsafeCurrentTask { state.workers.register(self, $0) }
            state.noteArrival()
        }
        while action != .retire {
            switch action {
            case .spin:
                spin()
                action = nextAction(maySpin: false) { state, _ in state.endSpin() }
            case .park:
                await suspendUntilWoken()
                yieldedAt = OperatingSystem.now
                action = nextAction()
            case .yield:
                await Task.yield()
                action = .run
            case .run:
                action = runPlainJobs()
                guard action == .run else { break }
                // Here, since another function's frame would cost every waiting task memory.
                let body = exchange(&job.body, with: .movedOut)
                do {
                    switch body {
                    case .asynchronous(let asynchronous): try await asynchronous()
                    case .asynchronousOfRecord(let attempt): if let record = job.record { try await attempt(record) }
                    case .plain, .plainOfRecord, .movedOut: preconditionFailure("a job has lost its body")
                    }
                    let prefetchQueue = storage.prefetchQueues.own
                    if isSuccessInTime(prefetchQueue) {
                        _ = consume body
                        action = succeed(with: prefetchQueue)
                    } else {
                        job.body = body
                        action = .endWithoutSuccess
                    }
                } catch {
                    job.body = body
                    failure = error
                    action = .endWithoutSuccess
                }
            case .endWithoutSuccess:
                await storage.endWithoutSuccess(self, failure.take())
                releaseJob()
                action = nextAction()
            case .retire: break
            }
        }
    }

    /// Runs synchronous jobs for as long as there are any. A job's body is moved out of it, since a
    /// copy would cost two reference counts, and put back if there may be another attempt.
    /// - Returns: `run` if the next job is asynchronous.
    private func runPlainJobs() -> Action {
        let prefetchQueue = storage.prefetchQueues.own
        while true {
            let body = exchange(&job.body, with: .movedOut)
            do {
                switch body {
                case .plain(let plain): try plain()
                case .plainOfRecord(let attempt): if let record = job.record { try attempt(record) }
                case .asynchronous, .asynchronousOfRecord, .movedOut:
                    job.body = body
                    return .run
                }
                guard isSuccessInTime(prefetchQueue) else {
                    job.body = body
                    return .endWithoutSuccess
                }
                _ = consume body
                let action = succeed(with: prefetchQueue)
                guard action == .run else { return action }
            } catch {
                job.body = body
                failure = error
                return .endWithoutSuccess
            }
        }
    }

    /// Whether the attempt has succeeded in time. If so, nothing can happen to it any more.
    @inline(__always)
    private func isSuccessInTime(_ prefetchQueue: PrefetchQueue) -> Bool {
        if job.record == nil, deadline == 0 { return true }
        return prefetchQueue.withLock { closeIfInTime($0) }
    }

    /// The attempt has succeeded in time, and its closure is gone, before anyone learns of its end.
    /// That is announced before it is counted, so that it is known before the pool is reported
    /// idle, and a callback comes before the next job.
    @inline(__always)
    private func succeed(with prefetchQueue: PrefetchQueue) -> Action {
        if let record = job.record {
            record.announce(.done, storage.endWaits)
            // Perhaps the last reference to its value, which must not be freed under a lock. Nobody
            // else reads it any more: the attempt has no deadline, and its job is decided.
            job.record = nil
        }
        if prefetchQueue.endAndBeginNext(of: self) {
            setNewAlarm()
            return .run
        }
        if lingers { linger() }
        return nextAction { $0.countSuccess(of: self, &$1) }
    }

    /// Lets some jobs accumulate during a burst of short ones, for 2 µs: a worker that fetches each
    /// by itself gets in the way of submitters.
    @inline(never)
    private func linger() {
        if let loop = RunLoop.current, !loop.isQuiescent { return }
        let end = OperatingSystem.now + 2000
        while OperatingSystem.now < end {}
    }

    /// Records the end of an attempt or of the way to the queue, and chooses what comes next, in
    /// one step under the lock.
    private func nextAction(
        maySpin: Bool = true, after note: (inout PoolState, inout PrefetchQueue.State) -> Void = { state, _ in state.noteArrival() }
    ) -> Action {
        let prefetchQueue = storage.prefetchQueues.own
        var now: UInt64 = 0
        let action = storage.step { state -> Action in
            // Under the lock, since times tell in which order prefetch queues were filled.
            now = OperatingSystem.now
            state.returnPrefetched(of: self)
            return prefetchQueue.withLock { own in
                note(&state, &own)
                return state.chooseNextAction(of: self, from: prefetchQueue, &own, maySpin: maySpin, now: now)
            }
        }
        switch action {
        case .run:
            setNewAlarm()
            return isTimeToYield(now) ? .yield : .run
        case .spin, .park, .retire: releaseJob()
        case .yield, .endWithoutSuccess: break
        }
        return action
    }

    @inline(__always)
    private func setNewAlarm() {
        guard newAlarm != 0 else { return }
        storage.setAlarm(at: exchange(&newAlarm, with: 0), for: slot)
    }

    private func isTimeToYield(_ now: UInt64) -> Bool {
        guard now &- yieldedAt > Self.timeSlice else { return false }
        yieldedAt = now
        // On a thread that counts its turns, a worker that has suspended since then has yielded
        // already.
        guard let turn = RunLoop.current?.turn else { return true }
        defer { lastTurn = turn }
        return turn == lastTurn
    }

    private func suspendUntilWoken() async {
        await withUnsafeContinuation { continuation in
            if !storage.step({ $0.parkIfIdle(self, continuation) }) { continuation.resume() }
        }
    }

    /// Spins for some 20 µs, but not on a thread that others wait for or sleep on.
    private func spin() {
        if let loop = RunLoop.current, !loop.isQuiescent { return }
        let end = OperatingSystem.now &+ 20_000
        repeat {
            for _ in 0..<20 where storage.spinSignal.isSet { return }
            OperatingSystem.yieldThread()
        } while OperatingSystem.now < end
    }

    /// A worker without a job keeps no closure alive.
    private func releaseJob() { job = Job.none }

    /// The attempt has ended without success, and another will be made, perhaps by another worker.
    func takeJob() -> Job { exchange(&job, with: Job.none) }

    /// There will be no other attempt.
    func releaseBody() { job.body = .movedOut }
}

// What happens to attempts.
extension Worker {
    /// Takes up a job.
    @inline(__always)
    func begin(_ job: consuming Job, _: borrowing PrefetchQueue.State) {
        var timeout = storage.timeout
        if let record = job.record {
            record.phase = .running(slot: slot)
            if let own = record.details?.timeout { timeout = PoolStorage.timeLimit(own) }
        }
        self.job = job
        guard timeout > 0 else { return }
        deadline = storage.alarms.now &+ timeout
        guard alarm == 0 || alarm > deadline else { return }
        alarm = deadline
        newAlarm = deadline
    }

    /// Whether it is still on the thread where it prefetched.
    @inline(__always)
    func mayTakeJobs(from prefetchQueue: PrefetchQueue) -> Bool { prefetchedInto == nil || prefetchedInto === prefetchQueue }

    func verdict(_: borrowing some VerdictLock & ~Copyable) -> Verdict { verdict }

    /// Rules out any further change to the attempt and its job, if the attempt's success still
    /// counts.
    @inline(__always)
    func closeIfInTime(_: borrowing PrefetchQueue.State) -> Bool {
        switch verdict {
        case .expired, .overrun: return false
        case .inTime, .cancelled: break
        }
        deadline = 0
        job.record?.phase = .decided
        return true
    }

    /// The attempt has ended without success, so it can no longer time out.
    func closeUnsuccessful(_: borrowing PrefetchQueue.State) -> Verdict {
        deadline = 0
        return verdict
    }

    /// The job's end has been decided, so it is not cancelled any more.
    func markDecided(_: borrowing PrefetchQueue.State) { job.record?.phase = .decided }

    func cancel(_: borrowing AllLocks) { verdict = .cancelled }

    /// - Parameter isLast: there will be no other attempt.
    func expire(isLast: Bool, _: borrowing AllLocks) {
        verdict = isLast ? .overrun : .expired
    }

    /// An alarm has fired that was set for `due`.
    /// - Returns: when to set another, if the attempt has more time than that; nil if it has none
    ///   left or needs no alarm.
    func alarmFired(due: UInt64, now: UInt64, _: borrowing AllLocks) -> UInt64? {
        guard alarm == due else { return nil }
        alarm = deadline > now && verdict == .inTime ? deadline : 0
        return alarm == 0 ? nil : alarm
    }

    /// Whether the attempt has had more time than it may have.
    func isLate(at now: UInt64, _: borrowing AllLocks) -> Bool { deadline != 0 && deadline <= now && verdict == .inTime }
}
