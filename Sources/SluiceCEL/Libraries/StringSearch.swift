/// Functions that search for one string in another.
enum StringSearch {
    static let functions: [Function] = [
        Function(
            "(string).contains(string) -> bool",
            implementation: .texts("contains") { text, part in
                .bool(Text.contains(text, part))
            }),
        Function(
            "(string).startsWith(string) -> bool",
            implementation: .texts("startsWith") { text, part in
                .bool(Text.hasPrefix(text, part))
            }),
        Function(
            "(string).endsWith(string) -> bool",
            implementation: .texts("endsWith") { text, part in
                .bool(Text.hasSuffix(text, part))
            }),
        Function(
            "(string).indexOf(string) -> int",
            implementation: .texts("indexOf") { text, part throws(EvaluationError) in
                try firstIndex(of: part, in: text, from: 0)
            }),
        Function(
            "(string).indexOf(string, int) -> int",
            implementation: .pure { values throws(EvaluationError) in
                guard case .string(let text) = values[0], case .string(let part) = values[1], case .int(let start) = values[2] else {
                    throw .noOverload("indexOf", values)
                }
                return try firstIndex(of: part, in: text, from: start)
            }),
        Function(
            "(string).lastIndexOf(string) -> int",
            implementation: .texts("lastIndexOf") { text, part throws(EvaluationError) in
                try lastIndex(of: part, in: text, from: nil)
            }),
        Function(
            "(string).lastIndexOf(string, int) -> int",
            implementation: .pure { values throws(EvaluationError) in
                guard case .string(let text) = values[0], case .string(let part) = values[1], case .int(let start) = values[2] else {
                    throw .noOverload("lastIndexOf", values)
                }
                return try lastIndex(of: part, in: text, from: start)
            }),
    ]

    private static func firstIndex(of part: String, in text: String, from start: Int64) throws(EvaluationError) -> Value {
        let bytes = Array(text.utf8)
        let first = try Strings.checkedIndex(start, text.unicodeScalars.count)
        guard let found = Text.firstIndex(of: Array(part.utf8), in: bytes, from: offset(of: first, in: bytes)) else { return .int(-1) }
        return .int(Int64(codePoints(in: bytes[..<found])))
    }

    /// The last occurrence at or before `start`, or before the end.
    ///
    /// Searches from the back in reversed bytes: in valid UTF-8 a match never begins inside a code
    /// point.
    private static func lastIndex(of part: String, in text: String, from start: Int64?) throws(EvaluationError) -> Value {
        let bytes = Array(text.utf8)
        let wanted = Array(part.utf8)
        let count = text.unicodeScalars.count
        let last = try Strings.checkedIndex(start ?? Int64(count), count)
        let end = min(bytes.count, offset(of: last, in: bytes) + wanted.count)
        guard let found = Text.firstIndex(of: wanted.reversed(), in: bytes[..<end].reversed(), from: 0) else { return .int(-1) }
        return .int(Int64(codePoints(in: bytes[..<(end - found - wanted.count)])))
    }

    private static func codePoints(in bytes: ArraySlice<UInt8>) -> Int {
        bytes.reduce(0) { $1 & 0xC0 == 0x80 ? $0 : $0 + 1 }
    }

    /// Where code point number `codePoint` begins; the end of the text if there are exactly that
    /// many.
    private static func offset(of codePoint: Int, in bytes: [UInt8]) -> Int {
        var left = codePoint
        for (offset, byte) in bytes.enumerated() where byte & 0xC0 != 0x80 {
            if left == 0 { return offset }
            left -= 1
        }
        return bytes.count
    }
}
