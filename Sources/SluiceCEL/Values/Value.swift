/// A value of the language, and of every record.
///
/// `==` and `hash` follow the language's `==` (`1`, `1u` and `1.0` are the same, text is compared
/// by code point), except for NaN, which equals itself here as a key must.
public enum Value: Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case uint(UInt64)
    case double(Double)
    /// A number of JSON text that neither 64 bits nor a double hold as it is written, `1e400` or
    /// `18446744073709551616`: a `double` to every function that computes, and written as its text.
    case decimal(String)
    case string(String)
    case bytes([UInt8])
    case list([Value])
    case map(ValueMap)
    case timestamp(Timestamp)
    case duration(Duration)
    case type(CELType)
    indirect case optional(Value?)
    indirect case ip(IPAddress)
    indirect case cidr(IPNetwork)
}

extension Value {
    /// The type at run time, without looking at elements.
    public var type: CELType {
        switch self {
        case .null: .null
        case .bool: .bool
        case .int: .int
        case .uint: .uint
        case .double, .decimal: .double
        case .string: .string
        case .bytes: .bytes
        case .list: .list(.dyn)
        case .map: .map(.dyn, .dyn)
        case .timestamp: .timestamp
        case .duration: .duration
        case .type: .type(nil)
        case .optional: .optional(.dyn)
        case .ip: .ip
        case .cidr: .cidr
        }
    }

    /// As functions compute with it: a decimal is the nearest double, infinite where it is too
    /// large.
    var computed: Value {
        guard case .decimal(let text) = self else { return self }
        return .double(Value.double(of: text))
    }

    static func double(of decimal: String) -> Double { Double(decimal) ?? .nan }

    /// False, zero, empty, null or none: what `optional.ofNonZeroValue` treats as empty.
    var isZero: Bool {
        switch self {
        case .null: true
        case .bool(let value): !value
        case .int(let value): value == 0
        case .uint(let value): value == 0
        case .double(let value): value == 0
        case .decimal(let text): Value.double(of: text) == 0
        case .string(let value): value.isEmpty
        case .bytes(let value): value.isEmpty
        case .list(let value): value.isEmpty
        case .map(let value): value.isEmpty
        case .timestamp(let value): value == Timestamp.epoch
        case .duration(let value): value == Duration.zero
        case .optional(let value): value == nil
        case .type, .ip, .cidr: false
        }
    }
}
