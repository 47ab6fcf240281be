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

    func receive(_ element: Element, at place: Place) async throws(PipelineError) {
        ledger.received.count()
        gathered.value.elements.append(element)
        if gathered.value.place == nil { gathered.value.place = place }
        if gathered.value.elements.count == count { try await flush() }
    }

    func receive(_ mark: Mark) async throws(PipelineError) {
        switch mark {
        case .dead: break
        case .failed, .partEnded: try await flush()
        }
        try await next.receive(mark)
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
        try await next.receive(elements, at: place)
    }
}
