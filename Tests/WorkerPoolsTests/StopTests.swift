import Testing
import WorkerPools

@Suite struct `Stopping a pool` {
    enum Load: CaseIterable { case idle, busy, full }
    enum Way: CaseIterable { case drain, deadline, now }

    @Test(arguments: Load.allCases, Way.allCases)
    func `ends it from every state, once or twice`(load: Load, way: Way) async throws {
        let gate = Gate()
        let pool = WorkerPool(.init(workers: 2...2, queue: .bounded(4)))
        let jobs = load == .idle ? 0 : load == .busy ? 2 : 6
        for _ in 0..<min(jobs, 2) { try await pool.submit { await gate.pass() } }
        if jobs > 0 { await gate.arrivals(2) }
        for _ in 2..<max(jobs, 2) { try await pool.submit { await gate.pass() } }
        var undone = 0
        switch way {
        case .drain: gate.open()
        case .deadline: undone = await pool.drain(within: load == .idle ? .seconds(60) : .zero).count
        case .now: undone = pool.cancel().count
        }
        gate.open()
        await pool.drain()
        await pool.drain()
        #expect(pool.cancel().isEmpty)
        let counters = pool.counters
        #expect(counters.accepted == jobs)
        #expect(counters.finished == jobs)
        #expect(counters.outstanding == 0)
        #expect(undone == (way == .drain ? 0 : max(0, jobs - 2)))
        #expect(counters.cancelled == undone)
    }

    @Test func `by draining finishes all accepted jobs, however many drain it at once`() async throws {
        let pool = WorkerPool(.init(workers: 3...3))
        for _ in 0..<100 { try await pool.submit { await Task.yield() } }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { await pool.drain() } }
        }
        #expect(pool.counters.done == 100)
    }

    @Test func `cancels the tasks of running jobs`() async throws {
        let gate = Gate()
        let pool = WorkerPool(.init(workers: 1...1))
        let handle = try await pool.submit(returning: { () async throws -> Bool in
            await gate.pass()
            try Task.checkCancellation()
            return true
        })
        await gate.arrivals(1)
        pool.cancel()
        gate.open()
        await #expect(throws: PoolError.cancelled(pool: "pool", job: nil)) { try await handle.value }
        await pool.drain()
        #expect(pool.counters.cancelled == 1)
    }

    @Test func `hands undone jobs back so that they can be run elsewhere`() async throws {
        let (gate, log) = (Gate(), Log<Int>())
        let pool = WorkerPool(.init(workers: 1...1))
        try await pool.submit { await gate.pass() }
        await gate.arrivals(1)
        for number in 0..<3 { try await pool.submit(JobOptions(name: "job \(number)")) { log.add(number) } }
        let undone = pool.cancel()
        gate.open()
        await pool.drain()
        #expect(log.all.isEmpty)
        #expect(undone.map(\.name) == ["job 0", "job 1", "job 2"])
        for job in undone { try await job.body() }
        #expect(log.all == [0, 1, 2])
    }

    @Test func `still accepts jobs from its own jobs while draining, and from no one else`() async throws {
        let (gate, log) = (Gate(), Log<String>())
        let pool = WorkerPool(.init(workers: 2...2))
        try await pool.submit {
            await gate.pass()
            try await pool.submit { log.add("inner") }
            log.add("outer")
        }
        await gate.arrivals(1)
        async let drained: Void = pool.drain()
        await eventually { (try? pool.submitNow {}) == nil }
        gate.open()
        await drained
        #expect(log.all.sorted() == ["inner", "outer"])
        await #expect(throws: PoolError.self) { try await pool.submit {} }
    }

    @Test func `from one of its own jobs waits only for the others`() async throws {
        let log = Log<String>()
        let pool = WorkerPool(.init(workers: 1...1))
        let drainer = try await pool.submit(returning: {
            await pool.drain()
            log.add("drained")
        })
        for _ in 0..<5 { _ = try? await pool.submit { log.add("other") } }
        try await drainer.value
        await pool.drain()
        #expect(log.all.last == "drained")
        #expect(pool.counters.accepted == pool.counters.done)
    }

    @Test func `with pending retries ends them too`() async throws {
        let clock = ManualClock()
        let pool = WorkerPool(
            .init(workers: 1...1, retry: RetryPolicy(times: 9, backoff: .seconds(60), jitter: false), alarms: clock))
        let handle = try await pool.submit(returning: { () throws -> Int in throw TestError() })
        await eventually { pool.counters.retrying == 1 }
        #expect(pool.cancel().count == 1)
        await #expect(throws: PoolError.cancelled(pool: "pool", job: nil)) { try await handle.value }
        await pool.drain()
    }

    @Test func `happens when its last reference is released, after its jobs are done`() async throws {
        let gate = Gate()
        let done = Log<Int>()
        do {
            let pool = WorkerPool(.init(workers: 1...1))
            for number in 0..<3 {
                try await pool.submit {
                    await gate.pass()
                    done.add(number)
                }
            }
        }
        gate.open()
        await eventually { done.all.count == 3 }
        #expect(done.all == [0, 1, 2])
    }

    @Test func `is what the scoped form does at its end`() async throws {
        let log = Log<Int>()
        let kept = try await withWorkerPool(.init(workers: 2...2)) { pool in
            for number in 0..<10 { try await pool.submit { log.add(number) } }
            return pool
        }
        #expect(log.all.count == 10)
        await #expect(throws: PoolError.self) { try await kept.submit {} }
        await #expect(throws: TestError(number: 1)) {
            try await withWorkerPool(.init(workers: 2...2)) { _ in throw TestError(number: 1) }
        }
    }
}
