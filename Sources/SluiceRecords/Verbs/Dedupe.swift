public import Sluice
import SluiceCEL
import Synchronization

/// `dedupe`: passes the first of the records with the same key.
package struct Dedupe: Verb {
    package static let declaration = Declaration(
        "dedupe", "passes the first record with each key; the others are filtered",
        argument: .keys([
            ArgumentKey(
                "by", .short(.list(.expression), for: "by", in: []), isRequired: true, example: "by: [user, path]", "the expressions that form the key"),
            ArgumentKey(
                "within", .integer(1...50_000_000), example: "within: 100000",
                "how many of the most recently seen keys to remember; by default all"),
        ]),
        example: "dedupe: {by: [request_id]}",
        elsewhere: ["distinct", "uniq", "unique", "drop_duplicates", "dedup"])

    let by: [CellProgram]
    let within: Int?

    package init?(_ argument: Argument, options: Arguments, _ checking: inout Checking) {
        guard let keys = argument.keys, let leaves = keys["by"]?.leaves else { return nil }
        let by = leaves.compactMap { checking.program($0, "'by'") }
        guard by.count == leaves.count else { return nil }
        self.by = by
        within = keys["within"]?.integer
    }

    package var mentions: [String] { by.flatMap(\.fieldNames) }
    package var leavesRecords: Bool { true }
    package var keepsMuch: Bool { true }
    package var dependence: Dependence { .others }

    package func makeStep(_ stage: RecordStage) -> Step { .ordered(DedupeStep(self, stage.room)) }
}

/// The state of `dedupe` during a run: the keys seen so far, as 128-bit hashes.
///
/// The hash is keyed with a random key per process, so that no input can be crafted to have two
/// keys with the same hash. Checkpoints contain that key.
final class DedupeStep: OrderedStep {
    fileprivate enum Seen {
        case all(SeenKeys)
        case last(RecentKeys)
    }

    /// `@unchecked Sendable`: used by one batch at a time.
    private struct State: @unchecked Sendable {
        var seen: Seen
        var hashing: SipHash
    }

    private static let hashing = SipHash(key: UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))

    private let verb: Dedupe
    private let room: StageRoom
    private let state: Locked<State>

    init(_ verb: Dedupe, _ room: StageRoom) {
        self.verb = verb
        self.room = room
        let seen = Seen.empty(within: verb.within, room)
        state = Locked(State(seen: seen, hashing: Self.hashing))
    }

    var mayHaveEnough: Bool { false }

    /// With `within`, what is remembered depends on what came before.
    var worksAhead: Bool { verb.within == nil }

    func bind(_ site: StageSite, _ binder: inout StageBinder) -> any OrderedStage {
        DedupeStage(site: site, step: self, by: verb.by.map { BoundProgram($0, in: site.fields) })
    }

    var hashing: SipHash { state.withLock { $0.hashing } }

    /// - Returns: for each key, whether it is seen for the first time.
    func insert(_ hashes: [Hash128]) throws(RunError) -> [Bool] {
        try state.withLock { (state) throws(RunError) in try state.seen.insert(hashes) }
    }

    /// The version, 2; the key of the hash; `within`, or 0; and the hashes of the keys in memory:
    /// sorted, or the most recent ones from oldest to newest. Files contain the others.
    func checkpoint() throws(RunError) -> StageState {
        var writer = StateWriter()
        writer.write(UInt64(2))
        let (hashing, hashes, files) = state.withLock { state in (state.hashing, state.seen.hashes, state.seen.files) }
        writer.write(hashing.key.0)
        writer.write(hashing.key.1)
        writer.write(verb.within ?? 0)
        for hash in hashes {
            writer.write(hash.high)
            writer.write(hash.low)
        }
        return StageState(bytes: writer.bytes, files: files)
    }

    func restore(_ state: StageState) throws(CheckpointError) {
        var reader = StateReader(state.bytes)
        guard try reader.number() == 2 else { throw CheckpointError("the state has another version") }
        let hashing = SipHash(key: try reader.number(), try reader.number())
        guard try reader.number() == UInt64(verb.within ?? 0) else { throw CheckpointError("the state is for another 'within'") }
        let seen = Seen.empty(within: verb.within, room)
        var hashes: [Hash128] = []
        while !reader.isAtEnd { hashes.append(Hash128(high: try reader.number(), low: try reader.number())) }
        do throws(RunError) {
            try seen.restore(hashes, state.files)
        } catch {
            throw CheckpointError(error.description)
        }
        let restored = State(seen: seen, hashing: hashing)
        self.state.withLock { $0 = restored }
    }
}

