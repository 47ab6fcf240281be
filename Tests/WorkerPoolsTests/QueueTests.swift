import Testing

@testable import WorkerPools

@Suite struct `The priority queue` {
    private func job(_ level: UInt8, _ number: Int32) -> Job { Job(body: .plain({}), attempt: number, level: level) }

    @Test func `gives higher levels first, and jobs of one level in order`() {
        let queue = LevelQueue(levels: 3, ageing: 100)
        for (number, level) in [0, 2, 1, 2, 0, 1].enumerated() { queue.append(job(UInt8(level), Int32(number))) }
        var order: [Int32] = []
        while let next = queue.popFirst() { order.append(next.attempt) }
        #expect(order == [1, 3, 2, 5, 0, 4])
    }

    @Test(arguments: [1, 4, 16]) func `serves a low level after this many from above`(ageing: Int) {
        let queue = LevelQueue(levels: 2, ageing: ageing)
        queue.append(job(0, 99))
        for number in 0..<100 { queue.append(job(1, Int32(number))) }
        var before = 0
        while let next = queue.popFirst(), next.attempt != 99 { before += 1 }
        #expect(before == ageing)
    }

    @Test func `never lets any level wait beyond its bound, whatever arrives`() {
        var random = Seeded(state: 7)
        let queue = LevelQueue(levels: 4, ageing: 8)
        var waited = [Int](repeating: 0, count: 4)
        for level in 0..<4 { queue.append(job(UInt8(level), 1)) }
        for _ in 0..<10_000 {
            let level = Int.random(in: 2...3, using: &random)
            queue.append(job(UInt8(level), 1))
            guard let next = queue.popFirst() else { continue }
            for level in waited.indices where level != Int(next.level) { waited[level] += 1 }
            waited[Int(next.level)] = 0
            queue.append(job(next.level, 1))
            #expect(waited.allSatisfy { $0 <= 8 + 2 * 3 })
        }
    }

    @Test func `forgets withdrawn entries, however many there are`() {
        let queue = LevelQueue(levels: 1, ageing: 1)
        for round in 0..<1000 {
            let record = JobRecord(options: JobOptions())
            record.phase = .queued
            queue.append(Job(body: .plain({}), record: record, level: 0))
            if round % 10 != 0 {
                record.phase = .decided
                queue.noteCancelled()
            }
        }
        #expect(queue.count == 100)
        var left = 0
        while queue.popFirst() != nil { left += 1 }
        #expect(left == 100)
        #expect(queue.count == 0)
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
