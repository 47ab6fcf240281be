import Testing
import WorkerPools

@Suite struct `Results` {
    @Test func `of map end with the first error, typed, and skip the rest`() async throws {
        let begun = Gauge()
        let pool = WorkerPool(.init(workers: 2...2))
        do throws(JobFailure<TestError>) {
            _ = try await pool.map(0..<10_000) { (number: Int) throws(TestError) -> Int in
                begun.enter()
                if number == 3 { throw TestError(number: 3) }
                return number
            }
            Issue.record("the map had to fail")
        } catch {
            guard case .failed(let trouble) = error else {
                Issue.record("not the transform's own error: \(error)")
                return
            }
            #expect(trouble.number == 3)
        }
        #expect(begun.now < 10_000)
        await pool.drain()
    }

    @Test func `of map apply retries to each element`() async throws {
        let clock = ManualClock()
        let failures = Log<Int>()
        let retry = RetryPolicy(times: 1, backoff: .zero, jitter: false)
        let pool = WorkerPool(.init(workers: 2...2, retry: retry, alarms: clock))
        let values = try await pool.map(0..<50) { number in
            if number % 10 == 0, !failures.all.contains(number) {
                failures.add(number)
                throw TestError(number: number)
            }
            return number
        }
        #expect(values == Array(0..<50))
        #expect(pool.counters.retried == 5)
        await pool.drain()
    }

    @Test func `of a stream arrive in order, with no more than the window ahead`() async throws {
        let pool = WorkerPool(.init(workers: 4...4))
        let gauge = Gauge()
        var numbers: [Int] = []
        for try await number in pool.results(
            of: 0..<500, window: 6,
            { number in
                gauge.enter()
                return number
            })
        {
            gauge.leave()
            numbers.append(number)
            #expect(gauge.now <= 6)
        }
        #expect(numbers == Array(0..<500))
        await pool.drain()
    }

    @Test func `of an unordered stream arrive as they become available`() async throws {
        let gate = Gate()
        let pool = WorkerPool(.init(workers: 2...2))
        var numbers: [Int] = []
        let stream = pool.results(of: 0..<10, order: .completion) { number in
            if number == 0 { await gate.pass() }
            return number
        }
        for try await number in stream {
            numbers.append(number)
            if numbers.count == 3 { gate.open() }
        }
        #expect(numbers.sorted() == Array(0..<10))
        #expect(numbers.first != 0)
        await pool.drain()
    }

