/// An element that a stage refused for good, after all its attempts.
public struct DeadLetter: Sendable {
    /// The element as it reached the stage.
    public let element: any Sendable
    public let stage: String
    /// What the last attempt threw.
    public let error: any Error
    public let attempts: Int
    /// Where the source had it, or had what it was made of.
    public let place: Place

    public init(element: any Sendable, stage: String, error: any Error, attempts: Int, place: Place) {
        self.element = element
        self.stage = stage
        self.error = error
        self.attempts = attempts
        self.place = place
    }
}
