/// Fields of maps, elements of lists, and both through optionals.
enum Selection {
    /// `operand.field`. Through an optional the result is an optional again.
    static func select(_ operand: Value, _ field: String) throws(EvaluationError) -> Value {
        switch operand {
        case .map(let map):
            guard let value = map[field] else { throw .noSuchKey(.string(field)) }
            return value
        case .optional(nil): return operand
        case .optional(let wrapped?): return try optionalSelect(wrapped, field)
        default: throw hasNoFields(operand, field)
        }
    }

    /// `operand.?field`
    static func optionalSelect(_ operand: Value, _ field: String) throws(EvaluationError) -> Value {
        switch operand {
        case .map(let map): return .optional(map[field])
        case .optional(nil): return operand
        case .optional(let wrapped?): return try optionalSelect(wrapped, field)
        default: throw hasNoFields(operand, field)
        }
    }

    /// `has(operand.field)`
    static func has(_ operand: Value, _ field: String) throws(EvaluationError) -> Bool {
        switch operand {
        case .map(let map): return map[field] != nil
        case .optional(nil): return false
        case .optional(let wrapped?): return try has(wrapped, field)
        default: throw hasNoFields(operand, field)
        }
    }

    private static func hasNoFields(_ operand: Value, _ field: String) -> EvaluationError {
        EvaluationError(.noSuchKey, "no such key \(Value.quoted(field)): a value of type \(operand.type) has no fields")
    }

    /// `operand[key]`
    static func index(_ operand: Value, _ key: Value) throws(EvaluationError) -> Value {
        switch operand {
        case .map(let map):
            guard let value = map[key] else { throw .noSuchKey(key) }
            return value
        case .list(let list):
            guard let position = try position(key, in: list) else { throw .invalid("index out of range: \(key.brief)") }
            return list[position]
        case .optional(nil): return operand
        case .optional(let wrapped?): return try optionalIndex(wrapped, key)
        default: throw .noOverload("_[_]", operand, key)
        }
    }

    /// `operand[?key]`
    static func optionalIndex(_ operand: Value, _ key: Value) throws(EvaluationError) -> Value {
        switch operand {
        case .map(let map): return .optional(map[key])
        case .list(let list): return .optional(try position(key, in: list).map { list[$0] })
        case .optional(nil): return operand
        case .optional(let wrapped?): return try optionalIndex(wrapped, key)
        default: throw .noOverload("_[?_]", operand, key)
        }
    }

    /// Nil if the list has no such index.
    private static func position(_ key: Value, in list: [Value]) throws(EvaluationError) -> Int? {
        let number: Int?
        switch key.computed {
        case .int(let value): number = Int(exactly: value)
        case .uint(let value): number = Int(exactly: value)
        case .double(let value):
            guard let whole = Int(exactly: value) else { throw .invalid("a list cannot be indexed by \(key.brief)") }
            number = whole
        default: throw .noOverload("_[_]", .list(list), key)
        }
        return number.flatMap { list.indices.contains($0) ? $0 : nil }
    }
}
