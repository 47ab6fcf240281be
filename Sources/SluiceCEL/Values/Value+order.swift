enum Order: Sendable {
    case less
    case equal
    case greater
    /// One of them is NaN.
    case unordered

    var reversed: Order {
        switch self {
        case .less: .greater
        case .greater: .less
        case .equal, .unordered: self
        }
    }

    init<Number: Comparable>(_ left: Number, _ right: Number) {
        self = left < right ? .less : left > right ? .greater : left == right ? .equal : .unordered
    }
}

extension Value {
    /// The order of two values of one ordered type, or of two numbers of any types; nil for all
    /// others.
    func compare(_ other: Value) -> Order? {
        switch (self, other) {
        case (.string(let left), .string(let right)): Order(Text.compare(left, right), 0)
        case (.bool(let left), .bool(let right)): Order(left ? 1 : 0, right ? 1 : 0)
        case (.bytes(let left), .bytes(let right)):
            left == right ? .equal : left.lexicographicallyPrecedes(right) ? .less : .greater
        case (.timestamp(let left), .timestamp(let right)): Order(left, right)
        case (.duration(let left), .duration(let right)): Order(left, right)
        default: compareNumbers(other)
        }
    }

    /// Numbers of different types compare by value; compared with a `double`, a whole number is
    /// first rounded to the nearest double.
    func compareNumbers(_ other: Value) -> Order? {
        switch (self, other) {
        case (.int(let left), .int(let right)): Order(left, right)
        case (.uint(let left), .uint(let right)): Order(left, right)
        case (.double(let left), .double(let right)): Order(left, right)
        case (.int(let left), .uint(let right)): left < 0 ? .less : Order(UInt64(left), right)
        case (.uint, .int): other.compareNumbers(self)?.reversed
        case (.int(let left), .double(let right)): Order(Double(left), right)
        case (.uint(let left), .double(let right)): Order(Double(left), right)
        case (.double(let left), .int(let right)): Order(left, Double(right))
        case (.double(let left), .uint(let right)): Order(left, Double(right))
        case (.decimal, _), (_, .decimal): computed.compareNumbers(other.computed)
        default: nil
        }
    }
}
