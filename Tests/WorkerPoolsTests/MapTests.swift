import Synchronization
import Testing

@testable import WorkerPools

@Suite struct `A map over a collection` {
    @Test(arguments: [0, 1, 2, 7, 1000, 20_000, 1_000_000])
    func `gives the results in the order of the elements`(count: Int) async throws {
        let pool = WorkerPool(.init(workers: 4...4))
        let expected = (0..<count).map { $0 * 3 }
        #expect(try await pool.map(0..<count) { $0 * 3 } == expected)
        #expect(try await pool.map(Array(0..<count)) { await triple($0) } == expected)
        await pool.drain()
    }

    /// More jobs than there is room for, since with retries each element is a job.
    @Test(arguments: [FullQueuePolicy.suspend, .reject, .runInCaller, .dropOldest, .dropNewest])
    func `waits for room, whatever the pool does otherwise when its queue is full`(policy: FullQueuePolicy) async throws {
        let pool = WorkerPool(
            .init(workers: 2...2, queue: .bounded(3), whenFull: policy, retry: RetryPolicy(times: 1)))
        let count = 500
        #expect(try await pool.map(0..<count) { $0 + 1 } == Array(1...count))
        let log = Log<Int>()
        try await pool.forEach(in: ReadySequence(base: 0..<count)) { log.add($0) }
        #expect(log.all.sorted() == Array(0..<count))
        var results: [Int] = []
        for try await number in pool.results(of: 0..<count, window: 100, { $0 }) { results.append(number) }
        #expect(results == Array(0..<count))
        await pool.drain()
        #expect(pool.counters.done == 3 * count)
    }

    @Test func `takes collections of every kind`() async throws {
        let pool = WorkerPool(.init(workers: 3...3))
        let numbers = Array(0..<5000)
        #expect(try await pool.map(numbers[100..<4000]) { $0 } == Array(100..<4000))
        #expect(try await pool.map(numbers.reversed()) { $0 } == numbers.reversed())
        #expect(try await pool.map(repeatElement(7, count: 3000)) { $0 + 1 } == Array(repeating: 8, count: 3000))
        let set = Set(numbers)
        #expect(try await pool.map(set) { $0 } == Array(set))
        #expect(try await pool.map(set) { await triple($0) } == set.map { $0 * 3 })
        let text = String(repeating: "aé🇪🇺", count: 500)
        #expect(try await pool.map(text) { String($0) }.joined() == text)
        #expect(try await pool.map(EmptyCollection<Int>()) { $0 } == [])
        #expect(try await pool.map(["a", "bcd"], \.count) == [1, 3])
        await pool.drain()
    }

    @Test func `calls the body of a forEach once for each element`() async throws {
        let pool = WorkerPool(.init(workers: 3...3))
        let (sum, waited) = (Counter(), Counter())
        try await pool.forEach(1...10_000) { sum.add($0) }
        try await pool.forEach(Set(1...10_000)) { waited.add(await triple($0)) }
        #expect(sum.value == 50_005_000)
        #expect(waited.value == 150_015_000)
        try await pool.forEach([Int]()) { _ in Issue.record("there is no element") }
        await pool.drain()
    }

    @Test func `takes functions, and keeps the types of their errors`() async throws {
        let pool = WorkerPool(.init(workers: 2...2))
        #expect(try await applied(0..<10, on: pool, double) == Array(0..<10).map(double))
        #expect(try await applied(0..<10, on: pool, triple) == Array(0..<10).map { $0 * 3 })
        #expect(try await pool.map(0..<10, double) == Array(0..<10).map(double))
        #expect(try await pool.map(0..<10, triple) == Array(0..<10).map { $0 * 3 })
        await expect(TestError(number: 3), from: pool) { () throws(JobFailure<TestError>) in
            _ = try await pool.map(0..<10_000, failAtThree)
        }
        await expect(TestError(number: 3), from: pool) { () throws(JobFailure<TestError>) in
            _ = try await pool.map(0..<10_000, waitAndFailAtThree)
        }
        await expect(TestError(number: 3), from: pool) { () throws(JobFailure<TestError>) in
            try await pool.forEach(0..<10_000) { (number: Int) throws(TestError) in _ = try failAtThree(number) }
        }
        await pool.drain()
    }

