extension CELType {
    /// Reads a type as the checker writes it: `map(string, list(int))`. A single capital letter is
    /// a type parameter.
    public init?(_ text: String) {
        var reader = TypeReader(text)
        guard let type = reader.type(), reader.isAtEnd else { return nil }
        self = type
    }

    static let named: [String: CELType] = [
        "dyn": .dyn, "null": .null, "null_type": .null, "bool": .bool, "int": .int, "uint": .uint, "double": .double,
        "string": .string, "bytes": .bytes, "list": .list(.dyn), "map": .map(.dyn, .dyn), "type": .type(nil),
        "timestamp": .timestamp, "google.protobuf.Timestamp": .timestamp,
        "duration": .duration, "google.protobuf.Duration": .duration,
        "net.IP": .ip, "ip": .ip, "net.CIDR": .cidr, "cidr": .cidr, "optional_type": .optional(.dyn),
    ]
}

extension Overload {
    /// Reads a signature: `size(string) -> int`, or `(string).charAt(int) -> string` for a member.
    static func reading(_ text: String) -> (name: String, overload: Overload) {
        var reader = TypeReader(text)
        guard let signature = reader.signature(), reader.isAtEnd else { preconditionFailure("'\(text)' is not a signature") }
        return signature
    }
}

private struct TypeReader {
    private var rest: Substring.UTF8View

    init(_ text: String) {
        rest = text[...].utf8
    }

    var isAtEnd: Bool { rest.isEmpty }

    private mutating func skip(_ part: String) -> Bool {
        rest = rest.drop { $0 == UInt8(ascii: " ") }
        guard rest.starts(with: part.utf8) else { return false }
        rest = rest.dropFirst(part.utf8.count).drop { $0 == UInt8(ascii: " ") }
        return true
    }

    private mutating func name() -> String? {
        let name = rest.prefix { $0 != UInt8(ascii: "(") && $0 != UInt8(ascii: ")") && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: " ") }
        rest = rest[name.endIndex...]
        return name.isEmpty ? nil : String(Substring(name))
    }

    mutating func type() -> CELType? {
        guard let name = name() else { return nil }
        guard skip("(") else {
            if name.utf8.count == 1, let letter = name.utf8.first, (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(letter) { return .parameter(name) }
            return CELType.named[name] ?? .opaque(name, [])
        }
        guard let parameters = types() else { return nil }
        switch (name, parameters.count) {
        case ("list", 1): return .list(parameters[0])
        case ("map", 2): return .map(parameters[0], parameters[1])
        case ("type", 1): return .type(parameters[0])
        default: return .opaque(name, parameters)
        }
    }

    /// Types separated by commas, and the closing parenthesis.
    private mutating func types() -> [CELType]? {
        var types: [CELType] = []
        if skip(")") { return types }
        repeat {
            guard let type = type() else { return nil }
            types.append(type)
        } while skip(",")
        return skip(")") ? types : nil
    }

    mutating func signature() -> (name: String, overload: Overload)? {
        var target: [CELType] = []
        let isMember = skip("(")
        if isMember {
            guard let types = types(), types.count == 1, skip(".") else { return nil }
            target = types
        }
        guard let name = name(), skip("("), let parameters = types(), skip("->"), let result = type() else { return nil }
        return (name, Overload(isMember: isMember, parameters: target + parameters, result: result))
    }
}
