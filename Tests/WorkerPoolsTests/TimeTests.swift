import Testing

@testable import WorkerPools

@Suite struct `A timer wheel` {
    private static let tick: UInt64 = 1 << 16

    @Test func `fires nothing early, everything in time, in the order of deadlines`() {
        var random = Seeded(state: 1)
        var wheel = TimerWheel<UInt64>(now: 0)
        var now: UInt64 = 0
        var waiting: Set<UInt64> = []
        for _ in 0..<20_000 {
            let longest: UInt64 = Bool.random(using: &random) ? 30_000_000 : 900_000_000
            let due = now + UInt64.random(in: 1...longest, using: &random)
            if waiting.insert(due).inserted { _ = wheel.insert(due: due, due) }
            now += UInt64.random(in: 0...200_000, using: &random)
            var fired: [UInt64] = []
            wheel.advance(to: now, into: &fired)
            for due in fired {
                #expect(due <= now)
                #expect(waiting.remove(due) != nil)
            }
            if let first = waiting.min() { #expect(first + Self.tick > now || first / Self.tick >= now / Self.tick) }
            if let next = wheel.nextDue { #expect(next > now - now % Self.tick) }
        }
        var fired: [UInt64] = []
        wheel.advance(to: now + 1_000_000_000, into: &fired)
        #expect(Set(fired) == waiting)
        #expect(zip(fired, fired.dropFirst()).allSatisfy { $0 / Self.tick <= $1 / Self.tick })
        #expect(wheel.nextDue == nil)
    }

    @Test func `does not fire what was removed, near or far`() {
        var wheel = TimerWheel<Int>(now: 0)
        var removed = 0
        var ids: [TimerID] = []
        for number in 0..<2000 {
            ids.append(wheel.insert(due: number % 2 == 0 ? 1_000_000 : 5_000_000_000, number))
        }
        for (number, id) in ids.enumerated() where number % 3 != 0 {
            #expect(wheel.remove(id) == number)
            #expect(wheel.remove(id) == nil)
            removed += 1
        }
        var fired: [Int] = []
        wheel.advance(to: 6_000_000_000, into: &fired)
        #expect(fired.count == 2000 - removed)
        #expect(fired.allSatisfy { $0 % 3 == 0 })
    }

    @Test func `keeps a place for one who reserves, and notices that he has left`() {
        var wheel = TimerWheel<String>(now: 0)
        let id = wheel.reserve()
        #expect(wheel.contains(id))
        #expect(wheel.remove(id) == nil)
        #expect(!wheel.contains(id))
        let next = wheel.insert(due: 1, "next")
        #expect(next != id)
    }
}

@Suite struct `The pool's clock` {
    @Test(arguments: [1, 5, 25]) func `never wakes a sleeper early`(milliseconds: Int) async throws {
        let clock = PoolClock()
        let start = clock.now
        try await PoolClock.sleep(for: .milliseconds(milliseconds))
        #expect(start.duration(to: clock.now) >= .milliseconds(milliseconds))
    }

    @Test func `lets a cancelled sleeper go`() async {
        let sleeper = Task { try await PoolClock.sleep(for: .seconds(3600)) }
        sleeper.cancel()
        await #expect(throws: CancellationError.self) { try await sleeper.value }
    }

    @Test func `lets a sleeper on an executor's thread go when it is cancelled`() async {
        let executor = ThreadExecutor(threads: 1, name: "sleeper")
        let gate = Gate()
        let sleeper = Task(executorPreference: executor) {
            await gate.pass()
            try await PoolClock().sleep(for: .seconds(3600))
        }
        gate.open()
        await gate.arrivals(1)
        sleeper.cancel()
        await #expect(throws: CancellationError.self) { try await sleeper.value }
        executor.shutdown()
    }

    @Test func `measures time as an instant and back`() {
        let now = PoolClock().now
        #expect(now.advanced(by: .seconds(3)).advanced(by: .seconds(-3)) == now)
        #expect(now.duration(to: now.advanced(by: .milliseconds(5))) == .milliseconds(5))
    }
}

@Suite struct `A retry policy` {
    @Test func `doubles its wait up to the cap`() {
        var random = SystemRandomNumberGenerator()
        let policy = RetryPolicy(times: 9, backoff: .milliseconds(100), maxBackoff: .seconds(1), jitter: false)
        let waits = (1...6).map { policy.delay(attempt: $0, using: &random) }
        #expect(waits == [.milliseconds(100), .milliseconds(200), .milliseconds(400), .milliseconds(800), .seconds(1), .seconds(1)])
        #expect(policy.delay(attempt: 1000, using: &random) == .seconds(1))
    }

    @Test func `stays constant when it is told to`() {
        var random = SystemRandomNumberGenerator()
        let policy = RetryPolicy(times: 2, backoff: .milliseconds(30), growth: .constant, jitter: false)
        #expect((1...5).allSatisfy { policy.delay(attempt: $0, using: &random) == .milliseconds(30) })
    }

    @Test func `draws its wait evenly from the whole span`() {
        var random = Seeded(state: 42)
        let policy = RetryPolicy(times: 9, backoff: .milliseconds(100), maxBackoff: .milliseconds(100))
        let waits = (0..<10_000).map { _ in Double(policy.delay(attempt: 1, using: &random).nanoseconds) / 1e6 }
        #expect(waits.allSatisfy { (0...100).contains($0) })
        #expect(abs(waits.reduce(0, +) / 10_000 - 50) < 2)
        #expect(waits.count { $0 < 10 } > 800)
    }
}