    @Test func `begins no element after the first error`() async throws {
        let begun = Counter()
        let pool = WorkerPool(.init(workers: 1...1))
        await #expect(throws: JobFailure<any Error>.self) {
            _ = try await pool.map(0..<100_000) { number in
                begun.add(1)
                if number == 1500 { throw TestError() }
                return number
            }
        }
        #expect(begun.value == 1501)
        await pool.drain()
    }

    @Test func `ends when its caller is cancelled`() async throws {
        let begun = Counter()
        let pool = WorkerPool(.init(workers: 2...2, executor: ThreadExecutor(threads: 2, name: "map")))
        let caller = Task {
            try await pool.map(0..<100_000) { number in
                begun.add(1)
                while !Task.isCancelled {}
                // A task is cancelled slightly before it is told so; a chunk may begin more
                // elements in between.
                let end = ContinuousClock.now + .milliseconds(1)
                while ContinuousClock.now < end {}
                return number
            }
        }
        await eventually { begun.value == 2 }
        caller.cancel()
        await #expect(throws: JobFailure<Never>.self) { try await caller.value }
        #expect(begun.value < 500)
        await pool.drain()
    }

    @Test func `ends when its pool is cancelled`() async throws {
        let begun = Counter()
        let pool = WorkerPool(.init(name: "p", workers: 2...2, executor: ThreadExecutor(threads: 2, name: "map")))
        let caller = Task {
            try await pool.map(0..<100_000) { number in
                begun.add(1)
                while !Task.isCancelled {}
                return number
            }
        }
        await eventually { begun.value == 2 }
        _ = pool.cancel()
        let failure = await #expect(throws: JobFailure<Never>.self) { try await caller.value }
        guard case .stopped(.cancelled(pool: "p", job: nil)) = failure else {
            Issue.record("not a cancellation: \(String(describing: failure))")
            return
        }
        #expect(begun.value == 2)
    }

    @Test func `says that its pool has refused it`() async throws {
        let pool = WorkerPool(.init(name: "p", workers: 1...1))
        await pool.drain()
        do throws(JobFailure<Never>) {
            _ = try await pool.map(0..<10) { $0 }
            Issue.record("the map had to fail")
        } catch {
            guard case .stopped(.closed(pool: "p")) = error else {
                Issue.record("not a refusal: \(error)")
                return
            }
        }
    }
}

private func double(_ number: Int) -> Int { number * 2 }

private func triple(_ number: Int) async -> Int {
    if number % 1000 == 0 { await Task.yield() }
    return number * 3
}

private func failAtThree(_ number: Int) throws(TestError) -> Int {
    if number == 3 { throw TestError(number: 3) }
    return number
}

private func waitAndFailAtThree(_ number: Int) async throws(TestError) -> Int {
    await Task.yield()
    return try failAtThree(number)
}

/// A call from generic code, for synchronous transforms.
private func applied<Elements: Collection & Sendable, Value: Sendable>(
    _ elements: Elements, on pool: WorkerPool, _ transform: @escaping @Sendable (Elements.Element) throws -> Value
) async throws -> [Value] where Elements.Element: Sendable {
    try await pool.map(elements, transform)
}

/// The same for asynchronous ones.
private func applied<Elements: Collection & Sendable, Value: Sendable, Failure: Error>(
    _ elements: Elements, on pool: WorkerPool,
    _ transform: @escaping @Sendable (Elements.Element) async throws(Failure) -> Value
) async throws(JobFailure<Failure>) -> [Value] where Elements.Element: Sendable {
    try await pool.map(elements, transform)
}

private func expect(
    _ trouble: TestError, from pool: WorkerPool, in body: () async throws(JobFailure<TestError>) -> Void
) async {
    do throws(JobFailure<TestError>) {
        try await body()
        Issue.record("it had to fail")
    } catch {
        guard case .failed(trouble) = error else {
            Issue.record("not the function's own error: \(error)")
            return
        }
    }
}

/// A number that many tasks add to.
final class Counter: Sendable {
    private let sum = Atomic(0)

    @discardableResult
    func add(_ number: Int) -> Int { sum.add(number, ordering: .sequentiallyConsistent).newValue }

    var value: Int { sum.load(ordering: .sequentiallyConsistent) }
}
