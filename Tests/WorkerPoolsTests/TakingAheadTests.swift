import Testing

@testable import WorkerPools

/// A pool's state, its workers and their threads, moved on by hand: no task runs.
private struct Stage {
    var state: PoolState
    let inbox = Inbox(levels: 1, lock: .mutex)
    let locals: LocalQueues
    let pool: WorkerPool
    /// Workers on their way to the queue, and those with a job.
    var called: [Worker] = []
    var running: [Worker] = []
    var begun: [Int] = []
    /// How many workers that had lain down have been called.
    private(set) var woken = 0
    /// The first of the jobs that have not ended.
    var oldest = 0
    private var ended: Set<Int> = []
    /// Jobs await something, so that their workers may move; of others some are begun at hand.
    private let areAsynchronous: Bool
    /// Where each worker last came to the queue.
    private(set) var threads: [Int: Int] = [:]

    init(workers: Int, threads: Int, areAsynchronous: Bool) {
        self.areAsynchronous = areAsynchronous
        let executor = ThreadExecutor(threads: threads, name: "stage")
        let configuration = WorkerPool.Configuration(workers: workers...workers, queue: .unbounded, executor: executor)
        pool = WorkerPool(configuration)
        locals = LocalQueues(for: executor, lock: .mutex)
        state = PoolState(configuration, locals: locals)
        state.settle(inbox)
    }

    func free() {
        inbox.free()
        locals.free()
    }

    /// A step under the pool's lock, with the workers that it calls.
    private mutating func step<Result>(_ change: (inout PoolState) -> Result) -> Result {
        state.takeAllIn(inbox)
        let result = change(&state)
        state.settle(inbox)
        let calls = state.takeCalls()
        for call in [calls.first, calls.second] {
            if case .resume = call { woken += 1 }
            guard case .start(let slot) = call else { continue }
            let worker = Worker(pool.storage, slot: slot)
            state.enroll(worker)
            called.append(worker)
        }
        return result
    }

    /// - Parameter number: counts from 1, in place of the number of the attempt.
    mutating func submit(_ number: Int) {
        let job = Job(body: areAsynchronous ? .asynchronous({}) : .plain({}), attempt: Int32(number), level: 0)
        guard let left = inbox.leave(job) else { return }
        _ = step { $0.offer(left) }
    }

    /// A worker comes to the queue on one of the threads.
    /// - Returns: false if there is nothing for it; it then comes again later.
    mutating func arrive(_ worker: Worker, on thread: Int) -> Bool {
        step { $0.called -= 1 }
        return take(worker, on: thread)
    }

    private mutating func take(_ worker: Worker, on thread: Int) -> Bool {
        var more = PoolState.FollowUp()
        let local = locals[thread]
        threads[worker.slot] = thread
        guard case .run = step({ $0.take(by: worker, from: local, mayLookOut: false, &more) }) else {
            step { $0.called += 1 }
            called.append(worker)
            return false
        }
        begin(worker)
        return true
    }

    private mutating func begin(_ worker: Worker) {
        begun.append(Int(worker.job.attempt))
        running.append(worker)
    }

    /// A worker's job ends while it is on one of the threads.
    mutating func end(_ worker: Worker, on thread: Int) {
        ended.insert(Int(worker.job.attempt))
        while ended.remove(oldest + 1) != nil { oldest += 1 }
        if worker.goOn(isEndKnown: true) { return begin(worker) }
        if locals[thread].turn(of: worker) != nil { return begin(worker) }
        worker.noteEnd()
        #expect(step { $0.succeed(worker) })
        _ = take(worker, on: thread)
    }

    /// A worker that has found nothing is about to lie down, but does not yet.
    mutating func hesitate(_ worker: Worker) {
        called.removeAll { $0 === worker }
        step { $0.called -= 1 }
    }

    /// - Returns: false if it has to come to the queue once more instead.
    mutating func lieDown(_ worker: Worker, _ continuation: UnsafeContinuation<Void, Never>) -> Bool {
        if step({ $0.park(worker, continuation) }) { return true }
        called.append(worker)
        return false
    }

    mutating func ringWatch() { step { $0.lookAgain(now: .max) } }
}

@Suite struct `Calling a worker` {
    /// A pool's only worker has run a job and found no other.
    private func withHesitantWorker() -> (Stage, Worker) {
        var stage = Stage(workers: 1, threads: 1, areAsynchronous: false)
        stage.submit(1)
        let worker = stage.called.removeFirst()
        let hasBegun = stage.arrive(worker, on: 0)
        #expect(hasBegun)
        stage.running = []
        stage.end(worker, on: 0)
        stage.hesitate(worker)
        return (stage, worker)
    }

