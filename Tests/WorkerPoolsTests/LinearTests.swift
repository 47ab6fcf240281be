import Testing
import WorkerPools

@Suite struct `Ordered results` {
    private func time(for count: Int) async throws -> Double {
        let pool = WorkerPool(.init(workers: 2...2))
        var next = 0
        let time = try await ContinuousClock().measure {
            for try await number in pool.results(of: 0..<count, window: 512, { $0 }) {
                if number != next { Issue.record("\(number) came when \(next) was due") }
                next = number + 1
            }
        }
        #expect(next == count)
        await pool.drain()
        return time / .seconds(1)
    }

    /// Ten times as many may take thirty times as long, since other tests run at the same time;
    /// quadratic would be a hundred.
    @Test func `take time in proportion to their number: a million of them at full scale`() async throws {
        let count = Scale.rounds(50_000, full: 1_000_000)
        var ratios: [Double] = []
        for _ in 0..<3 {
            let (few, many) = (try await time(for: count / 10), try await time(for: count))
            ratios.append(many / few)
            if many < 30 * few { break }
        }
        #expect(ratios.contains { $0 < 30 }, "\(ratios)")
    }
}