    @Test func `of a stream end with the first error`() async throws {
        let pool = WorkerPool(.init(workers: 2...2))
        var numbers: [Int] = []
        await #expect(throws: TestError(number: 5)) {
            for try await number in pool.results(
                of: 0..<100,
                { (number: Int) in
                    if number == 5 { throw TestError(number: 5) }
                    return number
                })
            { numbers.append(number) }
        }
        #expect(numbers == [0, 1, 2, 3, 4])
        await pool.drain()
        #expect(pool.counters.accepted < 100)
    }

    @Test func `of a stream whose reader is gone are not computed`() async throws {
        let pool = WorkerPool(.init(workers: 1...1))
        do {
            for try await number in pool.results(of: 0..<1_000_000, { $0 }) where number == 3 { break }
        }
        await pool.drain()
        #expect(pool.counters.accepted < 1000)
    }

    @Test(arguments: [ResultOrder.input, .completion])
    func `of a stream on a closed pool end with its refusal`(order: ResultOrder) async throws {
        let pool = WorkerPool(.init(name: "p", workers: 2...2))
        await pool.drain()
        await #expect(throws: PoolError.closed(pool: "p")) {
            for try await _ in pool.results(of: 0..<10, order: order, { $0 }) { Issue.record("there is no result") }
        }
    }

    @Test(arguments: [ResultOrder.input, .completion])
    func `of a stream end for good`(order: ResultOrder) async throws {
        let pool = WorkerPool(.init(workers: 2...2))
        var all = pool.results(of: 0..<3, order: order, window: 1, { $0 }).makeAsyncIterator()
        for number in 0..<3 { #expect(try await all.next() == number) }
        #expect(try await all.next() == nil)
        #expect(try await all.next() == nil)
        var failing = pool.results(of: 0..<3, order: order, { _ in throw TestError() }).makeAsyncIterator()
        await #expect(throws: TestError.self) { try await failing.next() }
        #expect(try await failing.next() == nil)
        await pool.drain()
    }

    @Test(.timeLimit(Scale.timeLimit), arguments: [ResultOrder.input, .completion])
    func `of a stream whose reader is cancelled are not computed`(order: ResultOrder) async throws {
        let gate = Gate()
        let begun = Gauge()
        let pool = WorkerPool(.init(workers: 2...2))
        let reader = Task {
            for try await _ in pool.results(
                of: 0..<1000, order: order,
                { _ in
                    begun.enter()
                    await gate.pass()
                    // Which may come a moment later, when the worker has only just been started.
                    try await untilCancelled()
                })
            {}
        }
        await gate.arrivals(2)
        reader.cancel()
        await #expect(throws: CancellationError.self) { try await reader.value }
        gate.open()
        await pool.drain()
        #expect(begun.now == 2)
    }

    @Test(arguments: [ResultOrder.input, .completion])
    func `of an async sequence arrive before its error, and no more than the window is taken ahead`(
        order: ResultOrder
    ) async throws {
        let pool = WorkerPool(.init(workers: 2...2))
        let taken = Gauge()
        var numbers: [Int] = []
        await #expect(throws: TestError(number: 300)) {
            let stream = pool.results(of: Numbers(taken: taken, end: 300), order: order, window: 5) { $0 }
            for try await number in stream {
                taken.leave()
                #expect(taken.now <= 5)
                numbers.append(number)
            }
        }
        #expect(numbers.sorted() == Array(0..<300))
        if order == .input { #expect(numbers == Array(0..<300)) }
        await pool.drain()
    }

    @Test func `of a stream can be read by a job of the pool, even with one worker`() async throws {
        let pool = WorkerPool(.init(workers: 1...1, queue: .bounded(2)))
        let sum = try await pool.submit(returning: {
            var sum = 0
            for try await number in pool.results(of: 1...100, window: 7, { $0 }) { sum += number }
            for try await number in pool.results(of: 1...100, order: .completion, { $0 }) { sum += number }
            return sum
        })
        #expect(try await sum.value == 10_100)
        await pool.drain()
    }

    @Test func `of an async sequence are computed with backpressure`() async throws {
        let pool = WorkerPool(.init(workers: 2...2, queue: .bounded(4)))
        let (numbers, feed) = AsyncStream<Int>.makeStream()
        for number in 0..<200 { feed.yield(number) }
        feed.finish()
        let log = Log<Int>()
        try await pool.forEach(in: numbers) { log.add($0) }
        #expect(log.all.sorted() == Array(0..<200))
        await pool.drain()
    }

    /// The source gives one element and then neither another nor an end.
    @Test(.timeLimit(Scale.timeLimit), arguments: [true, false])
    func `of a silent source still end with a job's error`(isInJob: Bool) async throws {
        let pool = WorkerPool(.init(workers: 1...1))
        let (numbers, feed) = AsyncStream<Int>.makeStream()
        feed.yield(1)
        let forAll = { @Sendable () async throws in try await pool.forEach(in: numbers) { throw TestError(number: $0) } }
        let result = isInJob ? try await pool.submit(returning: forAll).result : nil
        if let result {
            #expect(throws: JobFailure<any Error>.self) { try result.get() }
        } else {
            await #expect(throws: TestError(number: 1)) { try await forAll() }
        }
        feed.finish()
        await pool.drain()
    }

    @Test(.timeLimit(Scale.timeLimit)) func `of a silent source end with their caller's cancellation`() async throws {
        let pool = WorkerPool(.init(workers: 1...1))
        let (numbers, feed) = AsyncStream<Int>.makeStream()
        let log = Log<Int>()
        for number in 0..<10 { feed.yield(number) }
        let caller = Task { try await pool.forEach(in: numbers) { log.add($0) } }
        await eventually { log.all.count == 10 }
        caller.cancel()
        await #expect(throws: CancellationError.self) { try await caller.value }
        feed.finish()
        await pool.drain()
    }

    /// Elements that must be awaited are taken by another task, which submits on behalf of the job
    /// that waits for it.
    @Test(.timeLimit(Scale.timeLimit), arguments: [1, 2])
    func `are computed for a job while its pool drains`(workers: Int) async throws {
        let gate = Gate()
        let pool = WorkerPool(.init(workers: workers...workers, queue: .bounded(2)))
        let sum = try await pool.submit(returning: { () async throws -> Int in
            await gate.pass()
            let (numbers, feed) = AsyncStream<Int>.makeStream()
            for number in 1...100 { feed.yield(number) }
            feed.finish()
            var sum = 0
            for try await number in pool.results(of: numbers, { $0 }) { sum += number }
            let log = Log<Int>()
            let (others, other) = AsyncStream<Int>.makeStream()
            for number in 1...100 { other.yield(number) }
            other.finish()
            try await pool.forEach(in: others) { log.add($0) }
            return sum + log.all.reduce(0, +)
        })
        await gate.arrivals(1)
        async let drained: Void = pool.drain()
        await #expect(throws: PoolError.closed(pool: "pool")) { while true { try await pool.submit {} } }
        gate.open()
        #expect(try await sum.value == 10_100)
        await drained
    }

    @Test func `of a hundred thousand elements arrive in order`() async throws {
        let pool = WorkerPool(.init(workers: 2...2))
        var next = 0
        for try await number in pool.results(of: 0..<100_000, window: 512, { $0 }) {
            if number != next { Issue.record("\(number) came when \(next) was due") }
            next = number + 1
        }
        #expect(next == 100_000)
        await pool.drain()
    }
}

/// Counts up to `end`, then fails; tracks how many numbers were taken.
private struct Numbers: AsyncSequence, Sendable {
    let taken: Gauge
    let end: Int

    func makeAsyncIterator() -> Iterator { Iterator(taken: taken, end: end) }

    struct Iterator: AsyncIteratorProtocol {
        let taken: Gauge
        let end: Int
        var next = 0

        mutating func next() async throws -> Int? {
            if next % 7 == 0 { await Task.yield() }
            guard next < end else { throw TestError(number: end) }
            taken.enter()
            defer { next += 1 }
            return next
        }
    }
}
