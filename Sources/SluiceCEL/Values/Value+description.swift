extension Value: CustomStringConvertible {
    /// The value as an expression of the language that produces it.
    public var description: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .int(let value): String(value)
        case .uint(let value): "\(value)u"
        case .double(let value): value.isFinite ? value.literalText : "double(\"\(value.text)\")"
        case .decimal(let text): "double(\"\(text)\")"
        case .string(let value): Value.quoted(value)
        case .bytes(let value): "b\"\(value.map(Value.escapedByte).joined())\""
        case .list(let values): "[\(values.map(\.description).joined(separator: ", "))]"
        case .map(let map): "{\(map.entries.map { "\($0.key): \($0.value)" }.joined(separator: ", "))}"
        case .timestamp(let value): "timestamp(\"\(value)\")"
        case .duration(let value): "duration(\"\(value.text)\")"
        case .type(let type): type.name
        case .optional(nil): "optional.none()"
        case .optional(let value?): "optional.of(\(value))"
        case .ip(let value): "ip(\"\(value)\")"
        case .cidr(let value): "cidr(\"\(value)\")"
        }
    }

    /// For messages: a list or a map only by its type, because it may be endless when written out
    /// if its parts are shared.
    package var brief: String {
        switch self {
        case .list, .map, .optional: "a value of type \(type)"
        case .string(let text): Value.quotedBeginning(text)
        case .bytes(let bytes): Value.bytes([UInt8](bytes.prefix(EvaluationError.longestMessage))).description
        default: description
        }
    }

    /// In double quotes, with escapes for invisible characters.
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        quoted.reserveCapacity(text.utf8.count + 2)
        for scalar in text.unicodeScalars {
            if let escape = namedEscapes[scalar] {
                quoted += escape
            } else if scalar.value < 0x20 || scalar.value == 0x7F {
                quoted += "\\u" + paddedHexadecimal(scalar.value, 4)
            } else {
                quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    /// For messages, which are cut: a record may hold megabytes.
    static func quotedBeginning(_ text: String) -> String {
        text.utf8.count > EvaluationError.longestMessage ? quoted(String(text.unicodeScalars.prefix(EvaluationError.longestMessage))) : quoted(text)
    }

    private static func escapedByte(_ byte: UInt8) -> String {
        let scalar = Unicode.Scalar(byte)
        if let escape = namedEscapes[scalar] { return escape }
        return (0x20..<0x7F).contains(byte) ? String(Character(scalar)) : "\\x" + paddedHexadecimal(UInt32(byte), 2)
    }

    private static func paddedHexadecimal(_ number: UInt32, _ width: Int) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: width - digits.utf8.count) + digits
    }

    static let namedEscapes: [Unicode.Scalar: String] = [
        "\u{7}": "\\a", "\u{8}": "\\b", "\u{C}": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\u{B}": "\\v",
        "\\": "\\\\", "\"": "\\\"",
    ]
}
