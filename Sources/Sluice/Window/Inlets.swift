/// How what comes next takes its elements.
enum Inlet<Element: Sendable> {
    case parallel(any ParallelInlet<Element>)
    case serial(any SerialInlet<Element>)
}

/// Takes elements from any number of jobs at once.
protocol ParallelInlet<Element>: AnyObject, Sendable {
    associatedtype Element: Sendable
    /// The segment whose window the elements are in.
    var segment: Segment { get }
    /// Suspends while there is no room.
    func accept(_ element: Element, _ ticket: Ticket) async
}

/// Takes elements one at a time, in order.
protocol SerialInlet<Element>: MarkInlet {
    associatedtype Element: Sendable
    func receive(_ element: Element, at place: Place) async throws(PipelineError)
}

/// The part of a ``SerialInlet`` that does not depend on the elements.
protocol MarkInlet: AnyObject, Sendable {
    func receive(_ mark: Mark) async throws(PipelineError)
    /// Everything has been received.
    func finish() async throws(PipelineError)
}

/// What comes between elements, at its place in the order.
enum Mark: Sendable {
    /// On its way to the dead letters' sink.
    case dead(DeadLetter)
    /// The run stops where this is met: everything before it has been committed.
    case failed(PipelineError)
    /// The source has ended this part; everything of it lies before.
    case partEnded(Int)
}

/// An element's place in its segment's window, which goes with it from stage to stage.
struct Ticket: Sendable {
    let part: Int
    let sequence: Int
    let place: Place
    var weight = 0
}

/// What waits in a window for its turn.
enum Settled: Sendable {
    case element(any Parcel)
    case mark(Mark)
}

/// An element and where it goes, so that the window need not know its type.
protocol Parcel: AnyObject, Sendable {
    func deliver() async throws(PipelineError)
}
