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
        configuration.longestRun = plan.longestRun
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
        case .empty where plan.way == .submit: try await submitPlain(count)
        case .empty where plan.way == .batch: try await pool.submit(contentsOf: repeatElement(PoolJob {}, count: count))
        case .empty where plan.way == .handle: try await submitAndWait(count, captures: false)
        case .empty where plan.way == .callback:
            for _ in 0..<count { try await pool.submit(returning: { 1 }, then: { _ in }) }
        case .capture where plan.way == .callback:
            for number in 0..<count { try await pool.submit(returning: { number }, then: { _ in }) }
        case .capture where plan.way == .submit: for number in 0..<count { try await pool.submit { sink(UInt64(number)) } }
        case .capture where plan.way == .handle: try await submitAndWait(count, captures: true)
        case .emptyAsync where plan.way == .handle: try await submitAndWaitAsynchronous(count)
        case .empty, .capture, .emptyAsync: try await submit(count) {}
        case .sleep: try await submit(count) { try await PoolClock.sleep(for: .milliseconds(10)) }
        case .taskSleep: try await submit(count) { try await Task.sleep(for: .milliseconds(10)) }
        case .compute: try await submit(count) { spin() }
        }
    }

    /// Synchronous jobs, as a Go pool's are.
    private func submitPlain(_ count: Int) async throws {
        if plan.priority {
            for number in 0..<count { try await pool.submit(priority: JobPriority(level: number % 3)) {} }
        } else {
            for _ in 0..<count { try await pool.submit {} }
        }
    }

    private func submit(_ count: Int, _ job: @escaping @Sendable () async throws -> Void) async throws {
        switch plan.way {
        case .submit where plan.priority:
            for number in 0..<count { try await pool.submit(priority: JobPriority(level: number % 3), job) }
        case .submit:
            for _ in 0..<count { try await pool.submit(job) }
        case .batch:
            try await pool.submit(contentsOf: repeatElement(PoolJob(job), count: count))
        case .map:
            _ = try await pool.map(0..<count) { $0 }
        case .callback:
            for _ in 0..<count { try await pool.submit(returning: { () async throws in try await job() }, then: { _ in }) }
        case .handle:
            try await submitAndWait(count, job)
        }
    }

    /// Waits for the value of every handle, at least a thousand submits later, so that this
    /// measures handles and not going to sleep.
    private func submitAndWait(_ count: Int, _ job: @escaping @Sendable () async throws -> Void) async throws {
        var handles = HandleBacklog<JobHandle<Int>>()
        for number in 0..<count {
            handles.add(
                try await pool.submit(returning: { () async throws -> Int in
                    try await job()
                    return number
                }))
            guard handles.areMany else { continue }
            var older = handles.takeOlder()
            while let handle = older.popLast() { _ = try await handle.value }
        }
        for handle in handles.takeAll() { _ = try await handle.value }
    }

    private func submitAndWaitAsynchronous(_ count: Int) async throws {
        var handles = HandleBacklog<TypedJobHandle<Int, Never>>()
        for _ in 0..<count {
            handles.add(try await pool.submit(returning: { () async in 1 }))
            guard handles.areMany else { continue }
            var older = handles.takeOlder()
            while let handle = older.popLast() { _ = try await handle.value }
        }
        for handle in handles.takeAll() { _ = try await handle.value }
    }

    private func submitAndWait(_ count: Int, captures: Bool) async throws {
        var handles = HandleBacklog<TypedJobHandle<Int, Never>>()
        for number in 0..<count {
            handles.add(captures ? try await pool.submit(returning: { number }) : try await pool.submit(returning: { 1 }))
            guard handles.areMany else { continue }
            var older = handles.takeOlder()
            while let handle = older.popLast() { _ = try await handle.value }
        }
        for handle in handles.takeAll() { _ = try await handle.value }
    }

    /// The processor time that the pool uses in one second in which all its workers are idle.
    func idleSecond() async throws -> Double {
        for _ in 0..<plan.concurrency { try await pool.submit { try await PoolClock.sleep(for: .milliseconds(20)) } }
        await pool.waitUntilIdle()
        let before = Usage.now
        try await PoolClock.sleep(for: .seconds(1))
        return Usage.now.cpuSeconds - before.cpuSeconds
    }

    /// Microseconds from submit to the job's start, for one job every millisecond, sorted.
    func latencies() async throws -> [Double] {
        let clock = PoolClock()
        var latencies: [Double] = []
        for _ in 0..<plan.jobs {
            let before = clock.now
            let start = try await pool.submit(returning: { clock.now })
            let waited = before.duration(to: try await start.value)
            latencies.append(Double(waited.components.attoseconds) / 1e12)
            try await PoolClock.sleep(for: .milliseconds(1))
        }
        return latencies.sorted()
    }
}

/// Handles to wait for later: the latest thousand, and the thousand before them.
struct HandleBacklog<Handle> {
    private var older: [Handle] = []
    private var newer: [Handle] = []

    var areMany: Bool { newer.count == 1000 }

    mutating func add(_ handle: Handle) { newer.append(handle) }

    /// The thousand before the latest.
    mutating func takeOlder() -> [Handle] {
        let taken = older
        older = newer
        newer = []
        newer.reserveCapacity(1000)
        return taken
    }

    mutating func takeAll() -> [Handle] {
        defer { (older, newer) = ([], []) }
        return older + newer
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
