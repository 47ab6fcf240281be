/// What a function does. The functions report errors without a place; the call adds its own.
enum Implementation: Sendable {
    typealias Nullary = @Sendable () throws(EvaluationError) -> Value
    typealias Unary = @Sendable (Value, inout Meter) throws(EvaluationError) -> Value
    typealias Binary = @Sendable (Value, Value, inout Meter) throws(EvaluationError) -> Value
    typealias Variadic = @Sendable ([Value], inout Meter) throws(EvaluationError) -> Value

    case nullary(Nullary)
    case unary(Unary)
    case binary(Binary)
    case variadic(Variadic)
    /// Declared, but with nothing behind it.
    case none
}
