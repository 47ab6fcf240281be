import Testing

@testable import WorkerPools

private func job(_ number: Int32, level: UInt8 = 0) -> Job { Job(body: .plain({}), attempt: number, level: level) }

/// As many jobs as a local queue asks for.
private func jobs(_ number: Int32, _ most: Int, _ jobs: inout JobBuffer) {
    for _ in 0..<most { jobs.append(job(number)) }
}

@Suite struct `A buffer of jobs` {
    @Test func `returns what was put in, in order, however it grows and wraps around`() {
        var random = Seeded(state: 3)
        var buffer = JobBuffer(capacity: 4)
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
        var buffer = JobBuffer(capacity: 4)
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
        var buffer = JobBuffer(capacity: 2)
        for _ in 0..<20 {
            let token = Token(alive)
            buffer.append(Job(body: .plain({ _ = token }), level: 0))
        }
        for _ in 0..<5 { _ = buffer.removeFirst() }
        #expect(alive.now == 15)
        buffer.free()
        #expect(alive.now == 0)
    }
}

@Suite struct `A local queue` {
    /// Ends a job and begins the next until there is none.
    private func drain(_ local: LocalQueue) {
        let pool = WorkerPool(.init(workers: 1))
        let worker = Worker(pool.storage, slot: 0)
        while local.endAndBeginNext(of: worker) != nil {}
    }

    /// A queue that has finished jobs in one or two µs each, and then took its share.
    private func filled(share: Int) -> LocalQueue {
        let local = LocalQueue(lock: .mutex)
        var now: UInt64 = 1_000_000_000
        var pace = 1
        while pace < 2 * LocalQueue.capacity {
            now += UInt64(pace) * 1000
            _ = local.fill(ended: 1, share: pace - 1, longest: LocalQueue.capacity, now: now) { jobs(0, $0, &$1) }
            drain(local)
            pace *= 2
        }
        now += UInt64(LocalQueue.capacity) * 1000
        var next: Int32 = 0
        _ = local.fill(ended: 1, share: share, longest: LocalQueue.capacity, now: now) { most, jobs in
            for _ in 0..<most {
                next += 1
                jobs.append(job(next))
            }
        }
        return local
    }

    @Test func `takes no more than its share`() {
        let local = filled(share: 40)
        defer { local.free() }
        #expect(local.waiting == 40)
    }

    @Test func `takes what it finishes before another thread would wake up, whatever its share`() {
        let local = filled(share: 0)
        defer { local.free() }
        #expect((8...16).contains(local.waiting))
    }

    @Test func `takes one job at a time while jobs are long, and more and more once they are short`() {
        let local = LocalQueue(lock: .mutex)
        defer { local.free() }
        var now: UInt64 = 1_000_000_000
        var sizes: [Int] = []
        for round in 0..<12 {
            now += round < 4 ? 1_000_000 : 1_000
            _ = local.fill(ended: 1, share: 1000, longest: 32, now: now) { jobs(1, $0, &$1) }
            sizes.append(local.waiting)
            drain(local)
        }
        #expect(sizes[..<4].allSatisfy { $0 == 0 })
        #expect(sizes[4...] == [1, 3, 7, 15, 31, 31, 31, 31])
    }

    @Test func `learns nothing from jobs that others took away`() {
        let local = LocalQueue(lock: .mutex)
        defer { local.free() }
        let queue = LevelQueue(levels: 1, ageing: 1)
        for _ in 0..<5 {
            _ = local.fill(ended: 1, share: 1000, longest: 32, now: 1) { jobs(1, $0, &$1) }
            #expect(local.waiting <= 1)
            local.lock()
            local.returnAll(to: queue)
            local.unlock()
        }
    }

    @Test func `returns everything to the head of the queue`() {
        let local = filled(share: 30)
        defer { local.free() }
        let queue = LevelQueue(levels: 1, ageing: 1)
        queue.append(job(99))
        local.lock()
        local.returnAll(to: queue)
        local.unlock()
        var order: [Int32] = []
        while let next = queue.popFirst() { order.append(next.attempt) }
        #expect(order == Array(1...30) + [99])
    }
}

