import Dispatch
import Testing

@testable import WorkerPools

@Suite(.timeLimit(Scale.timeLimit)) struct `Short jobs` {
    @Test(arguments: [1, 2, 5], [LockChoice.parking, .polling])
    func `run once or never, while others take snapshots and cancel them`(workers: Int, lock: LockChoice) async throws {
        let count = Scale.rounds(20_000, full: 1_000_000)
        let executor = ThreadExecutor(threads: 2, name: "short")
        let pool = WorkerPool(.init(workers: workers...workers, queue: .bounded(500), executor: executor, lock: lock))
        let (runs, handles) = (Runs(count), Guarded<[TypedJobHandle<Int, Never>]>([]))
        let observer = Task.detached { () -> PoolCounters? in
            while !Task.isCancelled {
                let counters = pool.counters
                if !counters.addUp || counters.running > workers { return counters }
                await Task.yield()
            }
            return nil
        }
        let canceller = Task.detached {
            var random = Seeded(state: 5)
            while !Task.isCancelled {
                handles.withLock { $0.suffix(200).randomElement(using: &random) }?.cancel()
                await Task.yield()
            }
        }
        for number in 0..<count {
            let handle = try await pool.submit(returning: {
                runs.note(number)
                return number
            })
            handles.withLock { $0.append(handle) }
        }
        await pool.waitUntilIdle()
        canceller.cancel()
        observer.cancel()
        await canceller.value
        #expect(await observer.value == nil)
        var done = 0
        for (number, handle) in handles.withLock({ $0 }).enumerated() {
            switch await handle.result {
            case .success(let value):
                done += 1
                #expect(value == number && runs[number] == 1)
            case .failure(let failure):
                guard case .stopped(.cancelled) = failure else { throw TestError(number: number) }
                #expect(runs[number] == 0)
            }
        }
        #expect(pool.counters.done == done)
        #expect(pool.counters.cancelled == count - done)
        await pool.drain()
        executor.shutdown()
    }

    @Test func `are begun by another worker while the one before them runs for long`() async throws {
        let executor = ThreadExecutor(threads: 2, name: "blocked")
        let pool = WorkerPool(.init(workers: 2...2, queue: .unbounded, executor: executor))
        for _ in 0..<Scale.rounds(20, full: 1000) {
            let (first, last) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            for _ in 0..<2000 { try await pool.submit {} }
            try await pool.submit {
                first.signal()
                last.wait()
            }
            for _ in 0..<20 { try await pool.submit {} }
            try await pool.submit { last.signal() }
            await pool.waitUntilIdle()
            #expect(first.wait(timeout: .now()) == .success)
        }
        await pool.drain()
        executor.shutdown()
    }

    @Test func `are not cancelled with handles whose jobs have ended`() async throws {
        let pool = WorkerPool(.init(workers: 1...1, queue: .unbounded, executor: ThreadExecutor(threads: 1, name: "ended")))
        for _ in 0..<20 {
            var handles: [TypedJobHandle<Int, Never>] = []
            for number in 0..<2000 { handles.append(try await pool.submit(returning: { number })) }
            let goesOn = Gate()
            let last = try await pool.submit(returning: { () async -> Bool in
                await goesOn.pass()
                return Task.isCancelled
            })
            for handle in handles { _ = try await handle.value }
            await goesOn.arrivals(1)
            for handle in handles { handle.cancel() }
            goesOn.open()
            #expect(try await last.value == false)
            #expect(pool.counters.cancelled == 0)
        }
        await pool.drain()
    }

    @Test func `continue when one of them fails`() async throws {
        let failures = Tally()
        let pool = WorkerPool(
            .init(
                workers: 2...2, queue: .unbounded, retry: RetryPolicy(times: 1, backoff: .zero),
                executor: ThreadExecutor(threads: 2, name: "failing"),
                onFailure: { _ in
                    for _ in 0..<3 { await Task.yield() }
                    failures.add()
                }))
        let runs = Runs(20_000)
        for number in 0..<20_000 {
            try await pool.submit {
                if runs.note(number) == 1, number % 7 == 0 { throw TestError(number: number) }
                if number % 70 == 0 { throw TestError(number: number) }
            }
        }
        await pool.drain()
        let (sevenths, seventieths) = (20_000 / 7 + 1, 20_000 / 70 + 1)
        #expect(pool.counters.failed == seventieths)
        #expect(pool.counters.done == 20_000 - seventieths)
        #expect(failures.value == sevenths + seventieths)
        for number in 0..<20_000 { #expect(runs[number] == (number % 7 == 0 ? 2 : 1)) }
    }

    @Test func `are handed back when the pool is cancelled, except those that have begun`() async throws {
        for seed in 0..<UInt64(Scale.rounds(60, full: 3000)) {
            var random = Seeded(state: seed)
            let executor = ThreadExecutor(threads: 2, name: "cancelled")
            let pool = WorkerPool(.init(workers: 2...2, queue: .unbounded, executor: executor))
            let count = 5000
            let runs = Runs(count)
            let last = Int.random(in: 0..<count, using: &random)
            let stop = Guarded<Task<[UndoneJob], Never>?>(nil)
            var accepted = 0
            for number in 0..<count {
                if number == last { stop.withLock { $0 = Task.detached { pool.cancel() } } }
                do { try await pool.submit { runs.note(number) } } catch is PoolError { break }
                accepted += 1
            }
            let cancelling = try #require(stop.withLock { $0 })
            let undone = await cancelling.value
            await pool.drain()
            for job in undone { try await job.body() }
            #expect((0..<count).allSatisfy { runs[$0] == ($0 < accepted ? 1 : 0) })
            #expect(pool.counters.done + undone.count == accepted)
            executor.shutdown()
        }
    }
}

@Suite struct `A job with a handle` {
    /// Above that, glibc takes a lock to free what another thread has allocated.
    @Test func `fits into 120 bytes`() {
        #expect(instanceSize(of: ValueRecord<Int, Never, Int?>.self) <= 120)
    }
}

/// As the runtime stores it in a class's metadata, after its kind, its superclass and two four-byte
/// numbers.
private func instanceSize(of type: AnyClass) -> Int {
    Int(unsafeBitCast(type, to: UnsafeRawPointer.self).load(fromByteOffset: 24, as: UInt32.self))
}

/// How often each of many jobs has run.
private final class Runs: Sendable {
    private let counts: Guarded<[UInt8]>

    init(_ count: Int) { counts = Guarded(Array(repeating: 0, count: count)) }

    @discardableResult
    func note(_ number: Int) -> UInt8 {
        counts.withLock {
            $0[number] += 1
            return $0[number]
        }
    }

    subscript(number: Int) -> UInt8 { counts.withLock { $0[number] } }
}
