/// Gathers elements into arrays.
final class Batching<Element: Sendable>: SerialInlet {
    private struct Gathered {
        var elements: [Element] = []
        var place: Place?
    }

    private let count: Int
    private let ledger: StageLedger
    private let next: any SerialInlet<[Element]>
    private let gathered = SerialState(Gathered())

    init(count: Int, ledger: StageLedger, next: any SerialInlet<[Element]>) {
        self.count = count
        self.ledger = ledger
        self.next = next
    }

    func receive(_ entry: Entry<Element>) async throws(PipelineError) {
        switch entry {
        case .element(let element, let place):
            ledger.received.count()
            gathered.value.elements.append(element)
            if gathered.value.place == nil { gathered.value.place = place }
            if gathered.value.elements.count == count { try await flush() }
        case .dead(let letter):
            try await next.receive(.dead(letter))
        case .failed(let reason):
            try await flush()
            try await next.receive(.failed(reason))
        case .partEnded(let part):
            try await flush()
            try await next.receive(.partEnded(part))
        }
    }

    func finish() async throws(PipelineError) {
        try await flush()
        try await next.finish()
    }

    private func flush() async throws(PipelineError) {
        let (elements, place) = (gathered.value.elements, gathered.value.place)
        guard let place else { return }
        gathered.value = Gathered()
        ledger.absorbed.count(elements.count - 1)
        ledger.passed.count()
        try await next.receive(.element(elements, place))
    }
}
