import Testing
import WorkerPools

@Suite struct `A full queue` {
    /// A pool of one worker, which is held at the gate, with one job in its queue of one.
    private func fullPool(_ policy: FullQueuePolicy, _ gate: Gate, _ log: Log<String>) async throws -> WorkerPool {
        let pool = WorkerPool(.init(name: "full", workers: 1...1, queue: .bounded(1), whenFull: policy))
        try await pool.submit {
            await gate.pass()
            log.add("held")
        }
        await gate.arrivals(1)
        try await pool.submit { log.add("waiting") }
        return pool
    }

    @Test func `rejects with an error that names the pool and its capacity`() async throws {
        let (gate, log) = (Gate(), Log<String>())
        let pool = try await fullPool(.reject, gate, log)
        await #expect(throws: PoolError.full(pool: "full", capacity: 1)) { try await pool.submit { log.add("no") } }
        #expect(throws: PoolError.full(pool: "full", capacity: 1)) { try pool.submitNow { log.add("no") } }
        gate.open()
        await pool.drain()
        #expect(log.all == ["held", "waiting"])
        #expect(pool.counters.rejected == 2)
    }

    @Test func `lets the submitter run the job itself`() async throws {
        let (gate, log) = (Gate(), Log<String>())
        let pool = try await fullPool(.runInCaller, gate, log)
        try await pool.submit { log.add("in caller") }
        #expect(log.all == ["in caller"])
        gate.open()
        await pool.drain()
        #expect(log.all == ["in caller", "held", "waiting"])
        #expect(pool.counters.done == 3)
    }

    @Test func `drops the oldest job, and its handle throws`() async throws {
        let (gate, log) = (Gate(), Log<String>())
        let pool = WorkerPool(.init(name: "full", workers: 1...1, queue: .bounded(1), whenFull: .dropOldest))
        try await pool.submit { await gate.pass() }
        await gate.arrivals(1)
        let oldest = try await pool.submit(JobOptions(name: "oldest"), returning: { log.add("oldest") })
        try await pool.submit { log.add("newest") }
        await #expect(throws: PoolError.dropped(pool: "full", job: "oldest")) { try await oldest.value }
        gate.open()
        await pool.drain()
        #expect(log.all == ["newest"])
        #expect(pool.counters.dropped == 1)
    }

    @Test func `drops the newest job, and its handle throws`() async throws {
        let (gate, log) = (Gate(), Log<String>())
        let pool = try await fullPool(.dropNewest, gate, log)
        let newest = try await pool.submit(returning: { log.add("newest") })
        await #expect(throws: PoolError.dropped(pool: "full", job: nil)) { try await newest.value }
        gate.open()
        await pool.drain()
        #expect(log.all == ["held", "waiting"])
    }

    @Test func `releases a cancelled submitter, without its job`() async throws {
        let (gate, log) = (Gate(), Log<String>())
        let pool = try await fullPool(.suspend, gate, log)
        let submitter = Task { try await pool.submit { log.add("never") } }
        await eventually { pool.counters.suspended == 1 }
        submitter.cancel()
        await #expect(throws: CancellationError.self) { try await submitter.value }
        gate.open()
        await pool.drain()
        #expect(log.all == ["held", "waiting"])
        #expect(pool.counters.accepted == 2)
    }

    @Test func `refuses its suspended submitters when the pool drains`() async throws {
        let (gate, log) = (Gate(), Log<String>())
        let pool = try await fullPool(.suspend, gate, log)
        let submitter = Task { try await pool.submit { log.add("never") } }
        await eventually { pool.counters.suspended == 1 }
        async let drained: Void = pool.drain()
        await #expect(throws: PoolError.closed(pool: "full")) { try await submitter.value }
        gate.open()
        await drained
        #expect(log.all == ["held", "waiting"])
    }

    /// The last of the prefetched jobs waits for something outside the pool. Does not read counters
    /// in the meantime: that would get a stalled pool going again.
    @Test(.timeLimit(Scale.timeLimit), arguments: [4, 16, 64])
    func `lets submitters in as soon as there is room, even if no worker comes to the queue`(capacity: Int) async throws {
        for held in 200..<Scale.rounds(230, full: 400) {
            let gate = Gate()
            let pool = WorkerPool(.init(workers: 1...1, queue: .bounded(capacity)))
            for number in 0..<held + capacity / 2 {
                try await pool.submit { if number == held { await gate.pass() } }
            }
            gate.open()
            await pool.drain()
            #expect(pool.counters.done == held + capacity / 2)
        }
    }

    @Test func `passes a hundred thousand jobs through a queue of a hundred`() async throws {
        let pool = WorkerPool(.init(workers: 2...2, queue: .bounded(100)))
        let most = Log<Int>()
        for number in 0..<100_000 {
            try await pool.submit {}
            if number % 1000 == 0 { most.add(pool.counters.queued) }
        }
        await pool.drain()
        #expect(pool.counters.done == 100_000)
        #expect(most.all.allSatisfy { $0 <= 100 + 2 * 32 })
    }
}
