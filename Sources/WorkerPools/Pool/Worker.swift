// Unsafe code: `Worker` is unchecked because its properties are guarded in three ways, given with each group of them.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif
import Synchronization

/// One worker: takes jobs, lies down when there is none, goes when it is told to.
///
/// ```
/// vacant ──start──▶ called ──take──▶ running ──end of attempt──▶ called
///    ▲                │ ▲              │   ▲
///    │                │ │            lend  reclaim
///    │              park wake          ▼   │
///    │                ▼ │              lent
///    │               parked
///    └──retire── called
/// ```
///
/// What it has at hand is kept in an object because a task that waits costs memory for every byte of its frames: a pool
/// with 10,000 sleeping jobs has 10,000 of them.
final class Worker: @unchecked Sendable {
    enum Phase {
        /// Gone.
        case vacant
        /// Started or woken, and on its way to the queue.
        case searching
        /// Waits for a wake-up.
        case parked(UnsafeContinuation<Void, Never>)
        /// Makes an attempt.
        case running
        /// Makes an attempt that waits for its own pool; its place in the limit is lent to others.
        case lent

        var isLive: Bool {
            if case .vacant = self { false } else { true }
        }
    }

    /// What has become of the attempt under way.
    enum Verdict {
        case inTime
        /// Cancelled because its time was up; another attempt may follow when it has really ended.
        case expired
        /// Cancelled because its time was up, and the job's end is already made known.
        case overrun
        /// Cancelled by request.
        case cancelled
    }

    private enum Step { case run, yield, spin, park, retire, endWithoutSuccess }

    /// After so long without a rest a worker lets others use its thread, in nanoseconds.
    private static let timeSlice: UInt64 = 4_000_000

    // The worker's own, and constant.
    let storage: PoolStorage
    let slot: Int
    /// As in ``storage``, whose references are counted in a place that all threads write.
    private let locals: LocalQueues
    private let timeout: UInt64

    // The worker's own.
    @exclusivity(unchecked) private var failure: (any Error)?
    /// When it last gave way to others or came back from rest, by the machine's clock.
    @exclusivity(unchecked) private var yieldedAt: UInt64 = 0
    /// That of its thread at that time.
    @exclusivity(unchecked) private var lastTurn: UInt64 = 0
    /// Where it has taken jobs ahead, which wait for it.
    @exclusivity(unchecked) var prefetchQueue: LocalQueue?
    /// Who has dealt it the jobs at its hand.
    @exclusivity(unchecked) private var assigner: LocalQueue?
    // Small ones side by side.
    @exclusivity(unchecked) private var assignedCount: Int8 = 0
    /// How many of those it has not begun.
    @exclusivity(unchecked) private var assignedLeft: Int8 = 0
    /// How many of its jobs have ended with the pool's lock since it last took some ahead: one or none.
    @exclusivity(unchecked) private var ended: Int8 = 0
    /// Its jobs take so little time that many come while it fetches one.
    @exclusivity(unchecked) var isInBurst = false
    /// It did not get many when last it came to the queue.
    @exclusivity(unchecked) var gotFew = false

    // Changed by the worker with the lock of its thread's local queue or the pool's, or by beginning a job at hand; by others only
    // with all of them, while all workers stand still. So the worker may read `job` without any; others read it only of jobs with a
    // time limit, which are never at hand. Its closure, which the worker takes out while it runs and puts back for another attempt,
    // nobody else looks at meanwhile.
    @exclusivity(unchecked) private(set) var job = Job.none
    @exclusivity(unchecked) var verdict = Verdict.inTime
    /// When the attempt's time is up; 0 for never. Nanoseconds of the pool's alarms.
    @exclusivity(unchecked) var deadline: UInt64 = 0
    /// The earliest alarm left for this slot; 0 for none. One alarm serves many attempts: an alarm that finds a later
    /// deadline leaves another one for then.
    @exclusivity(unchecked) var alarm: UInt64 = 0

    // Under the pool's lock.
    @exclusivity(unchecked) var phase = Phase.searching
    @exclusivity(unchecked) var task: Task<Void, Never>?
    /// Identifies the worker's task, to tell a job that waits for its own pool from others. Written before anybody knows the worker.
    private(set) var identity = 0

    init(_ storage: PoolStorage, slot: Int) {
        self.storage = storage
        self.slot = slot
        locals = storage.locals
        timeout = storage.timeout
    }

