extension Pipeline {
    /// Writes each element that comes so far, one at a time, in the pipeline's order, before it
    /// goes on.
    public func writing(to sink: some Sink<Element>) -> Pipeline {
        Pipeline(settings: settings) { [attach] inlet, layout in
            let ledger = layout.settings.measuresWaiting ? layout.plan.ledger.writing : nil
            attach(.serial(Writing(sink: sink, ledger: ledger, next: layout.serial(inlet))), &layout)
        }
    }

    /// As ``writing(to:)`` with a closure.
    public func forEach(_ body: @escaping @Sendable (Element) async throws -> Void) -> Pipeline {
        writing(to: ClosureSink(body: body))
    }
}

/// A sink, and what comes after it.
final class Writing<Output: Sink>: SerialInlet {
    private let sink: Output
    /// `nil` if its time is not measured.
    private let ledger: StageLedger?
    private let next: any SerialInlet<Output.Element>

    init(sink: Output, ledger: StageLedger?, next: any SerialInlet<Output.Element>) {
        self.sink = sink
        self.ledger = ledger
        self.next = next
    }

    func receive(_ element: Output.Element, at place: Place) async throws(PipelineError) {
        let start = ledger.map { _ in ContinuousClock.now }
        do {
            try await sink.write(element)
        } catch {
            throw .sink(error)
        }
        if let ledger, let start {
            ledger.wasBusy(since: start)
            ledger.passed.count()
        }
        try await next.receive(element, at: place)
    }

    func receive(_ mark: Mark) async throws(PipelineError) {
        if case .partEnded(let part) = mark {
            do {
                try await sink.partEnded(part)
            } catch {
                throw .sink(error)
            }
        }
        try await next.receive(mark)
    }

    func finish() async throws(PipelineError) { try await next.finish() }
}
