/// A problem in an expression, found before anything is evaluated.
public struct Diagnostic: Error, Hashable, Sendable {
    public var message: String
    /// UTF-8 offsets in the expression's text.
    public var range: Range<Int>
    /// The name that was probably meant.
    public var suggestion: String?

    public init(_ message: String, at range: Range<Int>, suggestion: String? = nil) {
        self.message = message
        self.range = range
        self.suggestion = suggestion
    }
}

extension Diagnostic: CustomStringConvertible {
    public var description: String {
        guard let suggestion else { return message }
        return "\(message) (did you mean '\(suggestion)'?)"
    }
}

/// All problems in one expression, in source order.
public struct Diagnostics: Error, Hashable, Sendable {
    public let all: [Diagnostic]

    init(_ diagnostics: [Diagnostic]) {
        all = diagnostics.sorted { $0.range.lowerBound < $1.range.lowerBound }
    }
}

extension Diagnostics: CustomStringConvertible {
    public var description: String { all.map(\.description).joined(separator: "\n") }
}
