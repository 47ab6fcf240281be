import Testing

@testable import WorkerPools

/// The lock alone. A wake-up that is lost leaves threads parked, so the test does not end.
@Suite(.serialized, .timeLimit(Scale.timeLimit)) struct `A guarded value` {
    @Test(arguments: [LockChoice.parking, .polling])
    func `is changed by one thread at a time, however long each holds the lock`(choice: LockChoice) throws {
        let threads = 8
        let rounds = Scale.rounds(2_000, full: 100_000)
        let guarded = Guarded(Entries(), lock: choice)
        let running = try onThreads(threads) { thread in
            for round in 0..<rounds {
                guarded.withLock { entries in
                    entries.enter()
                    // Longer than others spin, so that some are parked when the lock is free.
                    if (thread + round) % 100 == 0 { compute(for: 1_000_000) }
                    entries.leave()
                }
            }
        }
        running.join()
        #expect(guarded.withLock { $0.count } == threads * rounds)
        #expect(guarded.withLock { $0.intrusions } == 0)
    }

    /// Threads are parked again and again, and the last to be woken has no other left to wake it.
    @Test func `is reached by every thread that waits for it`() throws {
        let threads = 4
        let guarded = Guarded(Entries())
        for round in 0..<Scale.rounds(100, full: 5_000) {
            let arrived = Tally()
            let running = try onThreads(threads) { _ in
                arrived.add()
                guarded.withLock { entries in
                    entries.enter()
                    while arrived.value < threads {}
                    // Two others wait, and as a rule one of them parks before long.
                    if entries.count % threads == 1 { while !guarded.mayBeAwaited {} }
                    entries.leave()
                }
            }
            running.join()
            #expect(guarded.withLock { $0.count } == threads * (round + 1))
            #expect(guarded.withLock { $0.intrusions } == 0)
        }
    }

    @Test func `is free again when its closure has thrown`() {
        let guarded = Guarded(0)
        #expect(throws: TestError.self) {
            try guarded.withLock { number throws(TestError) in
                number += 1
                throw TestError()
            }
        }
        #expect(guarded.withLock { $0 } == 1)
    }

    @Test func `frees its value once, on whichever thread is the last`() throws {
        let instances = InstanceCounter()
        for _ in 0..<Scale.rounds(500, full: 20_000) {
            let running = try onThreads(3, touching(Guarded(InstanceCounter.Instance(of: instances))))
            running.join()
        }
        #expect(instances.now == 0)
    }
}

/// Deliberately not atomic: what the lock guards.
private struct Entries {
    private(set) var count = 0
    /// How often a thread came in while another was inside.
    private(set) var intrusions = 0
    private var isInside = false

    mutating func enter() {
        if isInside { intrusions += 1 }
        isInside = true
    }

    mutating func leave() {
        count += 1
        isInside = false
    }
}

private func touching(_ guarded: Guarded<InstanceCounter.Instance>) -> @Sendable (Int) -> Void {
    { _ in for _ in 0..<20 { guarded.withLock { $0.touch() } } }
}

/// Only the threads keep `body`, and what it captures.
private func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) throws -> [SystemThread] {
    try (0..<count).map { number in try SystemThread { body(number) } }
}

extension [SystemThread] {
    fileprivate func join() { for thread in self { thread.join() } }
}

/// Keeps the processor busy for that many nanoseconds.
private func compute(for time: UInt64) {
    let end = OperatingSystem.now + time
    while OperatingSystem.now < end {}
}
