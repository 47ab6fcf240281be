/// One of the things that a source reads in turn, such as a file.
public struct Part<Element: Sendable>: Sendable {
    /// Gives the next element, and nil at the end. Called by one job at a time.
    public typealias Next = () async throws -> Element?

    let open: @Sendable () async throws -> Next

    /// - Parameter open: called once a run, when the pipeline has room for the part's first
    ///   element.
    public init(_ open: @escaping @Sendable () async throws -> Next) {
        self.open = open
    }
}
