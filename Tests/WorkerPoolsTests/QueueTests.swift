import Testing

@testable import WorkerPools

@Suite struct `The queue of levels` {
    private func job(_ level: UInt8, _ number: Int32) -> Job { Job(body: {}, attempt: number, level: level) }

    @Test func `gives higher levels first, and within one the first first`() {
        var queue = LevelQueue(levels: 3, ageing: 100)
        for (number, level) in [0, 2, 1, 2, 0, 1].enumerated() { queue.append(job(UInt8(level), Int32(number))) }
        var order: [Int32] = []
        while let next = queue.popFirst() { order.append(next.attempt) }
        #expect(order == [1, 3, 2, 5, 0, 4])
    }

    @Test(arguments: [1, 4, 16]) func `serves a low level after so many from above`(ageing: Int) {
        var queue = LevelQueue(levels: 2, ageing: ageing)
        queue.append(job(0, 99))
        for number in 0..<100 { queue.append(job(1, Int32(number))) }
        var before = 0
        while let next = queue.popFirst(), next.attempt != 99 { before += 1 }
        #expect(before == ageing)
    }

    @Test func `never lets any level wait for more than its bound, whatever comes`() {
        var random = Seeded(state: 7)
        var queue = LevelQueue(levels: 4, ageing: 8)
        var waited = [Int](repeating: 0, count: 4)
        for level in 0..<4 { queue.append(job(UInt8(level), 1)) }
        for _ in 0..<10_000 {
            let level = Int.random(in: 2...3, using: &random)
            queue.append(job(UInt8(level), 1))
            guard let next = queue.popFirst() else { continue }
            for level in waited.indices where level != Int(next.level) { waited[level] += 1 }
            waited[Int(next.level)] = 0
            queue.append(job(next.level, 1))
            #expect(waited.allSatisfy { $0 <= 8 * 3 + 3 })
        }
    }

    @Test func `forgets withdrawn entries, however many there are`() {
        var queue = LevelQueue(levels: 1, ageing: 1)
        for round in 0..<1000 {
            let record = GroupRecord(WorkerPool(.init(workers: 1)).group(), JobOptions())
            record.phase = .queued
            queue.append(Job(body: {}, record: record, level: 0))
            if round % 10 != 0 {
                record.phase = .settled
                queue.forgetOne()
            }
        }
        #expect(queue.count == 100)
        var left = 0
        while queue.popFirst() != nil { left += 1 }
        #expect(left == 100)
        #expect(queue.count == 0)
    }
}

@Suite struct `A run of short jobs` {
    fileprivate func filled(_ count: Int) -> JobRun {
        let run = JobRun()
        run.fill(after: Job(body: {}, attempt: 0, level: 0)) { places, _ in
            for number in 1..<count {
                (places + number - 1).initialize(to: Job(body: {}, attempt: Int32(number), level: 0))
            }
            return count - 1
        }
        return run
    }

    @Test func `is worked off in order`() {
        let run = filled(5)
        var order: [Int32] = []
        while let next = run.endAndDraw().next { order.append(next.attempt) }
        #expect(order == [1, 2, 3, 4])
        #expect(run.tally.ended == 5)
        #expect(run.tally.running == 0)
    }

    @Test func `can be robbed of what is not begun, and its counts add up all the while`() {
        let run = filled(10)
        var robbed = 0
        for step in 0..<12 {
            if step % 3 == 2 {
                if run.takeAway() != nil { robbed += 1 }
            } else if run.endAndDraw().next == nil {
                break
            }
            let tally = run.tally
            #expect(tally.waiting + tally.running + tally.ended + robbed == 10)
            #expect(tally.running <= 1)
        }
        #expect(robbed > 0)
        #expect(run.tally.waiting == 0)
    }
}

extension `A run of short jobs` {
    @Test func `counts each job once, with the run if it ends before the closing, by itself if after`() {
        for before in 0..<4 {
            let run = filled(4)
            for _ in 0..<before { _ = run.endAndDraw() }
            while run.takeAway() != nil {}
            #expect(run.close() == before)
            let (next, isCounted) = run.endAndDraw()
            #expect(next == nil)
            #expect(!isCounted)
        }
    }
}

/// SplitMix64: the same numbers every time.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
