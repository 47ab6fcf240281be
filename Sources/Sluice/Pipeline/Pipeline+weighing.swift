extension Pipeline {
    /// Says what an element weighs from here on, for the window's limit of weight: bytes, say.
    ///
    /// Right after the source it counts what has been read; after a stage that makes elements
    /// smaller it lets the pipeline hold more of them. An element that was never weighed weighs
    /// nothing.
    public func weighing(_ weight: @escaping @Sendable (Element) -> Int) -> Pipeline {
        Pipeline(settings: settings) { [attach] inlet, layout in
            attach(.parallel(Weighing(next: layout.parallel(inlet), weight: weight)), &layout)
        }
    }
}

/// Tells the window what passing elements weigh.
final class Weighing<Element: Sendable>: ParallelInlet {
    private let next: any ParallelInlet<Element>
    private let weight: @Sendable (Element) -> Int
    let segment: Segment

    init(next: any ParallelInlet<Element>, weight: @escaping @Sendable (Element) -> Int) {
        self.next = next
        self.weight = weight
        segment = next.segment
    }

    func accept(_ element: Element, _ ticket: Ticket) async {
        var ticket = ticket
        let change = weight(element) - ticket.weight
        if change != 0 {
            ticket.weight += change
            segment.reweigh(by: change)
        }
        await next.accept(element, ticket)
    }
}
