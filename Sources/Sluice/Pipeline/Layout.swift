internal import WorkerPools

/// A pipeline while it is being laid out for one run.
struct Layout {
    let settings: PipelineSettings
    let control: RunControl
    var plan = RunPlan()

    /// The inlet as one that many jobs feed, with a new segment before it where it takes one element at a time.
    mutating func parallel<Element>(_ inlet: Inlet<Element>) -> any ParallelInlet<Element> {
        switch inlet {
        case .parallel(let inlet): return inlet
        case .serial(let outlet):
            let segment = Segment<Element>(limits: settings.window, order: settings.order, outlet: outlet)
            plan.gates.append(segment)
            return segment
        }
    }

    func serial<Element>(_ inlet: Inlet<Element>) -> any SerialInlet<Element> {
        switch inlet {
        case .serial(let inlet): inlet
        case .parallel(let inlet): Admission(inlet: inlet)
        }
    }

    mutating func stage<Input, Output>(
        _ settings: StageSettings, _ ledger: StageLedger, into inlet: Inlet<Output>,
        _ body: @escaping @Sendable (Input) async throws -> Output?
    ) -> Inlet<Input> {
        let next = parallel(inlet)
        let pool = WorkerPool(
            WorkerPool.Configuration(
                name: settings.name, workers: settings.concurrency.range, queue: .bounded(settings.capacity),
                timeout: settings.timeout, retry: settings.retry, executor: self.settings.executor,
                alarms: self.settings.alarms))
        enter(RunPlan.StageEntry(ledger: ledger, concurrency: settings.concurrency, pool: pool))
        let failures = Failures(
            ledger: ledger, policy: settings.onError ?? (self.settings.deadLetters == nil ? .stop : .deadLetter),
            gate: next.gate, control: control, callback: self.settings.onFailure)
        let delivery = Delivery<Input, Output>(ledger: ledger, failures: failures, next: next)
        guard settings.timeout != nil || settings.retry != nil else {
            return .parallel(Stage(pool: pool, delivery: delivery, body: body))
        }
        let stage = TimedStage(pool: pool, settings: settings, delivery: delivery, body: body)
        plan.forwarders.append(stage)
        return .parallel(stage)
    }

    /// Enters a stage without workers in the ledger.
    mutating func enter(_ name: String) -> StageLedger {
        let ledger = StageLedger(name: name)
        enter(RunPlan.StageEntry(ledger: ledger, concurrency: 1, pool: nil))
        return ledger
    }

    /// Stages are laid out from the last to the first.
    private mutating func enter(_ stage: RunPlan.StageEntry) { plan.stages.insert(stage, at: 0) }
}

/// How what comes next takes its elements.
enum Inlet<Element: Sendable> {
    case parallel(any ParallelInlet<Element>)
    case serial(any SerialInlet<Element>)
}

/// Lets a segment's output into the next segment.
final class Admission<Element: Sendable>: SerialInlet {
    private let inlet: any ParallelInlet<Element>
    private let gate: any Gate

    init(inlet: any ParallelInlet<Element>) {
        self.inlet = inlet
        gate = inlet.gate
        gate.expect(parts: 1)
        _ = gate.openPart()
    }

    func receive(_ entry: Entry<Element>) async throws(PipelineError) {
        // Refused only once the run is over, when nobody waits for the element.
        guard await gate.reserve(part: 0) else { return }
        switch entry {
        case .element(let element, let place): await inlet.accept(element, gate.admit(part: 0, place: place))
        case .dead(let letter): gate.bury(gate.admit(part: 0, place: letter.place), letter)
        case .failed(let reason): gate.fail(gate.admit(part: 0, place: nil), reason)
        case .partEnded(let part): gate.pass(gate.admit(part: 0, place: nil), partEnded: part)
        }
    }

    func finish() async throws(PipelineError) {
        // Cut rather than ended: the source's parts are passed on one by one, and this one is none of them.
        gate.cut(part: 0)
        gate.stop()
    }
}
