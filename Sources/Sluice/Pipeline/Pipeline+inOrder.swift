extension Pipeline {
    /// Makes something else of each element, one at a time in the pipeline's order, with state that
    /// goes from each to the next; or leaves it out where the closure gives nil.
    ///
    /// ```swift
    /// .inOrder("dedupe", state: Set<String>()) { seen, line in
    ///     seen.insert(line).inserted ? line : nil
    /// }
    /// ```
    ///
    /// Every run begins with `state` as given. Where the closure throws, changes that it made to
    /// the state stay.
    public func inOrder<State: Sendable, Output: Sendable>(
        _ name: String = "inOrder", state: State, onError: FailurePolicy? = nil,
        _ transform: @escaping @Sendable (inout State, Element) async throws -> Output?
    ) -> Pipeline<Output> {
        serial(name, state, onError, mayEndEarly: false) { state, element in
            try await transform(&state, element).map { .pass($0) } ?? .leaveOut
        }
    }

    /// As ``inOrder(_:state:onError:_:)``, until the closure has enough: the run then ends well,
    /// though the source goes on.
    ///
    /// ```swift
    /// .inOrder("first ten", state: 0, until: { count, line in
    ///     count += 1
    ///     return count == 10 ? .last(line) : .pass(line)
    /// })
    /// ```
    ///
    /// Elements that were read ahead are given up: nothing of them is written, and no dead letter
    /// of theirs.
    public func inOrder<State: Sendable, Output: Sendable>(
        _ name: String = "inOrder", state: State, onError: FailurePolicy? = nil,
        until transform: @escaping @Sendable (inout State, Element) async throws -> InOrderResult<Output>
    ) -> Pipeline<Output> {
        serial(name, state, onError, mayEndEarly: true, transform)
    }

    private func serial<State: Sendable, Output: Sendable>(
        _ name: String, _ state: State, _ onError: FailurePolicy?, mayEndEarly: Bool,
        _ transform: @escaping @Sendable (inout State, Element) async throws -> InOrderResult<Output>
    ) -> Pipeline<Output> {
        Pipeline<Output>(settings: settings) { [attach] inlet, layout in
            layout.plan.mayEndEarly = layout.plan.mayEndEarly || mayEndEarly
            let next = layout.serial(inlet)
            let ledger = layout.enter(name)
            let stage = SerialStage(
                state: state, ledger: ledger, failures: layout.failures(onError, ledger), next: next,
                measuresWaiting: layout.settings.measuresWaiting && next is Admission<Output>, body: transform)
            attach(.serial(stage), &layout)
        }
    }

    /// The first elements; the run ends well once there are so many.
    public func prefix(_ count: Int, name: String = "prefix") -> Pipeline {
        precondition(count > 0, "a prefix holds at least one element, not \(count)")
        return inOrder(
            name, state: 0,
            until: { taken, element in
                taken += 1
                return taken == count ? .last(element) : .pass(element)
            })
    }

    /// After the source's last element come those that the closure gives, until it gives nil.
    ///
    /// For what a stage before it has gathered. Not called once the run has failed or was drained.
    public func appending(
        _ name: String = "appending", _ next: @escaping @Sendable () async throws -> Element?
    ) -> Pipeline {
        Pipeline(settings: settings) { [attach] inlet, layout in
            let stage = Appending(ledger: layout.enter(name), control: layout.control, more: next, next: layout.serial(inlet))
            attach(.serial(stage), &layout)
        }
    }
}

/// What a stage in order makes of an element.
public enum InOrderResult<Output: Sendable>: Sendable {
    case pass(Output)
    case leaveOut
    /// The stage needs no more elements after this one.
    case last(Output)
}

/// A stage that takes one element at a time and needs no pool: it runs where its segment commits.
final class SerialStage<State: Sendable, Input: Sendable, Output: Sendable>: SerialInlet {
    private let state: SerialState<State>
    private let isOver = SerialState(false)
    private let ledger: StageLedger
    private let failures: Failures
    private let next: any SerialInlet<Output>
    /// Whether what comes next may have no room, and the time that this takes is measured.
    private let measuresWaiting: Bool
    private let body: @Sendable (inout State, Input) async throws -> InOrderResult<Output>

    init(
        state: State, ledger: StageLedger, failures: Failures, next: any SerialInlet<Output>, measuresWaiting: Bool,
        body: @escaping @Sendable (inout State, Input) async throws -> InOrderResult<Output>
    ) {
        self.state = SerialState(state)
        self.ledger = ledger
        self.failures = failures
        self.next = next
        self.measuresWaiting = measuresWaiting
        self.body = body
    }

    func receive(_ element: Input, at place: Place) async throws(PipelineError) {
        guard !isOver.value else { return }
        ledger.received.count()
        let start = ContinuousClock.now
        let result: InOrderResult<Output>
        let end: ContinuousClock.Instant
        do {
            result = try await body(&state.value, element)
            end = ledger.wasBusy(since: start)
        } catch {
            ledger.wasBusy(since: start)
            guard !failures.control.isClosed else { return }
            if let mark = failures.judge(element, at: place, error, attempts: 1) { try await next.receive(mark) }
            return
        }
        switch result {
        case .pass(let output):
            ledger.passed.count()
            try await next.receive(output, at: place)
            if measuresWaiting { ledger.waited(since: end) }
        case .leaveOut:
            ledger.filtered.count()
        case .last(let output):
            ledger.passed.count()
            isOver.value = true
            failures.control.stopReading(after: place)
            try await next.receive(output, at: place)
        }
    }

    /// What became of elements after the last one that was needed, or after the place where the run
    /// stops, is nothing to this run.
    func receive(_ mark: Mark) async throws(PipelineError) {
        if isOver.value {
            guard case .partEnded = mark else { return }
        }
        if case .failed = mark { isOver.value = true }
        try await next.receive(mark)
    }

    func finish() async throws(PipelineError) { try await next.finish() }
}

/// Passes elements on, and gives more of them at the end.
final class Appending<Element: Sendable>: SerialInlet {
    private let ledger: StageLedger
    private let control: RunControl
    private let more: @Sendable () async throws -> Element?
    private let next: any SerialInlet<Element>

    init(
        ledger: StageLedger, control: RunControl, more: @escaping @Sendable () async throws -> Element?, next: any SerialInlet<Element>
    ) {
        self.ledger = ledger
        self.control = control
        self.more = more
        self.next = next
    }

    func receive(_ element: Element, at place: Place) async throws(PipelineError) {
        ledger.received.count()
        ledger.passed.count()
        try await next.receive(element, at: place)
    }

    func receive(_ mark: Mark) async throws(PipelineError) { try await next.receive(mark) }

    func finish() async throws(PipelineError) {
        if !control.isStoppedEarly { try await append() }
        try await next.finish()
    }

    private func append() async throws(PipelineError) {
        var index = 0
        while !control.isClosed, !control.isDrained {
            let place = Place(part: .max, index: index)
            let element: Element?
            do {
                element = try await more()
            } catch {
                throw .stage(ledger.name, at: place, attempts: 1, error)
            }
            guard let element else { return }
            ledger.added.count()
            ledger.passed.count()
            try await next.receive(element, at: place)
            index += 1
        }
    }
}
