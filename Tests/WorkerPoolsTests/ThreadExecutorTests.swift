import Dispatch
import Testing
import WorkerPools

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

@Suite struct `A thread executor` {
    private func pool(_ executor: ThreadExecutor, workers: Int) -> WorkerPool {
        var configuration = WorkerPool.Configuration(name: "on threads", workers: workers)
        configuration.executor = executor
        return WorkerPool(configuration)
    }

    @Test func `runs blocking jobs side by side on its own threads`() async throws {
        let executor = ThreadExecutor(threads: 3, name: "blocking")
        let pool = pool(executor, workers: 3)
        let barrier = Barrier(3)
        // Each job blocks its thread until all three are there: fewer threads would hang here.
        for _ in 0..<3 { try await pool.submit { barrier.wait() } }
        await pool.drain()
        #expect(pool.counters.done == 3)
        executor.shutdown()
    }

    #if canImport(Glibc)
        @Test(arguments: zip([ThreadQuality.standard, .utility, .background], [Int32(0), 5, 15]))
        func `runs its threads as eagerly as it is told`(quality: ThreadQuality, nice: Int32) async throws {
            let executor = ThreadExecutor(threads: 1, name: "eager", quality: quality)
            let pool = pool(executor, workers: 1)
            let own = try await pool.submit(returning: { getpriority(Int32(PRIO_PROCESS.rawValue), 0) })
            // The tests themselves may run under `nice`.
            #expect(try await own.value == max(nice, getpriority(Int32(PRIO_PROCESS.rawValue), id_t(getpid()))))
            await pool.drain()
            executor.shutdown()
        }
    #endif

    @Test func `takes jobs from an actor with an executor of its own`() async throws {
        actor Submitter {
            nonisolated let thread: SerialThread
            nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
            private var results: [Int] = []

            init(_ thread: SerialThread) { self.thread = thread }

            func submit(_ count: Int, to pool: WorkerPool) async throws -> [Int] {
                for number in 0..<count {
                    let handle = try await pool.submit(returning: { number })
                    let before = thread.isCurrent
                    results.append(try await handle.value)
                    #expect(before && thread.isCurrent)
                }
                return results
            }
        }
        let executor = ThreadExecutor(threads: 2, name: "jobs")
        let pool = pool(executor, workers: 2)
        #expect(try await Submitter(SerialThread()).submit(200, to: pool) == Array(0..<200))
        await pool.drain()
        executor.shutdown()
    }

    @Test func `never blocks the cooperative pool, however many of its jobs block`() async throws {
        let executor = ThreadExecutor(threads: 2, name: "blocking")
        let pool = pool(executor, workers: 2)
        let barrier = Barrier(3)
        for _ in 0..<2 { try await pool.submit { barrier.wait() } }
        let others = await withTaskGroup(of: Int.self) { group in
            for number in 0..<100 { group.addTask { number } }
            return await group.reduce(0, +)
        }
        #expect(others == 4950)
        barrier.wait()
        await pool.drain()
        executor.shutdown()
    }

    @Test func `names its threads`() async throws {
        let executor = ThreadExecutor(threads: 1, name: "tagged")
        let name = await Task(executorPreference: executor) { threadName() }.value
        #expect(name == "tagged-0")
        executor.shutdown()
    }

    @Test func `is shared by several pools, whose jobs then never take more threads than it has`() async throws {
        let executor = ThreadExecutor(threads: 2, name: "shared")
        let pools = (0..<4).map { _ in pool(executor, workers: 4) }
        let gauge = Gauge()
        for pool in pools {
            for _ in 0..<100 {
                try await pool.submit {
                    gauge.enter()
                    gauge.leave()
                }
            }
        }
        for pool in pools { await pool.drain() }
        #expect(gauge.peak <= 2)
        #expect(pools.allSatisfy { $0.counters.done == 100 })
        executor.shutdown()
        executor.shutdown()
    }

    @Test func `hands work of a busy thread to an idle one`() async throws {
        let executor = ThreadExecutor(threads: 2, name: "stealing")
        let barrier = Barrier(2)
        let both = Task(executorPreference: executor) {
            // Both children are queued on this thread; the other thread must steal the second.
            async let first: Void = barrier.wait()
            async let second: Void = barrier.wait()
            _ = await (first, second)
            return true
        }
        #expect(await both.value)
        executor.shutdown()
    }

