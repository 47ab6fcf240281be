/// A regular expression that RE2 rejects.
public struct PatternError: Error, Hashable, Sendable, CustomStringConvertible {
    public let pattern: String
    /// The error, in RE2's words: `missing ): (a`.
    public let message: String

    public var description: String { "invalid regular expression '\(pattern)': \(message)" }
}
