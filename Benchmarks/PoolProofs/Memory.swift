import WorkerPools

/// The processor time of idle workers.
enum Idle {
    static func prove(_ findings: inout Findings) async throws {
        for (workers, isOwn) in [(1, false), (10_000, false), (10_000, true)] {
            let executor = isOwn ? ThreadExecutor(threads: 2, name: "idle") : nil
            let pool = WorkerPool(.init(workers: workers...workers, executor: executor))
            try await startAll(workers, of: pool)
            try await Task.sleep(for: .milliseconds(300))
            let before = Process.cpuSeconds
            try await Task.sleep(for: .seconds(3))
            let spent = (Process.cpuSeconds - before) / 3
            let threads = isOwn ? "own threads" : "cooperative threads"
            findings.note("\(workers) idle workers, \(threads)", spent * 1e6, unit: "µs of processor a second", limit: 2000)
            await pool.drain()
            executor?.shutdown()
        }
    }
}

/// Runs enough jobs at once that every worker is started, and returns when all are idle.
func startAll(_ workers: Int, of pool: WorkerPool) async throws {
    for _ in 0..<workers { try await pool.submit { try await PoolClock.sleep(for: .milliseconds(20)) } }
    await pool.waitUntilIdle()
}

/// The memory of idle pools. Promised: under 10 MB for 100 pools of one worker, where another
/// library uses 763 MB.
enum IdlePools {
    static func prove(_ findings: inout Findings) async throws {
        try await startAll(1, of: WorkerPool(.init(workers: 1)))
        for (workers, limit) in [(1, 10.0), (100, nil)] {
            let before = Process.residentKiB
            var pools: [WorkerPool] = []
            for _ in 0..<100 {
                let pool = WorkerPool(.init(workers: workers...workers))
                try await startAll(workers, of: pool)
                pools.append(pool)
            }
            findings.note("100 pools of \(workers) idle workers", (Process.residentKiB - before) / 1024, unit: "MiB", limit: limit)
            for pool in pools { await pool.drain() }
        }
    }
}

/// 10,000,000 jobs through a queue of 10,000.
enum FlatQueue {
    static func prove(_ findings: inout Findings) async throws {
        let pool = WorkerPool(.init(workers: 2...2, queue: .bounded(10_000)))
        let text = [UInt8](repeating: 1, count: 64)
        var early = 0.0
        for number in 0..<10_000_000 {
            let copy = text + [UInt8(truncatingIfNeeded: number)]
            try await pool.submit { precondition(copy.count == 65) }
            if number == 1_000_000 { early = Process.kibibytes("VmHWM") }
        }
        await pool.drain()
        findings.note("peak after a tenth of the jobs", early / 1024, unit: "MiB")
        findings.note("added to the peak by the other nine tenths", (Process.kibibytes("VmHWM") - early) / 1024, unit: "MiB", limit: 4)
        findings.note("jobs not done", Double(10_000_000 - pool.counters.done), unit: "jobs", limit: 0)
    }
}

/// 100 times from 2 workers to 1,000 and back.
enum Cycles {
    static func prove(_ findings: inout Findings) async throws {
        let pool = WorkerPool(.init(workers: 2...2, queue: .unbounded))
        var after: [Double] = []
        for _ in 0..<110 {
            await pool.resize(to: 1000)
            try await startAll(1000, of: pool)
            await pool.resize(to: 2)
            try await startAll(2, of: pool)
            // The last workers are still retiring.
            try await Task.sleep(for: .milliseconds(20))
            after.append(Process.residentKiB)
        }
        findings.note("resident after 10 cycles", after[9] / 1024, unit: "MiB")
        findings.note("added by 100 more", (after[109] - after[9]) / 1024, unit: "MiB", limit: 1)
        findings.note("most jobs running at once", Double(pool.counters.peakRunning), unit: "jobs", limit: 1000)
        await pool.drain()
    }
}

/// The time for ordered results, by their number.
enum Ordered {
    static func prove(_ findings: inout Findings) async throws {
        var seconds: [Double] = []
        for count in [100_000, 1_000_000] {
            let pool = WorkerPool(.init(workers: 2...2))
            var next = 0
            let time = try await ContinuousClock().measure {
                for try await number in pool.results(of: 0..<count, window: 512, { $0 }) {
                    precondition(number == next, "results out of order")
                    next += 1
                }
            }
            await pool.drain()
            seconds.append(time / .seconds(1))
            findings.note("\(count) ordered results", seconds.last ?? 0, unit: "s")
        }
        findings.note("a million compared with a hundred thousand", seconds[1] / seconds[0], unit: "times", limit: 15)
    }
}
