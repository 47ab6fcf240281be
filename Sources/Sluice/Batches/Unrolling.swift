/// Sends each element of a sequence on by itself.
final class Unrolling<Elements: Sequence & Sendable>: SerialInlet where Elements.Element: Sendable {
    private let ledger: StageLedger
    private let countsReceived: Bool
    private let next: any SerialInlet<Elements.Element>

    /// - Parameter countsReceived: false where a stage with the same ledger has counted the
    ///   sequence in and out again.
    init(ledger: StageLedger, countsReceived: Bool, next: any SerialInlet<Elements.Element>) {
        self.ledger = ledger
        self.countsReceived = countsReceived
        self.next = next
    }

    func receive(_ elements: Elements, at place: Place) async throws(PipelineError) {
        if countsReceived {
            ledger.received.count()
            ledger.passed.count()
        }
        var isFirst = true
        for element in elements {
            if !isFirst {
                ledger.added.count()
                ledger.passed.count()
            }
            isFirst = false
            try await next.receive(element, at: place)
        }
        if isFirst {
            ledger.passed.count(-1)
            ledger.filtered.count()
        }
    }

    func receive(_ mark: Mark) async throws(PipelineError) { try await next.receive(mark) }

    func finish() async throws(PipelineError) { try await next.finish() }
}