@Suite struct `An injector` {
    @Test func `takes as many jobs as the budget says, and refuses the next`() {
        let injector = Injector(levels: 1, lock: .mutex)
        defer { injector.free() }
        #expect(injector.push(job(1)) != nil)
        #expect(injector.setBudget(2))
        #expect(injector.push(job(1)) == nil)
        #expect(injector.push(job(2)) == nil)
        #expect(injector.push(job(3))?.attempt == 3)
    }

    @Test func `counts what was pushed since it was last emptied against a new budget`() {
        let injector = Injector(levels: 1, lock: .mutex)
        defer { injector.free() }
        let queue = LevelQueue(levels: 1, ageing: 1)
        #expect(injector.setBudget(5))
        for number in 0..<3 { #expect(injector.push(job(Int32(number))) == nil) }
        #expect(!injector.setBudget(2), "three have been pushed where two may be")
        #expect(injector.emptyAndShut(into: queue) == 3)
        #expect(injector.push(job(9)) != nil)
        #expect(injector.setBudget(2))
        #expect(injector.push(job(9)) == nil)
        #expect(queue.count == 3)
    }

    @Test func `is not emptied while the queue has enough, unless it holds something more urgent`() {
        let injector = Injector(levels: 2, lock: .mutex)
        defer { injector.free() }
        let queue = LevelQueue(levels: 2, ageing: 1)
        for number in 0..<200 { queue.append(job(Int32(number), level: 0)) }
        #expect(injector.setBudget(10))
        #expect(injector.push(job(1000, level: 0)) == nil)
        #expect(injector.empty(into: queue) == 0)
        #expect(injector.push(job(1001, level: 1)) == nil)
        #expect(injector.empty(into: queue) == 2)
        #expect(queue.popFirst()?.attempt == 1001)
        var last: Int32 = -1
        while let next = queue.popFirst() { (last, _) = (next.attempt, #expect(next.attempt > last)) }
        #expect(last == 1000)
    }

    @Test(arguments: [(0, 5), (3, 5), (5, 3)]) func `adds its jobs after those of the queue`(before: Int, after: Int) {
        let injector = Injector(levels: 1, lock: .mutex)
        defer { injector.free() }
        let queue = LevelQueue(levels: 1, ageing: 1)
        for number in 0..<before { queue.append(job(Int32(number))) }
        #expect(injector.setBudget(10))
        for number in 0..<after { #expect(injector.push(job(Int32(before + number))) == nil) }
        #expect(injector.empty(into: queue) == after)
        var order: [Int32] = []
        while let next = queue.popFirst() { order.append(next.attempt) }
        #expect(order == Array(0..<Int32(before + after)))
    }

    @Test func `takes no more jobs than there is room for, even after others were dropped`() {
        let configuration = WorkerPool.Configuration(workers: 2...2, queue: .bounded(4), whenFull: .dropNewest)
        let (injector, locals) = (Injector(levels: 3, lock: .mutex), LocalQueues(for: nil, lock: .mutex))
        defer {
            injector.free()
            locals.free()
        }
        var state = PoolState(configuration, locals: locals)
        // All workers are running, so none is woken, and room is all that counts.
        state.busy = 2
        state.settle(injector)
        let isDropped = state.dropNewest(job(0))
        #expect(isDropped)
        state.settle(injector)
        // A retry comes back.
        state.queue.append(job(1))
        state.settle(injector)
        for number in 2..<5 { #expect(injector.push(job(Int32(number))) == nil) }
        #expect(injector.push(job(5)) != nil, "there is room for three")
        state.takeAllJobs(from: injector)
        #expect(state.queue.count == 4)
    }

    @Test func `takes part of a batch`() {
        let injector = Injector(levels: 1, lock: .mutex)
        defer { injector.free() }
        var batch = JobBuffer(capacity: 4)
        defer { batch.free() }
        for number in 0..<4 { batch.append(job(Int32(number))) }
        #expect(injector.setBudget(3))
        injector.push(&batch, level: 0)
        #expect(batch.count == 1)
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
