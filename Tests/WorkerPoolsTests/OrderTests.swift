import Testing

@testable import WorkerPools

@Suite(.timeLimit(Scale.timeLimit)) struct `Jobs in order` {
    @Test(arguments: [nil, ThreadExecutor(threads: 2, name: "order")])
    func `begin in order until the first has ended`(executor: ThreadExecutor?) async throws {
        for _ in 0..<Scale.rounds(200, full: 5_000) {
            let (gate, begun) = (Gate(), Log<Int>())
            let pool = WorkerPool(.init(workers: 3...3, queue: .unbounded, executor: executor))
            try await pool.submit(
                contentsOf: (0..<64).map { number in
                    PoolJob {
                        begun.add(number)
                        await gate.pass()
                    }
                })
            await gate.arrivals(3)
            #expect(begun.all.sorted() == [0, 1, 2])
            gate.open()
            await pool.drain()
        }
    }

    /// Bursts of short jobs, among them some that wait for all earlier ones of their kind. If one
    /// of those were left in the queue behind jobs that wait for it, all workers would wait
    /// forever.
    @Test(arguments: [nil, ThreadExecutor(threads: 2, name: "order")], [2, 3, 64])
    func `finish even if they wait for earlier ones`(executor: ThreadExecutor?, workers: Int) async throws {
        var random = Seeded(state: UInt64(workers))
        let chain = Chain()
        let pool = WorkerPool(.init(workers: workers...workers, queue: .bounded(1000), executor: executor))
        var links = 0
        for _ in 0..<Scale.rounds(60, full: 1_500) {
            for _ in 0..<Int.random(in: 0..<2000, using: &random) { try await pool.submit {} }
            for _ in 0..<Int.random(in: 0..<20, using: &random) {
                let link = links
                links += 1
                let yields = Int.random(in: 0..<4, using: &random)
                try await pool.submit {
                    for _ in 0..<yields { await Task.yield() }
                    await chain.pass(link)
                }
                if Bool.random(using: &random) { try await pool.submit {} }
            }
        }
        await pool.drain()
        #expect(chain.passed == links)
        #expect(pool.counters.done == pool.counters.accepted)
    }

    @Test(arguments: [nil, ThreadExecutor(threads: 2, name: "order")])
    func `let other tasks use their threads, even if they never end`(executor: ThreadExecutor?) async throws {
        let pool = WorkerPool(.init(workers: 4...4, queue: .unbounded, executor: executor))
        let (goesOn, tally) = (Guarded(true), Tally())
        @Sendable func again() {
            tally.add()
            guard goesOn.withLock({ $0 }) else { return }
            // The pool stays open for as long as this goes on.
            #expect(throws: Never.self) { try pool.submitNow { again() } }
        }
        for _ in 0..<100 { try await pool.submit { again() } }
        await eventually { tally.value > 1000 }
        for _ in 0..<20 {
            await Task(executorPreference: executor) { await Task.yield() }.value
            try await Task(executorPreference: executor) { try await PoolClock.sleep(for: .milliseconds(1)) }.value
        }
        goesOn.withLock { $0 = false }
        await pool.drain()
        #expect(pool.counters.done == tally.value)
    }

    @Test func `that a busy thread has prefetched are soon begun by others, while more keep coming`() async throws {
        let pool = WorkerPool(.init(workers: 2...2, queue: .bounded(500), executor: ThreadExecutor(threads: 2, name: "order")))
        let (gate, tally, passed) = (Gate(), Tally(), Guarded<[Int]>([]))
        // A burst, so that threads prefetch jobs, with one job in it that never ends by itself.
        for _ in 0..<20_000 { try await pool.submit { tally.add() } }
        try await pool.submit { await gate.pass() }
        for number in 0..<200 { try await pool.submit { passed.withLock { $0.append(number) } } }
        while passed.withLock({ $0.count }) < 200 {
            try await pool.submit { tally.add() }
        }
        gate.open()
        await pool.drain()
        #expect(passed.withLock { $0.sorted() } == Array(0..<200))
    }
}

/// Lets its links pass one after the other.
private final class Chain: Sendable {
    private struct State {
        var passed = 0
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Guarded(State())

    var passed: Int { state.withLock { $0.passed } }

    func pass(_ link: Int) async {
        await withCheckedContinuation { continuation in
            let isNext = state.withLock { state in
                guard state.passed < link else { return true }
                state.waiting[link] = continuation
                return false
            }
            if isNext { continuation.resume() }
        }
        let next = state.withLock { state in
            state.passed += 1
            return state.waiting.removeValue(forKey: state.passed)
        }
        next?.resume()
    }
}
