import Testing
import WorkerPools

@Suite struct `A worker pool` {
    @Test func `runs every job that it accepts`() async throws {
        let log = Log<Int>()
        let pool = WorkerPool(.init(workers: 1...4))
        for number in 0..<1000 { try await pool.submit { log.add(number) } }
        await pool.drain()
        #expect(log.all.sorted() == Array(0..<1000))
        #expect(pool.counters.done == 1000)
        #expect(pool.counters.accepted == 1000)
    }

    @Test func `of one worker runs jobs in the order of their submission`() async throws {
        let log = Log<Int>()
        let pool = WorkerPool(.init(workers: 1))
        for number in 0..<500 { try await pool.submit { log.add(number) } }
        await pool.drain()
        #expect(log.all == Array(0..<500))
    }

    @Test(arguments: [1, 2, 7]) func `never runs more jobs than its limit`(limit: Int) async throws {
        let gauge = Gauge()
        let pool = WorkerPool(.init(workers: limit))
        for _ in 0..<300 {
            try await pool.submit {
                gauge.enter()
                await Task.yield()
                gauge.leave()
            }
        }
        await pool.drain()
        #expect(gauge.peak <= limit)
        #expect(pool.counters.peakRunning <= limit)
    }

    @Test func `returns the value of a job`() async throws {
        let pool = WorkerPool(.init(workers: 2))
        let handle = try await pool.submit(returning: { 6 * 7 })
        #expect(try await handle.value == 42)
        await pool.drain()
    }

    @Test func `throws the error of a job as it was thrown`() async throws {
        let pool = WorkerPool(.init(workers: 2))
        let handle = try await pool.submit(returning: { () throws -> Int in throw TestError(number: 3) })
        await #expect(throws: TestError(number: 3)) { try await handle.value }
        await pool.drain()
        #expect(pool.counters.failed == 1)
    }

    @Test func `suspends a submitter while its queue is full`() async throws {
        let gate = Gate()
        let pool = WorkerPool(.init(workers: 1, queue: .bounded(2)))
        for _ in 0..<3 { try await pool.submit { await gate.pass() } }
        await gate.arrivals(1)
        async let fourth: Void = pool.submit {}
        await eventually { pool.counters.suspended == 1 }
        #expect(pool.counters.queued == 2)
        gate.open()
        try await fourth
        await pool.drain()
        #expect(pool.counters.done == 4)
    }

    @Test func `accepts no job once it drains`() async throws {
        let pool = WorkerPool(.init(name: "ended", workers: 2))
        await pool.drain()
        await #expect(throws: PoolError.closed(pool: "ended")) { try await pool.submit {} }
        #expect(pool.counters.rejected == 1)
    }

    @Test func `hands back the jobs it has not begun when it is cancelled`() async throws {
        let gate = Gate()
        let pool = WorkerPool(.init(workers: 1))
        for _ in 0..<4 { try await pool.submit { await gate.pass() } }
        await gate.arrivals(1)
        let undone = pool.cancel()
        #expect(undone.count == 3)
        gate.open()
        await pool.drain()
        #expect(pool.counters.cancelled == 3)
        #expect(pool.counters.done == 1)
    }
}
