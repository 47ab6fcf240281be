/// Sends each element of a sequence on by itself.
final class Unrolling<Elements: Sequence & Sendable>: SerialInlet where Elements.Element: Sendable {
    private let ledger: StageLedger
    private let countsReceived: Bool
    private let next: any SerialInlet<Elements.Element>

    /// - Parameter countsReceived: false where a stage with the same ledger has counted the sequence in and out again.
    init(ledger: StageLedger, countsReceived: Bool, next: any SerialInlet<Elements.Element>) {
        self.ledger = ledger
        self.countsReceived = countsReceived
        self.next = next
    }

    func receive(_ entry: Entry<Elements>) async throws(PipelineError) {
        switch entry {
        case .element(let elements, let place): try await unroll(elements, place)
        case .dead(let letter): try await next.receive(.dead(letter))
        case .failed(let reason): try await next.receive(.failed(reason))
        case .partEnded(let part): try await next.receive(.partEnded(part))
        }
    }

    func finish() async throws(PipelineError) { try await next.finish() }

    private func unroll(_ elements: Elements, _ place: Place) async throws(PipelineError) {
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
            try await next.receive(.element(element, place))
        }
        if isFirst {
            ledger.passed.count(-1)
            ledger.filtered.count()
        }
    }
}
