import Testing
import WorkerPools

/// The clock of these pools is manual.
@Suite struct `Retries` {
    private func policy(_ times: Int) -> RetryPolicy {
        RetryPolicy(times: times, backoff: .seconds(1), growth: .constant, jitter: false)
    }

    @Test func `never overlap, whether attempts fail, yield or exceed their time limit`() async throws {
        let clock = ManualClock()
        let pool = WorkerPool(.init(workers: 4...4, queue: .unbounded, timeout: .seconds(1), retry: policy(4), alarms: clock))
        let count = Scale.rounds(300, full: 20_000)
        let gauges = (0..<count).map { _ in Gauge() }
        let attempts = (0..<count).map { _ in Tally() }
        for number in 0..<count {
            try await pool.submit {
                gauges[number].enter()
                defer { gauges[number].leave() }
                let attempt = attempts[number].next()
                for _ in 0..<number % 7 { await Task.yield() }
                if number % 3 == 0 {
                    // Exceeds its time limit, and keeps going.
                    for _ in 0..<500 where !Task.isCancelled { await Task.yield() }
                    for _ in 0..<20 { await Task.yield() }
                }
                if attempt <= number % 6 { throw TestError(number: attempt) }
            }
        }
        let time = Task {
            while !Task.isCancelled {
                clock.advance(by: .milliseconds(100))
                await Task.yield()
            }
        }
        await pool.drain()
        time.cancel()
        #expect(gauges.allSatisfy { $0.peak == 1 && $0.now == 0 })
        #expect(attempts.allSatisfy { (1...5).contains($0.value) })
        let counters = pool.counters
        #expect(counters.retried == attempts.reduce(0) { $0 + $1.value - 1 }, "\(counters)")
        #expect(counters.retried > count && counters.failed > 0 && counters.timedOut > 0, "\(counters)")
        #expect(counters.peakRunning <= 4)
    }

    @Test func `hold no slot and no place in the queue while they wait: a thousand of them on one worker`() async throws {
        let clock = ManualClock()
        let pool = WorkerPool(.init(workers: 1...1, queue: .bounded(4), retry: policy(1), alarms: clock))
        let failures = Tally()
        for _ in 0..<1000 {
            let attempts = Tally()
            try await pool.submit {
                guard attempts.next() == 1 else { return }
                failures.add()
                throw TestError()
            }
        }
        await eventually { pool.counters.retrying == 1000 }
        #expect(pool.counters.running == 0 && pool.counters.queued == 0)
        for number in 0..<100 { #expect(try await pool.submit(returning: { number }).value == number) }
        clock.advance(by: .milliseconds(999))
        #expect(pool.counters.retrying == 1000)
        clock.advance(by: .milliseconds(1))
        await pool.drain()
        #expect(pool.counters.done == 1100 && pool.counters.retried == 1000)
        #expect(failures.value == 1000)
    }
}

@Suite struct `An overrun` {
    @Test func `is announced once, when it times out; a later result is counted and discarded`() async throws {
        let clock = ManualClock()
        let pool = WorkerPool(.init(name: "p", workers: 1...1, timeout: .seconds(1), alarms: clock))
        let (heard, running) = (Log<Outcome>(), Gauge())
        let count = 20
        let gates = (0..<count).map { _ in Gate() }
        @Sendable func submit(_ number: Int) async throws {
            try await pool.submit(
                returning: { () async throws -> Int in
                    running.enter()
                    defer { running.leave() }
                    await gates[number].pass()
                    if number % 2 == 1 { throw TestError() }
                    return number
                }, then: { heard.add(Outcome($0)) })
        }
        try await submit(0)
        for number in 0..<count {
            await gates[number].arrivals(1)
            clock.advance(by: .seconds(1))
            // A job that arrives now finds the slot still held, and time alone does not free it.
            if number + 1 < count { try await submit(number + 1) }
            clock.advance(by: .seconds(100))
            for _ in 0..<100 { await Task.yield() }
            let counters = pool.counters
            #expect(heard.all.count == number + 1)
            #expect(counters.timedOut == number + 1 && counters.overrunning == 1)
            #expect(counters.late == (number + 1) / 2, "an error that comes late is no result")
            #expect(counters.running == 0 && counters.queued == (number + 1 < count ? 1 : 0))
            #expect(running.now == 1)
            gates[number].open()
        }
        await pool.drain()
        #expect(heard.all == Array(repeating: .timedOut, count: count))
        #expect(running.peak == 1)
        #expect(pool.counters.late == count / 2 && pool.counters.done == 0 && pool.counters.failed == 0)
    }
}
