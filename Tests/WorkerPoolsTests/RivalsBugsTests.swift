import Synchronization
import Testing
import WorkerPools

/// Bugs found in other pools, each shown to be absent here. In brackets: where it was found.
@Suite struct `Bugs of other pools` {
    @Test func `a timeout does not hang the workers of jobs that finish in time [GoPool 21]`() async throws {
        let clock = ManualClock()
        let pool = WorkerPool(.init(workers: 2...2, timeout: .seconds(1), alarms: clock))
        for _ in 0..<1000 { try await pool.submit {} }
        await pool.waitUntilIdle()
        clock.advance(by: .seconds(10))
        for _ in 0..<1000 { try await pool.submit {} }
        await pool.drain()
        #expect(pool.counters.done == 2000)
        #expect(pool.counters.timedOut == 0)
    }

    @Test func `a timed-out job keeps its slot until it has really ended: twenty overruns, one at a time [GoPool]`() async throws {
        let clock = ManualClock()
        let gauge = Gauge()
        let gates = (0..<20).map { _ in Gate() }
        let pool = WorkerPool(.init(workers: 1...1, timeout: .seconds(1), alarms: clock))
        for gate in gates {
            try await pool.submit {
                gauge.enter()
                await gate.pass()
                gauge.leave()
            }
        }
        for gate in gates {
            await gate.arrivals(1)
            clock.advance(by: .seconds(1))
            #expect(pool.counters.overrunning == 1)
            #expect(gauge.now == 1)
            gate.open()
        }
        await pool.drain()
        #expect(gauge.peak == 1)
        #expect(pool.counters.timedOut == 20)
        #expect(pool.counters.late == 20)
    }

    @Test func `a retry never runs at the same time as the old attempt [GoPool]`() async throws {
        let clock = ManualClock()
        let (gauge, gate) = (Gauge(), Gate())
        let attempts = Log<Int>()
        let pool = WorkerPool(
            .init(
                workers: 4...4, timeout: .seconds(1), retry: RetryPolicy(times: 1, backoff: .zero, jitter: false),
                alarms: clock))
        try await pool.submit {
            gauge.enter()
            attempts.add(1)
            if attempts.all.count == 1 { await gate.pass() }
            gauge.leave()
        }
        await gate.arrivals(1)
        clock.advance(by: .seconds(60))
        #expect(attempts.all.count == 1)
        gate.open()
        await pool.drain()
        #expect(attempts.all.count == 2)
        #expect(gauge.peak == 1)
        #expect(pool.counters.done == 1)
    }

    @Test func `waiting never ends before the job has run: 20,000 rounds [GoPool, 1,999 of 2,000]`() async throws {
        let pool = WorkerPool(.init(workers: 2...2))
        let count = Atomic(0)
        for round in 1...20_000 {
            try await pool.submit { count.add(1, ordering: .relaxed) }
            await pool.waitUntilIdle()
            if count.load(ordering: .relaxed) != round {
                Issue.record("round \(round): idle before the job had run")
                break
            }
        }
        await pool.drain()
    }

    @Test func `ending a pool without waiting first does not lose its queue [GoPool]`() async throws {
        let pool = WorkerPool(.init(workers: 1...8, queue: .unbounded))
        let count = Atomic(0)
        for _ in 0..<5000 { try await pool.submit { count.add(1, ordering: .relaxed) } }
        await pool.drain()
        #expect(count.load(ordering: .relaxed) == 5000)
    }

    @Test func `a submit from a job into a full queue does not hang [GoPool]`() async throws {
        let pool = WorkerPool(.init(workers: 1...1, queue: .bounded(1)))
        try await pool.submit { for _ in 0..<100 { try await pool.submit {} } }
        await pool.waitUntilIdle()
        #expect(pool.counters.done == 101)
        await pool.drain()
    }

    @Test func `a storm of resizing keeps to the limit and loses no job [ants 26, 70, 113, 154, 205]`() async throws {
        let gauge = Gauge()
        let pool = WorkerPool(.init(workers: 4...4, queue: .unbounded))
        let storm = Task {
            var random = Seeded(state: 3)
            while !Task.isCancelled { await pool.resize(to: Int.random(in: 1...12, using: &random)) }
        }
        for _ in 0..<3000 {
            try await pool.submit {
                gauge.enter()
                await Task.yield()
                gauge.leave()
            }
        }
        await pool.waitUntilIdle()
        storm.cancel()
        await storm.value
        await pool.drain()
        #expect(gauge.peak <= 12)
        #expect(pool.counters.done == 3000)
        #expect(pool.counters.running == 0)
    }