    /// A new one in its place would only send it away: both cost more than many short jobs.
    @Test(arguments: [1, 2, 5])
    func `is not needed while one is about to lie down`(submits: Int) async {
        var (stage, worker) = withHesitantWorker()
        defer { stage.free() }
        for number in 2...submits + 1 { stage.submit(number) }
        #expect(stage.called.isEmpty)

        await withUnsafeContinuation { continuation in
            let isDown = stage.lieDown(worker, continuation)
            #expect(!isDown)
            continuation.resume()
        }
        #expect(stage.called.map(\.slot) == [worker.slot])
        stage.called = []
        let hasBegunNext = stage.arrive(worker, on: 0)
        #expect(hasBegunNext)
        #expect(stage.begun == [1, 2])
        #expect(stage.state.live == 1)
    }

    @Test func `wakes the one that has lain down`() async {
        var (stage, worker) = withHesitantWorker()
        defer { stage.free() }
        await withUnsafeContinuation { continuation in
            let isDown = stage.lieDown(worker, continuation)
            #expect(isDown)
            stage.submit(2)
            #expect(stage.woken == 1)
            continuation.resume()
        }
        #expect(stage.called.isEmpty)
    }
}

@Suite struct `Taking jobs ahead` {
    /// Each job that is a multiple of `links` ends only when all before it have ended. In whatever order workers move, and on
    /// whatever threads, somebody can always go on.
    @Test(arguments: [(2, 1), (2, 2), (3, 2), (8, 3)], [1, 2, 7])
    func `never leaves a job behind younger ones that wait for it`(size: (workers: Int, threads: Int), links: Int) {
        for seed in 0..<UInt64(Scale.rounds(40, full: 4000)) {
            var random = Seeded(state: seed)
            let moving = Int.random(in: 0...3, using: &random)
            var stage = Stage(workers: size.workers, threads: size.threads, areAsynchronous: moving > 0)
            defer { stage.free() }
            var (submitted, idle) = (0, 0)
            let count = 400
            while stage.oldest < count {
                let burst = submitted < count ? Int.random(in: 0...20, using: &random) : 0
                for _ in 0..<min(burst, count - submitted) {
                    submitted += 1
                    stage.submit(submitted)
                }
                if Int.random(in: 0..<50, using: &random) == 0 { stage.ringWatch() }
                let free = stage.running.indices.filter { place in
                    let number = Int(stage.running[place].job.attempt)
                    return number % links != 0 || number == stage.oldest + 1
                }
                if let place = free.randomElement(using: &random), stage.called.isEmpty || Bool.random(using: &random) {
                    let worker = stage.running.remove(at: place)
                    // Seldom or often it has moved to another thread since it began.
                    let moves = Int.random(in: 0..<10, using: &random) < moving
                    let thread = moves ? Int.random(in: 0..<size.threads, using: &random) : stage.threads[worker.slot, default: 0]
                    stage.end(worker, on: thread)
                    idle = 0
                } else if let place = stage.called.indices.randomElement(using: &random) {
                    let worker = stage.called.remove(at: place)
                    let hasBegun = stage.arrive(worker, on: Int.random(in: 0..<size.threads, using: &random))
                    idle = hasBegun ? 0 : idle + 1
                }
                guard idle < 1000 || submitted < count || !free.isEmpty else {
                    Issue.record("seed \(seed): \(stage.oldest + 1) waits behind \(stage.running.map(\.job.attempt))")
                    return
                }
            }
            #expect(stage.begun.sorted() == Array(1...count))
        }
    }

    @Test func `does not keep a worker of a flood from the next jobs while another is held up`() throws {
        var stage = Stage(workers: 2, threads: 2, areAsynchronous: false)
        defer { stage.free() }
        for number in 1...2000 { stage.submit(number) }
        while stage.running.count < 2, let worker = stage.called.popLast() { _ = stage.arrive(worker, on: worker.slot % 2) }
        try #require(stage.running.count == 2)
        let flooded = stage.running[1]
        func end() -> Bool {
            stage.running.removeAll { $0 === flooded }
            stage.end(flooded, on: stage.threads[flooded.slot, default: 0])
            return stage.running.contains { $0 === flooded }
        }
        var ended = 0
        while end() { ended += 1 }
        #expect(ended > 1900)
        for round in 0..<100 {
            for number in 0..<3 { stage.submit(3000 + 3 * round + number) }
            stage.called.removeAll { $0 === flooded }
            let hasBegun = stage.arrive(flooded, on: flooded.slot % 2)
            #expect(hasBegun, "round \(round)")
            guard hasBegun else { return }
            let goesOn = [end(), end(), end()]
            #expect(goesOn == [true, true, false])
        }
        stage.ringWatch()
    }
}
