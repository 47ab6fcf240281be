import Testing
import WorkerPools

@Suite struct `A group of jobs` {
    @Test func `releases the closures of cancelled jobs at once, even if no worker comes to the queue`() async throws {
        final class Token: Sendable {}
        let gate = Gate()
        let pool = WorkerPool(.init(workers: 1...1))
        try await pool.submit { await gate.pass() }
        await gate.arrivals(1)
        let group = pool.group()
        weak var held: Token?
        do {
            let token = Token()
            held = token
            for _ in 0..<3 { try await group.submit { _ = token } }
        }
        #expect(held != nil)
        group.cancel()
        #expect(held == nil)
        gate.open()
        await pool.drain()
        #expect(pool.counters.cancelled == 3)
    }

    enum Canceller: CaseIterable {
        case group
        case firstError
        case pool
    }

    /// Each cancelled job informs its group, which must not go through all of them again each time.
    @Test(arguments: Canceller.allCases, [JobGroup.FailureRule.cancelRest, .collect])
    func `of many jobs is cancelled in one pass`(canceller: Canceller, rule: JobGroup.FailureRule) async throws {
        let gate = Gate()
        let pool = WorkerPool(.init(workers: 1...1, queue: .unbounded))
        let group = pool.group(onFailure: rule)
        let fails = canceller == .firstError
        try await group.submit {
            await gate.pass()
            if fails { throw TestError(number: 1) }
        }
        await gate.arrivals(1)
        let count = Scale.rounds(20_000, full: 1_000_000)
        for _ in 0..<count { try await group.submit {} }
        switch canceller {
        case .group: group.cancel()
        case .firstError: break
        case .pool: #expect(pool.cancel().count == count)
        }
        gate.open()
        let errors = await group.waitForAll()
        await pool.drain()
        let isKept = fails && rule == .collect
        #expect(errors.count == (isKept ? 1 : count + (fails ? 1 : 0)))
        #expect(pool.counters.cancelled == (isKept ? 0 : count))
    }

    @Test func `can be awaited without the rest of the pool`() async throws {
        let gate = Gate()
        let log = Log<Int>()
        let pool = WorkerPool(.init(workers: 2...2))
        try await pool.submit { await gate.pass() }
        let group = pool.group()
        for number in 0..<20 { try await group.submit { log.add(number) } }
        try await group.wait()
        #expect(log.all.count == 20)
        #expect(pool.counters.running == 1)
        gate.open()
        await pool.drain()
    }

    @Test func `cancels its rest after the first error`() async throws {
        let gate = Gate()
        let log = Log<Int>()
        let pool = WorkerPool(.init(workers: 1...1))
        let group = pool.group()
        try await group.submit {
            await gate.pass()
            throw TestError(number: 1)
        }
        for number in 0..<5 { try await group.submit { log.add(number) } }
        let other = try await pool.submit(returning: { "untouched" })
        gate.open()
        await #expect(throws: TestError(number: 1)) { try await group.wait() }
        #expect(log.all.isEmpty)
        #expect(try await other.value == "untouched")
        await #expect(throws: TestError(number: 1)) { try await group.submit {} }
        await pool.drain()
        #expect(pool.counters.cancelled == 5)
    }

    /// Its waiter must not wait for jobs that the queue never had room for.
    @Test(.timeLimit(Scale.timeLimit), arguments: [true, false])
    func `releases its suspended submitters when it is cancelled`(byError: Bool) async throws {
        let (gate, other) = (Gate(), Gate())
        let pool = WorkerPool(.init(workers: 2...2, queue: .bounded(1)))
        let group = pool.group()
        try await pool.submit { await other.pass() }
        try await group.submit {
            await gate.pass()
            if byError { throw TestError(number: 1) }
            await other.pass()
        }
        await gate.arrivals(1)
        await other.arrivals(1)
        try await pool.submit { await other.pass() }
        let submitters = (0..<3).map { _ in Task { try await group.submit { Issue.record("a cancelled job has run") } } }
        await eventually { pool.counters.suspended == 3 }
        if !byError { group.cancel() }
        gate.open()
        for submitter in submitters {
            if byError {
                await #expect(throws: TestError(number: 1)) { try await submitter.value }
            } else {
                await #expect(throws: PoolError.cancelled(pool: "pool", job: nil)) { try await submitter.value }
            }
        }
        #expect(pool.counters.suspended == 0)
        other.open()
        #expect(await group.waitForAll() as? [TestError] == (byError ? [TestError(number: 1)] : []))
        await pool.drain()
        #expect(pool.counters.accepted == 3)
    }

