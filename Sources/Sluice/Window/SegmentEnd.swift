/// Where the results of a segment's last stage wait for their turn.
final class SegmentEnd<Element: Sendable>: ParallelInlet {
    let segment: Segment
    private let outlet: any SerialInlet<Element>

    init(segment: Segment, outlet: any SerialInlet<Element>) {
        self.segment = segment
        self.outlet = outlet
    }

    func accept(_ element: Element, _ ticket: Ticket) async {
        segment.settle(ticket, .element(ElementParcel(element: element, place: ticket.place, outlet: outlet)))
    }
}

private final class ElementParcel<Element: Sendable>: Parcel {
    let element: Element
    let place: Place
    let outlet: any SerialInlet<Element>

    init(element: Element, place: Place, outlet: any SerialInlet<Element>) {
        self.element = element
        self.place = place
        self.outlet = outlet
    }

    func deliver() async throws(PipelineError) { try await outlet.receive(element, at: place) }
}

/// Lets a segment's output into the next segment.
final class Admission<Element: Sendable>: SerialInlet {
    private let inlet: any ParallelInlet<Element>
    private let segment: Segment

    init(inlet: any ParallelInlet<Element>) {
        self.inlet = inlet
        segment = inlet.segment
        segment.expect(parts: 1)
        _ = segment.openPart()
    }

    // Room is refused only once the run is over, when the element is not needed any more.

    func receive(_ element: Element, at place: Place) async throws(PipelineError) {
        guard await segment.reserve(part: 0) else { return }
        await inlet.accept(element, segment.admit(part: 0, place: place))
    }

    func receive(_ mark: Mark) async throws(PipelineError) {
        guard await segment.reserve(part: 0) else { return }
        segment.settle(segment.admit(part: 0, place: nil), .mark(mark))
    }

    func finish() async throws(PipelineError) {
        // Cut rather than ended: the source's parts are passed on one by one, and this one is none
        // of them.
        segment.cut(part: 0)
        segment.stop()
    }
}
