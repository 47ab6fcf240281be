import Testing
@testable import WorkerPools

/// Random operations from many tasks on pools of all kinds; a million of them with
/// `SLUICE_FULL_SCALE=1`.
@Suite struct `A pool's counts` {
    @Test func `add up in every snapshot, and agree with what the submitters were told`() async throws {
        let executor = ThreadExecutor(threads: 2, name: "counted")
        let operations = Log<Int>()
        var seed: UInt64 = 0
        while operations.all.reduce(0, +) < Scale.rounds(40_000, full: 1_000_000) {
            seed += 1
            operations.add(await CountedPool(seed, executor).run())
        }
        executor.shutdown()
    }
}

/// A pool to which things happen at random, and what its submitters know about it.
private final class CountedPool: Sendable {
    private struct Ledger {
        var operations = 0
        /// Jobs whose submit returned.
        var accepted = 0
        /// Jobs of batches that were refused halfway.
        var unknown = 0
        /// How often the end of each watched job was reported.
        var ends: [Int: Int] = [:]
        var outcomes: [Outcome: Int] = [:]
    }

    private let seed: UInt64
    private let pool: WorkerPool
    private let clock = ManualClock()
    private let ledger = Guarded(Ledger())
    private let handles = Guarded<[JobHandle<Int>]>([])
    private let waiters = Guarded<[Task<Void, Never>]>([])
    private static let widest = 9

    init(_ seed: UInt64, _ executor: ThreadExecutor) {
        self.seed = seed
        let policies: [FullQueuePolicy] = [.suspend, .reject, .runInCaller, .dropOldest, .dropNewest]
        pool = WorkerPool(
            .init(
                name: "seed \(seed)", workers: 1...Int(1 + seed % 5), queue: seed % 11 == 0 ? .unbounded : .bounded(Int(1 + seed % 40)),
                whenFull: policies[Int(seed % 5)], timeout: seed % 2 == 0 ? .seconds(1) : nil,
                retry: seed % 3 == 0 ? RetryPolicy(times: 2, backoff: .milliseconds(100)) : nil,
                executor: seed % 4 == 0 ? nil : executor, longestRun: seed % 7 == 0 ? 1 : 32,
                lock: seed % 13 == 0 ? .polling : .parking, alarms: clock))
    }

