/// Functions that take strings apart and put them together. Positions are counted in code points.
enum Strings {
    static let functions: [Function] = [
        Function(
            "size(string) -> int", "size(bytes) -> int", "size(list(A)) -> int", "size(map(A, B)) -> int",
            "(string).size() -> int", "(bytes).size() -> int", "(list(A)).size() -> int", "(map(A, B)).size() -> int",
            implementation: .pure(size)),
        Function("(string).charAt(int) -> string", implementation: .pure(charAt)),
        Function(
            "(string).substring(int) -> string",
            implementation: .pure { text, start throws(EvaluationError) in
                try substring([text, start])
            }),
        Function("(string).substring(int, int) -> string", implementation: .pure(substring)),
        Function("(string).lowerAscii() -> string", implementation: .text("lowerAscii") { text in .string(mapped(text, lowered)) }),
        Function("(string).upperAscii() -> string", implementation: .text("upperAscii") { text in .string(mapped(text, raised)) }),
        Function("(string).trim() -> string", implementation: .text("trim") { text in .string(trimmed(text)) }),
        Function("strings.quote(string) -> string", implementation: .text("strings.quote") { text in .string(quoted(text)) }),
        Function(
            "(string).split(string) -> list(string)",
            implementation: .binary { text, separator, meter throws(EvaluationError) in
                guard case .string(let text) = text, case .string(let separator) = separator else { throw .noOverload("split", text, separator) }
                return .list(try split(text, separator, limit: -1, &meter))
            }),
        Function(
            "(string).split(string, int) -> list(string)",
            implementation: .variadic { values, meter throws(EvaluationError) in
                guard case .string(let text) = values[0], case .string(let separator) = values[1], case .int(let limit) = values[2] else {
                    throw .noOverload("split", values)
                }
                return .list(try split(text, separator, limit: limit, &meter))
            }),
        Function(
            "(string).replace(string, string) -> string",
            implementation: .variadic { values, meter throws(EvaluationError) in
                try replace(values + [.int(-1)], &meter)
            }),
        Function("(string).replace(string, string, int) -> string", implementation: .variadic(replace)),
        Function(
            "(list(string)).join() -> string",
            implementation: .list("join") { values, meter throws(EvaluationError) in
                try join(values, "", &meter)
            }),
        Function(
            "(list(string)).join(string) -> string",
            implementation: .binary { list, separator, meter throws(EvaluationError) in
                guard case .list(let values) = list, case .string(let separator) = separator else {
                    throw .noOverload("join", list, separator)
                }
                return try join(values, separator, &meter)
            }),
        Function(
            "(string).reverse() -> string", "(list(A)).reverse() -> list(A)",
            implementation: .pure { value throws(EvaluationError) in
                switch value {
                case .string(let text): .string(string(text.unicodeScalars.reversed()))
                case .list(let values): .list(values.reversed())
                default: throw .noOverload("reverse", value)
                }
            }),
    ]

