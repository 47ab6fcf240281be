/// `string.format(list)`, after `printf`.
enum Formatting {
    static let functions: [Function] = [
        Function(
            "(string).format(list(dyn)) -> string",
            implementation: .binary { format, arguments, meter throws(EvaluationError) in
                guard case .string(let format) = format, case .list(let arguments) = arguments else {
                    throw .noOverload("format", format, arguments)
                }
                return .string(try formatted(format, arguments, &meter))
            })
    ]

    private static let largestPrecision = 1_000

    private static func formatted(
        _ format: String, _ arguments: [Value], _ meter: inout Meter
    ) throws(EvaluationError) -> String {
        var output: [UInt8] = []
        var used = 0
        var rest = format.utf8[...]
        while let byte = rest.popFirst() {
            if byte != UInt8(ascii: "%") || rest.first == byte {
                if byte == UInt8(ascii: "%") { rest.removeFirst() }
                output.append(byte)
                continue
            }
            let precision = try takePrecision(&rest)
            guard let clause = rest.popFirst() else { throw failure("the format ends with '%'") }
            guard used < arguments.count else { throw failure("index \(used) out of range: the format needs more arguments") }
            let text = try substitution(Unicode.Scalar(clause), precision, arguments[used], &meter)
            try meter.charge(bytes: text.utf8.count)
            output.append(contentsOf: text.utf8)
            used += 1
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// `.3`; 6 if there is none.
    private static func takePrecision(_ rest: inout Substring.UTF8View) throws(EvaluationError) -> Int {
        guard rest.first == UInt8(ascii: ".") else { return 6 }
        rest.removeFirst()
        let digits = rest.prefix(while: \.isDigit)
        rest = rest[digits.endIndex...]
        guard let precision = Int(String(Substring(digits))), precision <= largestPrecision else {
            throw failure("a precision must be at most \(largestPrecision)")
        }
        return precision
    }

    private static func substitution(
        _ clause: Unicode.Scalar, _ precision: Int, _ value: Value, _ meter: inout Meter
    ) throws(EvaluationError) -> String {
        switch clause {
        case "s": return try text(value, &meter)
        case "d": return try decimal(value)
        case "f": return try number(value.computed, "fixed-point").formatted(.fixed, precision: precision)
        case "e": return try number(value.computed, "scientific").formatted(.scientific, precision: precision)
        case "b": return try binary(value)
        case "o": return try octal(value)
        case "x": return try hexadecimal(value, uppercase: false)
        case "X": return try hexadecimal(value, uppercase: true)
        default: throw failure("unrecognized formatting clause \"\(clause)\"")
        }
    }

    private static func failure(_ message: String) -> EvaluationError { .invalid("error during formatting: " + message) }

    private static func wrongType(_ wanted: String, _ value: Value) -> EvaluationError {
        failure("\(wanted), found \(value.type.name)")
    }

    /// `%s`: any value; strings inside lists are not quoted.
    private static func text(_ value: Value, _ meter: inout Meter) throws(EvaluationError) -> String {
        try meter.charge(1)
        switch value {
        case .null: return "null"
        case .bool(let bool): return bool ? "true" : "false"
        case .int(let number): return String(number)
        case .uint(let number): return String(number)
        case .double(let number): return number.plainText
        case .decimal(let text): return text
        case .string(let text):
            try meter.charge(bytes: text.utf8.count)
            return text
        case .bytes(let bytes):
            try meter.charge(bytes: bytes.count)
            return repaired(bytes)
        case .timestamp(let moment): return moment.description
        case .duration(let duration): return duration.text
        case .type(let type): return type.name
        case .list(let values): return "[\(try texts(values, &meter).joined(separator: ", "))]"
        case .map(let map): return try mapText(map, &meter)
        case .ip(let address): return address.description
        case .cidr(let network): return network.description
        case .optional:
            throw wrongType("string clause can only be used on values that have a text form", value)
        }
    }

    private static func texts(_ values: [Value], _ meter: inout Meter) throws(EvaluationError) -> [String] {
        var texts: [String] = []
        for value in values { texts.append(try text(value, &meter)) }
        return texts
    }

    /// Sorted by the keys' texts.
    private static func mapText(_ map: ValueMap, _ meter: inout Meter) throws(EvaluationError) -> String {
        var entries: [(key: String, value: String)] = []
        for entry in map.entries { entries.append((try text(entry.key, &meter), try text(entry.value, &meter))) }
        entries.sort { Text.compare($0.key, $1.key) < 0 }
        return "{\(entries.map { "\($0.key): \($0.value)" }.joined(separator: ", "))}"
    }

    /// Replaces each run of invalid UTF-8 with one U+FFFD.
    private static func repaired(_ bytes: [UInt8]) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        var scalars: [Unicode.Scalar] = []
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        var lastWasInvalid = false
        decoding: while true {
            switch decoder.decode(&iterator) {
            case .scalarValue(let scalar):
                scalars.append(scalar)
                lastWasInvalid = false
            case .error:
                if !lastWasInvalid { scalars.append("\u{FFFD}") }
                lastWasInvalid = true
            case .emptyInput: break decoding
            }
        }
        return Strings.string(scalars)
    }

    private static func decimal(_ value: Value) throws(EvaluationError) -> String {
        switch value {
        case .int(let number): String(number)
        case .uint(let number): String(number)
        case .double(let number): number.plainText
        case .decimal: try decimal(value.computed)
        default: throw wrongType("decimal clause can only be used on integers", value)
        }
    }

    private static func number(_ value: Value, _ clause: String) throws(EvaluationError) -> Double {
        switch value {
        case .int(let number): Double(number)
        case .uint(let number): Double(number)
        case .double(let number): number
        default: throw wrongType("\(clause) clause can only be used on doubles", value)
        }
    }

    private static func binary(_ value: Value) throws(EvaluationError) -> String {
        switch value {
        case .int(let number): String(number, radix: 2)
        case .uint(let number): String(number, radix: 2)
        case .bool(let bool): bool ? "1" : "0"
        default: throw wrongType("only integers and bools can be formatted as binary", value)
        }
    }

    private static func octal(_ value: Value) throws(EvaluationError) -> String {
        switch value {
        case .int(let number): String(number, radix: 8)
        case .uint(let number): String(number, radix: 8)
        default: throw wrongType("octal clause can only be used on integers", value)
        }
    }

    private static func hexadecimal(_ value: Value, uppercase: Bool) throws(EvaluationError) -> String {
        switch value {
        case .int(let number): String(number, radix: 16, uppercase: uppercase)
        case .uint(let number): String(number, radix: 16, uppercase: uppercase)
        case .string(let text): Encoders.hexadecimal(text.utf8, uppercase: uppercase)
        case .bytes(let bytes): Encoders.hexadecimal(bytes, uppercase: uppercase)
        default: throw wrongType("only integers, byte buffers, and strings can be formatted as hex", value)
        }
    }
}
