import Testing
import WorkerPools

/// 100,000 rounds of each with `SLUICE_FULL_SCALE=1`.
@Suite struct `Waiting never ends early` {
    enum Threads: CaseIterable {
        case cooperative, own

        /// A pool of two workers, and the executor to shut down after its end.
        func pool() -> (WorkerPool, ThreadExecutor?) {
            let executor = self == .own ? ThreadExecutor(threads: 2, name: "waiting") : nil
            return (WorkerPool(.init(workers: 2...2, executor: executor)), executor)
        }
    }

    /// Counts rounds, each of which checks at its end that its job has run.
    private func rounds(_ usual: Int, _ threads: Threads, _ body: (WorkerPool, Tally) async throws -> Void) async throws {
        let (pool, executor) = threads.pool()
        let ran = Tally()
        for round in 1...Scale.rounds(usual, full: 100_000) {
            try await body(pool, ran)
            if ran.value != round {
                Issue.record("round \(round): \(ran.value) jobs had run")
                break
            }
        }
        await pool.drain()
        executor?.shutdown()
    }

    @Test(arguments: Threads.allCases) func `for the pool to be idle`(threads: Threads) async throws {
        try await rounds(5000, threads) { pool, ran in
            try await pool.submit { ran.add() }
            await pool.waitUntilIdle()
        }
    }

    @Test(arguments: Threads.allCases) func `for the pool to be idle, when the job yields before it ends`(threads: Threads) async throws {
        try await rounds(3000, threads) { pool, ran in
            try await pool.submit {
                await Task.yield()
                ran.add()
            }
            await pool.waitUntilIdle()
        }
    }

    @Test(arguments: Threads.allCases) func `for the value of a handle`(threads: Threads) async throws {
        try await rounds(5000, threads) { pool, ran in
            let handle = try await pool.submit(returning: { ran.add() })
            try await handle.value
        }
    }

    @Test(arguments: Threads.allCases) func `for a group of four`(threads: Threads) async throws {
        try await rounds(2000, threads) { pool, ran in
            let (group, four) = (pool.group(), Tally())
            for _ in 0..<4 { try await group.submit { if four.next() == 4 { ran.add() } } }
            try await group.wait()
        }
    }

    @Test(arguments: Threads.allCases) func `for the pool to be idle, while a callback is still due`(threads: Threads) async throws {
        try await rounds(5000, threads) { pool, ran in
            try await pool.submit(returning: { 1 }, then: { _ in ran.add() })
            await pool.waitUntilIdle()
        }
    }

    @Test(arguments: Threads.allCases) func `for a pool's end`(threads: Threads) async throws {
        let executor = threads == .own ? ThreadExecutor(threads: 2, name: "ending") : nil
        for round in 1...Scale.rounds(2000, full: 100_000) {
            let (pool, ran) = (WorkerPool(.init(workers: 2...2, executor: executor)), Tally())
            for _ in 0..<3 { try await pool.submit { ran.add() } }
            await pool.drain()
            if ran.value != 3 {
                Issue.record("round \(round): \(ran.value) jobs of 3 had run")
                break
            }
        }
        executor?.shutdown()
    }
}

/// A waiting task sleeps: whatever happens in the meantime, it is not run and no alarm is set for
/// it.
@Suite struct `Waiting does not poll` {
    enum Wait: CaseIterable {
        case idle, end, value, group, room

        func callAsFunction(_ pool: WorkerPool, _ handle: JobHandle<Void>, _ group: JobGroup) async {
            switch self {
            case .idle: await pool.waitUntilIdle()
            case .end: await pool.drain()
            case .value: _ = await handle.result
            case .group: _ = await group.waitForAll()
            case .room: try? await pool.submit {}
            }
        }
    }

    @Test(arguments: Wait.allCases) func `in any way of waiting`(wait: Wait) async throws {
        let (clock, gate, counting) = (ManualClock(), Gate(), CountingExecutor())
        let pool = WorkerPool(.init(workers: 2...2, queue: .bounded(1), alarms: clock))
        let group = pool.group()
        let handle = try await pool.submit(returning: { () async throws -> Void in await gate.pass() })
        try await group.submit { await gate.pass() }
        await gate.arrivals(2)
        try await pool.submit {}
        let waiter = Task(executorPreference: counting) { await wait(pool, handle, group) }
        await eventually { counting.enqueued > 0 && (wait != .room || pool.counters.suspended == 1) }
        for _ in 0..<2000 {
            await Task.yield()
            clock.advance(by: .milliseconds(10))
        }
        let asleep = counting.enqueued
        #expect(asleep <= 2)
        #expect(clock.pendingCalls == 0)
        gate.open()
        await waiter.value
        #expect(counting.enqueued <= asleep + 2)
        await pool.drain()
    }

    @Test func `in a worker that has nothing to do`() async throws {
        let (clock, counting) = (ManualClock(), CountingExecutor())
        let pool = WorkerPool(.init(workers: 8...8, executor: counting, alarms: clock))
        for _ in 0..<100 { try await pool.submit { await Task.yield() } }
        await pool.waitUntilIdle()
        // The last of them are still about to park.
        var (before, quiet) = (counting.enqueued, 0)
        for _ in 0..<100_000 where quiet < 2000 {
            await Task.yield()
            clock.advance(by: .milliseconds(10))
            quiet = counting.enqueued == before ? quiet + 1 : 0
            before = counting.enqueued
        }
        #expect(quiet == 2000)
        #expect(clock.pendingCalls == 0)
        await pool.drain()
    }
}
