/// The type of an expression, as far as it can be known before evaluation.
public indirect enum CELType: Hashable, Sendable {
    /// Only known at run time.
    case dyn
    case null
    case bool
    case int
    case uint
    case double
    case string
    case bytes
    case timestamp
    case duration
    case list(CELType)
    case map(CELType, CELType)
    /// The type of a type; `nil` if it is not known which one.
    case type(CELType?)
    /// A named type without syntax of its own: `optional_type(T)`, `net.IP`.
    case opaque(String, [CELType])
    /// A type parameter of an overload.
    case parameter(String)
    /// A type that the checker has not found yet.
    case variable(Int)

    public static func optional(_ wrapped: CELType) -> CELType { .opaque("optional_type", [wrapped]) }
    public static let ip = CELType.opaque("net.IP", [])
    public static let cidr = CELType.opaque("net.CIDR", [])
}

extension CELType {
    /// The name of the type as a value.
    public var name: String {
        switch self {
        case .dyn: "dyn"
        case .null: "null_type"
        case .bool: "bool"
        case .int: "int"
        case .uint: "uint"
        case .double: "double"
        case .string: "string"
        case .bytes: "bytes"
        case .timestamp: "google.protobuf.Timestamp"
        case .duration: "google.protobuf.Duration"
        case .list: "list"
        case .map: "map"
        case .type: "type"
        case .opaque(let name, _): name
        case .parameter(let name): name
        case .variable(let number): "_\(number)"
        }
    }

    var parameters: [CELType] {
        switch self {
        case .list(let element): [element]
        case .map(let key, let value): [key, value]
        case .opaque(_, let parameters): parameters
        default: []
        }
    }

    var isNumeric: Bool { self == .int || self == .uint || self == .double }

    /// What an optional holds; nil if this is not an optional.
    var wrapped: CELType? {
        guard case .opaque("optional_type", let parameters) = self else { return nil }
        return parameters.first
    }
}

extension CELType: CustomStringConvertible {
    /// As pipeline files and messages write it.
    public var description: String {
        switch self {
        case .type(let of?): "type(\(of))"
        case .null: "null"
        case .timestamp: "timestamp"
        case .duration: "duration"
        default: parameters.isEmpty ? name : "\(name)(\(parameters.map(\.description).joined(separator: ", ")))"
        }
    }
}
