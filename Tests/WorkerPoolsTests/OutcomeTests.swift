import Testing
import WorkerPools

/// Each way in which a job can end, seen through each way of being told.
@Suite struct `A job ends exactly once` {
    enum Path: CaseIterable {
        case succeeds, succeedsAtSecond, fails, failsTwice, timesOut, timesOutTwice, overrunsThenFails
        case cancelledWaiting, cancelledRunning, cancelledButSucceeds, cancelledBetweenAttempts
        case droppedAsOldest, droppedAsNewest, runInCaller

        var outcome: Outcome {
            switch self {
            case .succeeds, .succeedsAtSecond, .cancelledButSucceeds, .runInCaller: .done
            case .fails, .failsTwice: .failed
            case .timesOut, .timesOutTwice, .overrunsThenFails: .timedOut
            case .cancelledWaiting, .cancelledRunning, .cancelledBetweenAttempts: .cancelled
            case .droppedAsOldest, .droppedAsNewest: .dropped
            }
        }

        var isHeldUp: Bool {
            switch self {
            case .cancelledWaiting, .droppedAsOldest, .droppedAsNewest, .runInCaller: true
            default: false
            }
        }
    }

    /// How the end is observed.
    enum Watch: CaseIterable { case callback, handle, group, unobserved }

    @Test(arguments: Path.allCases, Watch.allCases)
    func `on every path, however it is observed`(path: Path, watch: Watch) async throws {
        let trial = Trial(path)
        if path.isHeldUp { try await trial.holdUp() }
        if path == .droppedAsNewest || path == .runInCaller { try await trial.fill() }
        let watcher = try await trial.submit(watch)
        try await trial.drive()
        await trial.end()
        await watcher()
        let counters = trial.pool.counters
        #expect(trial.heard.all == Array(repeating: path.outcome, count: watch.hearings))
        var expected = Dictionary(uniqueKeysWithValues: Outcome.allCases.map { ($0, 0) })
        expected[path.outcome, default: 0] += 1
        expected[.done, default: 0] += trial.others
        for outcome in Outcome.allCases {
            // A pool that was cancelled because there was no handle has cancelled its other waiting
            // jobs too.
            #expect(counters[outcome] == expected[outcome], "\(outcome): \(counters)")
        }
        #expect(counters.accepted == counters.finished)
        #expect(counters.overrunning == 0)
    }
}

extension `A job ends exactly once`.Watch {
    var hearings: Int {
        switch self {
        case .callback, .group: 1
        case .handle: 3
        case .unobserved: 0
        }
    }
}

/// One job on one path, on a pool of one worker with a manual clock.
private final class Trial: Sendable {
    let path: `A job ends exactly once`.Path
    let pool: WorkerPool
    let heard = Log<Outcome>()
    private let clock = ManualClock()
    private let holder = Gate()
    private let gates = [Gate(), Gate()]
    private let attempts = Gauge()
    private let canceller = Log<@Sendable () -> Void>()
    private let extras = Gauge()

    /// Other jobs, all of which succeed.
    var others: Int { extras.now }

    init(_ path: `A job ends exactly once`.Path) {
        self.path = path
        let isTwofold: Bool =
            switch path {
            case .succeedsAtSecond, .failsTwice, .timesOutTwice, .cancelledBetweenAttempts: true
            default: false
            }
        let policy: FullQueuePolicy =
            switch path {
            case .droppedAsOldest: .dropOldest
            case .droppedAsNewest: .dropNewest
            case .runInCaller: .runInCaller
            default: .suspend
            }
        pool = WorkerPool(
            .init(
                workers: 1...1, queue: .bounded(1), whenFull: policy, timeout: .seconds(1),
                retry: isTwofold ? RetryPolicy(times: 1, backoff: .seconds(1), jitter: false) : nil, alarms: clock))
    }

    func holdUp() async throws {
        try await pool.submit { [holder] in await holder.pass() }
        await holder.arrivals(1)
        extras.enter()
    }

    func fill() async throws {
        try await pool.submit {}
        extras.enter()
    }

    private func body() async throws -> Int {
        attempts.enter()
        let attempt = attempts.now
        switch path {
        case .succeeds, .cancelledWaiting, .droppedAsOldest, .droppedAsNewest, .runInCaller: break
        case .succeedsAtSecond: if attempt == 1 { throw TestError() }
        case .fails, .failsTwice, .cancelledBetweenAttempts: throw TestError(number: attempt)
        case .timesOut, .timesOutTwice, .cancelledButSucceeds: await gates[attempt - 1].pass()
        case .overrunsThenFails:
            await gates[0].pass()
            throw TestError()
        case .cancelledRunning:
            await gates[0].pass()
            try Task.checkCancellation()
        }
        return attempt
    }

    /// - Returns: a closure that waits until the observers have been told everything they will be
    ///   told.
    func submit(_ watch: `A job ends exactly once`.Watch) async throws -> () async -> Void {
        switch watch {
        case .callback:
            canceller.add { [pool] in pool.cancel() }
            try await pool.submit(returning: { try await self.body() }, then: { self.heard.add(Outcome($0)) })
            return { await eventually { !self.heard.all.isEmpty } }
        case .handle:
            let handle = try await pool.submit(returning: { try await self.body() })
            canceller.add { handle.cancel() }
            let waiters = (0..<3).map { _ in Task { self.heard.add(Outcome(await handle.result)) } }
            return { for waiter in waiters { await waiter.value } }
        case .group:
            let group = pool.group(onFailure: .collect)
            try await group.submit { _ = try await self.body() }
            canceller.add { group.cancel() }
            let waiter = Task {
                let errors = await group.waitForAll()
                if errors.isEmpty { self.heard.add(.done) }
                for error in errors { self.heard.add(Outcome(error)) }
            }
            return { await waiter.value }
        case .unobserved:
            canceller.add { [pool] in pool.cancel() }
            try await pool.submit { _ = try await self.body() }
            return {}
        }
    }

    /// Causes what the path is named after.
    func drive() async throws {
        switch path {
        case .succeeds, .fails, .droppedAsNewest, .runInCaller: break
        case .succeedsAtSecond, .failsTwice:
            await eventually { self.pool.counters.retrying == 1 }
            clock.advance(by: .seconds(1))
        case .timesOut, .overrunsThenFails: await expire(0)
        case .timesOutTwice:
            await expire(0)
            gates[0].open()
            await eventually { self.pool.counters.retrying == 1 }
            clock.advance(by: .seconds(1))
            await expire(1)
        case .cancelledWaiting: cancel()
        case .cancelledRunning, .cancelledButSucceeds:
            await gates[0].arrivals(1)
            cancel()
        case .cancelledBetweenAttempts:
            await eventually { self.pool.counters.retrying == 1 }
            cancel()
        case .droppedAsOldest: try await fill()
        }
    }

    private func expire(_ attempt: Int) async {
        await gates[attempt].arrivals(1)
        clock.advance(by: .seconds(1))
    }

    private func cancel() { for call in canceller.all { call() } }

    /// Releases everything that is held, and drains the pool.
    func end() async {
        holder.open()
        for gate in gates { gate.open() }
        await pool.drain()
    }
}
