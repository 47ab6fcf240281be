import Sluice
import SluiceCEL
import Synchronization

/// The state of `summarize` during a run: what its workers have gathered so far.
final class SummarizeStep: ClosingStep {
    let fields: [Schema.Field]?
    private let verb: Summarize
    private let seed = UInt64.random(in: .min ... .max)
    private let states = Locked<[Gathered]>([])
    /// The distinct aggregates; several values may be results of the same one.
    private let calls: [AggregateCall]
    private let exactness = Locked<[String: RunReport.Exactness]>([:])

    /// `@unchecked Sendable`: a state belongs to whoever took it until it is given back.
    private struct Gathered: @unchecked Sendable {
        var state: SummaryState
    }

    init(_ verb: Summarize) {
        self.verb = verb
        fields = verb.fields
        var calls: [AggregateCall] = []
        for (_, call) in verb.values where !calls.contains(where: { $0.stateName.isSame(as: call.stateName) }) { calls.append(call) }
        self.calls = calls
    }

    private var aggregates: [any Aggregate] { calls.map(\.aggregate) }

    func bind(_ site: StageSite, _ binder: inout StageBinder) -> any ClosingStage {
        SummarizeStage(
            site: site, step: self, by: verb.by.map { BoundProgram($0.value, in: site.fields) },
            values: calls.map { SummarizeStage.Value($0, in: site.fields) }, next: binder.next)
    }

    /// Takes a state that no other worker uses. It must be given back.
    func take() -> SummaryState {
        states.withLock { $0.popLast() }?.state ?? makeState()
    }

    func giveBack(_ state: SummaryState) {
        let gathered = Gathered(state: state)
        states.withLock { $0.append(gathered) }
    }

    private func makeState() -> SummaryState { SummaryState(aggregates, seed: seed) }

    /// Merges all states into one. Must not be called while a batch is being taken in.
    private func merged() -> SummaryState {
        let all = states.withLock { states in
            defer { states = [] }
            return states
        }
        let whole = all.first?.state ?? makeState()
        for other in all.dropFirst() { whole.merge(other.state) }
        return whole
    }

    func results() -> ClosingResults {
        let state = merged()
        if verb.by.isEmpty { state.addWhole() }
        note(state)
        return .rows(SummaryResults(state, by: verb.by.count, values, order: verb.order))
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
            exactness.withLock { $0[value.name] = RunReport.Exactness(exact: sketches.count - sketched, sketch: sketched) }
        }
    }

    func note(in stage: inout RunReport.Stage) {
        let exactness = exactness.withLock { $0 }
        if !exactness.isEmpty { stage.values = exactness }
    }

    private var shape: SummaryState.Shape {
        SummaryState.Shape(by: verb.by.count, aggregates: calls.map(\.stateName))
    }

    func checkpoint() -> [UInt8] {
        let state = merged()
        defer { giveBack(state) }
        return state.bytes(shape)
    }

    func merge(_ state: [UInt8]) throws(CheckpointError) {
        let read = makeState()
        try read.read(state, shape)
        giveBack(read)
    }
}
