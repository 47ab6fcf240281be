/// Functions that look for one string in another.
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
            implementation: .texts("indexOf") { text, part in
                .int(firstIndex(of: part, in: Array(text.unicodeScalars), from: 0))
            }),
        Function(
            "(string).indexOf(string, int) -> int",
            implementation: .pure { values throws(EvaluationError) in
                guard case .string(let text) = values[0], case .string(let part) = values[1], case .int(let start) = values[2] else {
                    throw .noOverload("indexOf", values)
                }
                let scalars = Array(text.unicodeScalars)
                return .int(firstIndex(of: part, in: scalars, from: try Strings.place(start, scalars.count)))
            }),
        Function(
            "(string).lastIndexOf(string) -> int",
            implementation: .texts("lastIndexOf") { text, part in
                let scalars = Array(text.unicodeScalars)
                return .int(lastIndex(of: part, in: scalars, from: scalars.count))
            }),
        Function(
            "(string).lastIndexOf(string, int) -> int",
            implementation: .pure { values throws(EvaluationError) in
                guard case .string(let text) = values[0], case .string(let part) = values[1], case .int(let start) = values[2] else {
                    throw .noOverload("lastIndexOf", values)
                }
                let scalars = Array(text.unicodeScalars)
                return .int(lastIndex(of: part, in: scalars, from: try Strings.place(start, scalars.count)))
            }),
    ]

    private static func firstIndex(of part: String, in text: [Unicode.Scalar], from start: Int) -> Int64 {
        let part = Array(part.unicodeScalars)
        guard let first = part.first else { return Int64(start) }
        guard part.count <= text.count, start <= text.count - part.count else { return -1 }
        for place in start...text.count - part.count where text[place] == first && text[place...].starts(with: part) {
            return Int64(place)
        }
        return -1
    }

    /// The last place at or before `start`.
    private static func lastIndex(of part: String, in text: [Unicode.Scalar], from start: Int) -> Int64 {
        let part = Array(part.unicodeScalars)
        guard let first = part.first else { return Int64(start) }
        guard part.count <= text.count else { return -1 }
        for place in (0...min(start, text.count - part.count)).reversed() where text[place] == first && text[place...].starts(with: part) {
            return Int64(place)
        }
        return -1
    }
}