extension DedupeStep.Seen {
    fileprivate static func empty(within: Int?, _ room: StageRoom) -> Self {
        within.map { .last(RecentKeys($0)) } ?? .all(SeenKeys(room))
    }

    fileprivate mutating func insert(_ hashes: [Hash128]) throws(RunError) -> [Bool] {
        switch self {
        case .all(let keys): return try keys.insert(hashes)
        case .last(let keys): return hashes.map { keys.insert($0) }
        }
    }

    fileprivate func restore(_ hashes: [Hash128], _ files: [StageFile]) throws(RunError) {
        switch self {
        case .all(let keys): try keys.restore(hashes, files)
        case .last(let keys): for hash in hashes { _ = keys.insert(hash) }
        }
    }

    /// Those in memory.
    fileprivate var hashes: [Hash128] {
        switch self {
        case .all(let keys): keys.inMemory
        case .last(let keys): keys.all
        }
    }

    fileprivate var files: [StageFile] {
        switch self {
        case .all(let keys): keys.files.map(\.file)
        case .last: []
        }
    }
}

/// `dedupe`, bound to one place.
struct DedupeStage: OrderedStage {
    let site: StageSite
    let step: DedupeStep
    let by: [BoundProgram]

    /// Computes the keys of all records before any counts as seen, so that a record that fails does
    /// not suppress another.
    func run(_ batch: RecordBatch) throws(RunError) -> Flow {
        let received = batch.rows.count
        let hashes = try hashes(of: batch)
        let lost = batch.counts[site.index].dead + batch.counts[site.index].dropped
        let filtered = filter(batch, try step.insert(batch.rows.map { hashes[Int($0)] }))
        batch.counts[site.index].in += received
        batch.counts[site.index].out += received - filtered - lost
        batch.counts[site.index].filtered += filtered
        return .more
    }

    /// A record whose key fails is left, and fails in ``run(_:)``.
    func runAhead(_ batch: RecordBatch) throws(RunError) {
        let hasher = KeyHasher(by, batch, step.hashing)
        let hashes = batch.rows.map { row -> Hash128? in
            do throws(RecordFailure) {
                return try hasher.hash(Int(row))
            } catch {
                return nil
            }
        }
        var isFirst = try step.insert(hashes.compactMap(\.self))[...]
        let filtered = filter(batch, hashes.map { $0 == nil || isFirst.removeFirst() })
        batch.counts[site.index].in += filtered
        batch.counts[site.index].filtered += filtered
    }

    /// Filters the rows that are not to be kept.
    ///
    /// - Returns: their number.
    private func filter(_ batch: RecordBatch, _ isKept: [Bool]) -> Int {
        var kept = 0
        for (index, row) in batch.rows.enumerated() {
            if isKept[index] {
                batch.rows[kept] = row
                kept += 1
            } else {
                batch.note(.filtered, Int(row), at: site.index)
            }
        }
        defer { batch.rows.removeSubrange(kept...) }
        return batch.rows.count - kept
    }

    private func hashes(of batch: RecordBatch) throws(RunError) -> [Hash128] {
        var hashes = [Hash128](repeating: Hash128(high: 0, low: 0), count: batch.table.rows)
        let hasher = KeyHasher(by, batch, step.hashing)
        try site.keep(in: batch) { (row) throws(RecordFailure) in
            hashes[row] = try hasher.hash(row)
            return true
        }
        return hashes
    }
}

extension Records {
    /// Passes the first of the records with the same key.
    ///
    /// - Parameters:
    ///   - by: the expressions that make up the key; at least one.
    ///   - within: the number of most recent distinct keys to compare with; by default all keys.
    ///   - onError: what happens to a record for which an expression fails.
    public func dedupe(by expressions: [String], within: Int? = nil, name: String? = nil, onError: FailurePolicy = .deadLetter) -> Records {
        precondition(within.map { (1...50_000_000).contains($0) } ?? true, "'within' must be between 1 and 50,000,000, not \(within ?? 0)")
        return adding(Dedupe.self, name, onError: onError) { script in
            var arguments = ["by": script.argument(expressions)]
            if let within { arguments["within"] = .integer(within, script.place) }
            return .keys(Arguments(arguments))
        }
    }
}
