import Sluice
import SluiceCEL
import Synchronization

/// The state of `summarize` during a run: what its workers have gathered so far.
final class SummarizeStep: ClosingStep {
    let fields: [Schema.Field]?
    private let verb: Summarize
    private let states = Locked(States())
    private let room: StageRoom
    private let spill: SummarySpill
    /// The distinct aggregates; several values may be results of the same one.
    private let calls: [AggregateCall]
    private let exactness = Locked<[String: RunReport.Exactness]>([:])

    /// `@unchecked Sendable`: a state belongs to the thread that took it until it gives it back.
    private struct Gathered: @unchecked Sendable {
        var state: SummaryState
    }

    private struct States {
        /// The seed of the hash of the keys. The parts of spilled groups depend on it.
        var seed = UInt64.random(in: .min ... .max)
        var idle: [Gathered] = []
        /// The number of states in existence.
        var made = 0

        mutating func take() -> Gathered? {
            if idle.isEmpty { made += 1 }
            return idle.popLast()
        }

        /// One that is not in use, if there is one.
        mutating func takeIdle() -> Gathered? { idle.popLast() }

        mutating func takeAll() -> [Gathered] {
            defer { self = States(seed: seed) }
            return idle
        }

        /// Adds a state that was not taken before.
        mutating func add(_ new: Gathered) {
            idle.append(new)
            made += 1
        }
    }

    init(_ verb: Summarize, _ room: StageRoom) {
        self.verb = verb
        self.room = room
        fields = verb.fields
        var calls: [AggregateCall] = []
        for (_, call) in verb.values where !calls.contains(where: { $0.stateName.isSame(as: call.stateName) }) { calls.append(call) }
        self.calls = calls
        spill = SummarySpill(room, SummaryState.Shape(by: verb.by.count, aggregates: calls.map(\.stateName)))
    }

    private var aggregates: [any Aggregate] { calls.map(\.aggregate) }

    func bind(_ site: StageSite, _ binder: inout StageBinder) -> any ClosingStage {
        SummarizeStage(
            site: site, step: self, by: verb.by.map { BoundProgram($0.value, in: site.fields) },
            values: calls.map { SummarizeStage.Value($0, in: site.fields) }, next: binder.next)
    }

    /// Takes a state that no other worker uses. It must be given back.
    func take() -> SummaryState {
        states.withLock { $0.take() }?.state ?? makeState()
    }

    func keep(_ state: SummaryState) {
        let gathered = Gathered(state: state)
        states.withLock { $0.idle.append(gathered) }
    }

    /// Returns a state like ``keep(_:)``, but first spills its groups if it has grown too large.
    func giveBack(_ state: SummaryState) throws(RunError) {
        let share = room.memory / max(1, states.withLock { $0.made })
        // Growing a table takes twice its memory for a while.
        guard state.bytes > share / 2, mayBeDivided(state) else { return keep(state) }
        try spill.add(state, makeEmptyState)
        keep(makeState())
    }

    /// A single group can be divided only by its values.
    private func mayBeDivided(_ state: SummaryState) -> Bool { !verb.by.isEmpty || state.hasValues }

    /// Without room for the keys of a batch until there is one.
    private func makeEmptyState() -> SummaryState { SummaryState(aggregates, seed: states.withLock { $0.seed }, keyBytes: 0) }

    func makeState() -> SummaryState { SummaryState(aggregates, seed: states.withLock { $0.seed }) }

    /// Merges all states into one. Must not be called while a batch is being taken in.
    private func merged() -> SummaryState {
        let all = states.withLock { $0.takeAll() }
        let whole = all.first?.state ?? makeState()
        for other in all.dropFirst() { whole.merge(other.state) }
        return whole
    }

    func results() throws(RunError) -> ClosingResults {
        guard spill.isEmpty else { return .rows(try spilled()) }
        let state = merged()
        if verb.by.isEmpty { state.addWhole() }
        note(state)
        return .rows(SummaryResults(state, by: verb.by.count, values, order: verb.order, batchText: room.batchText))
    }

