import Testing

@testable import WorkerPools

/// Changes the size 100,000 times with `SLUICE_FULL_SCALE=1`.
@Suite struct `During a storm of resizing` {
    /// How many jobs run at once, compared with what is allowed at the moment.
    private final class Inspector: Sendable {
        private let state: Guarded<(now: Int, allowed: Int, violations: Int, seen: Int)>

        init(_ allowed: Int) { state = Guarded((0, allowed, 0, 0)) }

        func enter() {
            state.withLock { state in
                state.now += 1
                state.seen = max(state.seen, state.now)
                if state.now > state.allowed { state.violations += 1 }
            }
        }

        func leave() { state.withLock { $0.now -= 1 } }

        /// - Returns: whether no more than that are running.
        @discardableResult
        func allow(_ limit: Int) -> Bool {
            state.withLock { state in
                state.allowed = limit
                return state.now <= limit
            }
        }

        var violations: Int { state.withLock { $0.violations } }
        var mostSeen: Int { state.withLock { $0.seen } }
    }

    @Test(arguments: [1, 32]) func `no more jobs run than the limit of the moment`(longestRun: Int) async throws {
        let (inspector, submitted) = (Inspector(4), Tally())
        let pool = WorkerPool(.init(workers: 4...4, queue: .bounded(100), longestRun: longestRun))
        let submitters = (0..<2).map { part in
            Task {
                while !Task.isCancelled {
                    submitted.add()
                    try await pool.submit { [turns = submitted.value % 4] in
                        inspector.enter()
                        for _ in 0..<turns { await Task.yield() }
                        inspector.leave()
                        guard part == 0, turns == 1 else { return }
                        // Lends its place, and must not get it back before there is one.
                        try await pool.submit(returning: { await Task.yield() }).value
                        inspector.enter()
                        inspector.leave()
                    }
                }
            }
        }
        var random = Seeded(state: 26)
        var size = 4
        for _ in 0..<Scale.rounds(2000, full: 100_000) {
            let next = Int.random(in: 1...12, using: &random)
            inspector.allow(max(size, next))
            await pool.resize(to: next)
            if !inspector.allow(next) { Issue.record("more than \(next) run after the pool was resized to that") }
            size = next
            for _ in 0..<Int.random(in: 0...6, using: &random) { await Task.yield() }
        }
        for submitter in submitters {
            submitter.cancel()
            _ = await submitter.result
        }
        await pool.drain()
        #expect(inspector.violations == 0)
        #expect(inspector.mostSeen > 4)
        #expect(pool.counters.peakRunning <= 12)
        #expect(pool.counters.addUp && pool.counters.outstanding == 0)
    }
}
