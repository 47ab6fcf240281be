import Testing

@testable import WorkerPools

@Suite struct `A pool's size` {
    private func pool(_ clock: ManualClock) -> WorkerPool {
        WorkerPool(.init(workers: 2...16, queue: .unbounded, alarms: clock))
    }

    @Test func `doubles when waiting jobs exceed three quarters of the workers`() async throws {
        let (clock, gate) = (ManualClock(), Gate())
        let pool = pool(clock)
        for number in 1...2 {
            try await pool.submit { await gate.pass() }
            await gate.arrivals(number)
        }
        #expect(pool.counters.workers == 2)
        try await pool.submit { await gate.pass() }
        try await pool.submit { await gate.pass() }
        #expect(pool.counters.workers == 4)
        await gate.arrivals(4)
        for _ in 0..<100 { try await pool.submit { await gate.pass() } }
        await gate.arrivals(16)
        #expect(pool.counters.workers == 16)
        #expect(pool.counters.running == 16)
        gate.open()
        await pool.drain()
        #expect(pool.counters.peakRunning == 16)
    }

    @Test func `grows for jobs that come back for another attempt`() async throws {
        let (clock, gate, tally) = (ManualClock(), Gate(), Tally())
        let retry = RetryPolicy(times: 1, backoff: .seconds(1), jitter: false)
        let pool = WorkerPool(.init(workers: 1...8, queue: .unbounded, retry: retry, alarms: clock))
        for _ in 0..<40 {
            try await pool.submit {
                if tally.next() <= 40 { throw TestError() }
                await gate.pass()
            }
        }
        await eventually { pool.counters.retrying == 40 }
        while pool.counters.workers > 1 { clock.advance(by: .milliseconds(100)) }
        if pool.counters.retrying > 0 { clock.advance(by: .seconds(1)) }
        await gate.arrivals(8)
        gate.open()
        await pool.drain()
    }

    /// Jobs that there is no room for wait as well.
    @Test(.timeLimit(Scale.timeLimit), arguments: [1, 2, 4])
    func `grows for submitters that wait for room`(capacity: Int) async throws {
        let gate = Gate()
        let pool = WorkerPool(.init(workers: 1...8, queue: .bounded(capacity)))
        let submitters = (0..<20).map { _ in Task { try await pool.submit { await gate.pass() } } }
        await gate.arrivals(8)
        gate.open()
        for submitter in submitters { try await submitter.value }
        await pool.drain()
        #expect(pool.counters.peakRunning == 8)
    }

    /// A policy that never shrinks, and one that takes its time.
    @Test(arguments: [Duration.milliseconds(100), .seconds(3600)])
    func `is not checked any more when the pool has ended`(quietPeriod: Duration) async throws {
        let (clock, gate) = (ManualClock(), Gate())
        weak var storage: PoolStorage?
        do {
            let sizing = SizingPolicy(quietPeriod: quietPeriod, grow: { 2 * $0.workers }, shrink: { $0.workers })
            let pool = WorkerPool(.init(workers: 1...4, queue: .unbounded, sizing: sizing, alarms: clock))
            storage = pool.storage
            for _ in 0..<20 { try await pool.submit { await gate.pass() } }
            await gate.arrivals(4)
            if quietPeriod < .seconds(1) { for _ in 0..<3 { clock.advance(by: quietPeriod) } }
            #expect(clock.pendingCalls == 1)
            gate.open()
            await pool.drain()
        }
        await eventually { [weak storage] in storage == nil }
        clock.advance(by: quietPeriod)
        #expect(clock.pendingCalls == 0)
    }

    @Test func `halves after each quiet period in which no job waited, down to the minimum`() async throws {
        let (clock, gate) = (ManualClock(), Gate())
        let pool = pool(clock)
        for _ in 0..<100 { try await pool.submit { await gate.pass() } }
        await gate.arrivals(16)
        gate.open()
        await pool.waitUntilIdle()
        var sizes: [Int] = []
        for _ in 0..<6 {
            clock.advance(by: .milliseconds(100))
            sizes.append(pool.counters.workers)
        }
        #expect(sizes == [16, 8, 4, 2, 2, 2])
        #expect(clock.pendingCalls == 0)
        await pool.drain()
    }