    private func spilled() throws(RunError) -> SpilledResults {
        for gathered in states.withLock({ $0.takeAll() }) { try spill.add(gathered.state, makeEmptyState) }
        return SpilledResults(spill, room, by: verb.by.count, values, order: verb.order) {
            self.makeEmptyState()
        } noting: {
            self.note($0)
        }
    }

    private var values: [SummaryResults.Value] {
        verb.values.map { _, call in
            SummaryResults.Value(aggregate: call.aggregate, state: calls.firstIndex { $0.stateName.isSame(as: call.stateName) } ?? 0)
        }
    }

    /// Counts the groups with exact and with estimated values.
    private func note(_ state: SummaryState) {
        for (value, result) in zip(verb.values, values) {
            let sketches = (0..<state.groups.count).compactMap { state.states[result.state].isSketch($0) }
            guard !sketches.isEmpty else { continue }
            let sketched = sketches.count { $0 }
            exactness.withLock { $0[value.name, default: RunReport.Exactness(exact: 0, sketch: 0)].add(sketches.count, sketched) }
        }
    }

    func note(in stage: inout RunReport.Stage) {
        let exactness = exactness.withLock { $0 }
        if !exactness.isEmpty { stage.values = exactness }
    }

    private var shape: SummaryState.Shape {
        SummaryState.Shape(by: verb.by.count, aggregates: calls.map(\.stateName))
    }

    /// A state that takes more memory is spilled for a checkpoint, since its bytes would take as
    /// much again.
    private static let mostInCheckpoint = 16 << 20

    /// The version, 3; where the files contain groups (``SummarySpill``); and the groups in memory
    /// (``SummaryState``).
    func checkpoint() throws(RunError) -> StageState {
        var state = merged()
        if state.bytes > Self.mostInCheckpoint, mayBeDivided(state) {
            try spill.add(state, makeEmptyState)
            state = makeState()
        }
        let gathered = Gathered(state: state)
        states.withLock { $0.add(gathered) }
        var writer = StateWriter()
        writer.write(UInt64(3))
        let files = spill.write(to: &writer, seed: states.withLock { $0.seed })
        state.bytes(shape).withUnsafeBufferPointer { writer.write($0) }
        return StageState(bytes: writer.bytes, files: files)
    }

    func merge(_ state: StageState) throws(CheckpointError) {
        var reader = StateReader(state.bytes)
        guard try reader.number() == 3 else { throw CheckpointError("the state has another version") }
        let (spilled, seed) = try SummarySpill.Pieces.read(from: &reader, state.files)
        let isDivided = seed.map { begin(seed: $0) } ?? true
        let gathered = Gathered(state: makeEmptyState())
        try gathered.state.read(Array(try reader.text()), shape)
        guard reader.isAtEnd else { throw CheckpointError("unexpected bytes after the state") }
        do throws(RunError) {
            try spill.add(spilled, isDivided: isDivided, makeEmptyState)
            try add(gathered)
        } catch {
            throw CheckpointError(error.description)
        }
    }

    /// Adds a state to one that is there: of a hundred thousand tasks, each has left one.
    private func add(_ gathered: Gathered) throws(RunError) {
        guard let known = states.withLock({ $0.takeIdle() }) else { return states.withLock { $0.add(gathered) } }
        known.state.merge(gathered.state)
        try giveBack(known.state)
    }

    /// Takes over the seed if nothing was taken in yet.
    ///
    /// - Returns: whether this is the seed now.
    private func begin(seed: UInt64) -> Bool {
        let isUnused = spill.isEmpty
        return states.withLock { states in
            if isUnused, states.made == 0 { states.seed = seed }
            return states.seed == seed
        }
    }
}

extension RunReport.Exactness {
    fileprivate mutating func add(_ groups: Int, _ sketched: Int) {
        exact += groups - sketched
        sketch += sketched
    }
}
