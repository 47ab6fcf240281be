import Testing

@testable import WorkerPools

/// A pool's state, its workers and their threads, advanced by hand: no task runs.
private struct Simulation {
    var state: PoolState
    let prefetchQueues: PrefetchQueues
    let pool: WorkerPool
    /// Workers on their way to the queue, and those with a job.
    var searching: [Worker] = []
    var running: [Worker] = []
    var begun: [Int] = []
    /// How many parked workers have been woken.
    private(set) var woken = 0
    /// Every job up to this number has ended.
    var oldest = 0
    private var ended: Set<Int> = []
    /// Whether jobs are asynchronous, so that their workers may move between threads; synchronous
    /// ones may be assigned.
    private let areAsynchronous: Bool
    /// Where each worker last came to the queue.
    private(set) var threads: [Int: Int] = [:]

    init(workers: Int, threads: Int, areAsynchronous: Bool) {
        self.areAsynchronous = areAsynchronous
        let executor = ThreadExecutor(threads: threads, name: "simulation")
        let configuration = WorkerPool.Configuration(workers: workers...workers, queue: .unbounded, executor: executor)
        pool = WorkerPool(configuration)
        prefetchQueues = PrefetchQueues(for: executor, lock: .parking)
        state = PoolState(configuration, prefetchQueues: prefetchQueues, spinSignal: SpinSignal())
        state.finishStep()
    }

    /// A step under the pool's lock, with the workers that it wakes.
    private mutating func step<Result>(_ change: (inout PoolState) -> Result) -> Result {
        let result = change(&state)
        state.finishStep()
        let followUp = state.takeFollowUp()
        woken += followUp.toResume.count
        for slot in followUp.slotsToStart {
            let worker = Worker(pool.storage, slot: slot)
            state.workers.register(worker, nil)
            searching.append(worker)
        }
        return result
    }

    /// - Parameter number: counts from 1; stored as the number of the attempt.
    mutating func submit(_ number: Int) {
        let body: Job.Body = areAsynchronous ? .asynchronous({}) : .plain({})
        var job: Job? = Job(body: body, attempt: Int32(number), level: 0)
        state.enqueueWithoutStep(&job)
        if let job { _ = step { $0.admit(job, whenFull: .suspend) } }
    }

    /// A worker comes to the queue on one of the threads.
    /// - Returns: false if there is nothing for it; it then comes again later.
    mutating func arrive(_ worker: Worker, on thread: Int) -> Bool {
        step { $0.wakeUps.onTheWay -= 1 }
        return take(worker, on: thread)
    }

    private mutating func take(_ worker: Worker, on thread: Int) -> Bool {
        let local = prefetchQueues.all[thread]
        threads[worker.slot] = thread
        let action = step { state in
            state.returnPrefetched(of: worker)
            return local.withLock { state.chooseNextAction(of: worker, from: local, &$0, maySpin: false, now: OperatingSystem.now) }
        }
        guard action == .run else {
            step { $0.wakeUps.onTheWay += 1 }
            searching.append(worker)
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
        let local = prefetchQueues.all[thread]
        if local.endAndBeginNext(of: worker) { return begin(worker) }
        step { state in local.withLock { state.countSuccess(of: worker, &$0) } }
        _ = take(worker, on: thread)
    }

    /// A worker that has found nothing is about to park, but has not yet.
    mutating func hesitate(_ worker: Worker) {
        searching.removeAll { $0 === worker }
        step { $0.wakeUps.onTheWay -= 1 }
    }

    /// - Returns: false if it has to come to the queue once more instead.
    mutating func park(_ worker: Worker, _ continuation: UnsafeContinuation<Void, Never>) -> Bool {
        if step({ $0.parkIfIdle(worker, continuation) }) { return true }
        searching.append(worker)
        return false
    }

    mutating func fireWatchdog() { step { $0.watchdogFired(now: .max) } }
}

@Suite struct `Waking a worker` {
    /// A pool's only worker has run a job and found no other.
    private func withHesitantWorker() -> (Simulation, Worker) {
        var simulation = Simulation(workers: 1, threads: 1, areAsynchronous: false)
        simulation.submit(1)
        let worker = simulation.searching.removeFirst()
        let hasBegun = simulation.arrive(worker, on: 0)
        #expect(hasBegun)
        simulation.running = []
        simulation.end(worker, on: 0)
        simulation.hesitate(worker)
        return (simulation, worker)
    }

