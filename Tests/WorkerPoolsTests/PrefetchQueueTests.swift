import Testing

@testable import WorkerPools

private func job(_ number: Int32, level: UInt8 = 0) -> Job { Job(body: .plain({}), attempt: number, level: level) }

@Suite struct `A prefetch queue` {
    /// Ends a job and begins the next until there is none; the last one ends as well.
    private func drain(_ local: PrefetchQueue) {
        let pool = WorkerPool(.init(workers: 1))
        let worker = Worker(pool.storage, slot: 0)
        while local.endAndBeginNext(of: worker) {}
        local.withLock { $0.noteDone() }
    }

    private func fill(_ local: PrefetchQueue, share: Int, longest: Int, now: UInt64) {
        let queue = LevelQueue(levels: 1, ageing: 1)
        for number in 1...200 as ClosedRange<Int32> { queue.append(job(number)) }
        local.withLock { _ = local.fill(&$0, share: share, longest: longest, now: now, from: queue) }
    }

    /// A queue that has finished jobs in one or two µs each, and then took its share.
    private func filled(share: Int) -> PrefetchQueue {
        let local = PrefetchQueue(lock: .parking)
        var now: UInt64 = 1_000_000_000
        var pace = 1
        while pace < 2 * PrefetchQueue.capacity {
            now += UInt64(pace) * 1000
            fill(local, share: pace - 1, longest: PrefetchQueue.capacity, now: now)
            drain(local)
            pace *= 2
        }
        now += UInt64(PrefetchQueue.capacity) * 1000
        fill(local, share: share, longest: PrefetchQueue.capacity, now: now)
        return local
    }

    private func takeBack(_ local: PrefetchQueue, to queue: LevelQueue) -> Int {
        local.withLock { local.takeBack(&$0, to: queue) }
    }

    @Test func `takes no more than its share`() {
        #expect(filled(share: 40).waiting == 40)
    }

    @Test func `takes what it finishes before another thread would wake up, whatever its share`() {
        #expect((8...16).contains(filled(share: 0).waiting))
    }

    @Test func `takes one job at a time while jobs are long, and more and more once they are short`() {
        let local = PrefetchQueue(lock: .parking)
        var now: UInt64 = 1_000_000_000
        var sizes: [Int] = []
        for round in 0..<12 {
            now += round < 4 ? 1_000_000 : 1_000
            fill(local, share: 1000, longest: 32, now: now)
            sizes.append(local.waiting)
            drain(local)
        }
        #expect(sizes[..<4].allSatisfy { $0 == 0 })
        #expect(sizes[4...] == [1, 3, 7, 15, 31, 31, 31, 31])
    }

    @Test func `learns nothing from jobs that others took away`() {
        let local = PrefetchQueue(lock: .parking)
        let queue = LevelQueue(levels: 1, ageing: 1)
        for _ in 0..<5 {
            local.withLock { $0.noteDone() }
            fill(local, share: 1000, longest: 32, now: 1)
            #expect(local.waiting <= 1)
            _ = takeBack(local, to: queue)
        }
    }

    @Test func `returns everything to the head of the queue, and says how many have ended`() {
        let local = filled(share: 30)
        let queue = LevelQueue(levels: 1, ageing: 1)
        queue.append(job(99))
        let done = takeBack(local, to: queue)
        #expect(done > 100)
        #expect(takeBack(local, to: queue) == 0)
        var order: [Int32] = []
        while let next = queue.popFirst() { order.append(next.attempt) }
        #expect(order == Array(1...30) + [99])
    }
}

@Suite struct `The number of submits without a step` {
    /// A pool all of whose workers are running, so that none is woken and room is all that counts.
    private func busyPool(room: Int) -> PoolState {
        let configuration = WorkerPool.Configuration(workers: 2...2, queue: .bounded(room), whenFull: .dropNewest)
        var state = PoolState(configuration, prefetchQueues: PrefetchQueues(for: nil, lock: .parking), spinSignal: SpinSignal())
        state.places.busy = 2
        state.finishStep()
        return state
    }

    /// - Returns: whether the job was taken.
    private func submit(_ number: Int32, to state: inout PoolState) -> Bool {
        var submitted: Job? = job(number, level: 1)
        state.enqueueWithoutStep(&submitted)
        return submitted == nil
    }

    @Test func `is the room in the queue`() {
        var state = busyPool(room: 2)
        let taken = (1...3).map { submit($0, to: &state) }
        #expect(taken == [true, true, false])
        #expect(state.queue.count == 2)
    }

    @Test func `is no more than there is room for, even after others were dropped`() {
        var state = busyPool(room: 4)
        for number in 1...4 as ClosedRange<Int32> { _ = submit(number, to: &state) }
        _ = state.admit(job(0), whenFull: .dropNewest)
        state.finishStep()
        #expect(state.counters.dropped == 1)
        while state.queue.popFirst() != nil {}
        // A retry comes back.
        state.queue.append(job(1))
        state.finishStep()
        let taken = (2...5).map { submit($0, to: &state) }
        #expect(taken == [true, true, true, false], "there is room for three")
        #expect(state.queue.count == 4)
    }

    @Test func `is nothing while a worker has to be woken, and once the pool is closed`() {
        var state = busyPool(room: 4)
        state.places.busy = 0
        state.finishStep()
        let whileIdle = submit(1, to: &state)
        #expect(!whileIdle)
        state.places.busy = 2
        state.finishStep()
        let whileBusy = submit(2, to: &state)
        #expect(whileBusy)
        state.drain()
        state.finishStep()
        let whileDraining = submit(3, to: &state)
        #expect(!whileDraining)
    }
}
