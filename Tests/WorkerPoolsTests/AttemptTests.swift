import Testing
import WorkerPools

@Suite struct `An attempt` {
    @Test func `that takes too long is cancelled and its job ends as timed out`() async throws {
        let clock = ManualClock()
        let gate = Gate()
        let pool = WorkerPool(.init(name: "slow", workers: 1...1, timeout: .seconds(5), alarms: clock))
        let handle = try await pool.submit(
            JobOptions(name: "first"),
            returning: {
                await gate.pass()
                return Task.isCancelled
            })
        await gate.arrivals(1)
        clock.advance(by: .seconds(5))
        await #expect(
            throws: PoolError.timedOut(pool: "slow", job: "first", limit: .seconds(5), attempts: 1)
        ) { try await handle.value }
        #expect(pool.counters.overrunning == 1)
        gate.open()
        await pool.drain()
        let counters = pool.counters
        #expect(counters.timedOut == 1)
        #expect(counters.late == 1)
        #expect(counters.overrunning == 0)
        #expect(counters.accepted == counters.finished)
    }

    @Test func `that fails is repeated after its backoff, and holds no worker in the meantime`() async throws {
        let clock = ManualClock()
        let attempts = Log<Int>()
        let retry = RetryPolicy(times: 2, backoff: .seconds(1), jitter: false)
        let pool = WorkerPool(.init(workers: 1...1, retry: retry, alarms: clock))
        try await pool.submit {
            attempts.add(attempts.all.count)
            if attempts.all.count < 3 { throw TestError() }
        }
        await eventually { pool.counters.retrying == 1 }
        let other = try await pool.submit(returning: { "between" })
        #expect(try await other.value == "between")
        clock.advance(by: .milliseconds(999))
        #expect(attempts.all.count == 1)
        clock.advance(by: .milliseconds(1))
        await eventually { pool.counters.retrying == 1 && attempts.all.count == 2 }
        clock.advance(by: .seconds(2))
        await pool.drain()
        #expect(attempts.all.count == 3)
        #expect(pool.counters.retried == 2)
        #expect(pool.counters.done == 2)
    }
}

@Suite struct `A job's own limits` {
    @Test func `override the pool's`() async throws {
        let clock = ManualClock()
        let (quick, slow) = (Gate(), Gate())
        let pool = WorkerPool(.init(workers: 2...2, timeout: .seconds(10), alarms: clock))
        let short = try await pool.submit(
            JobOptions(name: "short", timeout: .seconds(1)), returning: { await quick.pass() })
        let usual = try await pool.submit(returning: { await slow.pass() })
        await quick.arrivals(1)
        await slow.arrivals(1)
        clock.advance(by: .seconds(1))
        await #expect(throws: PoolError.self) { try await short.value }
        #expect(pool.counters.timedOut == 1)
        slow.open()
        quick.open()
        try await usual.value
        await pool.drain()
        #expect(pool.counters.done == 1)
    }

    @Test func `turn retries off`() async throws {
        let pool = WorkerPool(.init(workers: 1...1, retry: RetryPolicy(times: 5, backoff: .zero)))
        let handle = try await pool.submit(
            JobOptions(retry: RetryPolicy(times: 0)), returning: { () throws -> Int in throw TestError(number: 1) })
        await #expect(throws: TestError(number: 1)) { try await handle.value }
        #expect(pool.counters.retried == 0)
        await pool.drain()
    }

    @Test func `put it ahead of others, while low levels still get their turn`() async throws {
        let (gate, log) = (Gate(), Log<String>())
        let pool = WorkerPool(.init(workers: 1...1, ageing: 3, longestRun: 1))
        try await pool.submit { await gate.pass() }
        await gate.arrivals(1)
        try await pool.submit(priority: .low) { log.add("low") }
        for number in 0..<5 { try await pool.submit(priority: .high) { log.add("high \(number)") } }
        gate.open()
        await pool.drain()
        #expect(log.all == ["high 0", "high 1", "high 2", "low", "high 3", "high 4"])
    }

    @Test func `of an attempt that ends in time are dropped, and the alarm serves the next`() async throws {
        let clock = ManualClock()
        let pool = WorkerPool(.init(workers: 1...1, timeout: .seconds(1), alarms: clock))
        for _ in 0..<100 {
            try await pool.submit {}
            await pool.waitUntilIdle()
        }
        #expect(clock.pendingCalls == 1)
        let gate = Gate()
        clock.advance(by: .milliseconds(500))
        try await pool.submit { await gate.pass() }
        await gate.arrivals(1)
        clock.advance(by: .milliseconds(999))
        #expect(pool.counters.overrunning == 0)
        clock.advance(by: .milliseconds(1))
        #expect(pool.counters.overrunning == 1)
        gate.open()
        await pool.drain()
    }

    @Test func `that cancel an attempt do not affect the worker's next job`() async throws {
        let clock = ManualClock()
        let gate = Gate()
        let pool = WorkerPool(.init(workers: 1...1, timeout: .seconds(1), alarms: clock))
        try await pool.submit { await gate.pass() }
        await gate.arrivals(1)
        let next = try await pool.submit(returning: { Task.isCancelled })
        clock.advance(by: .seconds(1))
        gate.open()
        #expect(try await next.value == false)
        await pool.drain()
    }
}
