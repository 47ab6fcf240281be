import WorkerPools

/// Calls to the allocator per job, after a warm-up. Promised: at most one.
enum Allocations {
    private static let jobs = 200_000

    static func prove(_ findings: inout Findings) async throws {
        guard Process.allocations != nil else {
            print("allocations: preload count_malloc.so, see README.md")
            exitWithFailure()
        }
        for isOwn in [false, true] {
            let executor = isOwn ? ThreadExecutor(threads: 2, name: "allocations") : nil
            let pool = WorkerPool(.init(workers: 2...2, executor: executor))
            let threads = isOwn ? "own threads" : "cooperative threads"
            for round in ["first", "then"] {
                // In the first round queues grow and tasks are created.
                try await each(pool, round == "first" ? nil : threads, &findings)
            }
            await pool.drain()
            executor?.shutdown()
        }
    }

    private static func each(_ pool: WorkerPool, _ threads: String?, _ findings: inout Findings) async throws {
        try await count("submit, nothing captured", threads, pool, limit: 1.05, &findings) {
            for _ in 0..<jobs { try await pool.submit {} }
        }
        try await count("submit, an array captured", threads, pool, limit: 1.05, &findings) {
            let array = [1, 2, 3]
            for number in 0..<jobs { try await pool.submit { precondition(array.count + number > 0) } }
        }
        try await count("submit(returning:), value awaited", threads, pool, &findings) {
            for number in 0..<jobs {
                let handle = try await pool.submit(returning: { number })
                let value = try await handle.value
                precondition(value == number)
            }
        }
        try await count("submit(returning:), handle released", threads, pool, &findings) {
            for number in 0..<jobs { _ = try await pool.submit(returning: { number }) }
        }
        try await count("submit(returning:then:)", threads, pool, &findings) {
            for number in 0..<jobs { try await pool.submit(returning: { number }, then: { _ in }) }
        }
        try await count("submit(options), a name", threads, pool, &findings) {
            for _ in 0..<jobs { try await pool.submit(JobOptions(name: "a")) {} }
        }
        let empty = PoolJob { () async in }
        try await count("submit(contentsOf:), the same closure", threads, pool, limit: 1.05, &findings) {
            try await pool.submit(contentsOf: repeatElement(empty, count: jobs))
        }
        try await count("group.submit", threads, pool, &findings) {
            let group = pool.group()
            for _ in 0..<jobs { try await group.submit {} }
            try await group.wait()
        }
        try await count("map, an element", threads, pool, limit: 1.05, &findings) {
            _ = try await pool.map(0..<jobs) { $0 }
        }
        try await count("ordered results, an element", threads, pool, &findings) {
            for try await _ in pool.results(of: 0..<jobs, window: 512, { $0 }) {}
        }
    }

    private static func count(
        _ what: String, _ threads: String?, _ pool: WorkerPool, limit: Double? = nil, _ findings: inout Findings,
        _ body: () async throws -> Void
    ) async throws {
        let before = Process.allocations ?? 0
        try await body()
        await pool.waitUntilIdle()
        let calls = Double((Process.allocations ?? 0) - before) / Double(jobs)
        if let threads { findings.note("\(what), \(threads)", calls, unit: "allocations a job", limit: limit) }
    }
}
