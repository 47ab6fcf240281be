import Testing

@testable import WorkerPools

private func job(_ number: Int32) -> Job { Job(body: .plain({}), attempt: number, level: 0) }

@Suite struct `A buffer of jobs` {
    @Test func `returns what was put in, in order, however it grows and wraps around`() {
        var random = Seeded(state: 3)
        var buffer = JobBuffer()
        defer { buffer.free() }
        var model: [Int32] = []
        for number in 0..<10_000 {
            switch Int.random(in: 0..<6, using: &random) {
            case 5:
                buffer.prepend(job(Int32(number)))
                model.insert(Int32(number), at: 0)
            case 0 where !model.isEmpty:
                #expect(buffer.removeLast().attempt == model.removeLast())
            case 1 where !model.isEmpty, 2 where !model.isEmpty:
                #expect(buffer.removeFirst().attempt == model.removeFirst())
            default:
                buffer.append(job(Int32(number)))
                model.append(Int32(number))
            }
            #expect(buffer.count == model.count)
        }
    }

    @Test func `keeps no memory after a burst`() {
        var buffer = JobBuffer()
        defer { buffer.free() }
        for number in 0..<100_000 { buffer.append(job(Int32(number))) }
        buffer.shrink()
        #expect(buffer.capacity >= 100_000)
        for number in 0..<100_000 { #expect(buffer.removeFirst().attempt == Int32(number)) }
        buffer.shrink()
        #expect(buffer.capacity == 4096)
        for number in 0..<5000 { buffer.append(job(Int32(number))) }
        #expect(buffer.count == 5000)
    }

    @Test func `releases every closure exactly once`() {
        let alive = Gauge()
        var buffer = JobBuffer()
        for _ in 0..<20 {
            let token = Token(alive)
            buffer.append(Job(body: .plain({ _ = token }), level: 0))
        }
        for _ in 0..<5 { _ = buffer.removeFirst() }
        #expect(alive.now == 15)
        buffer.free()
        #expect(alive.now == 0)
    }

    @Test func `moves its first jobs to the end of another one`() {
        var random = Seeded(state: 5)
        var (from, to) = (JobBuffer(), JobBuffer())
        defer {
            from.free()
            to.free()
        }
        var (source, target): ([Int32], [Int32]) = ([], [])
        for round in 0..<2000 {
            for number in 0..<Int.random(in: 0..<40, using: &random) {
                from.append(job(Int32(100 * round + number)))
                source.append(Int32(100 * round + number))
            }
            let moved = Bool.random(using: &random) ? source.count : Int.random(in: 0...source.count, using: &random)
            to.append(first: moved, of: &from)
            target += source.prefix(moved)
            source.removeFirst(moved)
            let taken = round % 3 == 0 ? target.count : Int.random(in: 0...target.count, using: &random)
            for number in target.prefix(taken) { #expect(to.removeFirst().attempt == number) }
            target.removeFirst(taken)
            #expect(from.count == source.count && to.count == target.count)
        }
        for number in source { #expect(from.removeFirst().attempt == number) }
    }
}

private final class Token: Sendable {
    private let alive: Gauge

    init(_ alive: Gauge) {
        self.alive = alive
        alive.enter()
    }

    deinit { alive.leave() }
}
