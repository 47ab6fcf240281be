import Sluice
import Synchronization
import WorkerPools

/// A stage that is a closure of a Swift program. Pipeline files cannot name it.
struct ClosureVerb: Verb {
    static let declaration = Declaration("closure", "a closure of a Swift program", argument: .keys([]), example: "")

    let settings: ClosureSettings
    /// Whether the returned record replaces the record; if not, only whether one is returned
    /// matters.
    let givesRecords: Bool
    let body: @Sendable (Record) async throws -> Record?

    init(settings: ClosureSettings, givesRecords: Bool, body: @escaping @Sendable (Record) async throws -> Record?) {
        self.settings = settings
        self.givesRecords = givesRecords
        self.body = body
    }

    init?(_ argument: Argument, options: Arguments, _ checking: inout Checking) { nil }

    var mentions: [String] { [] }
    var givesNewBytes: Bool { givesRecords }
    var leavesRecords: Bool { !givesRecords }

    func makeStep(_ stage: RecordStage) -> Step { .each(ClosureStep(self)) }
}

/// The step of a closure.
final class ClosureStep: EachStep {
    let verb: ClosureVerb
    private let pool: WorkerPool?
    private let busy = Locked(Duration.zero)

    init(_ verb: ClosureVerb) {
        self.verb = verb
        let settings = verb.settings
        guard settings.hasPool else {
            pool = nil
            return
        }
        // One record at a time for each worker: a closure that waits must not delay other records.
        pool = WorkerPool(
            WorkerPool.Configuration(
                name: settings.name, workers: Self.workers(settings), queue: .bounded(2 * Self.workers(settings).upperBound),
                timeout: settings.timeout, retry: settings.retry, longestRun: 1))
    }

    private static func workers(_ settings: ClosureSettings) -> ClosedRange<Int> {
        settings.concurrency?.range ?? 1...System.processors
    }

    func bind(_ site: StageSite, _ binder: inout StageBinder) -> any EachStage {
        var site = site
        // The pool enforces the time limit, for each attempt.
        site.timeout = nil
        return ClosureStage(site: site, step: self, next: binder.next)
    }

    /// With a pool, two, so that it has work while the answers of one batch are decoded.
    func batches(_ pool: PoolOptions, threads: Int) -> ClosedRange<Int> { self.pool == nil ? 1...threads : 1...2 }

    func end() async { await pool?.drain() }

    var ownWorkers: OwnWorkers? {
        guard let counters = pool?.counters else { return nil }
        return OwnWorkers(
            range: Self.workers(verb.settings), peak: counters.peakRunning, retries: counters.retried, timeouts: counters.timedOut,
            busy: busy.withLock { $0 }, answered: counters.finished)
    }

    /// The closure's answers for the records, in order; `nil` for a record that it filters out.
    ///
    /// - Parameter record: makes the record with the given index. Called for one index after the
    ///   other.
    func answers(_ count: Int, record: (Int) throws(RecordFailure) -> Record) async -> [Result<Record?, RecordFailure>] {
        guard let pool else {
            var answers: [Result<Record?, RecordFailure>] = []
            answers.reserveCapacity(count)
            for index in 0..<count { answers.append(await answer(to: Result(catching: { () throws(RecordFailure) in try record(index) }))) }
            return answers
        }
        let window = 2 * Self.workers(verb.settings).upperBound
        return await withTaskGroup(of: (Int, Result<Record?, RecordFailure>).self) { group in
            var answers: [Result<Record?, RecordFailure>] = Array(repeating: .success(nil), count: count)
            for index in 0..<count {
                if index >= window, let (done, answer) = await group.next() { answers[done] = answer }
                let record = Result(catching: { () throws(RecordFailure) in try record(index) })
                group.addTask { (index, await self.answer(to: record, in: pool)) }
            }
            for await (done, answer) in group { answers[done] = answer }
            return answers
        }
    }

    private func answer(to record: Result<Record, RecordFailure>) async -> Result<Record?, RecordFailure> {
        do {
            return .success(try await verb.body(try record.get()))
        } catch {
            return .failure(RecordFailure(closure: error))
        }
    }

    private func answer(to record: Result<Record, RecordFailure>, in pool: WorkerPool) async -> Result<Record?, RecordFailure> {
        guard case .success(let record) = record else { return record.map(Optional.some) }
        let attempts = Attempts()
        do {
            let handle = try await pool.submit(
                returning: { () async throws(any Error) -> Record? in
                    attempts.count.withLock { $0 += 1 }
                    let start = ContinuousClock.now
                    defer { self.busy.withLock { $0 += ContinuousClock.now - start } }
                    return try await self.verb.body(record)
                })
            switch await handle.result {
            case .success(let answer): return .success(answer)
            case .failure(.failed(let error)): return .failure(RecordFailure(closure: error, attempts: attempts.made))
            case .failure(.stopped(.timedOut)): return .failure(RecordFailure(timedOutAfter: verb.settings.timeout, attempts: attempts.made))
            case .failure(.stopped(let error)): return .failure(RecordFailure(closure: error, attempts: attempts.made))
            }
        } catch {
            return .failure(RecordFailure(closure: error))
        }
    }

    private final class Attempts: Sendable {
        let count = Locked(0)

        var made: Int { max(1, count.withLock { $0 }) }
    }
}

extension RecordFailure {
    /// The failure of a closure that threw.
    fileprivate init(closure error: any Error, attempts: Int = 1) {
        self = error as? RecordFailure ?? RecordFailure(code: "closure", message: "\(error)")
        self.attempts = max(self.attempts, attempts)
    }

    fileprivate init(timedOutAfter limit: Duration?, attempts: Int) {
        self.init(code: "timeout", message: "no answer in \(limit ?? .zero)", attempts: attempts)
    }
}

/// A closure, bound to one place.
struct ClosureStage: EachStage {
    let site: StageSite
    let step: ClosureStep
    let next: BoundSegment?
    private let making: RecordMaking

    init(site: StageSite, step: ClosureStep, next: BoundSegment?) {
        self.site = site
        self.step = step
        self.next = next
        making = RecordMaking(site.fields)
    }

    func run(_ batch: RecordBatch) async throws {
        let rows = batch.rows
        let spare = making.spareTable()
        let answers = await step.answers(rows.count) { (index) throws(RecordFailure) in
            try making.record(Int(rows[index]), of: batch, spare: spare)
        }
        var index = 0
        func next() throws(RecordFailure) -> Record? {
            defer { index += 1 }
            return try answers[index].get()
        }
        guard step.verb.givesRecords else {
            return try site.sift(batch) { (_) throws(RecordFailure) in try next() != nil }
        }
        var writing = RecordWriting(batch.scratch)
        try site.sift(batch) { (_) throws(RecordFailure) in
            guard let record = try next() else { return false }
            try writing.add(record)
            return true
        }
        try site.rebase(batch, onto: writing.bytes, writing.frames, decodedBy: self.next) { found in
            RecordFailure(code: "closure", message: "the record cannot be written as JSON: \(found.message)")
        }
        writing.restoreTypes(in: batch)
    }
}