    /// - Returns: how many operations there were.
    func run() async -> Int {
        let time = Task { [clock] in
            while !Task.isCancelled {
                clock.advance(by: .milliseconds(20))
                await Task.yield()
            }
        }
        let observer = Task { await observe() }
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<4 { group.addTask { await self.operate(Seeded(state: self.seed &* 100 &+ UInt64(task))) } }
            group.addTask { await self.resize() }
            if seed % 6 < 3 { group.addTask { await self.stop() } }
        }
        await pool.drain()
        time.cancel()
        observer.cancel()
        await observer.value
        for waiter in waiters.withLock({ $0 }) { await waiter.value }
        await compare()
        return ledger.withLock { $0.operations }
    }

    /// Takes snapshots until it is cancelled; no counter may go backwards.
    private func observe() async {
        var before = pool.counters
        while !Task.isCancelled {
            let known = ledger.withLock { $0.accepted }
            let now = pool.counters
            ledger.withLock { $0.operations += 1 }
            let isForward = Outcome.allCases.allSatisfy { now[$0] >= before[$0] } && now.accepted >= before.accepted
            if !now.addUp || !isForward || now.accepted < known || now.peakRunning > Self.widest {
                Issue.record("seed \(seed): \(before), then \(now); \(known) accepted before")
                return
            }
            before = now
            await Task.yield()
        }
    }

    private func resize() async {
        var random = Seeded(state: seed)
        for _ in 0..<30 {
            ledger.withLock { $0.operations += 1 }
            await pool.resize(to: 1...Int.random(in: 1...Self.widest, using: &random))
        }
    }

    /// Stops the pool at some point while the others still submit.
    private func stop() async {
        await eventually { self.ledger.withLock { $0.operations } > 300 }
        switch seed % 3 {
        case 0: await pool.drain()
        case 1: await pool.drain(within: .milliseconds(100))
        default: pool.cancel()
        }
    }

    private func operate(_ start: Seeded) async {
        var random = start
        for number in 0..<200 {
            ledger.withLock { $0.operations += 1 }
            let id = Int(start.state) &* 1000 &+ number
            let body = Self.body(Int.random(in: 0..<10, using: &random))
            do {
                try await operate(Int.random(in: 0..<20, using: &random), id, body)
            } catch {
                // Refused: its end must never be reported.
                continue
            }
        }
    }

    private func operate(_ operation: Int, _ id: Int, _ body: @escaping @Sendable () async throws -> Int) async throws {
        switch operation {
        case 0..<5:
            try await pool.submit(JobOptions(priority: JobPriority(level: id % 3)), returning: body, then: { self.note(id, Outcome($0)) })
            accept(id)
        case 5..<11:
            let handle = try await pool.submit(returning: body)
            accept(id)
            watch { self.note(id, Outcome(await handle.result)) }
            if operation == 5 { handle.cancel() } else { handles.withLock { $0.append(handle) } }
        case 11..<14:
            let group = pool.group(onFailure: .collect)
            try await group.submit { _ = try await body() }
            accept(id)
            if operation == 11 { group.cancel() }
            watch { self.note(id, (await group.waitForAll()).first.map { Outcome($0) } ?? .done) }
        case 14: handles.withLock { $0.popLast() }?.cancel()
        case 15:
            try pool.submitNow { _ = try await body() }
            accept(nil)
        case 16: try await submitMany(id)
        case 17:
            try await pool.submit {
                let inner = try await self.pool.submit(returning: body)
                self.accept(nil)
                _ = try await inner.value
            }
            accept(nil)
        default:
            try await pool.submit(priority: JobPriority(level: id % 3)) { _ = try await body() }
            accept(nil)
        }
    }

    private func submitMany(_ id: Int) async throws {
        let jobs = [PoolJob](repeating: PoolJob { () async in }, count: 12)
        do {
            try await pool.submit(contentsOf: jobs)
            ledger.withLock { $0.accepted += jobs.count }
        } catch {
            ledger.withLock { $0.unknown += jobs.count }
        }
    }

    private static func body(_ kind: Int) -> @Sendable () async throws -> Int {
        switch kind {
        case 0..<5: { kind }
        case 5..<7:
            {
                for _ in 0..<kind { await Task.yield() }
                return kind
            }
        case 7: { throw TestError(number: kind) }
        case 8:
            {
                for _ in 0..<200 where !Task.isCancelled { await Task.yield() }
                try Task.checkCancellation()
                return kind
            }
        default:
            {
                await Task.yield()
                throw TestError(number: kind)
            }
        }
    }

    private func accept(_ id: Int?) {
        ledger.withLock { ledger in
            ledger.accepted += 1
            if let id { ledger.ends[id, default: 0] += 0 }
        }
    }

    private func note(_ id: Int, _ outcome: Outcome) {
        ledger.withLock { ledger in
            ledger.ends[id, default: 0] += 1
            ledger.outcomes[outcome, default: 0] += 1
        }
    }

    private func watch(_ wait: @escaping @Sendable () async -> Void) {
        waiters.withLock { $0.append(Task { await wait() }) }
    }

    private func compare() async {
        await eventually { self.ledger.withLock { $0.ends.values.allSatisfy { $0 > 0 } } }
        let (counters, ledger) = (pool.counters, ledger.withLock { $0 })
        #expect(counters.addUp, "seed \(seed): \(counters)")
        #expect(counters.outstanding == 0 && counters.overrunning == 0 && counters.suspended == 0, "seed \(seed): \(counters)")
        #expect((ledger.accepted...ledger.accepted + ledger.unknown).contains(counters.accepted), "seed \(seed): \(ledger.accepted) \(counters)")
        #expect(ledger.ends.values.allSatisfy { $0 == 1 }, "seed \(seed): an end was heard of twice")
        for outcome in Outcome.allCases {
            #expect(ledger.outcomes[outcome, default: 0] <= counters[outcome], "seed \(seed): \(outcome) \(counters)")
        }
    }
}
