import Testing
@testable import WorkerPools

/// Every way to stop a pool, from every state, by one caller, twice, by many at once and by a job
/// of the pool itself.
@Suite struct `Stopping a pool in any state` {
    enum Way: CaseIterable { case drain, deadline, cancel }
    enum Load: CaseIterable { case idle, busy, full, nested }
    enum Asked: CaseIterable { case once, twice, byMany, byAJob }

    struct Case: CustomTestStringConvertible, Sendable {
        var way: Way
        var load: Load
        var asked: Asked

        var testDescription: String { "\(way), \(load), \(asked)" }

        static let all = Way.allCases.flatMap { way in
            Load.allCases.flatMap { load in Asked.allCases.map { Case(way: way, load: load, asked: $0) } }
        }
    }

    @Test(arguments: Case.all) func `ends it, and every job is run or handed back, once`(entry: Case) async throws {
        let scenario = Scenario(entry)
        try await scenario.load()
        let undone = await scenario.stop()
        await scenario.finish()
        let (ran, accepted) = (scenario.ran.all, scenario.accepted.all)
        let counters = scenario.pool.counters
        #expect(counters.addUp && counters.outstanding == 0 && counters.suspended == 0, "\(counters)")
        #expect(counters.accepted == accepted.count)
        #expect((ran + undone).sorted() == accepted.sorted())
        #expect(counters.cancelled == undone.count + scenario.interrupted.value, "\(counters)")
        if entry.way == .drain { #expect(undone.isEmpty) }
        #expect(await scenario.suspendedOnes() == (entry.load == .full ? 3 : 0))
        await #expect(throws: PoolError.closed(pool: "scenario")) { try await scenario.pool.submit {} }
        #expect(scenario.pool.cancel().isEmpty)
        #expect(await scenario.pool.drain(within: .zero).isEmpty)
    }

    @Test func `hands back all undone jobs when the deadline comes at once`() async throws {
        for round in 0..<Scale.rounds(1000, full: 100_000) {
            let gate = Gate()
            let pool = WorkerPool(.init(workers: 1...1))
            for _ in 0..<4 { try await pool.submit { await gate.pass() } }
            await gate.arrivals(1)
            let undone = await pool.drain(within: .microseconds(round % 40))
            gate.open()
            await pool.drain()
            // The one that ran may have been cancelled too, or have passed the gate in time.
            #expect(undone.count == pool.counters.cancelled, "round \(round)")
        }
    }
}

/// A pool of two workers in some state, and a record of each job.
private final class Scenario: Sendable {
    let pool: WorkerPool
    let accepted = Log<String>()
    let ran = Log<String>()
    /// Jobs that ran until they were cancelled.
    let interrupted = Tally()
    private let entry: `Stopping a pool in any state`.Case
    private let clock = ManualClock()
    private let gate = Gate()
    private let stopper = Gate()
    private let hasStopped = Gate()
    private let submitters = Guarded<[Task<Bool, Never>]>([])
    private let undone = Log<String>()

    init(_ entry: `Stopping a pool in any state`.Case) {
        self.entry = entry
        pool = WorkerPool(.init(name: "scenario", workers: 2...2, queue: .bounded(entry.load == .full ? 3 : 8), alarms: clock))
    }

    private func submit(_ name: String, _ work: @escaping @Sendable () async -> Void) async throws {
        try await pool.submit(JobOptions(name: name), body(name, work))
        accepted.add(name)
    }

    /// Records its end, and heeds its cancellation.
    private func body(_ name: String, _ work: @escaping @Sendable () async -> Void) -> @Sendable () async throws -> Void {
        { [ran, interrupted] in
            await work()
            ran.add(name)
            if Task.isCancelled {
                interrupted.add()
                throw CancellationError()
            }
        }
    }

    func load() async throws {
        if entry.asked == .byAJob {
            try await submit("stopper") { [stopper] in
                await stopper.pass()
                await self.stopOnce()
            }
            await stopper.arrivals(1)
        }
        switch entry.load {
        case .idle: return
        case .busy, .full: try await occupy()
        case .nested: try await nest()
        }
        guard entry.load == .full else { return }
        for number in 0..<3 { try await submit("waits \(number)") { await self.hold() } }
        for number in 0..<3 {
            let submitter = Task { (try? await self.submit("stands \(number)") {}) == nil }
            submitters.withLock { $0.append(submitter) }
        }
        await eventually { self.pool.counters.suspended == 3 }
    }

    private func occupy() async throws {
        let running = entry.asked == .byAJob ? 1 : 2
        for number in 0..<running { try await submit("runs \(number)") { await self.hold() } }
        await gate.arrivals(running)
    }

    /// Two jobs that each wait for two jobs of their own; two of these are held and two wait.
    private func nest() async throws {
        // Else those of the first might take both places before the second has begun.
        let areInQueue = Gate()
        for outer in 0..<2 {
            try await submit("outer \(outer)") {
                await areInQueue.pass()
                var handles: [JobHandle<Void>] = []
                for inner in 0..<2 {
                    let name = "inner \(outer) \(inner)"
                    let body = self.body(name) { await self.hold() }
                    guard let handle = try? await self.pool.submit(JobOptions(name: name), returning: body) else { continue }
                    self.accepted.add(name)
                    handles.append(handle)
                }
                for handle in handles { _ = await handle.result }
            }
        }
        areInQueue.open()
        let places = entry.asked == .byAJob ? 1 : 2
        await gate.arrivals(places)
        await eventually { self.accepted.all.count { $0.hasPrefix("inner") } == 4 && self.pool.counters.lent == 2 }
    }

    /// Waits at the gate. A job that ignores its cancellation would keep the place that a stopping
    /// job wants back, so in that case the first to be cancelled releases all others.
    private func hold() async {
        guard entry.asked == .byAJob else { return await gate.pass() }
        await withTaskCancellationHandler {
            await gate.pass()
        } onCancel: {
            gate.open()
        }
    }

    /// - Returns: the names of the jobs that were handed back, regardless of how many callers
    ///   asked.
    func stop() async -> [String] {
        switch entry.asked {
        case .once: await stopOnce()
        case .twice:
            await stopOnce()
            await stopOnce()
        case .byMany:
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<8 { group.addTask { await self.stopOnce() } }
            }
        case .byAJob:
            stopper.open()
            await hasStopped.arrivals(1)
        }
        return undone.all
    }

    private func stopOnce() async {
        switch entry.way {
        case .drain:
            let helper = Task {
                await eventually { self.pool.storage.read { $0.phase != .open } }
                self.gate.open()
            }
            await pool.drain()
            await helper.value
        case .deadline:
            // Time passes, and nothing opens the gate.
            let time = Task { [clock] in
                while !Task.isCancelled {
                    clock.advance(by: .milliseconds(100))
                    await Task.yield()
                }
            }
            add(await pool.drain(within: .seconds(1)))
            time.cancel()
            await time.value
        case .cancel: add(pool.cancel())
        }
        hasStopped.open()
        if entry.asked == .byAJob { await hasStopped.pass() }
    }

    private func add(_ jobs: [UndoneJob]) {
        for job in jobs { undone.add(job.name ?? "unnamed") }
    }

    func finish() async {
        gate.open()
        await pool.drain()
    }

    /// How many submitters waiting for room were refused.
    func suspendedOnes() async -> Int {
        var refused = 0
        for submitter in submitters.withLock({ $0 }) where await submitter.value { refused += 1 }
        return refused
    }
}
