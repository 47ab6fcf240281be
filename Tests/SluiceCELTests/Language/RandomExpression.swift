import SluiceCEL

enum RandomExpression {
    static func text(_ random: inout SplitMix) -> String {
        switch Int.random(in: 0..<10, using: &random) {
        case 0: noise(&random)
        case 1...3: damaged(expression(&random, depth: 4), &random)
        default: expression(&random, depth: 5)
        }
    }

    private static let atoms = [
        "0", "1", "-1", "9223372036854775807", "-9223372036854775808", "1u", "18446744073709551615u", "0.5", "1e308", "true", "false", "null",
        "''", "'abc'", "\"ü😀\"", "b'\\xff'", "'%s %d %.3f'", "'[a-z]+('", "'^(a|b)*$'", "'\\u00e9'", "'1h'", "'2024-02-29T00:00:00Z'", "a", "b", "c",
        "d", "e", "f", "t", "string", "missing", "record", "source", "x", "[]", "{}", "int", "type", "timestamp(0)", "duration('1s')",
        "optional.none()", "ip('10.0.0.1')", "cidr('10.0.0.0/8')", "math", "`e`",
    ]
    private static let infix = [
        " + ", " - ", " * ", " / ", " % ", " == ", " != ", " < ", " <= ", " > ", " >= ", " in ", " && ", " || ",
    ]
    private static let methods = [
        "size", "contains", "startsWith", "matches", "indexOf", "lastIndexOf", "substring", "charAt", "split", "replace", "join", "format", "trim",
        "reverse", "lower", "getHours", "getFullYear", "orValue", "or", "value", "hasValue", "flatten", "distinct", "sort", "slice", "first",
        "extract", "sha256", "parse_time", "format_time", "parse_url", "parse_query", "containsIP", "unknown",
    ]
    private static let functions = [
        "size", "int", "uint", "double", "string", "bytes", "bool", "type", "dyn", "timestamp", "duration", "matches", "has", "math.greatest",
        "math.abs", "math.bitShiftLeft", "lists.range", "sets.contains", "base64.encode", "base64.decode", "optional.of",
        "optional.ofNonZeroValue", "regex.replace", "regex.extract", "strings.quote", "error", "ip", "cidr", "isIP", "nothing",
    ]
    private static let macros = ["all", "exists", "exists_one", "map", "filter", "sortBy", "optMap"]
    private static let twoVariableMacros = ["all", "exists", "existsOne", "transformList", "transformMap"]

    static func expression(_ random: inout SplitMix, depth: Int) -> String {
        guard depth > 0 else { return atoms.randomElement(using: &random) ?? "0" }
        func part() -> String { expression(&random, depth: depth - Int.random(in: 1...3, using: &random)) }
        func name(_ names: [String]) -> String { names.randomElement(using: &random) ?? "" }
        switch Int.random(in: 0..<16, using: &random) {
        case 0: return part()
        case 1...3: return part() + name(infix) + part()
        case 4: return "(" + part() + ")"
        case 5: return name(["!", "-"]) + part()
        case 6: return "\(part()) ? \(part()) : \(part())"
        case 7: return "[\(part()), \(name(["", "?"]))\(part())]"
        case 8: return "{\(part()): \(part())}"
        case 9: return "\(part()).\(name(["", "?"]))\(name(["a", "k", "n", "zz", "`a b`"]))"
        case 10: return "\(part())[\(name(["", "?"]))\(part())]"
        case 11: return "\(part()).\(name(methods))(\(part()))"
        case 12: return "\(name(functions))(\(part()))"
        case 13: return "\(part()).\(name(macros))(x, \(part()))"
        case 14: return "\(part()).\(name(twoVariableMacros))(x, y, \(part()))"
        default: return "cel.bind(x, \(part()), \(part()))"
        }
    }

    private static func noise(_ random: inout SplitMix) -> String {
        let alphabet = Array("abx019.,:;?!&|=<>+-*/%()[]{}'\"`\\ \n\r\trbRB_ue#@$é😀\0".unicodeScalars)
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...40, using: &random) {
            if let scalar = alphabet.randomElement(using: &random) { text.append(scalar) }
        }
        return String(text)
    }

    /// The text with some characters removed, doubled or swapped.
    private static func damaged(_ text: String, _ random: inout SplitMix) -> String {
        var scalars = Array(text.unicodeScalars)
        for _ in 0..<Int.random(in: 1...3, using: &random) where !scalars.isEmpty {
            let place = Int.random(in: scalars.indices, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0: scalars.remove(at: place)
            case 1: scalars.insert(scalars[place], at: place)
            default: scalars.swapAt(place, Int.random(in: scalars.indices, using: &random))
            }
        }
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    static func value(_ random: inout SplitMix, depth: Int) -> Value {
        switch Int.random(in: 0..<(depth > 0 ? 14 : 9), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2: return .int(Int64(truncatingIfNeeded: random.next()))
        case 3: return .uint(random.next())
        case 4:
            let double = Double(bitPattern: random.next())
            return .double(double.isNaN ? 0.1 : double)
        case 5: return .string(noise(&random))
        case 6: return .bytes((0..<5).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        case 7: return Timestamp(seconds: Int64.random(in: -62_135_596_800...253_402_300_799, using: &random), nanoseconds: 120).map(Value.timestamp) ?? .null
        case 8: return .duration(.nanoseconds(Int64.random(in: -1_000_000_000_000...1_000_000_000_000, using: &random)))
        case 9: return .optional(Bool.random(using: &random) ? value(&random, depth: depth - 1) : nil)
        case 10...11: return .list((0..<Int.random(in: 0...3, using: &random)).map { _ in value(&random, depth: depth - 1) })
        default:
            var map = ValueMap()
            for number in 0..<Int.random(in: 0...12, using: &random) {
                map.set(Bool.random(using: &random) ? .int(Int64(number)) : .string("k\(number)"), to: value(&random, depth: depth - 1))
            }
            return .map(map)
        }
    }
}
