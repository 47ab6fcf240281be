/// A regular expression that RE2 refuses.
public struct PatternError: Error, Hashable, Sendable, CustomStringConvertible {
    public let pattern: String
    /// What is wrong, in RE2's words: `missing ): (a`.
    public let message: String

    public var description: String { "invalid regular expression '\(pattern)': \(message)" }
}
