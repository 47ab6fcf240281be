extension Implementation {
    typealias Failure = EvaluationError

    static func pure(_ body: @escaping @Sendable (Value) throws(Failure) -> Value) -> Implementation {
        .unary { value, _ throws(Failure) in try body(value) }
    }

    static func pure(_ body: @escaping @Sendable (Value, Value) throws(Failure) -> Value) -> Implementation {
        .binary { left, right, _ throws(Failure) in try body(left, right) }
    }

    static func pure(_ body: @escaping @Sendable ([Value]) throws(Failure) -> Value) -> Implementation {
        .variadic { values, _ throws(Failure) in try body(values) }
    }

    /// A function of one string.
    static func text(_ name: String, _ body: @escaping @Sendable (String) throws(Failure) -> Value) -> Implementation {
        .pure { value throws(Failure) in
            guard case .string(let text) = value else { throw .noOverload(name, value) }
            return try body(text)
        }
    }

    /// A function of two strings.
    static func texts(_ name: String, _ body: @escaping @Sendable (String, String) throws(Failure) -> Value) -> Implementation {
        .pure { left, right throws(Failure) in
            guard case .string(let first) = left, case .string(let second) = right else { throw .noOverload(name, left, right) }
            return try body(first, second)
        }
    }

    /// A function of one list.
    static func list(
        _ name: String, _ body: @escaping @Sendable ([Value], inout Meter) throws(Failure) -> Value
    ) -> Implementation {
        .unary { value, meter throws(Failure) in
            guard case .list(let values) = value else { throw .noOverload(name, value) }
            return try body(values, &meter)
        }
    }

    /// A function of two lists.
    static func lists(
        _ name: String, _ body: @escaping @Sendable ([Value], [Value], inout Meter) throws(Failure) -> Value
    ) -> Implementation {
        .binary { left, right, meter throws(Failure) in
            guard case .list(let first) = left, case .list(let second) = right else { throw .noOverload(name, left, right) }
            return try body(first, second, &meter)
        }
    }

    /// A function of one `double`.
    static func double(_ name: String, _ body: @escaping @Sendable (Double) -> Value) -> Implementation {
        .pure { value throws(Failure) in
            guard case .double(let number) = value else { throw .noOverload(name, value) }
            return body(number)
        }
    }
}
