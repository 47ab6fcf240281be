extension Value {
    /// The language's `==`: compares across numeric types, and is false for values of different
    /// types. NaN equals nothing.
    ///
    /// Charges the meter for every element compared, because equal parts may be shared many times
    /// over.
    func equals(_ other: Value, _ meter: inout Meter) throws(EvaluationError) -> Bool {
        try isEqual(other, nanIsEqual: false, &meter)
    }

    private func isEqual(_ other: Value, nanIsEqual: Bool, _ meter: inout Meter) throws(EvaluationError) -> Bool {
        switch (self, other) {
        case (.null, .null): return true
        case (.bool(let left), .bool(let right)): return left == right
        case (.string(let left), .string(let right)): return Text.areEqual(left, right)
        case (.bytes(let left), .bytes(let right)): return left == right
        case (.timestamp(let left), .timestamp(let right)): return left == right
        case (.duration(let left), .duration(let right)): return left == right
        case (.type(let left), .type(let right)): return left.name == right.name
        case (.ip(let left), .ip(let right)): return left == right
        case (.cidr(let left), .cidr(let right)): return left == right
        case (.optional(let left), .optional(let right)):
            guard let left, let right else { return left == nil && right == nil }
            return try left.isEqual(right, nanIsEqual: nanIsEqual, &meter)
        case (.list(let left), .list(let right)):
            guard left.count == right.count else { return false }
            try meter.charge(left.count)
            for index in left.indices where try !left[index].isEqual(right[index], nanIsEqual: nanIsEqual, &meter) {
                return false
            }
            return true
        case (.map(let left), .map(let right)):
            guard left.count == right.count else { return false }
            try meter.charge(left.count)
            for entry in left.entries {
                guard let value = right[entry.key], try entry.value.isEqual(value, nanIsEqual: nanIsEqual, &meter) else {
                    return false
                }
            }
            return true
        case (.decimal, _), (_, .decimal): return try computed.isEqual(other.computed, nanIsEqual: nanIsEqual, &meter)
        case (.double(let left), .double(let right)):
            return left == right || (nanIsEqual && left.isNaN && right.isNaN)
        default:
            return compareNumbers(other) == .equal
        }
    }
}

extension Value: Hashable {
    public static func == (left: Value, right: Value) -> Bool {
        var meter = Meter(limit: .max)
        // A meter without a limit never throws.
        return (try? left.isEqual(right, nanIsEqual: true, &meter)) ?? false
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .bool(let value): hasher.combine(value)
        case .int(let value): hasher.combine(Double(value))
        case .uint(let value): hasher.combine(Double(value))
        case .double(let value): hasher.combine(value.isNaN ? .nan : value)
        case .decimal(let text): hasher.combine(Value.double(of: text))
        case .string(let value): hasher.combine(Name(value))
        case .bytes(let value): hasher.combine(value)
        case .list(let value): hasher.combine(value)
        case .map(let value): hasher.combine(value.count)
        case .timestamp(let value): hasher.combine(value)
        case .duration(let value): hasher.combine(value)
        case .type(let value): hasher.combine(value.name)
        case .optional(let value): hasher.combine(value)
        case .ip(let value): hasher.combine(value)
        case .cidr(let value): hasher.combine(value)
        }
    }
}
