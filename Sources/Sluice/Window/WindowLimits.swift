/// How much a pipeline may hold between reading and committing.
public struct WindowLimits: Sendable, Equatable {
    /// Elements that are being read, in a stage, waiting, or being committed.
    public var elements: Int
    /// The sum of their weights. It can be exceeded by what each reader reads at one time, since an
    /// element's weight is known only once it has been read.
    public var weight: Int

    /// - Precondition: both are positive.
    public init(elements: Int = 1024, weight: Int = .max) {
        precondition(elements > 0 && weight > 0, "a window must have room for at least one element of weight 1")
        self.elements = elements
        self.weight = weight
    }
}

/// The order in which a pipeline commits.
enum CommitOrder {
    case input, any
}

struct Load: Equatable {
    var elements = 0
    var weight = 0
}
