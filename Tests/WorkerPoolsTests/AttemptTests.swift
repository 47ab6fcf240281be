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

    @Test func `that fails is made again after its backoff, and holds no worker meanwhile`() async throws {
        let clock = ManualClock()
        let attempts = Log<Int>()
        let retry = RetryPolicy(times: 2, backoff: .seconds(1), jitter: false)
        let pool = WorkerPool(.init(workers: 1...1, retry: retry, alarms: clock))
        try await pool.submit {
            attempts.add(attempts.all.count)
            if attempts.all.count < 3 { throw Trouble() }
        }
        await eventually { pool.counters.retrying == 1 }
        let other = try await pool.submit(returning: { "meanwhile" })
        #expect(try await other.value == "meanwhile")
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