    @Test func `does not flap while jobs wait now and then`() async throws {
        let clock = ManualClock()
        let pool = pool(clock)
        for _ in 0..<20 {
            let gate = Gate()
            for _ in 0..<40 { try await pool.submit { await gate.pass() } }
            await gate.arrivals(16)
            gate.open()
            await pool.waitUntilIdle()
            #expect(pool.counters.workers == 16)
            clock.advance(by: .milliseconds(99))
        }
        await pool.drain()
    }

    @Test func `shrinks under a light load in which no job ever waits`() async throws {
        let (clock, gate) = (ManualClock(), Gate())
        let pool = pool(clock)
        for _ in 0..<40 { try await pool.submit { await gate.pass() } }
        await gate.arrivals(16)
        gate.open()
        await pool.waitUntilIdle()
        for _ in 0..<8 {
            try await pool.submit {}
            await pool.waitUntilIdle()
            clock.advance(by: .milliseconds(100))
        }
        #expect(pool.counters.workers == 2)
        await pool.drain()
    }

    @Test func `does not shrink after a single job has waited while all workers were busy`() async throws {
        let (clock, first, second, last) = (ManualClock(), Gate(), Gate(), Gate())
        let pool = pool(clock)
        for _ in 0..<40 { try await pool.submit { await first.pass() } }
        await first.arrivals(16)
        first.open()
        await pool.waitUntilIdle()
        clock.advance(by: .milliseconds(100))
        for _ in 0..<16 { try await pool.submit { await second.pass() } }
        await second.arrivals(16)
        try await pool.submit { await last.pass() }
        second.open()
        // It has begun before this task looks at the pool again.
        await last.arrivals(1)
        last.open()
        await pool.waitUntilIdle()
        clock.advance(by: .milliseconds(100))
        #expect(pool.counters.workers == 16)
        clock.advance(by: .milliseconds(100))
        #expect(pool.counters.workers == 8)
        await pool.drain()
    }

    @Test func `returns to the minimum a hundred times, and its workers with it`() async throws {
        let clock = ManualClock()
        let pool = pool(clock)
        for _ in 0..<100 {
            let gate = Gate()
            for _ in 0..<40 { try await pool.submit { await gate.pass() } }
            await gate.arrivals(16)
            gate.open()
            await pool.waitUntilIdle()
            for _ in 0..<6 { clock.advance(by: .milliseconds(100)) }
            #expect(pool.counters.workers == 2)
        }
        await pool.drain()
        #expect(pool.counters.done == 4000)
    }

    @Test func `follows a custom policy, within the bounds`() async throws {
        let (clock, gate) = (ManualClock(), Gate())
        let policy = SizingPolicy(quietPeriod: .seconds(1), grow: { $0.workers + 100 }, shrink: { _ in 0 })
        let pool = WorkerPool(.init(workers: 1...8, sizing: policy, alarms: clock))
        try await pool.submit { await gate.pass() }
        await gate.arrivals(1)
        try await pool.submit {}
        #expect(pool.counters.workers == 8)
        gate.open()
        await pool.waitUntilIdle()
        clock.advance(by: .seconds(2))
        #expect(pool.counters.workers == 1)
        await pool.drain()
    }

    @Test func `changed while it runs never lets more run than the limit`() async throws {
        let (gauge, pool) = (Gauge(), WorkerPool(.init(workers: 1...1, queue: .unbounded)))
        for _ in 0..<400 {
            try await pool.submit {
                gauge.enter()
                await Task.yield()
                gauge.leave()
            }
        }
        for size in [9, 3, 12, 1, 5, 2, 8] {
            await pool.resize(to: size)
            #expect(pool.counters.running <= size)
        }
        await pool.drain()
        #expect(gauge.peak <= 12)
        #expect(pool.counters.done == 400)
    }

    @Test func `lowered while all are busy is reached when enough have ended, and growth wakes waiting jobs`() async throws {
        let (gate, second) = (Gate(), Gate())
        let pool = WorkerPool(.init(workers: 8...8, queue: .unbounded))
        for _ in 0..<8 { try await pool.submit { await gate.pass() } }
        await gate.arrivals(8)
        for _ in 0..<8 { try await pool.submit { await second.pass() } }
        let lowered = Task { await pool.resize(to: 2) }
        await eventually { pool.counters.workers == 2 }
        #expect(pool.counters.running == 8)
        gate.open()
        await lowered.value
        await second.arrivals(2)
        #expect(pool.counters.running == 2)
        await pool.resize(to: 8)
        await second.arrivals(8)
        #expect(pool.counters.running == 8)
        second.open()
        await pool.drain()
    }
}
