import Testing
import WorkerPools

@Suite struct `Jobs that wait for jobs of their own pool` {
    @Test func `nest a hundred deep on one worker`() async throws {
        let gauge = Gauge()
        let pool = WorkerPool(.init(workers: 1...1, queue: .bounded(1)))
        @Sendable func descend(_ depth: Int) async throws -> Int {
            guard depth > 0 else { return 0 }
            let inner = try await pool.submit(returning: { () async throws -> Int in try await descend(depth - 1) })
            return try await inner.value + 1
        }
        let outer = try await pool.submit(returning: { () async throws -> Int in
            gauge.enter()
            gauge.leave()
            return try await descend(100)
        })
        #expect(try await outer.value == 100)
        await pool.drain()
        #expect(pool.counters.peakRunning == 1)
        #expect(pool.counters.done == 101)
    }

    @Test func `never exceed the limit when they take their place back`() async throws {
        let gauge = Gauge()
        let pool = WorkerPool(.init(workers: 3...3))
        for _ in 0..<60 {
            try await pool.submit {
                let inner = try await pool.submit(returning: {
                    gauge.enter()
                    await Task.yield()
                    gauge.leave()
                })
                try await inner.value
                gauge.enter()
                await Task.yield()
                gauge.leave()
            }
        }
        await pool.drain()
        #expect(gauge.peak <= 3)
        #expect(pool.counters.peakRunning <= 3)
        #expect(pool.counters.done == 120)
    }

    @Test func `submit into their own full queue without hanging`() async throws {
        let pool = WorkerPool(.init(workers: 2...2, queue: .bounded(1)))
        for _ in 0..<50 {
            try await pool.submit {
                for _ in 0..<4 { try await pool.submit {} }
            }
        }
        await pool.waitUntilIdle()
        #expect(pool.counters.done == 250)
        await pool.drain()
    }

    /// Does not read counters in the meantime: that would get a stalled pool going again.
    @Test(.timeLimit(Scale.timeLimit), arguments: [3, 8, 16, 100], [1, 2])
    func `submit into a queue that submitters outside wait for, too`(capacity: Int, workers: Int) async throws {
        let pool = WorkerPool(.init(workers: workers...workers, queue: .bounded(capacity)))
        let count = Scale.rounds(500, full: 20_000)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for number in 0..<count {
                        try await pool.submit { if number % 10 == 0 { try await pool.submit {} } }
                    }
                }
            }
            try await group.waitForAll()
        }
        await pool.drain()
        #expect(pool.counters.done == 4 * (count + (count + 9) / 10))
    }

    @Test func `may wait for the pool to be idle but for themselves`() async throws {
        let log = Log<String>()
        let pool = WorkerPool(.init(workers: 1...1))
        try await pool.submit {
            try await pool.submit { log.add("other") }
            await pool.waitUntilIdle()
            log.add("waiter")
        }
        await pool.waitUntilIdle()
        #expect(log.all == ["other", "waiter"])
        await pool.drain()
    }

    @Test func `are counted right when they time out first and lend their place afterwards`() async throws {
        let (clock, gate, inner) = (ManualClock(), Gate(), Gate())
        let pool = WorkerPool(.init(workers: 1...1, timeout: .seconds(1), alarms: clock))
        try await pool.submit {
            await gate.pass()
            let handle = try await pool.submit(returning: { await inner.pass() })
            try await handle.value
        }
        await gate.arrivals(1)
        clock.advance(by: .seconds(1))
        gate.open()
        await inner.arrivals(1)
        let counters = pool.counters
        #expect(counters.overrunning == 1)
        #expect(counters.running == 1)
        #expect(counters.lent == 0)
        #expect(counters.accepted == counters.outstanding + counters.finished)
        inner.open()
        await pool.drain()
        #expect(pool.counters.timedOut == 1)
        #expect(pool.counters.done == 1)
    }

    @Test func `map on their own pool`() async throws {
        let pool = WorkerPool(.init(workers: 1...1, queue: .bounded(2)))
        let sum = try await pool.submit(returning: { () async throws -> Int in
            try await pool.map(1...100) { $0 * 2 }.reduce(0, +)
        })
        #expect(try await sum.value == 10100)
        await pool.drain()
    }
}
