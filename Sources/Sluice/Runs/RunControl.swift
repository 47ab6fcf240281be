internal import Synchronization
internal import WorkerPools

/// The handle of one run: to watch it, and to end it early.
///
/// Give it to ``Pipeline/run(_:)``; it serves for that run only.
///
/// ```swift
/// let control = RunControl()
/// async let report = pipeline.run(control)
/// print(control.snapshot)
/// control.drain()
/// ```
public final class RunControl: Sendable {
    private enum Phase {
        case idle, running
        /// Reading is stopped, committing goes on.
        case stopping
        /// Nothing goes on; what is under way is being waited for.
        case closed
        case ended
    }

    private struct State {
        var phase = Phase.idle
        var isDrained = false
        var failure: (place: Place, reason: PipelineError)?
        /// The element after which a stage needed no more.
        var enough: Place?
        /// The first element that a stage gave up while the run was being drained.
        var abandoned: Place?
        var plan: RunPlan?
        var report: Report?
        var reading: Task<Void, Never>?
        var whole: Task<Result<Report, PipelineFailure>, Never>?
    }

    private let state = Locked(State())

    public init() {}

    /// Stops reading; what has been read goes on through the stages to its commit, and the report
    /// says `interrupted`.
    ///
    /// In input order, elements of a part whose earlier parts are not read to their end are given
    /// up: they are read again by the run that resumes. Does nothing after the end; before the
    /// beginning it leaves nothing to run.
    public func drain() {
        stopReading { $0.isDrained = true }
    }

    /// Ends the run as soon as its closures let it: all of them are cancelled, nothing more is
    /// written, and `run()` throws ``PipelineError/cancelled`` once the last one has returned.
    public func cancel() { close(because: .cancelled) }

    /// Changes how many jobs of a stage run at once. Those that run are finished. Nothing that a
    /// pipeline in its source's order writes depends on it.
    ///
    /// - Returns: false if no stage of this name has workers, or the run does not go on.
    package func resize(_ stage: String, to workers: Int) -> Bool {
        let plan = state.withLock { $0.phase == .closed || $0.phase == .ended ? nil : $0.plan }
        guard let pool = plan?.stages.first(where: { $0.ledger.name.utf8.elementsEqual(stage.utf8) })?.pool else { return false }
        pool.beginResizing(to: workers...workers)
        return true
    }

    /// The counters as they stand. Of elements on their way, one counter may know and the next not
    /// yet. After the end, the run's report.
    public var snapshot: Report {
        let (plan, report) = state.withLock { ($0.plan, $0.report) }
        return report ?? plan?.report(.running) ?? Report()
    }
}

extension RunControl {
    /// Whether what is still under way has lost its meaning.
    var isClosed: Bool { state.withLock { $0.phase == .closed || $0.phase == .ended } }

    var isReadingStopped: Bool { state.withLock { $0.phase != .running } }

    /// The first failure in the source's order, of those that were met before a stage had enough.
    var failure: PipelineError? {
        state.withLock { state in
            guard let failure = state.failure else { return nil }
            if let abandoned = state.abandoned, failure.place > abandoned { return nil }
            if let enough = state.enough, failure.place > enough { return nil }
            return failure.reason
        }
    }

    /// Whether the run ends before its time, by a drain, a failure or a cancellation, but not
    /// because a stage had enough.
    var isStoppedEarly: Bool {
        state.withLock { state in
            switch state.phase {
            case .running: state.failure != nil
            case .stopping: state.enough == nil || state.abandoned != nil
            case .idle, .closed, .ended: true
            }
        }
    }

    /// The element after which a stage needed no more.
    var enough: Place? { state.withLock { $0.enough } }

    /// The first element that a stage gave up while the run was being drained.
    var abandoned: Place? { state.withLock { $0.abandoned } }

    /// A stage gives up the element at this place, so the run ends before it.
    ///
    /// - Returns: false if the run is not being drained.
    func abandon(at place: Place) -> Bool {
        state.withLock { state in
            guard state.isDrained else { return false }
            state.abandoned = min(state.abandoned ?? place, place)
            return true
        }
    }

    var isDrained: Bool { state.withLock { $0.isDrained } }

    func begin(_ plan: RunPlan) {
        state.withLock { state in
            precondition(state.plan == nil && state.phase != .ended, "a RunControl can be used for one run only; create another")
            state.plan = plan
            if state.phase == .idle { state.phase = .running }
        }
    }

    /// The run's own tasks, so that they can be cancelled; the task that started them waits for
    /// them.
    func owns(whole: Task<Result<Report, PipelineFailure>, Never>) {
        let isClosed = state.withLock { state in
            state.whole = whole
            return state.phase == .closed
        }
        if isClosed { whole.cancel() }
    }

    func owns(reading: Task<Void, Never>) {
        let phase = state.withLock { state in
            state.reading = reading
            return state.phase
        }
        guard phase != .running, let plan = state.withLock({ $0.plan }) else { return }
        reading.cancel()
        if phase == .closed { plan.close() } else { plan.stopReading() }
    }

    func end(_ report: Report) {
        let ended = state.withLock { state in
            defer { state = State(phase: .ended, report: report) }
            return state
        }
        // Let go of outside the lock: the plan's closures may be all that holds a user's objects.
        withExtendedLifetime(ended) {}
    }

    /// The run will fail at this place; what lies before it is still committed.
    ///
    /// Where a stage may have enough before it comes to that, parts before the failure's are read
    /// on: whether the run ends well must not depend on how far later parts were read ahead.
    func stopReading(because reason: PipelineError, at place: Place) {
        func note(_ state: inout State) {
            if let known = state.failure, known.place <= place { return }
            state.failure = (place, reason)
        }
        let reading = state.withLock { state -> RunPlan? in
            guard state.phase == .running, let plan = state.plan, plan.mayEndEarly else { return nil }
            note(&state)
            return plan
        }
        if let reading { return reading.stopReading(from: place.part) }
        stopReading(note)
    }

    /// A stage needs nothing after this place: reading stops, and the run ends well.
    func stopReading(after place: Place) {
        state.withLock { $0.enough = min($0.enough ?? place, place) }
        stopReading { _ in }
    }

    private func stopReading(_ note: (inout State) -> Void) {
        let (plan, reading) = state.withLock { state -> (RunPlan?, Task<Void, Never>?) in
            switch state.phase {
            case .idle, .running:
                note(&state)
                state.phase = .stopping
                return (state.plan, state.reading)
            case .stopping:
                note(&state)
                return (nil, nil)
            case .closed, .ended: return (nil, nil)
            }
        }
        plan?.stopReading()
        reading?.cancel()
    }

    /// Nothing more is committed, and everything under way is cancelled.
    func close(because reason: PipelineError) {
        let whole = state.withLock { state -> Task<Result<Report, PipelineFailure>, Never>? in
            guard state.phase != .closed, state.phase != .ended else { return nil }
            state.failure = (Place(part: -1, index: -1), reason)
            return state.whole
        }
        giveUpRest()
        whole?.cancel()
    }

    /// What is still under way is cancelled and forgotten.
    func giveUpRest() {
        let (plan, reading) = state.withLock { state -> (RunPlan?, Task<Void, Never>?) in
            guard state.phase != .closed, state.phase != .ended else { return (nil, nil) }
            state.phase = .closed
            return (state.plan, state.reading)
        }
        plan?.close()
        reading?.cancel()
    }
}