    static func string(_ scalars: some Sequence<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    @Sendable private static func size(_ value: Value) throws(EvaluationError) -> Value {
        switch value {
        case .string(let text): .int(Int64(text.unicodeScalars.count))
        case .bytes(let bytes): .int(Int64(bytes.count))
        case .list(let values): .int(Int64(values.count))
        case .map(let map): .int(Int64(map.count))
        default: throw .noOverload("size", value)
        }
    }

    /// Checks a position in a text of `count` code points; the end is valid.
    static func checkedIndex(_ index: Int64, _ count: Int) throws(EvaluationError) -> Int {
        guard (0...Int64(count)).contains(index) else { throw .invalid("index out of range: \(index)") }
        return Int(index)
    }

    @Sendable private static func charAt(_ text: Value, _ index: Value) throws(EvaluationError) -> Value {
        guard case .string(let text) = text, case .int(let index) = index else { throw .noOverload("charAt", text, index) }
        let scalars = Array(text.unicodeScalars)
        let position = try checkedIndex(index, scalars.count)
        return .string(string(scalars[position...].prefix(1)))
    }

    @Sendable private static func substring(_ values: [Value]) throws(EvaluationError) -> Value {
        guard case .string(let text) = values[0], case .int(let start) = values[1] else { throw .noOverload("substring", values) }
        let scalars = Array(text.unicodeScalars)
        var end = Int64(scalars.count)
        if values.count > 2 {
            guard case .int(let given) = values[2] else { throw .noOverload("substring", values) }
            end = given
        }
        let (first, last) = (try checkedIndex(start, scalars.count), try checkedIndex(end, scalars.count))
        guard first <= last else { throw .invalid("invalid substring range. start: \(start), end: \(end)") }
        return .string(string(scalars[first..<last]))
    }

    static func mapped(_ text: String, _ change: (UInt8) -> UInt8) -> String {
        String(decoding: text.utf8.map(change), as: UTF8.self)
    }

    static func lowered(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte + 0x20 : byte }
    static func raised(_ byte: UInt8) -> UInt8 { (0x61...0x7A).contains(byte) ? byte - 0x20 : byte }

    private static func trimmed(_ text: String) -> String {
        let isBlank = { (scalar: Unicode.Scalar) in scalar.properties.isWhitespace }
        var rest = text.unicodeScalars[...].drop(while: isBlank)
        while let last = rest.last, isBlank(last) { rest.removeLast() }
        return String(rest)
    }

    private static func quoted(_ text: String) -> String {
        "\"" + string(text.unicodeScalars.flatMap { Array((Value.namedEscapes[$0] ?? String(Character($0))).unicodeScalars) }) + "\""
    }

    /// At most `limit` parts, the last one with the rest of the text; any number if negative. An
    /// empty separator splits into code points.
    private static func split(_ text: String, _ separator: String, limit: Int64, _ meter: inout Meter) throws(EvaluationError) -> [Value] {
        guard limit != 0 else { return [] }
        let bytes = Array(text.utf8)
        let wanted = Array(separator.utf8)
        var parts: [Value] = []
        var start = 0
        while limit < 0 || parts.count < limit - 1 {
            guard let cut = nextCut(bytes, wanted, start) else { break }
            try meter.charge(stepsForPart)
            parts.append(.string(String(decoding: bytes[start..<cut], as: UTF8.self)))
            start = cut + wanted.count
        }
        if wanted.isEmpty, start == bytes.count { return parts }
        return parts + [.string(String(decoding: bytes[start...], as: UTF8.self))]
    }

    /// A part takes more memory than its text: an element of a list.
    private static let stepsForPart = 2

    /// Where the part that begins at `start` ends; nil if it is the last.
    private static func nextCut(_ bytes: [UInt8], _ separator: [UInt8], _ start: Int) -> Int? {
        if !separator.isEmpty { return Text.firstIndex(of: separator, in: bytes, from: start) }
        guard start < bytes.count else { return nil }
        var end = start + 1
        while end < bytes.count, bytes[end] & 0xC0 == 0x80 { end += 1 }
        return end
    }

    @Sendable private static func replace(_ values: [Value], _ meter: inout Meter) throws(EvaluationError) -> Value {
        guard case .string(let text) = values[0], case .string(let part) = values[1], case .string(let other) = values[2],
            case .int(let limit) = values[3]
        else { throw .noOverload("replace", values) }
        let bytes = Array(text.utf8)
        let wanted = Array(part.utf8)
        let replacement = Array(other.utf8)
        var output: [UInt8] = []
        var copied = 0
        var search = 0
        var count: Int64 = 0
        while limit < 0 || count < limit, search <= bytes.count, let found = Text.firstIndex(of: wanted, in: bytes, from: search) {
            try meter.charge(1 + replacement.count >> 4)
            output += bytes[copied..<found]
            output += replacement
            copied = found + wanted.count
            search = wanted.isEmpty ? nextCut(bytes, wanted, found) ?? bytes.count + 1 : copied
            count += 1
        }
        output += bytes[copied...]
        return .string(String(decoding: output, as: UTF8.self))
    }

    private static func join(_ values: [Value], _ separator: String, _ meter: inout Meter) throws(EvaluationError) -> Value {
        var joined = ""
        for (index, value) in values.enumerated() {
            guard case .string(let text) = value else { throw .noOverload("join", .list(values)) }
            try meter.charge(bytes: text.utf8.count + separator.utf8.count)
            if index > 0 { joined += separator }
            joined += text
        }
        return .string(joined)
    }
}