    @concurrent
    func run() async {
        identity = withUnsafeCurrentTask { $0?.hashValue ?? 0 }
        var step = arrive(isNew: true)
        while step != .retire {
            switch step {
            case .spin:
                spin()
                step = finishSpinning()
                continue
            case .park:
                await park()
                step = arrive(isNew: false)
                continue
            case .yield: await Task.yield()
            case .run, .endWithoutSuccess, .retire: break
            }
            step = runPlainJobs()
            if step == .run, let body = job.takeAsynchronous() {
                do {
                    try await body()
                    step = succeed(on: locals.own)
                } catch {
                    failure = error
                    step = .endWithoutSuccess
                }
                if step == .endWithoutSuccess { job.body = .asynchronous(body) }
            } else if step == .run, case .asynchronousOfRecord(let attempt) = job.body, let record = takeRecord() {
                do {
                    try await attempt(record)
                    putBack(record)
                    step = succeed(on: locals.own)
                } catch {
                    putBack(record)
                    failure = error
                    step = .endWithoutSuccess
                }
            }
            if step == .endWithoutSuccess {
                await endWithoutSuccess()
                releaseJob()
                step = searchAgain()
            }
        }
    }

    /// Runs jobs that are no asynchronous functions, as long as there are some.
    private func runPlainJobs() -> Step {
        let local = locals.own
        var step = Step.run
        while step == .run {
            if case .plainOfRecord = job.body {
                step = runPlainJobOfRecord(local)
            } else if let body = job.takePlain() {
                step = run(body, local)
            } else {
                break
            }
        }
        return step
    }

    @inline(__always)
    private func run(_ body: @escaping @Sendable () throws -> Void, _ local: LocalQueue) -> Step {
        do {
            try body()
        } catch {
            job.body = .plain(body)
            return fail(error)
        }
        let step = succeed(on: local)
        if step == .endWithoutSuccess { job.body = .plain(body) }
        return step
    }

    @inline(__always)
    private func runPlainJobOfRecord(_ local: LocalQueue) -> Step {
        do {
            if let record = takeRecord() {
                defer { putBack(record) }
                try record.attempt()
            }
        } catch {
            return fail(error)
        }
        return succeed(on: local)
    }

    /// The record of the job it is at, for an attempt. Moved out of its place if the job has no time limit: then nobody else looks
    /// for it there, and to move it counts no references.
    @inline(__always)
    private func takeRecord() -> JobRecord? { deadline == 0 ? job.record.take() : job.record }

    /// Ends what ``takeRecord()`` has begun.
    @inline(__always)
    private func putBack(_ record: consuming JobRecord) {
        if deadline == 0 { job.record = record }
    }

    /// The jobs at hand go back: this one's end may take long.
    @inline(never)
    private func fail(_ error: any Error) -> Step {
        failure = error
        if let assigner {
            storage.step { _ in
                assigner.lock()
                finishAssigned(on: assigner)
                assigner.unlock()
            }
        }
        return .endWithoutSuccess
    }

    // Under a lock, as said above.

    /// Takes up a job.
    /// - Returns: when an alarm is to be left, or 0.
    @inline(__always)
    func begin(_ job: consuming Job) -> UInt64 {
        var timeout = timeout
        if let record = job.record {
            record.phase = .running(slot: slot)
            if let own = record.details?.timeout { timeout = PoolStorage.timeLimit(own) }
        }
        self.job = job
        guard timeout > 0 else { return 0 }
        deadline = storage.alarms.now &+ timeout
        guard alarm == 0 || alarm > deadline else { return 0 }
        alarm = deadline
        return deadline
    }

    /// Whether it is not on another thread than when it took jobs ahead.
    @inline(__always)
    func mayTake(from local: LocalQueue) -> Bool { prefetchQueue == nil || prefetchQueue == local }

    /// It stays on its thread as long as the job takes, and need not look at the clock.
    var mayBeAssignedJobs: Bool { timeout == 0 && job.isAssignable }

    func receiveAssigned(of count: Int, from local: LocalQueue) {
        assigner = local
        assignedCount = Int8(count)
        assignedLeft = assignedCount
    }

    /// With the lock of the dealer, which is the queue of its thread: it has not left that while it had a hand.
    @inline(__always)
    func finishAssigned(on local: LocalQueue) {
        guard let assigner else { return }
        assert(assigner == local, "a worker has left its thread while it had assigned jobs")
        assigner.finishAssigned()
        self.assigner = nil
        assignedLeft = 0
    }

    /// A job of its has ended, or is about to, with the pool's lock.
    func noteEnd() { ended = 1 }

    func takeEnded() -> Int {
        defer { ended = 0 }
        return Int(ended)
    }

    /// The job has its end.
    @inline(__always)
    func finish() {
        deadline = 0
        job.record?.phase = .settled
    }

    // Steps.

    private func park() async {
        await withUnsafeContinuation { continuation in
            if !storage.step({ $0.park(self, continuation) }) { continuation.resume() }
        }
    }

    /// Waits for jobs without lying down, some 20 µs; not where others wait for the thread, or sleep on it.
    private func spin() {
        if let loop = RunLoop.current, !loop.isQuiescent { return }
        let end = Timers.now &+ 20_000
        repeat {
            for _ in 0..<20 where storage.injector.mayHaveJobs { return }
            sched_yield()
        } while Timers.now < end
    }

