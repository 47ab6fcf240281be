enum Optionals {
    static let functions: [Function] = [
        Function("optional.of(V) -> optional_type(V)", implementation: .pure { value in .optional(value) }),
        Function("optional.ofNonZeroValue(V) -> optional_type(V)", implementation: .pure { value in .optional(value.isZero ? nil : value) }),
        Function("optional.none() -> optional_type(V)", implementation: .nullary { .optional(nil) }),
        Function(
            "(optional_type(V)).hasValue() -> bool",
            implementation: .pure { value throws(EvaluationError) in
                .bool(try wrapped(value, "hasValue") != nil)
            }),
        Function(
            "(optional_type(V)).value() -> V",
            implementation: .pure { value throws(EvaluationError) in
                guard let wrapped = try wrapped(value, "value") else { throw .invalid("optional.none() dereference") }
                return wrapped
            }),
        Function(
            "(optional_type(V)).or(optional_type(V)) -> optional_type(V)",
            implementation: .pure { value, other throws(EvaluationError) in
                _ = try wrapped(other, "or")
                return try wrapped(value, "or") == nil ? other : value
            }),
        Function(
            "(optional_type(V)).orValue(V) -> V",
            implementation: .pure { value, other throws(EvaluationError) in
                try wrapped(value, "orValue") ?? other
            }),
        Function("optional.unwrap(list(optional_type(V))) -> list(V)", implementation: .list("optional.unwrap", unwrap)),
        Function("(list(optional_type(V))).unwrapOpt() -> list(V)", implementation: .list("unwrapOpt", unwrap)),
    ]

    private static func wrapped(_ value: Value, _ name: String) throws(EvaluationError) -> Value? {
        guard case .optional(let wrapped) = value else { throw .noOverload(name, value) }
        return wrapped
    }

    @Sendable private static func unwrap(_ values: [Value], _ meter: inout Meter) throws(EvaluationError) -> Value {
        var present: [Value] = []
        for value in values {
            if let value = try wrapped(value, "unwrapOpt") { present.append(value) }
        }
        return .list(present)
    }
}
