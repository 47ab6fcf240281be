/// Why an expression has no value for one record.
public struct EvaluationError: Error, Hashable, Sendable {
    /// Stable names; scripts and dead letters depend on them.
    public enum Code: String, Hashable, Sendable {
        case noSuchField = "no_such_field"
        case noSuchKey = "no_such_key"
        /// No overload for the types of the arguments, or a value of the wrong type.
        case type = "type"
        case divisionByZero = "division_by_zero"
        case overflow = "overflow"
        case invalidArgument = "invalid_argument"
        case costLimit = "cost_limit"
        /// Raised by `error(message)`.
        case user = "user"
    }

    public var code: Code
    public var message: String
    /// UTF-8 offsets in the expression's text; nil until the error has left the call that raised
    /// it.
    public var range: Range<Int>?

    /// Longer messages are truncated, because they may quote what a record holds.
    public static let longestMessage = 1_000

    public init(_ code: Code, _ message: String, at range: Range<Int>? = nil) {
        self.code = code
        let isLong = message.utf8.count > EvaluationError.longestMessage
        self.message = isLong ? String(message.unicodeScalars.prefix(EvaluationError.longestMessage)) + "…" : message
        self.range = range
    }

    /// The same error, located at `range` unless it already has a location.
    func located(at range: Range<Int>) -> EvaluationError {
        guard self.range == nil else { return self }
        return EvaluationError(code, message, at: range)
    }
}

extension EvaluationError: CustomStringConvertible {
    public var description: String { message }
}

extension EvaluationError {
    static func noSuchField(_ name: String) -> EvaluationError { EvaluationError(.noSuchField, "no such field '\(name)'") }
    static func noSuchKey(_ key: Value) -> EvaluationError { EvaluationError(.noSuchKey, "no such key: \(key.brief)") }
    /// - Parameter room: in bytes.
    static func tooMuch(_ room: Int) -> EvaluationError {
        EvaluationError(.costLimit, "the expression would hold more than \(room >> 20) MiB; 'limits.memory' allows more")
    }

    package static let costLimit = EvaluationError(.costLimit, "the expression exceeds its cost limit")
    static func overflow(_ operation: String) -> EvaluationError { EvaluationError(.overflow, "\(operation) overflows") }
    static func invalid(_ message: String) -> EvaluationError { EvaluationError(.invalidArgument, message) }

    static func noOverload(_ name: String, _ arguments: Value...) -> EvaluationError {
        noOverload(name, arguments)
    }

    static func noOverload(_ name: String, _ arguments: [Value]) -> EvaluationError {
        let types = arguments.map { $0.type.description }
        let shown = types.count < 2 ? types.joined() : types.dropLast().joined(separator: ", ") + " and " + types[types.count - 1]
        return EvaluationError(.type, "'\(name.trimmingOperator)' cannot be applied to \(shown)")
    }
}
