// Unsafe code: `Worker` is unchecked because its properties are guarded in three ways, stated for
// each group of them.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif
import Synchronization

/// One worker: takes jobs, parks when there is none, retires when told to.
///
/// ```
/// vacant ──start──▶ searching ──take──▶ running ──end of attempt──▶ searching
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

        var isLive: Bool {
            if case .vacant = self { false } else { true }
        }
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

    private enum Step { case run, yield, spin, park, retire, endWithoutSuccess }

    /// How long a worker may run without a pause before it yields its thread, in nanoseconds.
    private static let timeSlice: UInt64 = 4_000_000

    // Constant.
    let storage: PoolStorage
    let slot: Int
    /// A copy of the one in ``storage``, whose reference count is shared by all threads.
    private let locals: LocalQueues
    private let timeout: UInt64

    // Used only by the worker itself.
    @exclusivity(unchecked) private var failure: (any Error)?
    /// When it last yielded or unparked, by the system's monotonic clock.
    @exclusivity(unchecked) private var yieldedAt: UInt64 = 0
    /// Its thread's turn at that time.
    @exclusivity(unchecked) private var lastTurn: UInt64 = 0
    /// The local queue with the jobs it has prefetched.
    @exclusivity(unchecked) var prefetchQueue: LocalQueue?
    /// The local queue that assigned it jobs.
    @exclusivity(unchecked) private var assigner: LocalQueue?
    // Small ones together.
    @exclusivity(unchecked) private var assignedCount: Int8 = 0
    /// How many of the assigned jobs it has not begun.
    @exclusivity(unchecked) private var assignedLeft: Int8 = 0
    /// How many of its jobs have ended under the pool's lock since it last prefetched: one or none.
    @exclusivity(unchecked) private var ended: Int8 = 0
    /// Its jobs are so short that many arrive while it fetches one.
    @exclusivity(unchecked) var isInBurst = false
    /// It did not get many the last time it came to the queue.
    @exclusivity(unchecked) var gotFew = false

    // The worker changes these under the lock of its thread's local queue or the pool's, or by
    // beginning an assigned job; others change them only under all the locks, while all workers
    // stand still. So the worker may read `job` without a lock. Others read it only for jobs with a
    // time limit, which are never assigned. They never touch its closure, which the worker moves
    // out while it runs and puts back for another attempt.
    @exclusivity(unchecked) private(set) var job = Job.none
    @exclusivity(unchecked) var verdict = Verdict.inTime
    /// When the attempt times out; 0 for never. Nanoseconds of the pool's alarms.
    @exclusivity(unchecked) var deadline: UInt64 = 0
    /// The earliest alarm set for this slot; 0 for none. One alarm serves many attempts: an alarm
    /// that finds a later deadline sets another for that time.
    @exclusivity(unchecked) var alarm: UInt64 = 0

    // Under the pool's lock.
    @exclusivity(unchecked) var phase = Phase.searching
    @exclusivity(unchecked) var task: Task<Void, Never>?
    /// Identifies the worker's task, to recognise a job that waits for its own pool. Written before
    /// the worker is registered.
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

    /// Runs synchronous jobs for as long as there are any.
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

    /// The record of the current job, for an attempt. Moved out if the job has no time limit: then
    /// no other thread looks for it there, and moving it counts no references.
    @inline(__always)
    private func takeRecord() -> JobRecord? { deadline == 0 ? job.record.take() : job.record }

    /// Undoes ``takeRecord()``.
    @inline(__always)
    private func putBack(_ record: consuming JobRecord) {
        if deadline == 0 { job.record = record }
    }

    /// Revokes the assigned jobs, since ending this one may take long.
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

    // Under a lock, as stated above.

    /// Takes up a job.
    /// - Returns: when to set an alarm for, or 0.
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

    /// Whether it is still on the thread where it prefetched.
    @inline(__always)
    func mayTake(from local: LocalQueue) -> Bool { prefetchQueue == nil || prefetchQueue == local }

    /// Such a job keeps the worker on its thread, and does not need the clock.
    var mayBeAssignedJobs: Bool { timeout == 0 && job.isAssignable }

    func receiveAssigned(of count: Int, from local: LocalQueue) {
        assigner = local
        assignedCount = Int8(count)
        assignedLeft = assignedCount
    }

    /// With the lock of the assigning queue, which is the one of its thread: the worker has not
    /// left that while it had assigned jobs.
    @inline(__always)
    func finishAssigned(on local: LocalQueue) {
        guard let assigner else { return }
        assert(assigner == local, "a worker has left its thread while it had assigned jobs")
        assigner.finishAssigned()
        self.assigner = nil
        assignedLeft = 0
    }

    /// The current job has ended, or is about to, under the pool's lock.
    func noteEnd() { ended = 1 }

    func takeEnded() -> Int {
        defer { ended = 0 }
        return Int(ended)
    }

    /// The job has ended.
    @inline(__always)
    func finish() {
        deadline = 0
        job.record?.phase = .settled
    }

    private func park() async {
        await withUnsafeContinuation { continuation in
            if !storage.step({ $0.park(self, continuation) }) { continuation.resume() }
        }
    }

    /// Spins for some 20 µs, but not on a thread that others wait for or sleep on.
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

    /// The attempt has succeeded: usually the next job is already assigned or on this thread.
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

    /// Ends the job with success and begins the next assigned one.
    /// - Returns: false if there is none left.
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

    /// The end of a job with a record is announced before it is counted, so that it is known before
    /// the pool is reported idle.
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

    /// Lets some jobs accumulate during a burst of short ones, for up to 2 µs: a worker that
    /// fetches each by itself gets in the way of submitters. Polls rarely, which disturbs them as
    /// well.
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
        // Without a time limit nothing can have happened to the attempt, and a job with a callback
        // is only cancelled with the pool.
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

    /// Records the end of an attempt and chooses what comes next, in one step under the lock.
    /// - Returns: `endWithoutSuccess` if `note` says that the attempt's success does not count.
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
        // On a thread that counts its turns, a worker that has suspended since then has yielded
        // already.
        guard let turn = RunLoop.current?.turn else { return true }
        defer { lastTurn = turn }
        return turn == lastTurn
    }

    /// A worker without a job keeps no closure alive.
    private func releaseJob() { job = Job.none }
}