    @Test func `submitting while the pool ends gives an error or a run, never a crash [pond 5, 20, 43, 70]`() async throws {
        for _ in 0..<200 {
            let pool = WorkerPool(.init(workers: 2...2, queue: .bounded(2)))
            let (accepted, ran) = (Log<Bool>(), Gauge())
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        for _ in 0..<10 where (try? await pool.submit { ran.enter() }) != nil { accepted.add(true) }
                    }
                }
                group.addTask { await pool.drain() }
            }
            #expect(accepted.all.count == ran.now)
            #expect(pool.counters.done == ran.now)
        }
    }

    @Test func `cancelling with queued jobs does not hang [pond 61, 138]`() async throws {
        let gate = Gate()
        let pool = WorkerPool(.init(workers: 1...1, queue: .unbounded))
        for _ in 0..<1000 { try await pool.submit { await gate.pass() } }
        #expect(pool.cancel().count >= 999)
        gate.open()
        await pool.drain()
        #expect(pool.counters.outstanding == 0)
    }

    @Test func `an ended job's closure is not kept alive by its slot [pond 110]`() async throws {
        final class Canary: Sendable {}
        let pool = WorkerPool(.init(workers: 2...2))
        weak var watched: Canary?
        do {
            let canary = Canary()
            watched = canary
            try await pool.submit { withExtendedLifetime(canary) {} }
        }
        await pool.waitUntilIdle()
        let seen = Mutex<Bool>(false)
        for _ in 0..<10_000 where watched != nil { await Task.yield() }
        seen.withLock { $0 = watched == nil }
        #expect(seen.withLock { $0 })
        await pool.drain()
    }

    @Test func `lost wake-ups do not happen: many submitters, one job each, over and over [pond 108]`() async throws {
        let pool = WorkerPool(.init(workers: 3...3, queue: .bounded(1)))
        for _ in 0..<300 {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<8 { group.addTask { try? await pool.submit {} } }
            }
        }
        await pool.drain()
        #expect(pool.counters.done == 2400)
    }

    @Test func `a throwing callback does not take the pool down`() async throws {
        let pool = WorkerPool(.init(workers: 1...1, onFailure: { _ in throw TestError() }))
        for number in 0..<20 { try await pool.submit { if number % 2 == 0 { throw TestError() } } }
        await pool.drain()
        #expect(pool.counters.done == 10)
        #expect(pool.counters.failed == 10)
        #expect(pool.counters.callbackFailures == 10)
    }

    @Test func `the error callback gets each attempt's job, error, number and the wait that follows`() async throws {
        let clock = ManualClock()
        let log = Log<FailedAttempt>()
        let retry = RetryPolicy(
            times: 2, backoff: .seconds(1), jitter: false, retries: { ($0 as? TestError)?.number != 13 })
        let pool = WorkerPool(.init(workers: 1...1, retry: retry, alarms: clock, onFailure: { log.add($0) }))
        let attempts = Gauge()
        try await pool.submit(JobOptions(name: "twice")) {
            attempts.enter()
            throw TestError(number: attempts.now == 2 ? 13 : 1)
        }
        await eventually { pool.counters.retrying == 1 }
        clock.advance(by: .seconds(1))
        await pool.drain()
        #expect(log.all.map(\.job) == ["twice", "twice"])
        #expect(log.all.map(\.attempt) == [1, 2])
        #expect(log.all.map(\.retryAfter) == [.seconds(1), nil])
        #expect(pool.counters.failed == 1)
    }

    @Test func `pools come and go without leaving workers behind [ants 212, 323]`() async throws {
        let executor = ThreadExecutor(threads: 2, name: "shared")
        for _ in 0..<200 {
            var configuration = WorkerPool.Configuration(name: "brief", workers: 8)
            configuration.executor = executor
            let pool = WorkerPool(configuration)
            for _ in 0..<20 { try await pool.submit { await Task.yield() } }
            await pool.drain()
            #expect(pool.counters.done == 20)
        }
        executor.shutdown()
    }
}