    /// A new one in its place would only send it away: both cost more than many short jobs.
    @Test(arguments: [1, 2, 5])
    func `is not needed while one is about to park`(submits: Int) async {
        var (simulation, worker) = withHesitantWorker()
        for number in 2...submits + 1 { simulation.submit(number) }
        #expect(simulation.searching.isEmpty)

        await withUnsafeContinuation { continuation in
            let isParked = simulation.park(worker, continuation)
            #expect(!isParked)
            continuation.resume()
        }
        #expect(simulation.searching.map(\.slot) == [worker.slot])
        simulation.searching = []
        let hasBegunNext = simulation.arrive(worker, on: 0)
        #expect(hasBegunNext)
        #expect(simulation.begun == [1, 2])
        #expect(simulation.state.workers.live == 1)
    }

    @Test func `wakes the one that has parked`() async {
        var (simulation, worker) = withHesitantWorker()
        await withUnsafeContinuation { continuation in
            let isParked = simulation.park(worker, continuation)
            #expect(isParked)
            simulation.submit(2)
            #expect(simulation.woken == 1)
            continuation.resume()
        }
        #expect(simulation.searching.isEmpty)
    }
}

@Suite struct `Prefetching` {
    /// Each job that is a multiple of `links` ends only when all before it have ended. In whatever
    /// order workers move, and on whatever threads, one of them can always continue.
    @Test(arguments: [(2, 1), (2, 2), (3, 2), (8, 3)], [1, 2, 7])
    func `never queues a job behind younger ones that wait for it`(size: (workers: Int, threads: Int), links: Int) {
        for seed in 0..<UInt64(Scale.rounds(40, full: 4000)) {
            var random = Seeded(state: seed)
            let moving = Int.random(in: 0...3, using: &random)
            var simulation = Simulation(workers: size.workers, threads: size.threads, areAsynchronous: moving > 0)
            var (submitted, idle) = (0, 0)
            let count = 400
            while simulation.oldest < count {
                let burst = submitted < count ? Int.random(in: 0...20, using: &random) : 0
                for _ in 0..<min(burst, count - submitted) {
                    submitted += 1
                    simulation.submit(submitted)
                }
                if Int.random(in: 0..<50, using: &random) == 0 { simulation.fireWatchdog() }
                let free = simulation.running.indices.filter { index in
                    let number = Int(simulation.running[index].job.attempt)
                    return number % links != 0 || number == simulation.oldest + 1
                }
                if let index = free.randomElement(using: &random), simulation.searching.isEmpty || Bool.random(using: &random) {
                    let worker = simulation.running.remove(at: index)
                    // With some probability it has moved to another thread since it began.
                    let moves = Int.random(in: 0..<10, using: &random) < moving
                    let thread = moves ? Int.random(in: 0..<size.threads, using: &random) : simulation.threads[worker.slot, default: 0]
                    simulation.end(worker, on: thread)
                    idle = 0
                } else if let index = simulation.searching.indices.randomElement(using: &random) {
                    let worker = simulation.searching.remove(at: index)
                    let hasBegun = simulation.arrive(worker, on: Int.random(in: 0..<size.threads, using: &random))
                    idle = hasBegun ? 0 : idle + 1
                }
                guard idle < 1000 || submitted < count || !free.isEmpty else {
                    Issue.record("seed \(seed): \(simulation.oldest + 1) waits behind \(simulation.running.map(\.job.attempt))")
                    return
                }
            }
            #expect(simulation.begun.sorted() == Array(1...count))
        }
    }

    @Test func `does not keep a worker in a burst from the next jobs while another is held up`() throws {
        var simulation = Simulation(workers: 2, threads: 2, areAsynchronous: false)
        for number in 1...2000 { simulation.submit(number) }
        while simulation.running.count < 2, let worker = simulation.searching.popLast() { _ = simulation.arrive(worker, on: worker.slot % 2) }
        try #require(simulation.running.count == 2)
        let busy = simulation.running[1]
        func end() -> Bool {
            simulation.running.removeAll { $0 === busy }
            simulation.end(busy, on: simulation.threads[busy.slot, default: 0])
            return simulation.running.contains { $0 === busy }
        }
        var ended = 0
        while end() { ended += 1 }
        #expect(ended > 1900)
        for round in 0..<100 {
            for number in 0..<3 { simulation.submit(3000 + 3 * round + number) }
            simulation.searching.removeAll { $0 === busy }
            let hasBegun = simulation.arrive(busy, on: busy.slot % 2)
            #expect(hasBegun, "round \(round)")
            guard hasBegun else { return }
            let goesOn = [end(), end(), end()]
            #expect(goesOn == [true, true, false])
        }
        simulation.fireWatchdog()
    }
}
