/// Where a pipeline puts what came through.
///
/// A sink is called by one job at a time: `write` for each element in the pipeline's order, and
/// `partEnded` after the last element of each of the source's parts. An actor can be one.
public protocol Sink<Element>: Sendable {
    associatedtype Element: Sendable

    /// The element counts as committed when this returns; until then nothing else is written.
    ///
    /// - Throws: anything; it stops the run.
    func write(_ element: Element) async throws

    /// Everything of the source's part has been written. Parts end in order.
    func partEnded(_ part: Int) async throws
}

extension Sink {
    public func partEnded(_ part: Int) async throws {}
}

/// A sink that is a closure.
struct ClosureSink<Element: Sendable>: Sink {
    let body: @Sendable (Element) async throws -> Void

    func write(_ element: Element) async throws { try await body(element) }
}
