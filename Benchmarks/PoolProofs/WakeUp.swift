import Synchronization
import WorkerPools

/// The time from the end of the last job to the first line after the wait. Promised: 100 µs at the
/// 99th percentile.
enum WakeUp {
    private static let rounds = 20_000

    static func prove(_ findings: inout Findings) async throws {
        for isOwn in [false, true] {
            let executor = isOwn ? ThreadExecutor(threads: 2, name: "wake-up") : nil
            let threads = isOwn ? "own threads" : "cooperative threads"
            let pool = WorkerPool(.init(workers: 2...2, executor: executor))
            try await measure("waitUntilIdle, \(threads)", &findings) { ended in
                try await pool.submit { await work(ended) }
                await pool.waitUntilIdle()
            }
            try await measure("handle.value, \(threads)", &findings) { ended in
                try await pool.submit(returning: { await work(ended) }).value
            }
            try await measure("group.wait, \(threads)", &findings) { ended in
                let group = pool.group()
                try await group.submit { await work(ended) }
                try await group.wait()
            }
            try await measure("drain, \(threads)", &findings) { ended in
                let brief = WorkerPool(.init(workers: 2...2, executor: executor))
                try await brief.submit { await work(ended) }
                await brief.drain()
            }
            await pool.drain()
            executor?.shutdown()
        }
    }

    /// Long enough for the waiter to fall asleep.
    private static func work(_ ended: Mark) async {
        try? await PoolClock.sleep(for: .microseconds(200))
        ended.set(PoolClock().now)
    }

    private static func measure(_ what: String, _ findings: inout Findings, _ round: (Mark) async throws -> Void) async throws {
        let mark = Mark()
        var delays: [Duration] = []
        for _ in 0..<rounds {
            try await round(mark)
            delays.append(mark.time.duration(to: PoolClock().now))
        }
        delays.sort()
        findings.note("\(what): median", delays[rounds / 2] / .microseconds(1), unit: "µs")
        findings.note("\(what): 99th percentile", delays[rounds * 99 / 100] / .microseconds(1), unit: "µs", limit: 100)
        findings.note("\(what): earliest", -(delays[0] / .microseconds(1)), unit: "µs early", limit: 0)
    }

    private final class Mark: Sendable {
        private let state = Mutex(PoolClock().now)

        var time: PoolClock.Instant { state.withLock { $0 } }
        func set(_ time: PoolClock.Instant) { state.withLock { $0 = time } }
    }
}
