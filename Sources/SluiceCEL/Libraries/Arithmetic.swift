/// `+ - * / %` and negation. Integer overflow is an error; nothing wraps.
enum Arithmetic {
    static func functions(mixed: Bool) -> [Function] {
        [
            function(
                [
                    "_+_(int, int) -> int", "_+_(uint, uint) -> uint", "_+_(double, double) -> double",
                    "_+_(string, string) -> string", "_+_(bytes, bytes) -> bytes", "_+_(list(A), list(A)) -> list(A)",
                    "_+_(timestamp, duration) -> timestamp", "_+_(duration, timestamp) -> timestamp",
                    "_+_(duration, duration) -> duration",
                ], mixed: mixed, add),
            function(
                [
                    "_-_(int, int) -> int", "_-_(uint, uint) -> uint", "_-_(double, double) -> double",
                    "_-_(timestamp, timestamp) -> duration", "_-_(timestamp, duration) -> timestamp",
                    "_-_(duration, duration) -> duration",
                ], mixed: mixed, subtract),
            function(
                ["_*_(int, int) -> int", "_*_(uint, uint) -> uint", "_*_(double, double) -> double"], mixed: mixed, multiply),
            function(
                ["_/_(int, int) -> int", "_/_(uint, uint) -> uint", "_/_(double, double) -> double"], mixed: mixed, divide),
            Function("_%_(int, int) -> int", "_%_(uint, uint) -> uint", implementation: .pure(remainder)),
            Function("-_(int) -> int", "-_(double) -> double", implementation: .pure(negate)),
        ]
    }

    private static let mixedTypes = ["int, double", "double, int", "uint, double", "double, uint"]

    private static func function(
        _ signatures: [String], mixed: Bool, _ body: @escaping @Sendable (Value, Value) throws(EvaluationError) -> Value
    ) -> Function {
        guard mixed else { return Function(signatures, implementation: .pure(body)) }
        let name = signatures[0].prefix { $0 != "(" }
        return Function(
            signatures + mixedTypes.map { "\(name)(\($0)) -> double" },
            implementation: .pure { left, right throws(EvaluationError) in
                if let (left, right) = asDoubles(left, right) { return try body(.double(left), .double(right)) }
                return try body(left, right)
            })
    }

    /// Both numbers as doubles if exactly one of them is a double.
    private static func asDoubles(_ left: Value, _ right: Value) -> (Double, Double)? {
        switch (left, right) {
        case (.double(let left), .int(let right)): (left, Double(right))
        case (.double(let left), .uint(let right)): (left, Double(right))
        case (.int(let left), .double(let right)): (Double(left), right)
        case (.uint(let left), .double(let right)): (Double(left), right)
        default: nil
        }
    }

    @Sendable private static func add(_ left: Value, _ right: Value) throws(EvaluationError) -> Value {
        switch (left, right) {
        case (.int(let left), .int(let right)): .int(try exact(left.addingReportingOverflow(right), "addition"))
        case (.uint(let left), .uint(let right)): .uint(try exact(left.addingReportingOverflow(right), "addition"))
        case (.double(let left), .double(let right)): .double(left + right)
        case (.string(let left), .string(let right)): .string(left + right)
        case (.bytes(let left), .bytes(let right)): .bytes(left + right)
        case (.list(let left), .list(let right)): .list(left + right)
        case (.timestamp(let moment), .duration(let duration)), (.duration(let duration), .timestamp(let moment)):
            .timestamp(try inRange(moment.adding(duration)))
        case (.duration(let left), .duration(let right)):
            .duration(try inRange(Duration(nanoseconds: left.wholeNanoseconds + right.wholeNanoseconds)))
        default: throw .noOverload(Operator.add, left, right)
        }
    }

    @Sendable private static func subtract(_ left: Value, _ right: Value) throws(EvaluationError) -> Value {
        switch (left, right) {
        case (.int(let left), .int(let right)): .int(try exact(left.subtractingReportingOverflow(right), "subtraction"))
        case (.uint(let left), .uint(let right)): .uint(try exact(left.subtractingReportingOverflow(right), "subtraction"))
        case (.double(let left), .double(let right)): .double(left - right)
        case (.timestamp(let left), .timestamp(let right)): .duration(try inRange(left.since(right)))
        case (.timestamp(let moment), .duration(let duration)): .timestamp(try inRange(moment.adding(.zero - duration)))
        case (.duration(let left), .duration(let right)):
            .duration(try inRange(Duration(nanoseconds: left.wholeNanoseconds - right.wholeNanoseconds)))
        default: throw .noOverload(Operator.subtract, left, right)
        }
    }

    @Sendable private static func multiply(_ left: Value, _ right: Value) throws(EvaluationError) -> Value {
        switch (left, right) {
        case (.int(let left), .int(let right)): .int(try exact(left.multipliedReportingOverflow(by: right), "multiplication"))
        case (.uint(let left), .uint(let right)): .uint(try exact(left.multipliedReportingOverflow(by: right), "multiplication"))
        case (.double(let left), .double(let right)): .double(left * right)
        default: throw .noOverload(Operator.multiply, left, right)
        }
    }

    @Sendable private static func divide(_ left: Value, _ right: Value) throws(EvaluationError) -> Value {
        switch (left, right) {
        case (.int(let left), .int(let right)):
            .int(try exact(left.dividedReportingOverflow(by: try nonZero(right, "divide by zero")), "division"))
        case (.uint(let left), .uint(let right)): .uint(left / (try nonZero(right, "divide by zero")))
        case (.double(let left), .double(let right)): .double(left / right)
        default: throw .noOverload(Operator.divide, left, right)
        }
    }

    @Sendable private static func remainder(_ left: Value, _ right: Value) throws(EvaluationError) -> Value {
        switch (left, right) {
        case (.int(let left), .int(let right)):
            .int(try exact(left.remainderReportingOverflow(dividingBy: try nonZero(right, "modulus by zero")), "remainder"))
        case (.uint(let left), .uint(let right)): .uint(left % (try nonZero(right, "modulus by zero")))
        default: throw .noOverload(Operator.remainder, left, right)
        }
    }

    @Sendable private static func negate(_ value: Value) throws(EvaluationError) -> Value {
        switch value {
        case .int(let number): .int(try exact(Int64(0).subtractingReportingOverflow(number), "negation"))
        case .double(let number): .double(-number)
        default: throw .noOverload(Operator.negate, value)
        }
    }

    private static func exact<Number>(
        _ result: (partialValue: Number, overflow: Bool), _ operation: String
    ) throws(EvaluationError) -> Number {
        guard !result.overflow else { throw .overflow(operation) }
        return result.partialValue
    }

    private static func nonZero<Number: BinaryInteger>(_ number: Number, _ message: String) throws(EvaluationError) -> Number {
        guard number != 0 else { throw EvaluationError(.divisionByZero, message) }
        return number
    }

    private static func inRange<Result>(_ result: Result?) throws(EvaluationError) -> Result {
        guard let result else { throw EvaluationError(.overflow, "the result is out of range for a timestamp or duration") }
        return result
    }
}