    private func finishSpinning() -> Step {
        nextTurn(maySpin: false) { state in
            storage.injector.clearSignal()
            state.searching -= 1
            state.isSpinning = false
            state.spinPolicy.note(foundJob: state.queue.count > 0)
            return true
        }
    }

    private func arrive(isNew: Bool) -> Step {
        ended = 0
        yieldedAt = Timers.now
        return nextTurn { state in
            if isNew { state.register(self) }
            state.searching -= 1
            return true
        }
    }

    /// The attempt has succeeded: most often the next job lies ready at hand, or on this thread.
    @inline(__always)
    private func succeed(on local: LocalQueue) -> Step {
        if let record = job.record, record.hasCallback { return succeedWithCallback(record, local) }
        if beginNextAssigned(isAnnounced: false) { return .run }
        let record = job.record
        guard let alarm = local.endAndBeginNext(of: self) else { return succeedWithPool(record, local) }
        record?.settle(.done)
        if alarm != 0 { storage.setAlarm(at: alarm, for: slot) }
        return .run
    }

    /// Ends the job with success and begins the next at hand.
    /// - Returns: false if there is none any more.
    @inline(__always)
    func beginNextAssigned(isAnnounced: Bool) -> Bool {
        guard assignedLeft > 0, let assigner else { return false }
        guard assigner.begin(left: Int(assignedLeft)) else {
            assignedLeft = 0
            return false
        }
        let ended = job.record.take()
        job = assigner.take(from: Int(assignedCount - assignedLeft))
        assignedLeft -= 1
        if !isAnnounced, let ended = consume ended { ended.settle(.done) }
        return true
    }

    /// The end of a job that somebody can name is made known before it is counted, so that nobody who waits for the pool to
    /// be idle is told before.
    @inline(never)
    private func succeedWithPool(_ record: JobRecord?, _ local: LocalQueue) -> Step {
        if let record {
            guard local.finish(self) || storage.step({ $0.finish(self) }) else { return .endWithoutSuccess }
            record.settle(.done)
        }
        noteEnd()
        if isInBurst, gotFew { linger() }
        return nextTurn { $0.succeed(self) }
    }

    /// Lets some jobs come together in a flood of short ones, up to 2 µs: whoever fetches each by itself gets in the way of those
    /// who submit them. Looks seldom, which disturbs them, too.
    private func linger() {
        if let loop = RunLoop.current, !loop.isQuiescent { return }
        let start = Timers.now
        var now = start
        while !storage.injector.isWorthFetching, now < start + 2000 {
            let next = now + 250
            repeat { now = Timers.now } while now < next
        }
    }

    /// The callback comes before the next job.
    @inline(never)
    private func succeedWithCallback(_ record: JobRecord, _ local: LocalQueue) -> Step {
        // Without a time limit nothing can have become of the attempt, and a job with a callback is cancelled with the pool only.
        guard deadline == 0 || local.finish(self) else { return succeedWithPool(record, local) }
        record.settle(.done)
        if beginNextAssigned(isAnnounced: true) { return .run }
        guard let alarm = local.endAndBeginNext(of: self) else {
            noteEnd()
            return nextTurn { $0.succeed(self) }
        }
        if alarm != 0 { storage.setAlarm(at: alarm, for: slot) }
        return .run
    }

    private func searchAgain() -> Step {
        nextTurn { state in
            state.searching -= 1
            return true
        }
    }

    @inline(never)
    private func endWithoutSuccess() async {
        let failure = failure
        self.failure = nil
        noteEnd()
        await storage.endWithoutSuccess(self, failure)
    }

    /// Notes the end of an attempt and chooses what comes next, in one turn under the lock.
    /// - Returns: `careful` if `note` says that the attempt needs more care.
    private func nextTurn(maySpin: Bool = true, after note: (inout PoolState) -> Bool) -> Step {
        var deferred = PoolState.DeferredActions()
        let local = locals.own
        let turn = storage.step { state -> PoolState.Turn? in
            guard note(&state) else { return nil }
            return state.take(by: self, from: local, maySpin: maySpin, &deferred)
        }
        guard let turn else { return .endWithoutSuccess }
        storage.perform(deferred)
        switch turn {
        case .run(let alarm):
            if alarm != 0 { storage.setAlarm(at: alarm, for: slot) }
            return isTimeToYield ? .yield : .run
        case .spin:
            releaseJob()
            return .spin
        case .park:
            releaseJob()
            return .park
        case .retire:
            releaseJob()
            return .retire
        }
    }

    private var isTimeToYield: Bool {
        let now = Timers.now
        guard now &- yieldedAt > Self.timeSlice else { return false }
        yieldedAt = now
        // On a thread that counts its turns, a worker that has suspended since has given way by that.
        guard let turn = RunLoop.current?.turn else { return true }
        defer { lastTurn = turn }
        return turn == lastTurn
    }

    /// A worker that rests keeps no closure alive.
    private func releaseJob() { job = Job.none }
}