    @Test func `collects all errors if told to`() async throws {
        let pool = WorkerPool(.init(workers: 3...3))
        let group = pool.group(onFailure: .collect)
        for number in 0..<10 {
            try await group.submit { if number % 2 == 0 { throw TestError(number: number) } }
        }
        let numbers = await group.waitForAll().compactMap { ($0 as? TestError)?.number }
        #expect(numbers.sorted() == [0, 2, 4, 6, 8])
        await pool.drain()
    }

    @Test func `cancels running jobs as well as waiting ones`() async throws {
        let gate = Gate()
        let pool = WorkerPool(.init(workers: 1...1))
        let group = pool.group()
        let seen = Log<Bool>()
        try await group.submit {
            await gate.pass()
            seen.add(Task.isCancelled)
        }
        try await group.submit { seen.add(false) }
        await gate.arrivals(1)
        group.cancel()
        gate.open()
        _ = await group.waitForAll()
        #expect(seen.all == [true])
        #expect(group.pending == 0)
        await pool.drain()
    }
}

@Suite struct `The lifetime of a group` {
    @Test func `exists until its last job has ended, and no longer`() async throws {
        let gate = Gate()
        let log = Log<Int>()
        let pool = WorkerPool(.init(workers: 2...2))
        weak var held: JobGroup?
        do {
            let group = pool.group()
            held = group
            for number in 0..<10 {
                try await group.submit {
                    await gate.pass()
                    log.add(number)
                }
            }
        }
        #expect(held?.pending == 10)
        gate.open()
        await pool.drain()
        #expect(log.all.count == 10)
        while held != nil { await Task.yield() }
    }

    @Test func `does not extend that of ended jobs, however many follow`() async throws {
        let live = Counter()
        let pool = WorkerPool(.init(workers: 2...2, queue: .bounded(16)))
        let group = pool.group()
        for _ in 0..<10_000 {
            let token = Token(live)
            let retry = RetryPolicy(times: 0, retries: { _ in token.isLive })
            try await group.submit(JobOptions(retry: retry)) {}
            #expect(live.value <= 200)
        }
        try await group.wait()
        await pool.drain()
    }

    @Test func `wakes every waiter, in every round`() async throws {
        let pool = WorkerPool(.init(workers: 4...4))
        let group = pool.group()
        let ended = Counter()
        for round in 1...2000 {
            for _ in 0..<3 { try await group.submit { ended.add(1) } }
            async let other: Void = group.wait()
            try await group.wait()
            #expect(ended.value == 3 * round)
            try await other
        }
        #expect(group.pending == 0)
        await pool.drain()
    }
}

private final class Token: Sendable {
    let isLive = true
    private let live: Counter

    init(_ live: Counter) {
        self.live = live
        live.add(1)
    }

    deinit { live.add(-1) }
}

@Suite struct `A handle` {
    @Test func `keeps the type of the job's error`() async throws {
        let pool = WorkerPool(.init(workers: 1...1))
        let handle = try await pool.submit(returning: { () throws(TestError) -> Int in throw TestError(number: 9) })
        do throws(JobFailure<TestError>) {
            _ = try await handle.value
            Issue.record("the job had to fail")
        } catch {
            guard case .failed(let trouble) = error else {
                Issue.record("not the job's own error: \(error)")
                return
            }
            #expect(trouble.number == 9)
        }
        await pool.drain()
    }

    @Test func `cancels a waiting job, at once and for good`() async throws {
        let gate = Gate()
        let pool = WorkerPool(.init(name: "p", workers: 1...1))
        try await pool.submit { await gate.pass() }
        await gate.arrivals(1)
        let handle = try await pool.submit(JobOptions(name: "j"), returning: { 1 })
        handle.cancel()
        await #expect(throws: PoolError.cancelled(pool: "p", job: "j")) { try await handle.value }
        handle.cancel()
        #expect(pool.counters.cancelled == 1)
        gate.open()
        await pool.drain()
        #expect(pool.counters.done == 1)
    }

    @Test func `can be awaited by many tasks, before and after the end`() async throws {
        let gate = Gate()
        let pool = WorkerPool(.init(workers: 1...1))
        let handle = try await pool.submit(returning: {
            await gate.pass()
            return 5
        })
        let sum = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<10 { group.addTask { (try? await handle.value) ?? 0 } }
            await gate.arrivals(1)
            gate.open()
            return await group.reduce(0, +)
        }
        #expect(sum == 50)
        #expect(try await handle.value == 5)
        await pool.drain()
    }

    @Test func `is not needed with a callback`() async throws {
        let log = Log<String>()
        let pool = WorkerPool(.init(workers: 2...2))
        try await pool.submit(returning: { 4 }, then: { log.add("\($0)") })
        try await pool.submit(returning: { () throws(TestError) -> Int in throw TestError() }, then: { log.add("\($0)") })
        await pool.drain()
        #expect(log.all.count == 2)
        #expect(log.all.contains("success(4)"))
    }
}
