enum Lists {
    static let functions: [Function] = [
        Function("(list(A)).distinct() -> list(A)", implementation: .list("distinct", distinct)),
        Function(
            "(list(dyn)).flatten() -> list(dyn)",
            implementation: .list("flatten") { values, meter throws(EvaluationError) in
                .list(try flattened(values, depth: 1, &meter))
            }),
        Function(
            "(list(dyn)).flatten(int) -> list(dyn)",
            implementation: .binary { list, depth, meter throws(EvaluationError) in
                guard case .list(let values) = list, case .int(let depth) = depth else { throw .noOverload("flatten", list, depth) }
                guard depth >= 0 else { throw .invalid("level must be non-negative") }
                return .list(try flattened(values, depth: depth, &meter))
            }),
        Function(
            "lists.range(int) -> list(int)",
            implementation: .unary { count, meter throws(EvaluationError) in
                guard case .int(let count) = count else { throw .noOverload("lists.range", count) }
                guard count > 0 else { return .list([]) }
                try meter.charge(Int(count))
                return .list((0..<count).map(Value.int))
            }),
        Function("(list(A)).slice(int, int) -> list(A)", implementation: .pure(slice)),
        Function(
            "(list(A)).sort() -> list(A)",
            implementation: .list("sort") { values, meter throws(EvaluationError) in
                .list(try sorted(values.map { (key: $0, value: $0) }, &meter))
            }),
        Function("(list(A)).first() -> optional_type(A)", implementation: .list("first") { values, _ in .optional(values.first) }),
        Function("(list(A)).last() -> optional_type(A)", implementation: .list("last") { values, _ in .optional(values.last) }),
    ]

    /// In order of first occurrence. Keys of maps are found by hash; all other values are compared
    /// one by one.
    @Sendable private static func distinct(_ values: [Value], _ meter: inout Meter) throws(EvaluationError) -> Value {
        var kept: [Value] = []
        var keys: Set<MapKey> = []
        var others: [Value] = []
        for value in values {
            if let key = MapKey(value) {
                if keys.insert(key).inserted { kept.append(value) }
            } else if try !contains(others, value, &meter) {
                others.append(value)
                kept.append(value)
            }
        }
        return .list(kept)
    }

    static func contains(_ values: [Value], _ wanted: Value, _ meter: inout Meter) throws(EvaluationError) -> Bool {
        try meter.charge(values.count)
        for value in values where try value.equals(wanted, &meter) { return true }
        return false
    }

    private static func flattened(_ values: [Value], depth: Int64, _ meter: inout Meter) throws(EvaluationError) -> [Value] {
        try meter.charge(values.count)
        var flat: [Value] = []
        for value in values {
            if depth > 0, case .list(let inner) = value {
                flat += try flattened(inner, depth: depth - 1, &meter)
            } else {
                flat.append(value)
            }
        }
        return flat
    }

    @Sendable private static func slice(_ values: [Value]) throws(EvaluationError) -> Value {
        guard case .list(let list) = values[0], case .int(let start) = values[1], case .int(let end) = values[2] else {
            throw .noOverload("slice", values)
        }
        guard start >= 0, end >= 0 else { throw .invalid("cannot slice(\(start), \(end)), negative indexes not supported") }
        guard start <= end else { throw .invalid("cannot slice(\(start), \(end)), start index must be less than or equal to end index") }
        guard end <= list.count else { throw .invalid("cannot slice(\(start), \(end)), list is length \(list.count)") }
        return .list(Array(list[Int(start)..<Int(end)]))
    }

    /// The values sorted by their keys, equal ones in their original order.
    ///
    /// - Throws: if the keys are not all of one ordered type.
    static func sorted(
        _ keyed: [(key: Value, value: Value)], _ meter: inout Meter
    ) throws(EvaluationError) -> [Value] {
        guard let first = keyed.first else { return [] }
        for entry in keyed where entry.key.type != first.key.type || entry.key.compare(entry.key) == nil {
            throw EvaluationError(.type, "list elements must have the same comparable type, found \(first.key.type) and \(entry.key.type)")
        }
        try meter.charge(keyed.count * (Int.bitWidth - keyed.count.leadingZeroBitCount))
        let order = keyed.enumerated().sorted { left, right in
            switch left.element.key.compare(right.element.key) {
            case .less: true
            case .greater: false
            default: left.offset < right.offset
            }
        }
        return order.map(\.element.value)
    }
}

/// Lists treated as sets.
enum Sets {
    static let functions: [Function] = [
        Function(
            "sets.contains(list(A), list(A)) -> bool",
            implementation: .lists("sets.contains") { left, right, meter throws(EvaluationError) in
                .bool(try isSubset(right, of: left, &meter))
            }),
        Function(
            "sets.equivalent(list(A), list(A)) -> bool",
            implementation: .lists("sets.equivalent") { left, right, meter throws(EvaluationError) in
                let contains = try isSubset(right, of: left, &meter)
                return .bool(contains ? try isSubset(left, of: right, &meter) : false)
            }),
        Function(
            "sets.intersects(list(A), list(A)) -> bool",
            implementation: .lists("sets.intersects") { left, right, meter throws(EvaluationError) in
                for value in left where try Lists.contains(right, value, &meter) { return .bool(true) }
                return .bool(false)
            }),
    ]

    private static func isSubset(_ part: [Value], of whole: [Value], _ meter: inout Meter) throws(EvaluationError) -> Bool {
        for value in part where try !Lists.contains(whole, value, &meter) { return false }
        return true
    }
}
