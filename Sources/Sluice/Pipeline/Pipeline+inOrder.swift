extension Pipeline {
    /// Makes something else of each element, one at a time in the pipeline's order, with state that goes from each to
    /// the next; or leaves it out where the closure gives nil.
    ///
    /// ```swift
    /// .inOrder("dedupe", state: Set<String>()) { seen, line in seen.insert(line).inserted ? line : nil }
    /// ```
    ///
    /// Every run begins with `state` as given. Where the closure throws, changes that it made to the state stay.
    public func inOrder<State: Sendable, Output: Sendable>(
        _ name: String = "inOrder", state: State, onError: FailurePolicy? = nil,
        _ transform: @escaping @Sendable (inout State, Element) async throws -> Output?
    ) -> Pipeline<Output> {
        Pipeline<Output>(settings: settings) { [attach] inlet, layout in
            let next = layout.serial(inlet)
            let ledger = layout.enter(name)
            let stage = SerialStage(
                state: state, ledger: ledger, failures: layout.failures(onError, ledger), next: next, body: transform)
            attach(.serial(stage), &layout)
        }
    }
}

/// A stage that takes one element at a time and needs no pool: it runs where its segment commits.
final class SerialStage<State: Sendable, Input: Sendable, Output: Sendable>: SerialInlet {
    private let state: SerialState<State>
    private let ledger: StageLedger
    private let failures: Failures
    private let next: any SerialInlet<Output>
    private let body: @Sendable (inout State, Input) async throws -> Output?

    init(
        state: State, ledger: StageLedger, failures: Failures, next: any SerialInlet<Output>,
        body: @escaping @Sendable (inout State, Input) async throws -> Output?
    ) {
        self.state = SerialState(state)
        self.ledger = ledger
        self.failures = failures
        self.next = next
        self.body = body
    }

    func receive(_ element: Input, at place: Place) async throws(PipelineError) {
        ledger.received.count()
        let start = ContinuousClock.now
        let output: Output?
        do {
            output = try await body(&state.value, element)
            ledger.wasBusy(since: start)
        } catch {
            ledger.wasBusy(since: start)
            guard !failures.control.isClosed else { return }
            if let mark = failures.judge(element, at: place, error, attempts: 1) { try await next.receive(mark) }
            return
        }
        if let output {
            ledger.passed.count()
            try await next.receive(output, at: place)
        } else {
            ledger.filtered.count()
        }
    }

    func receive(_ mark: Mark) async throws(PipelineError) { try await next.receive(mark) }

    func finish() async throws(PipelineError) { try await next.finish() }
}
