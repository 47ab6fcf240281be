import Testing
import WorkerPools

/// 10,000,000 jobs through a queue of 10,000 with `SLUICE_FULL_SCALE=1`.
@Suite struct `Many jobs through a full queue` {
    @Test func `are never alive in greater numbers than queue and workers hold`() async throws {
        let capacity = Scale.rounds(500, full: 10_000)
        let (counter, ran) = (InstanceCounter(), Tally())
        let pool = WorkerPool(.init(workers: 2...2, queue: .bounded(capacity)))
        for _ in 0..<Scale.rounds(100_000, full: 10_000_000) {
            let instance = InstanceCounter.Instance(of: counter)
            try await pool.submit {
                instance.touch()
                ran.add()
            }
        }
        await pool.drain()
        #expect(ran.value == Scale.rounds(100_000, full: 10_000_000))
        // One more held by the submitter, and those that workers have taken out together.
        #expect(counter.peak <= capacity + 1 + 2 * (32 + 1))
        #expect(counter.now == 0)
    }

    @Test(arguments: [FullQueuePolicy.suspend, .reject, .runInCaller, .dropOldest, .dropNewest])
    func `go where the policy sends them, and nowhere else`(policy: FullQueuePolicy) async throws {
        let (capacity, each) = (20, Scale.rounds(3000, full: 100_000))
        let (counter, ran, refused, inPool) = (InstanceCounter(), Tally(), Tally(), Gauge())
        let pool = WorkerPool(.init(workers: 2...2, queue: .bounded(capacity), whenFull: policy))
        let longest = Log<Int>()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for number in 0..<each {
                        let instance = InstanceCounter.Instance(of: counter)
                        do {
                            try await pool.submit {
                                inPool.enter()
                                if number % 16 == 0 { await Task.yield() }
                                instance.touch()
                                ran.add()
                                inPool.leave()
                            }
                        } catch {
                            if error as? PoolError == .full(pool: "pool", capacity: capacity) { refused.add() }
                        }
                        if number % 50 == 0 { longest.add(pool.counters.queued) }
                    }
                }
            }
        }
        await pool.drain()
        let counters = pool.counters
        #expect(counters.addUp && counters.outstanding == 0, "\(counters)")
        #expect(counters.accepted + counters.rejected == 4 * each)
        #expect(counters.rejected == refused.value)
        #expect(counters.done == ran.value)
        #expect(counters.done + counters.dropped == counters.accepted)
        #expect((counters.rejected > 0) == (policy == .reject), "\(counters)")
        #expect((counters.dropped > 0) == (policy == .dropOldest || policy == .dropNewest), "\(counters)")
        #expect(inPool.peak <= (policy == .runInCaller ? 6 : 2))
        #expect(longest.all.allSatisfy { $0 <= capacity + 2 * 32 })
        #expect(counter.peak <= capacity + 2 * (32 + 1) + 2 * 4)
        #expect(counter.now == 0)
    }

    /// `suspend` is covered by the other suites.
    @Test(arguments: [FullQueuePolicy.reject, .runInCaller, .dropOldest, .dropNewest])
    func `submitted by a job of the pool do not hang it`(policy: FullQueuePolicy) async throws {
        let pool = WorkerPool(.init(workers: 1...1, queue: .bounded(2), whenFull: policy))
        let (ran, refused) = (Tally(), Tally())
        try await pool.submit {
            for _ in 0..<100 {
                do {
                    try await pool.submit { ran.add() }
                } catch {
                    refused.add()
                }
            }
        }
        await pool.drain()
        let counters = pool.counters
        #expect(counters.done == ran.value + 1)
        #expect(counters.done + counters.dropped + refused.value == 101)
        #expect(counters.addUp && counters.outstanding == 0, "\(counters)")
    }
}
