import Testing

@testable import WorkerPools

@Suite struct `No level starves` {
    /// The levels of jobs in the order in which a pool of one worker ran them, all of them queued
    /// from the start.
    private func order(of levels: [Int], ageing: Int, longestRun: Int) async throws -> [(level: Int, number: Int)] {
        let (gate, log) = (Gate(), Log<(level: Int, number: Int)>())
        let pool = WorkerPool(.init(workers: 1...1, queue: .unbounded, priorityLevels: 4, ageing: ageing, longestRun: longestRun))
        try await pool.submit { await gate.pass() }
        await gate.arrivals(1)
        for (number, level) in levels.enumerated() {
            try await pool.submit(priority: JobPriority(level: level)) { log.add((level, number)) }
        }
        gate.open()
        await pool.drain()
        return log.all
    }

    @Test(arguments: [1, 3, 16], [1, 32])
    func `beyond its bound, and jobs of one level stay in order`(ageing: Int, longestRun: Int) async throws {
        var random = Seeded(state: UInt64(ageing))
        let levels = (0..<Scale.rounds(3000, full: 100_000)).map { _ in [0, 1, 2, 3, 3, 3, 3, 3].randomElement(using: &random) ?? 3 }
        let ran = try await order(of: levels, ageing: ageing, longestRun: longestRun)
        #expect(ran.count == levels.count)
        // A run is taken in one turn, so a level may wait for one more.
        let bound = ageing + 2 * 3 + (longestRun > 1 ? longestRun : 0)
        for level in 0..<4 {
            let places = ran.indices.filter { ran[$0].level == level }
            #expect(zip(places, places.dropFirst()).allSatisfy { ran[$0].number < ran[$1].number })
            let gaps = zip([-1] + places, places).map { $1 - $0 - 1 }
            #expect(gaps.allSatisfy { $0 <= bound }, "level \(level) waited for \(gaps.max() ?? 0) others, not \(bound) at most")
        }
    }

    @Test func `under an endless burst from a higher level`() async throws {
        let pool = WorkerPool(.init(workers: 2...2, queue: .bounded(64), ageing: 16))
        let (low, high) = (Tally(), Tally())
        let burst = Task {
            while !Task.isCancelled { try await pool.submit(priority: .high) { high.add() } }
        }
        await eventually { high.value > 100 }
        // Each of these gets through while the burst goes on.
        for number in 1...Scale.rounds(100, full: 10_000) {
            let handle = try await pool.submit(JobOptions(priority: .low), returning: { low.add() })
            try await handle.value
            #expect(low.value == number)
        }
        #expect(!burst.isCancelled)
        burst.cancel()
        _ = await burst.result
        await pool.drain()
    }
}
