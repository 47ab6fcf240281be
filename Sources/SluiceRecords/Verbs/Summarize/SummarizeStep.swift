import Sluice
import SluiceCEL
import Synchronization

/// `summarize` while a run goes on: what its workers have gathered so far.
final class SummarizeStep: ClosingStep {
    let fields: [Schema.Field]
    private let verb: Summarize
    private let seed = UInt64.random(in: .min ... .max)
    private let states = Locked<[Gathered]>([])

    /// `@unchecked Sendable`: a state belongs to who has taken it, until it is given back.
    private struct Gathered: @unchecked Sendable {
        var state: SummaryState
    }

    init(_ verb: Summarize) {
        self.verb = verb
        fields = verb.fields
    }

    private var aggregates: [any Aggregate] { verb.values.map(\.call.aggregate) }

    func bind(_ site: StageSite, _ binder: inout StageBinder) -> any ClosingStage {
        SummarizeStage(
            site: site, step: self, by: verb.by.map { BoundProgram($0.value, in: site.fields) },
            values: verb.values.map { SummarizeStage.Value($0.call, in: site.fields) }, next: binder.next)
    }

    /// A state that no other worker has. Give it back.
    func take() -> SummaryState {
        states.withLock { $0.popLast() }?.state ?? makeState()
    }

    func giveBack(_ state: SummaryState) {
        let gathered = Gathered(state: state)
        states.withLock { $0.append(gathered) }
    }

    private func makeState() -> SummaryState { SummaryState(aggregates, seed: seed) }

    /// All that was gathered, as one state. While no batch is being taken in.
    private func merged() -> SummaryState {
        let all = states.withLock { states in
            defer { states = [] }
            return states
        }
        let whole = all.first?.state ?? makeState()
        for other in all.dropFirst() { whole.merge(other.state) }
        return whole
    }

    func results() -> any ClosingResults {
        let state = merged()
        if verb.by.isEmpty { state.addWhole() }
        return SummaryResults(state, by: verb.by.count, order: verb.order)
    }

    private var shape: SummaryState.Shape {
        SummaryState.Shape(by: verb.by.count, aggregates: verb.values.map(\.call.name))
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
