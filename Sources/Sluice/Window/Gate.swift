/// A segment as its stages and its source see it: they do not know what comes out of its end.
protocol Gate: AnyObject, Sendable {
    func expect(parts count: Int)
    func openPart() -> Int?
    /// Waits for room for the part's next element; false if nothing more is to be read.
    func reserve(part: Int) async -> Bool
    /// - Parameter place: where the element came from; nil if this segment is fed by the source itself.
    func admit(part: Int, place: Place?) -> Ticket
    func end(part: Int)
    func cut(part: Int)

    // Each ticket is settled once: by the segment's end, or by one of these.
    func drop(_ ticket: Ticket)
    func fail(_ ticket: Ticket, _ error: PipelineError)
    func bury(_ ticket: Ticket, _ letter: DeadLetter)
    func pass(_ ticket: Ticket, partEnded part: Int)
    func reweigh(by change: Int)

    /// Runs until everything is committed or the segment is stopped and empty.
    ///
    /// - Throws: why the run cannot go on; nothing more is committed then.
    func commit() async throws(PipelineError)
    /// No more reading.
    func stop()
    /// No more committing.
    func close()
}

/// An element's place in its segment's window, which goes with it from stage to stage.
struct Ticket: Sendable {
    let part: Int
    let sequence: Int
    let place: Place
    var weight = 0
}

/// What comes out of a segment, one at a time.
enum Entry<Element: Sendable>: Sendable {
    case element(Element, Place)
    /// On its way to the dead letters' sink, at its place in the order.
    case dead(DeadLetter)
    /// The run stops where this is met: everything before it has been committed.
    case failed(PipelineError)
    /// The source has ended this part; everything of it lies before.
    case partEnded(Int)
}

/// Takes elements from any number of jobs at once.
protocol ParallelInlet<Element>: AnyObject, Sendable {
    associatedtype Element: Sendable
    var gate: any Gate { get }
    /// Suspends while there is no room.
    func accept(_ element: Element, _ ticket: Ticket) async
}

/// Takes elements one at a time, in order.
protocol SerialInlet<Element>: AnyObject, Sendable {
    associatedtype Element: Sendable
    func receive(_ entry: Entry<Element>) async throws(PipelineError)
    /// Everything has been received.
    func finish() async throws(PipelineError)
}

extension SerialInlet {
    func partEnded(_ part: Int) async throws(PipelineError) { try await receive(.partEnded(part)) }
}
