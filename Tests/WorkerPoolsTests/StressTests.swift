import Foundation
import Testing

@testable import WorkerPools

/// Random operations from many tasks on one pool, checked against its invariants.
///
/// Three seconds; `SLUICE_STRESS_SECONDS=60` for a minute, `SLUICE_STRESS_SEED=n` to start with
/// other numbers.
@Suite(.serialized) struct `Under stress a pool` {
    private static func setting(_ name: String, or usual: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? usual
    }

    @Test func `keeps its promises`() async throws {
        let seconds = Self.setting("SLUICE_STRESS_SECONDS", or: 3)
        let end = ContinuousClock.now + .seconds(seconds)
        var seed = UInt64(Self.setting("SLUICE_STRESS_SEED", or: 1))
        repeat {
            try await round(seed)
            seed += 1
        } while ContinuousClock.now < end
    }

    private func round(_ seed: UInt64) async throws {
        var random = Seeded(state: seed)
        let model = StressModel()
        let executor = seed % 3 == 0 ? nil : ThreadExecutor(threads: 2, name: "stress")
        let policies: [FullQueuePolicy] = [.suspend, .reject, .dropOldest, .dropNewest]
        let pool = WorkerPool(
            .init(
                name: "stress-\(seed)", workers: 1...Int.random(in: 1...8, using: &random),
                queue: .bounded(Int.random(in: 1...64, using: &random)), whenFull: policies[Int(seed % 4)],
                timeout: seed % 2 == 0 ? .milliseconds(2) : nil,
                retry: seed % 5 < 2 ? RetryPolicy(times: 2, backoff: .microseconds(100)) : nil,
                executor: executor, lock: seed % 7 == 0 ? .polling : .parking))
        let bounds = Log<Int>()
        bounds.add(8)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<6 {
                let seed = seed &* 1000 &+ UInt64(task)
                group.addTask { try await submitAll(to: pool, model, Seeded(state: seed)) }
            }
            group.addTask {
                var random = Seeded(state: seed)
                for _ in 0..<20 {
                    let bound = Int.random(in: 1...12, using: &random)
                    bounds.add(bound)
                    await pool.resize(to: 1...bound)
                }
            }
            group.addTask {
                for _ in 0..<200 {
                    let counters = pool.counters
                    #expect(counters.accepted == counters.outstanding + counters.finished, "seed \(seed): \(counters)")
                    #expect(counters.running >= 0 && counters.queued >= 0, "seed \(seed): \(counters)")
                    await Task.yield()
                }
            }
            try await group.waitForAll()
        }
        if seed % 4 == 1 {
            pool.cancel()
        } else if seed % 4 == 2 {
            await pool.drain(within: .milliseconds(1))
        }
        await pool.drain()
        check(pool.counters, model, bounds.all.max() ?? 0, seed)
        executor?.shutdown()
    }

    private func submitAll(to pool: WorkerPool, _ model: StressModel, _ start: Seeded) async throws {
        var random = start
        for _ in 0..<60 {
            let kind = Int.random(in: 0..<100, using: &random)
            let body = model.job(kind, number: Int.random(in: 0..<1000, using: &random))
            do {
                switch Int.random(in: 0..<10, using: &random) {
                case 0..<4:
                    try await pool.submit(priority: JobPriority(level: kind % 3), body)
                    model.noteAccepted()
                case 4..<8:
                    let handle = try await pool.submit(returning: { () async throws -> Int in
                        try await body()
                        return kind
                    })
                    model.noteAccepted()
                    if kind < 10 { handle.cancel() }
                    model.watch(handle, expecting: kind)
                case 8:
                    let group = pool.group(onFailure: .collect)
                    try await group.submit(body)
                    model.noteAccepted()
                    if kind < 30 { group.cancel() }
                    _ = await group.waitForAll()
                    #expect(group.pending == 0)
                default:
                    try await pool.submit {
                        let inner = try await pool.submit(returning: { 1 })
                        model.noteAccepted()
                        _ = try await inner.value
                    }
                    model.noteAccepted()
                }
            } catch is PoolError {
                model.noteRefusal()
            }
        }
        await model.awaitHandles()
    }

    private func check(_ counters: PoolCounters, _ model: StressModel, _ limit: Int, _ seed: UInt64) {
        #expect(counters.outstanding == 0, "seed \(seed): \(counters)")
        #expect(counters.accepted == counters.finished, "seed \(seed): \(counters)")
        #expect(counters.overrunning == 0 && counters.lent == 0 && counters.suspended == 0, "seed \(seed): \(counters)")
        #expect(counters.peakRunning <= limit, "seed \(seed): \(counters)")
        #expect(model.accepted <= counters.accepted, "seed \(seed): \(counters)")
        #expect(model.wrong == 0, "seed \(seed)")
    }
}

/// What the submitters know about their jobs.
final class StressModel: Sendable {
    private let state = Guarded((accepted: 0, refused: 0, wrong: 0))
    private let waits = Guarded<[Task<Void, Never>]>([])

    var accepted: Int { state.withLock { $0.accepted } }
    var wrong: Int { state.withLock { $0.wrong } }

    func job(_ kind: Int, number: Int) -> @Sendable () async throws -> Void {
        switch kind {
        case 0..<40: return {}
        case 40..<60: return { await Task.yield() }
        case 60..<75: return { try await PoolClock.sleep(for: .microseconds(number)) }
        case 75..<80: return { try await PoolClock.sleep(for: .milliseconds(30)) }
        case 80..<95: return { throw TestError(number: number) }
        default:
            return {
                var sum = 0
                for value in 0..<20_000 { sum &+= value &* number }
                if sum == 42 { throw TestError() }
            }
        }
    }

    func noteAccepted() { state.withLock { $0.accepted += 1 } }
    func noteRefusal() { state.withLock { $0.refused += 1 } }

    func watch(_ handle: JobHandle<Int>, expecting value: Int) {
        let wait = Task {
            guard case .success(let result) = await handle.result, result != value else { return }
            state.withLock { $0.wrong += 1 }
        }
        waits.withLock { $0.append(wait) }
    }

    func awaitHandles() async {
        let pending = waits.withLock { waits in
            defer { waits = [] }
            return waits
        }
        for wait in pending { await wait.value }
    }
}