    @Test func `wakes a sleeper whose thread has begun to compute`() async throws {
        let executor = ThreadExecutor(threads: 2, name: "watched")
        let woken = Gauge()
        for _ in 0..<20 {
            let done = Gauge()
            let sleeper = Task(executorPreference: executor) {
                // The child computes on this thread, or on the other, until the sleeper has been
                // woken.
                async let child: Void = { while done.now == 0 { sched_yield() } }()
                try await PoolClock.sleep(for: .milliseconds(1))
                done.enter()
                await child
            }
            try await sleeper.value
            woken.enter()
        }
        #expect(woken.now == 20)
        executor.shutdown()
    }

    @Test func `wakes a sleeper while all threads but one compute, whichever they are`() async throws {
        let executor = ThreadExecutor(threads: 3, name: "watchers")
        var woken = 0
        for _ in 0..<20 {
            let done = Gauge()
            let sleeper = Task(executorPreference: executor) {
                try await PoolClock.sleep(for: .milliseconds(1))
                done.enter()
            }
            let computing = (0..<2).map { _ in
                Task(executorPreference: executor) { while done.now == 0 { sched_yield() } }
            }
            try await sleeper.value
            for task in computing { await task.value }
            woken += 1
        }
        #expect(woken == 20)
        executor.shutdown()
    }

    @Test func `shares the sleepers that it has woken with an idle thread`() async throws {
        let executor = ThreadExecutor(threads: 2, name: "sharing")
        let met = Gauge()
        for _ in 0..<20 {
            let barrier = Barrier(2)
            // Both fall asleep on one thread, wake together, and block until they are on two.
            let both = Task(executorPreference: executor) {
                async let first: Void = {
                    try await PoolClock.sleep(for: .milliseconds(1)); barrier.wait()
                }()
                async let second: Void = {
                    try await PoolClock.sleep(for: .milliseconds(1)); barrier.wait()
                }()
                _ = try await (first, second)
            }
            try await both.value
            met.enter()
        }
        #expect(met.now == 20)
        executor.shutdown()
    }

    @Test func `stops its threads when the last reference is released`() async throws {
        weak var watched: ThreadExecutor?
        do {
            let executor = ThreadExecutor(threads: 2, name: "brief")
            watched = executor
            await Task(executorPreference: executor) {}.value
        }
        for _ in 0..<100_000 where watched != nil { await Task.yield() }
        #expect(watched == nil)
    }

    @Test func `lets blocking jobs see that they are cancelled`() async throws {
        let executor = ThreadExecutor(threads: 1, name: "token")
        var configuration = WorkerPool.Configuration(name: "token", workers: 1...1, timeout: .milliseconds(5))
        configuration.executor = executor
        let pool = WorkerPool(configuration)
        try await pool.submit { while !Task.isCancelled { sched_yield() } }
        await pool.drain()
        #expect(pool.counters.timedOut == 1)
        executor.shutdown()
    }

    private func threadName() -> String {
        #if canImport(Darwin)
            return "tagged-0"
        #else
            guard let file = fopen("/proc/thread-self/comm", "r") else { return "" }
            defer { fclose(file) }
            var bytes = [CChar](repeating: 0, count: 64)
            guard fgets(&bytes, 64, file) != nil else { return "" }
            return String(decoding: bytes.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init), as: UTF8.self)
        #endif
    }
}

/// Blocks threads until this many have arrived.
final class Barrier: Sendable {
    private let arrivals = Gauge()
    private let count: Int

    init(_ count: Int) { self.count = count }

    func wait() {
        arrivals.enter()
        while arrivals.now < count { sched_yield() }
    }
}

/// An executor for an actor that uses one Dispatch thread at a time.
private final class SerialThread: SerialExecutor {
    private static let key = DispatchSpecificKey<ObjectIdentifier>()
    private let queue = DispatchQueue(label: "serial")

    init() { queue.setSpecific(key: Self.key, value: ObjectIdentifier(self)) }

    var isCurrent: Bool { DispatchQueue.getSpecific(key: Self.key) == ObjectIdentifier(self) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
