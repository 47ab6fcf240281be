internal import WorkerPools

/// A pipeline while it is being laid out for one run.
struct Layout {
    let settings: PipelineSettings
    let control: RunControl
    var plan = RunPlan()

    /// The inlet as one that many jobs feed, with a new segment before it where it takes one
    /// element at a time.
    mutating func parallel<Element>(_ inlet: Inlet<Element>) -> any ParallelInlet<Element> {
        switch inlet {
        case .parallel(let inlet): return inlet
        case .serial(let outlet):
            let segment = Segment(limits: settings.window, order: settings.order, outlet: outlet)
            plan.segments.append(segment)
            return SegmentEnd(segment: segment, outlet: outlet)
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
        let delivery = Delivery<Input, Output>(ledger: ledger, failures: failures(settings.onError, ledger), next: next)
        guard settings.timeout != nil || settings.retry != nil else {
            return .parallel(Stage(pool: pool, delivery: delivery, measuresWaiting: self.settings.measuresWaiting, body: body))
        }
        let stage = TimedStage(pool: pool, settings: settings, delivery: delivery, body: body)
        plan.forwarders.append(stage)
        return .parallel(stage)
    }

    func failures(_ policy: FailurePolicy?, _ ledger: StageLedger) -> Failures {
        Failures(
            ledger: ledger, policy: policy ?? (settings.deadLetters == nil ? .stop : .deadLetter), control: control,
            callback: settings.onFailure)
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
