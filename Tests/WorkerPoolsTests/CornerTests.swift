import Testing

@testable import WorkerPools

/// Races between two events.
@Suite(.timeLimit(Scale.timeLimit)) struct `Races between two events` {
    @Test func `the next submitter is let in when all waiting jobs were withdrawn`() async throws {
        let (gate, second, log) = (Gate(), Gate(), Log<String>())
        let pool = WorkerPool(.init(workers: 1...1, queue: .bounded(1)))
        try await pool.submit { await gate.pass() }
        await gate.arrivals(1)
        try await pool.submit { await second.pass() }
        let group = pool.group()
        let withdrawn = Task { try await group.submit { log.add("withdrawn") } }
        await eventually { pool.counters.suspended == 1 }
        let next = Task { try await pool.submit { log.add("next") } }
        await eventually { pool.counters.suspended == 2 }
        group.cancel()
        gate.open()
        second.open()
        try await next.value
        _ = await withdrawn.result
        await pool.drain()
        #expect(log.all == ["next"])
        #expect(pool.counters.accepted == pool.counters.finished)
    }

    @Test func `a job submitted during a cancellation is refused or cancelled`() async throws {
        for _ in 0..<Scale.rounds(200, full: 2_000) {
            let pool = WorkerPool(.init(workers: 2...2, queue: .unbounded))
            try await pool.submit(contentsOf: repeatElement(PoolJob { try await untilCancelled() }, count: 200))
            let submitters = (0..<3).map { _ in
                Task {
                    await #expect(throws: PoolError.closed(pool: "pool")) {
                        while true {
                            try await pool.submit { try await untilCancelled() }
                            await Task.yield()
                        }
                    }
                }
            }
            await eventually { pool.counters.accepted > 250 }
            let undone = pool.cancel()
            for submitter in submitters { _ = await submitter.value }
            await pool.drain()
            #expect(pool.counters.accepted == pool.counters.cancelled)
            #expect(undone.count >= pool.counters.cancelled - 2)
        }
    }

    @Test func `waiting for the pool to be idle ends when the last job overruns`() async throws {
        let (gate, clock) = (Gate(), ManualClock())
        let pool = WorkerPool(.init(workers: 1...1, timeout: .seconds(1), alarms: clock))
        try await pool.submit { await gate.pass() }
        await gate.arrivals(1)
        let waiting = Task { await pool.waitUntilIdle() }
        await eventually { pool.storage.read { $0.waiters.count } == 1 }
        clock.advance(by: .seconds(2))
        await waiting.value
        #expect(pool.counters.overrunning == 1)
        gate.open()
        await pool.drain()
    }

    @Test func `a job that waits for another times out`() async throws {
        let (gate, clock) = (Gate(), ManualClock())
        let pool = WorkerPool(.init(workers: 1...1, timeout: .seconds(1), alarms: clock))
        let outer = try await pool.submit(returning: { () async throws -> Void in
            let inner = try await pool.submit(JobOptions(timeout: .seconds(100)), returning: { await gate.pass() })
            try await inner.value
        })
        await gate.arrivals(1)
        #expect(pool.counters.lent == 1)
        clock.advance(by: .seconds(2))
        await #expect(throws: PoolError.timedOut(pool: "pool", job: nil, limit: .seconds(1), attempts: 1)) {
            try await outer.value
        }
        #expect(pool.counters.lent == 0 && pool.counters.overrunning == 1 && pool.counters.running == 1)
        gate.open()
        await pool.drain()
        #expect(pool.counters.timedOut == 1 && pool.counters.done == 1)
    }

    @Test func `a job that has timed out drains its pool`() async throws {
        let (gate, clock) = (Gate(), ManualClock())
        let pool = WorkerPool(.init(workers: 1...1, timeout: .seconds(1), alarms: clock))
        try await pool.submit {
            await gate.pass()
            await pool.drain()
            await pool.resize(to: 2)
        }
        await gate.arrivals(1)
        clock.advance(by: .seconds(2))
        gate.open()
        await pool.drain()
        #expect(pool.counters.timedOut == 1)
    }

    @Test(arguments: [true, false])
    func `an error callback drains the pool of a job that has timed out`(isCancelled: Bool) async throws {
        final class Holder: Sendable {
            let pool = Guarded<WorkerPool?>(nil)
        }
        let (gate, clock, holder) = (Gate(), ManualClock(), Holder())
        var configuration = WorkerPool.Configuration(workers: 1...1, timeout: .seconds(1), alarms: clock)
        configuration.onFailure = { _ in await holder.pool.withLock { $0 }?.drain() }
        let pool = WorkerPool(configuration)
        holder.pool.withLock { $0 = pool }
        try await pool.submit { await gate.pass() }
        await gate.arrivals(1)
        clock.advance(by: .seconds(2))
        if isCancelled { pool.cancel() }
        gate.open()
        await pool.drain()
        #expect(pool.counters.timedOut == 1)
        holder.pool.withLock { $0 = nil }
    }

    @Test(.timeLimit(Scale.timeLimit)) func `a pool is made smaller while a job lends its place`() async throws {
        let (first, second) = (Gate(), Gate())
        let pool = WorkerPool(.init(workers: 2...2))
        try await pool.submit { await first.pass() }
        try await pool.submit {
            await second.pass()
            let inner = try await pool.submit(returning: { 1 })
            _ = try await inner.value
        }
        await first.arrivals(1)
        await second.arrivals(1)
        async let resized: Void = pool.resize(to: 1)
        await eventually { pool.counters.workers == 1 }
        second.open()
        await resized
        first.open()
        await pool.drain()
        #expect(pool.counters.done == 3)
    }

    /// Also if the submitter is a job itself: two jobs that wait for all others.
    @Test(.timeLimit(Scale.timeLimit), arguments: [true, false])
    func `a job that its submitter runs waits for the rest of the pool`(isNested: Bool) async throws {
        let gate = Gate()
        let pool = WorkerPool(.init(workers: 1...1, queue: .bounded(1), whenFull: .runInCaller))
        let submitAndWait = { @Sendable () async throws in
            if !isNested {
                try await pool.submit { await gate.pass() }
                await gate.arrivals(1)
            }
            try await pool.submit {}
            try await pool.submit {
                if isNested { try await pool.submit {} }
                gate.open()
                await pool.waitUntilIdle()
                await pool.drain()
            }
        }
        if isNested { try await pool.submit(submitAndWait) } else { try await submitAndWait() }
        await pool.drain()
        #expect(pool.counters.done == (isNested ? 4 : 3))
    }

    @Test func `a job is cancelled in its failure callback, which is called once`() async throws {
        final class Holder: Sendable {
            let handle = Guarded<JobHandle<Void>?>(nil)
        }
        let (gate, tally, holder) = (Gate(), Tally(), Holder())
        var configuration = WorkerPool.Configuration(workers: 1...1, retry: RetryPolicy(times: 3))
        configuration.onFailure = { _ in
            tally.add()
            holder.handle.withLock { $0 }?.cancel()
        }
        let pool = WorkerPool(configuration)
        let handle = try await pool.submit(returning: { () async throws -> Void in
            await gate.pass()
            throw TestError(number: 1)
        })
        holder.handle.withLock { $0 = handle }
        gate.open()
        await #expect(throws: TestError(number: 1)) { try await handle.value }
        await pool.drain()
        #expect(tally.value == 1)
        #expect(pool.counters.failed == 1)
    }

    @Test func `jobs are handed back by level, however long the lower ones have waited`() async throws {
        let gate = Gate()
        let pool = WorkerPool(.init(workers: 1...1, queue: .unbounded))
        try await pool.submit { await gate.pass() }
        await gate.arrivals(1)
        for number in 0..<120 {
            try await pool.submit(JobOptions(name: "\(number)", priority: JobPriority(level: number % 3))) {}
        }
        let names = pool.cancel().compactMap(\.name).compactMap { Int($0) }
        #expect(names == (0..<120).sorted { (2 - $0 % 3, $0) < (2 - $1 % 3, $1) })
        gate.open()
        await pool.drain()
    }

    /// That is different from its own cancellation.
    @Test func `a cancelled job fails with the error of another pool`() async throws {
        let gate = Gate()
        let (pool, other) = (WorkerPool(.init(name: "own", workers: 1)), WorkerPool(.init(name: "other", workers: 1)))
        await other.drain()
        let handle = try await pool.submit(returning: { () async throws in
            await gate.pass()
            try await other.submit {}
        })
        let inner = try await pool.submit(returning: { () async throws in
            await gate.pass()
            throw PoolError.cancelled(pool: "own", job: nil)
        })
        await gate.arrivals(1)
        handle.cancel()
        gate.open()
        await #expect(throws: PoolError.closed(pool: "other")) { try await handle.value }
        await #expect(throws: PoolError.cancelled(pool: "own", job: nil)) { try await inner.value }
        await pool.drain()
        #expect(pool.counters.failed == 2)
    }

    @Test func `the peak of running jobs includes one that took its place back`() async throws {
        let (first, second) = (Gate(), Gate())
        let pool = WorkerPool(.init(workers: 2...2))
        try await pool.submit {
            let inner = try await pool.submit(returning: { await first.pass() })
            try await inner.value
            await second.pass()
        }
        await first.arrivals(1)
        first.open()
        await second.arrivals(1)
        try await pool.submit { await second.pass() }
        await second.arrivals(2)
        #expect(pool.counters.peakRunning == 2)
        second.open()
        await pool.drain()
    }

    @Test(arguments: [Duration.zero, .seconds(-5)])
    func `a time limit of zero or less expires as the attempt begins`(limit: Duration) async throws {
        let pool = WorkerPool(.init(workers: 1...1, timeout: .seconds(100)))
        let handle = try await pool.submit(JobOptions(timeout: limit), returning: { () async throws in try await untilCancelled() })
        let error = PoolError.timedOut(pool: "pool", job: nil, limit: limit, attempts: 1)
        await #expect(throws: error) { try await handle.value }
        let strict = WorkerPool(.init(workers: 1...1, timeout: limit))
        let other = try await strict.submit(returning: { () async throws in try await untilCancelled() })
        await #expect(throws: error) { try await other.value }
        await pool.drain()
        await strict.drain()
    }

    @Test func `a pool may have as many workers as an Int can count`() async throws {
        let pool = WorkerPool(.init(workers: 1...Int.max))
        #expect(try await pool.map(0..<10) { $0 + 1 } == Array(1...10))
        var results: [Int] = []
        for try await number in pool.results(of: 0..<10, { $0 + 1 }) { results.append(number) }
        #expect(results == Array(1...10))
        await pool.drain()
    }

    /// An alarm set for a retry in an hour does not keep alive what is cancelled.
    @Test(arguments: [true, false])
    func `a cancelled retry releases its pool at once`(cancelsPool: Bool) async throws {
        let clock = ManualClock()
        weak var storage: PoolStorage?
        do {
            let retry = RetryPolicy(times: 1, backoff: .seconds(3600), jitter: false)
            let pool = WorkerPool(.init(workers: 1...1, retry: retry, alarms: clock))
            storage = pool.storage
            let handle = try await pool.submit(returning: { () throws -> Void in throw TestError() })
            await eventually { pool.counters.retrying == 1 }
            if cancelsPool { pool.cancel() } else { handle.cancel() }
            await #expect(throws: PoolError.cancelled(pool: "pool", job: nil)) { try await handle.value }
            await pool.drain()
        }
        #expect(clock.pendingCalls == 1)
        await eventually { [weak storage] in storage == nil }
        clock.advance(by: .seconds(4000))
    }

    @Test func `a failing job releases the last reference to its pool`() async throws {
        let (gate, tally) = (Gate(), Tally())
        var pool: WorkerPool? = WorkerPool(.init(workers: 1...1))
        try await pool?.submit { [pool] in
            await gate.pass()
            _ = pool?.name
            throw TestError()
        }
        await gate.arrivals(1)
        try await pool?.submit { tally.add() }
        pool = nil
        gate.open()
        await eventually { tally.value == 1 }
    }

    @Test func `what a cancelled job captured reads the pool's counters in its deinit`() async throws {
        final class Token: Sendable {
            let pool: WorkerPool
            init(_ pool: WorkerPool) { self.pool = pool }
            deinit { #expect(pool.counters.accepted > 0) }
        }
        let gate = Gate()
        let pool = try await poolKeptBusy(by: gate)
        let group = pool.group()
        for _ in 0..<200 {
            let token = Token(pool)
            try await group.submit { _ = token }
        }
        group.cancel()
        let suspended = pool.group()
        try await pool.submit {}
        try await suspended.submit { [token = Token(pool)] in _ = token }
        suspended.cancel()
        gate.open()
        await pool.drain()
        #expect(pool.counters.cancelled == 201)
    }

    /// What a job captured sees, when it goes, that nobody knows of the job's end yet.
    @Test(arguments: [false, true], [false, true])
    func `what a job captured is gone before anyone learns of its end`(isAsynchronous: Bool, fails: Bool) async throws {
        let gone = Log<Bool>()
        let pool = WorkerPool(.init(workers: 1...1, timeout: .seconds(3600), onFailure: { _ in }))
        func job(_ isUnknown: @escaping @Sendable () -> Bool) -> @Sendable () throws -> Void {
            let farewell = Farewell { gone.add(isUnknown()) }
            return {
                farewell.touch()
                if fails { throw TestError() }
            }
        }
        /// Submits a job that begins once nobody else has its closure.
        func afterwards(_ submit: () async throws -> Void) async throws {
            let gate = Gate()
            try await pool.submit { await gate.pass() }
            await gate.arrivals(1)
            try await submit()
            gate.open()
            await pool.waitUntilIdle()
        }
        try await afterwards {
            let work = job { pool.counters.finished == 1 }
            if isAsynchronous { try await pool.submit { () async throws in try work() } } else { try await pool.submit(work) }
        }
        let group = pool.group(onFailure: .collect)
        try await afterwards {
            let work = job { group.pending == 1 }
            if isAsynchronous { try await group.submit { () async throws in try work() } } else { try await group.submit(work) }
        }
        let called = Tally()
        try await afterwards {
            let work = job { called.value == 0 }
            if isAsynchronous {
                try await pool.submit(returning: { () async throws in try work() }, then: { _ in called.add() })
            } else {
                try await pool.submit(returning: work, then: { _ in called.add() })
            }
        }
        await pool.drain()
        #expect(gone.all == [true, true, true])
    }

    /// A pool whose only worker runs a job that waits for the gate.
    private func poolKeptBusy(by gate: Gate) async throws -> WorkerPool {
        let pool = WorkerPool(.init(workers: 1...1))
        try await pool.submit { await gate.pass() }
        await gate.arrivals(1)
        return pool
    }

    @Test func `what jobs captured that are cancelled while they wait is gone before all have ended`() async throws {
        let (gate, gone) = (Gate(), Log<Bool>())
        let pool = try await poolKeptBusy(by: gate)
        let group = pool.group()
        for _ in 0..<3 {
            let farewell = Farewell { gone.add(group.pending > 0) }
            try await group.submit { farewell.touch() }
        }
        group.cancel()
        gate.open()
        await pool.drain()
        #expect(gone.all == [true, true, true])
    }

    @Test func `what a cancelled job captured is gone once the last job that waits has begun`() async throws {
        let (gate, gone) = (Gate(), Log<Bool>())
        let pool = try await poolKeptBusy(by: gate)
        try await pool.submit {}
        let group = pool.group()
        let farewell = Farewell { gone.add(pool.counters.finished == 2) }
        try await group.submit { [farewell = consume farewell] in farewell.touch() }
        group.cancel()
        gate.open()
        await pool.drain()
        #expect(gone.all == [true])
    }

    @Test func `what a job captured that is cancelled while it runs is gone, whoever has its handle`() async throws {
        let (gate, gone) = (Gate(), Log<Bool>())
        let pool = WorkerPool(.init(workers: 1...1))
        func submit() async throws -> JobHandle<Void> {
            let farewell = Farewell { gone.add(true) }
            return try await pool.submit(returning: {
                await gate.pass()
                farewell.touch()
                throw CancellationError()
            })
        }
        let handle = try await submit()
        await gate.arrivals(1)
        handle.cancel()
        gate.open()
        guard case .failure(.stopped(.cancelled)) = await handle.result else {
            Issue.record("the job was not cancelled")
            return
        }
        #expect(gone.all == [true])
        await pool.drain()
        withExtendedLifetime(handle) {}
    }

    @Test func `a value that nobody waits for reads the pool's counters in its deinit`() async throws {
        final class Value: Sendable {
            let pool: WorkerPool
            let tally: Tally
            init(_ pool: WorkerPool, _ tally: Tally) { (self.pool, self.tally) = (pool, tally) }
            deinit { if pool.counters.accepted > 0 { tally.add() } }
        }
        let gate = Gate()
        let tally = Tally()
        let pool = try await poolKeptBusy(by: gate)
        // They are prefetched, so that each is begun where the one before it ends.
        for _ in 0..<200 { _ = try await pool.submit(returning: { Value(pool, tally) }) }
        gate.open()
        await pool.drain()
        #expect(tally.value == 200)
    }

    @Test func `a worker survives failing jobs`() async throws {
        let pool = WorkerPool(.init(workers: 1...1, queue: .unbounded))
        for _ in 0..<1000 { try await pool.submit { throw TestError() } }
        await pool.waitUntilIdle()
        #expect(pool.storage.read { ($0.workers.live, $0.workers.slots.count) } == (1, 1))
        #expect(pool.counters.failed == 1000)
        await pool.drain()
    }

    @Test func `jobs that waited while the pool could not grow keep it from shrinking`() async throws {
        let clock = ManualClock()
        let pool = WorkerPool(
            .init(workers: 1...4, queue: .unbounded, sizing: .doubling(quietPeriod: .milliseconds(100)), alarms: clock))
        // The first time jobs wait while the pool grows, the second time when it cannot grow any
        // further.
        for _ in 0..<2 {
            let gate = Gate()
            for _ in 0..<40 { try await pool.submit { await gate.pass() } }
            await gate.arrivals(4)
            gate.open()
            await pool.waitUntilIdle()
            clock.advance(by: .milliseconds(100))
            #expect(pool.counters.workers == 4)
        }
        clock.advance(by: .milliseconds(100))
        #expect(pool.counters.workers == 2)
        await pool.drain()
    }

    @Test func `a distant deadline does not retain a pool that has ended`() async throws {
        weak var held: PoolStorage?
        do {
            let pool = WorkerPool(.init(workers: 1...1))
            held = pool.storage
            try await pool.submit {}
            #expect(await pool.drain(within: .seconds(3600)).isEmpty)
        }
        while held != nil { await Task.yield() }
    }

    /// The pool is not idle while a callback receives the end of its job.
    @Test func `ends are announced before they make the pool idle`() async throws {
        let (gate, announced) = (Gate(), Log<Int>())
        @Sendable func note(_ pool: WorkerPool) { announced.add(pool.storage.read { $0.outstanding }) }
        for policy in [FullQueuePolicy.dropOldest, .dropNewest, .runInCaller] {
            let gate = Gate()
            let pool = WorkerPool(.init(workers: 1...1, queue: .bounded(1), whenFull: policy))
            try await pool.submit { await gate.pass() }
            await gate.arrivals(1)
            for _ in 0..<2 { try await pool.submit(returning: { 1 }, then: { [unowned pool] _ in note(pool) }) }
            gate.open()
            await pool.drain()
        }
        let clock = ManualClock()
        let pool = WorkerPool(.init(workers: 1...1, timeout: .seconds(1), alarms: clock))
        try await pool.submit(returning: { await gate.pass() }, then: { [unowned pool] _ in note(pool) })
        await gate.arrivals(1)
        for _ in 0..<3 { try await pool.submit(returning: { 1 }, then: { [unowned pool] _ in note(pool) }) }
        clock.advance(by: .seconds(2))
        pool.cancel()
        gate.open()
        await pool.drain()
        #expect(announced.all.count == 6 + 4)
        #expect(announced.all.allSatisfy { $0 > 0 })
    }

    @Test(arguments: [1, 128]) func `a callback returns before the worker begins its next job`(longestRun: Int) async throws {
        let log = Log<Int>()
        let pool = WorkerPool(.init(workers: 1...1, longestRun: longestRun))
        for number in 0..<5000 {
            try await pool.submit(
                returning: {
                    log.add(number)
                    return number
                }, then: { if case .success(let number) = $0 { log.add(number) } })
        }
        await pool.drain()
        #expect(log.all == (0..<5000).flatMap { [$0, $0] })
    }

    @Test func `an undone job can be run by several tasks at once`() async throws {
        let (gate, tally) = (Gate(), Tally())
        let pool = WorkerPool(.init(workers: 1...1))
        try await pool.submit { await gate.pass() }
        await gate.arrivals(1)
        let handle = try await pool.submit(returning: {
            tally.add()
            return String(repeating: "long", count: 100)
        })
        let undone = pool.cancel()
        gate.open()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { for _ in 0..<500 { await #expect(throws: Never.self) { try await undone[0].body() } } }
            }
        }
        #expect(tally.value == 4000)
        await #expect(throws: PoolError.cancelled(pool: "pool", job: nil)) { try await handle.value }
        await pool.drain()
    }
}
