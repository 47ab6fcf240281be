import Testing

@testable import WorkerPools

@Suite struct `A queue of timers` {
    @Test func `fires nothing early, everything in time, in the order of deadlines`() {
        var random = Seeded(state: 1)
        var timers = TimerQueue<UInt64>()
        var now: UInt64 = 0
        var waiting: Set<UInt64> = []
        for number in 0..<20_000 as Range<UInt64> {
            let longest: UInt64 = Bool.random(using: &random) ? 30_000_000 : 900_000_000
            let due = now + UInt64.random(in: 1...longest, using: &random)
            if waiting.insert(due).inserted { timers.insert(number, due: due, due) }
            now += UInt64.random(in: 0...200_000, using: &random)
            #expect(timers.nextDue == waiting.min())
            var fired: [UInt64] = []
            while let first = timers.popFirst(until: now) { fired.append(first.payload) }
            #expect(fired == waiting.filter { $0 <= now }.sorted())
            waiting.subtract(fired)
        }
        var fired: [UInt64] = []
        while let first = timers.popFirst(until: now + 1_000_000_000) { fired.append(first.payload) }
        #expect(fired == waiting.sorted())
        #expect(timers.nextDue == nil)
    }

    @Test func `fires those with one deadline in the order in which they were inserted`() {
        var timers = TimerQueue<UInt64>()
        for number in 0..<100 as Range<UInt64> { timers.insert(number, due: 7, number) }
        var fired: [UInt64] = []
        while let first = timers.popFirst(until: 7) { fired.append(first.payload) }
        #expect(fired == Array(0..<100))
    }

    @Test func `does not fire what was removed, near or far`() {
        var timers = TimerQueue<UInt64>()
        for number in 0..<2000 as Range<UInt64> {
            timers.insert(number, due: number % 2 == 0 ? 1_000_000 : 5_000_000_000, number)
        }
        for number in 0..<2000 as Range<UInt64> where number % 3 != 0 {
            #expect(timers.remove(number) == number)
            #expect(timers.remove(number) == nil)
        }
        var fired: [UInt64] = []
        while let first = timers.popFirst(until: 6_000_000_000) { fired.append(first.payload) }
        let near = (0..<2000 as Range<UInt64>).filter { $0 % 6 == 0 }
        let far = (0..<2000 as Range<UInt64>).filter { $0 % 6 == 3 }
        #expect(fired == near + far)
    }
}

@Suite struct `A run queue` {
    /// A job that is never run: its number stands in for its address.
    private func job(_ number: UInt64) -> UnownedJob { unsafeBitCast(number, to: UnownedJob.self) }
    private func number(_ job: UnownedJob) -> UInt64 { unsafeBitCast(job, to: UInt64.self) }

    @Test func `wakes every sleeper on time, never early, in the order of deadlines`() {
        var random = Seeded(state: 7)
        var queue = RunQueue(now: 0)
        var now: UInt64 = 1
        var due: [UInt64: UInt64] = [:]
        var next: UInt64 = 1
        for _ in 0..<5000 {
            for _ in 0..<UInt64.random(in: 0...60, using: &random) {
                due[next] = now + UInt64.random(in: 0...20_000_000, using: &random)
                queue.nap(job(next), from: now, to: due[next] ?? 0)
                next += 1
            }
            // Now and then the thread computes for several turns of its wheel.
            now += UInt64.random(in: 0...(Int.random(in: 0..<100, using: &random) == 0 ? 90_000_000 : 300_000), using: &random)
            var last: UInt64 = 0
            while let job = queue.pop(at: now).job {
                guard let end = due.removeValue(forKey: number(job)) else { return #expect(Bool(false), "woken twice") }
                #expect(end <= now && end >> 16 >= last)
                last = end >> 16
            }
            #expect(due.values.allSatisfy { $0 >> 16 >= now >> 16 })
            if let first = due.values.min() { #expect(queue.nextDue == (first >> 16 + 1) << 16) }
        }
        while queue.pop(at: now + 30_000_000).job.map({ due.removeValue(forKey: number($0)) }) != nil {}
        #expect(due.isEmpty)
        #expect(queue.isQuiescent)
    }

    @Test(arguments: [1, 2, 29, 30, 31, 61, 1000]) func `gives away the older half in order`(count: UInt64) {
        var queue = RunQueue(now: 0)
        var thief = RunQueue(now: 0)
        for number in 1...count + 7 { queue.push(job(number)) }
        for _ in 0..<7 { _ = queue.pop(at: 0) }
        let half = queue.removeHalf()
        #expect(half.count == Int(count + 1) / 2)
        #expect(queue.ready.count == Int(count) / 2)
        thief.push(half)
        thief.push(job(count + 8))
        var taken: [UInt64] = []
        while let job = thief.pop(at: 0).job { taken.append(number(job)) }
        while let job = queue.pop(at: 0).job { taken.append(number(job)) }
        let older = 8..<8 + (count + 1) / 2
        #expect(taken == Array(older) + [count + 8] + Array(older.upperBound..<count + 8))
    }

    @Test func `gives away a sleeper only once it is a millisecond late`() {
        var queue = RunQueue(now: 0)
        queue.nap(job(1), from: 0, to: 5_000_000)
        #expect(queue.removeLateSleepers(at: 6_000_000).isEmpty)
        #expect(queue.removeLateSleepers(at: 6_100_000).map(number) == [1])
        #expect(queue.isQuiescent)
    }
}

@Suite struct `The pool's clock` {
    @Test func `throws to a task cancelled in a nap, at the nap's end`() async {
        let executor = ThreadExecutor(threads: 1, name: "nap")
        let clock = PoolClock()
        let gate = Gate()
        let sleeper = Task(executorPreference: executor) {
            await gate.pass()
            let start = clock.now
            await #expect(throws: CancellationError.self) { try await PoolClock.sleep(for: .milliseconds(2)) }
            return start.duration(to: clock.now)
        }
        await gate.arrivals(1)
        sleeper.cancel()
        gate.open()
        #expect(await sleeper.value >= .milliseconds(2))
        executor.shutdown()
    }

    @Test func `returns a sleeper to the actor it came from`() async throws {
        let executor = ThreadExecutor(threads: 2, name: "home")
        let tally = Tally()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask(executorPreference: executor) {
                    try await tally.addSleeping()
                    try await onMain()
                }
            }
            try await group.waitForAll()
        }
        #expect(await tally.count == 50)
        executor.shutdown()
    }

    private actor Tally {
        private(set) var count = 0

        func addSleeping() async throws {
            for length in [0, 1] {
                try await PoolClock.sleep(for: .milliseconds(length))
                preconditionIsolated()
            }
            count += 1
        }
    }

    @MainActor private func onMain() async throws {
        try await PoolClock.sleep(for: .milliseconds(1))
        MainActor.preconditionIsolated()
    }

    @Test(arguments: [1, 5, 25]) func `never wakes a sleeper early`(milliseconds: Int) async throws {
        let clock = PoolClock()
        let start = clock.now
        try await PoolClock.sleep(for: .milliseconds(milliseconds))
        #expect(start.duration(to: clock.now) >= .milliseconds(milliseconds))
    }

    @Test func `wakes a cancelled sleeper`() async {
        let sleeper = Task { try await PoolClock.sleep(for: .seconds(3600)) }
        sleeper.cancel()
        await #expect(throws: CancellationError.self) { try await sleeper.value }
    }

    @Test func `wakes a cancelled sleeper on an executor's thread`() async {
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

    @Test func `stays constant when told to`() {
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
