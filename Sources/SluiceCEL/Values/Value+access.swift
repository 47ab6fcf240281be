// What a value holds, for programs that work on records: nil where it is of another type.
extension Value {
    /// Whether it is null.
    public var isNull: Bool { if case .null = self { true } else { false } }
    /// A bool.
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// An integer; also a `uint` or a `double` that is one.
    public var int: Int64? {
        switch self {
        case .int(let value): value
        case .uint(let value): Int64(exactly: value)
        case .double(let value): Int64(exactly: value)
        default: nil
        }
    }

    /// A number of any type, as the nearest double.
    public var double: Double? {
        switch self {
        case .int(let value): Double(value)
        case .uint(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }

    /// Text.
    public var string: String? { if case .string(let value) = self { value } else { nil } }
    /// Bytes that need not be text.
    public var bytes: [UInt8]? { if case .bytes(let value) = self { value } else { nil } }
    /// A list.
    public var list: [Value]? { if case .list(let value) = self { value } else { nil } }
    /// A map.
    public var map: ValueMap? { if case .map(let value) = self { value } else { nil } }
    /// A moment.
    public var timestamp: Timestamp? { if case .timestamp(let value) = self { value } else { nil } }
    /// A length of time.
    public var duration: Duration? { if case .duration(let value) = self { value } else { nil } }
}

extension Value: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int64) { self = .int(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: Value...) { self = .list(elements) }

    /// Of equal keys the last counts.
    public init(dictionaryLiteral elements: (String, Value)...) {
        var map = ValueMap()
        for (key, value) in elements { map.set(key, to: value) }
        self = .map(map)
    }
}
