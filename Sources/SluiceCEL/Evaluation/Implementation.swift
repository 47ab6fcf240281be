/// What a function does. Errors are raised without a location; the call adds its own.
enum Implementation: Sendable {
    typealias Nullary = @Sendable () throws(EvaluationError) -> Value
    typealias Unary = @Sendable (Value, inout Meter) throws(EvaluationError) -> Value
    typealias Binary = @Sendable (Value, Value, inout Meter) throws(EvaluationError) -> Value
    typealias Variadic = @Sendable ([Value], inout Meter) throws(EvaluationError) -> Value

    case nullary(Nullary)
    case unary(Unary)
    case binary(Binary)
    case variadic(Variadic)
    /// Declared, but not implemented.
    case none

    func apply(_ arguments: [Value], _ meter: inout Meter) throws(EvaluationError) -> Value {
        switch self {
        case .nullary(let body): return try body()
        case .unary(let body): return try body(arguments[0], &meter)
        case .binary(let body): return try body(arguments[0], arguments[1], &meter)
        case .variadic(let body): return try body(arguments, &meter)
        case .none: throw EvaluationError(.type, "the function is declared but not defined")
        }
    }
}
