import Testing

@testable import WorkerPools

@Suite struct `The values that a map has made` {
    @Test func `are released once, when the array is`() async throws {
        let live = Counter()
        let pool = WorkerPool(.init(workers: 2...2))
        var values = try await pool.map(0..<10_000) { Value($0, live) }
        #expect(live.value == 10_000)
        #expect(values.map(\.number) == Array(0..<10_000))
        values.removeLast(5000)
        #expect(live.value == 5000)
        values = try await pool.map(Array(0..<10_000)) { (number: Int) async in Value(number, live) }
        #expect(live.value == 10_000)
        values.append(Value(10_000, live))
        #expect(values.map(\.number) == Array(0...10_000))
        values = []
        #expect(live.value == 0)
        await pool.drain()
    }

    @Test(arguments: [0, 1, 63, 1023, 1024, 5000, 9999])
    func `are released once, when an element fails`(failing: Int) async throws {
        let (live, made) = (Counter(), Counter())
        let pool = WorkerPool(.init(workers: 2...2))
        await #expect(throws: JobFailure<any Error>.self) {
            _ = try await pool.map(0..<10_000) { number in
                if number == failing { throw TestError() }
                made.add(1)
                return Value(number, live)
            }
        }
        await #expect(throws: JobFailure<any Error>.self) {
            _ = try await pool.map(0..<10_000) { number in
                await Task.yield()
                if number == failing { throw TestError() }
                made.add(1)
                return Value(number, live)
            }
        }
        await pool.drain()
        #expect(live.value == 0)
        #expect(made.value >= 2 * min(failing, 1))
    }

    @Test func `are released once, when the caller is cancelled`() async throws {
        let (live, made) = (Counter(), Counter())
        let gate = Gate()
        let pool = WorkerPool(.init(workers: 2...2))
        let caller = Task {
            try await pool.map(0..<10_000) { number in
                if number == 500 { await gate.pass() }
                made.add(1)
                return Value(number, live)
            }
        }
        await gate.arrivals(1)
        caller.cancel()
        gate.open()
        await #expect(throws: JobFailure<Never>.self) { try await caller.value }
        await pool.drain()
        #expect(live.value == 0)
        #expect(made.value > 500 && made.value < 10_000)
    }

    @Test func `are released once, when an attempt outlives the map`() async throws {
        let (live, gate, clock) = (Counter(), Gate(), ManualClock())
        let pool = WorkerPool(.init(workers: 2...2, timeout: .seconds(1), alarms: clock))
        let caller = Task {
            try await pool.map(0..<20) { number in
                if number == 19 { await gate.pass() }
                return Value(number, live)
            }
        }
        await gate.arrivals(1)
        await eventually { live.value == 19 }
        clock.advance(by: .seconds(2))
        await #expect(throws: JobFailure<Never>.self) { try await caller.value }
        #expect(live.value == 19)
        gate.open()
        await pool.drain()
        #expect(live.value == 0)
        #expect(pool.counters.late == 1)
    }

    @Test func `are released once, when an attempt comes too late and is made again`() async throws {
        let (live, made, gate, clock) = (Counter(), Counter(), Gate(), ManualClock())
        let retry = RetryPolicy(times: 1, backoff: .zero, jitter: false)
        let pool = WorkerPool(.init(workers: 2...2, timeout: .seconds(1), retry: retry, alarms: clock))
        do {
            let caller = Task {
                try await pool.map(0..<20) { number in
                    if number == 19, made.add(1) == 1 { await gate.pass() }
                    return Value(number, live)
                }
            }
            await gate.arrivals(1)
            await eventually { live.value == 19 }
            clock.advance(by: .seconds(2))
            gate.open()
            #expect(try await caller.value.map(\.number) == Array(0..<20))
        }
        #expect(pool.counters.late == 1)
        await pool.drain()
        #expect(live.value == 0)
    }

    @Test func `are released once, when a job that was handed back is run after all`() async throws {
        let (live, gate) = (Counter(), Gate())
        let pool = WorkerPool(.init(workers: 1...1))
        let caller = Task {
            try await pool.map(0..<8) { number in
                if number == 0 { await gate.pass() }
                return Value(number, live)
            }
        }
        await gate.arrivals(1)
        await eventually { pool.counters.queued == 7 }
        let undone = pool.cancel()
        gate.open()
        await #expect(throws: JobFailure<Never>.self) { try await caller.value }
        for job in undone {
            try await job.body()
            try await job.body()
        }
        #expect(undone.count == 7)
        #expect(live.value >= 7)
        _ = consume undone
        #expect(live.value == 0)
    }
}

/// Counts itself for as long as it is alive.
private final class Value: Sendable {
    let number: Int
    private let live: Counter

    init(_ number: Int, _ live: Counter) {
        self.number = number
        self.live = live
        live.add(1)
    }

    deinit { live.add(-1) }
}
