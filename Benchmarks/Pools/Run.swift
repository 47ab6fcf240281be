import WorkerPools

/// Submits the plan's jobs and waits until all have ended.
struct Run {
    let plan: Plan
    let pool: WorkerPool

    init(_ plan: Plan) {
        self.plan = plan
        var configuration = WorkerPool.Configuration(
            name: "bench", workers: plan.concurrency...plan.concurrency, queue: .bounded(plan.queue))
        if plan.ownThreads { configuration.executor = ThreadExecutor(threads: plan.threads, name: "bench") }
        if plan.timeout { configuration.timeout = .seconds(5) }
        if plan.retry { configuration.retry = RetryPolicy(times: 3) }
        configuration.lock = plan.lock
        pool = WorkerPool(configuration)
    }

    func throughput() async throws {
        let share = plan.jobs / plan.submitters
        if plan.submitters == 1 {
            try await submit(plan.jobs)
        } else {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<plan.submitters { group.addTask { try await submit(share) } }
                try await group.waitForAll()
            }
        }
        await pool.waitUntilIdle()
    }

    private func submit(_ count: Int) async throws {
        switch plan.body {
        case .empty: try await submit(count) {}
        case .sleep: try await submit(count) { try await PoolClock.sleep(for: .milliseconds(10)) }
        case .taskSleep: try await submit(count) { try await Task.sleep(for: .milliseconds(10)) }
        case .compute: try await submit(count) { spin() }
        }
    }

    private func submit(_ count: Int, _ job: @escaping @Sendable () async throws -> Void) async throws {
        if plan.priority {
            for number in 0..<count { try await pool.submit(priority: JobPriority(level: number % 3), job) }
            return
        }
        for _ in 0..<count { try await pool.submit(job) }
    }
}

/// About a microsecond of arithmetic.
func spin() {
    var value: UInt64 = 88_172_645_463_325_252
    for _ in 0..<500 {
        value ^= value << 13
        value ^= value >> 7
        value ^= value << 17
    }
    sink(value)
}

@inline(never) func sink(_: UInt64) {}
