import MetricsTestKit
import ServiceLifecycle
import ServiceLifecycleTestKit
import Testing

@testable import WorkerPools

@Suite struct `A pool's progress` {
    @Test func `can be followed from beginning to end`() async throws {
        let (clock, gate) = (ManualClock(), Gate())
        let pool = WorkerPool(.init(workers: 1...1, alarms: clock))
        let watcher = Task {
            var seen: [PoolCounters] = []
            for await counters in pool.snapshots(every: .seconds(1)) { seen.append(counters) }
            return seen
        }
        try await pool.submit { await gate.pass() }
        await gate.arrivals(1)
        for _ in 0..<3 {
            await eventually { clock.pendingCalls == 1 }
            clock.advance(by: .seconds(1))
        }
        gate.open()
        await pool.drain()
        let seen = await watcher.value
        #expect(seen.count >= 4)
        #expect(seen.last?.done == 1)
        #expect(seen.dropLast().last?.running == 1)
        #expect(seen.allSatisfy { $0.accepted == $0.outstanding + $0.finished })
    }

    @Test func `goes to swift-metrics, each figure once`() async throws {
        let factory = TestMetrics()
        let pool = WorkerPool(.init(name: "measured", workers: 2...2))
        let metrics = PoolMetrics(pool, factory: factory)
        for _ in 0..<7 { try await pool.submit {} }
        await pool.waitUntilIdle()
        metrics.report()
        metrics.report()
        try await pool.submit { throw TestError() }
        await pool.drain()
        metrics.report()
        let done = try factory.expectCounter("worker_pool_done", [("pool", "measured")])
        #expect(done.totalValue == 7)
        #expect(try factory.expectCounter("worker_pool_failed", [("pool", "measured")]).totalValue == 1)
        #expect(try factory.expectGauge("worker_pool_workers", [("pool", "measured")]).lastValue == 2)
    }

    /// Several may report at once, and the oldest snapshot may be reported last.
    @Test func `is counted once, in whatever order reports arrive`() throws {
        let factory = TestMetrics()
        let metrics = PoolMetrics(WorkerPool(.init(name: "measured", workers: 1)), factory: factory)
        for (done, failed) in [(3, 1), (10, 1), (7, 2), (10, 2), (4, 0), (12, 2)] {
            var counters = PoolCounters()
            counters.done = done
            counters.failed = failed
            metrics.report(counters)
        }
        #expect(try factory.expectCounter("worker_pool_done", [("pool", "measured")]).totalValue == 12)
        #expect(try factory.expectCounter("worker_pool_failed", [("pool", "measured")]).totalValue == 2)
    }

    /// The clock stands still: only cancellation can end the wait for the next interval.
    @Test(.timeLimit(Scale.timeLimit)) func `is reported at intervals until the task is cancelled`() async throws {
        let (clock, factory) = (ManualClock(), TestMetrics())
        let pool = WorkerPool(.init(name: "reported", workers: 1...1, alarms: clock))
        let reporter = Task { await pool.reportMetrics(every: .seconds(10), to: factory) }
        await eventually { clock.pendingCalls == 1 }
        let done = try factory.expectCounter("worker_pool_done", [("pool", "reported")])
        for number in 1...3 {
            try await pool.submit {}
            await pool.waitUntilIdle()
            clock.advance(by: .seconds(10))
            await eventually { done.totalValue == number }
        }
        await eventually { clock.pendingCalls == 1 }
        reporter.cancel()
        await reporter.value
        await pool.drain()
    }

    @Test(.timeLimit(Scale.timeLimit)) func `is not reported to a task that was cancelled before it began`() async throws {
        let pool = WorkerPool(.init(workers: 1...1, alarms: ManualClock()))
        for _ in 0..<100 {
            let watcher = Task { for await _ in pool.snapshots(every: .seconds(10)) {} }
            watcher.cancel()
            await watcher.value
        }
        await pool.drain()
    }

    @Test func `ends with a graceful shutdown of its service`() async throws {
        struct PoolService: Service {
            let pool: WorkerPool
            func run() async throws { try await cancelWhenGracefulShutdown { try await pool.run() } }
        }
        let gate = Gate()
        let service = PoolService(pool: WorkerPool(.init(workers: 1...1)))
        for _ in 0..<3 { try await service.pool.submit { await gate.pass() } }
        try await testGracefulShutdown { shutdown in
            async let running: Void = service.run()
            shutdown.triggerGracefulShutdown()
            gate.open()
            try await running
        }
        #expect(service.pool.counters.done == 3)
        await #expect(throws: PoolError.self) { try await service.pool.submit {} }
    }

    @Test func `drains when the task that runs it is cancelled`() async throws {
        let pool = WorkerPool(.init(workers: 1...1))
        try await pool.submit {}
        let running = Task { try await pool.run() }
        running.cancel()
        try await running.value
        #expect(pool.counters.done == 1)
        #expect(pool.counters.accepted == 1)
    }
}
