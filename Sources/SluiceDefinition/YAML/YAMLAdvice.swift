internal import SluiceRecords

/// Recognizes the most common mistakes in YAML, to replace the parser's message.
struct YAMLAdvice {
    let message: String
    let fix: String
    let place: TextPlace

    /// - Parameter position: the position at which the parser failed.
    init?(at position: TextPosition, in source: SourceText) {
        // The parser often fails at the beginning of the next line.
        for line in [position.line, position.line - 1] where line >= 1 {
            if let found = Self.parameterInBraces(line, source) ?? Self.textAfterQuote(line, source) {
                self = found
                return
            }
        }
        guard let found = Self.indentation(position.line, source) else { return nil }
        self = found
    }

    private init(_ message: String, fix: String, at place: TextPlace) {
        self.message = message
        self.fix = fix
        self.place = place
    }

    /// `{files: ${logs}}`: braces and brackets end an unquoted text.
    private static func parameterInBraces(_ line: Int, _ source: SourceText) -> YAMLAdvice? {
        let text = Array(source.line(line).unicodeScalars)
        var depth = 0
        var quote: Unicode.Scalar?
        for (index, scalar) in text.enumerated() {
            if let open = quote {
                if scalar == open { quote = nil }
                continue
            }
            switch scalar {
            case "'", "\"": quote = scalar
            case "#" where index > 0 && text[index - 1] == " ": return nil
            case "$" where depth > 0 && index + 1 < text.count && text[index + 1] == "{":
                let end = text[index...].firstIndex(of: "}").map { $0 + 1 } ?? text.count
                let reference = String(String.UnicodeScalarView(text[index..<end]))
                return YAMLAdvice(
                    "'\(reference)' needs quotes within braces or brackets", fix: "write '\(reference)', with the quotes",
                    at: TextPlace(TextPosition(line: line, column: index + 1), length: end - index))
            case "{", "[": depth += 1
            case "}", "]": depth = max(0, depth - 1)
            default: break
            }
        }
        return nil
    }

    /// `keep: 'bot' in agent`: a text that begins with a quote ends at the closing one.
    private static func textAfterQuote(_ line: Int, _ source: SourceText) -> YAMLAdvice? {
        let text = Array(source.line(line).unicodeScalars)
        guard let colon = text.indices.first(where: { text[$0] == ":" && $0 + 1 < text.count && text[$0 + 1] == " " }) else { return nil }
        guard let start = text[(colon + 1)...].firstIndex(where: { $0 != " " }) else { return nil }
        let opening = text[start]
        guard let closing: Unicode.Scalar = ["'": "'", "\"": "\"", "[": "]", "{": "}"][opening] else { return nil }
        guard let end = text[(start + 1)...].firstIndex(of: closing) else { return nil }
        guard let rest = text[(end + 1)...].firstIndex(where: { $0 != " " }), text[rest] != "#", !",]}".unicodeScalars.contains(text[rest]) else {
            return nil
        }
        let value = String(String.UnicodeScalarView(text[start...])).trimmingBlanks
        let quoted = value.contains("\"") ? "'\(value.replacing("'", with: "''"))'" : "\"\(value)\""
        let what = opening == "'" || opening == "\"" ? "unexpected text after the closing quote" : "unexpected text after the closing \(closing)"
        return YAMLAdvice(
            what, fix: "quote all of it: \(quoted)", at: TextPlace(TextPosition(line: line, column: rest + 1), length: text.count - rest))
    }

    /// A line that is indented to a column in which no enclosing map or list begins.
    private static func indentation(_ number: Int, _ source: SourceText) -> YAMLAdvice? {
        let line = Line(source.line(number))
        guard line.isEntry, number > 1 else { return nil }
        var open: [(column: Int, line: Int)] = []
        var previous: Line?
        for earlier in 1..<number {
            let text = Line(source.line(earlier))
            guard !text.isBlank else { continue }
            previous = text
            guard text.isEntry else { continue }
            for column in text.columns {
                while let last = open.last, last.column >= column { open.removeLast() }
                open.append((column, earlier))
            }
        }
        guard let column = line.columns.first, let previous, !open.isEmpty, !open.contains(where: { $0.column == column }) else { return nil }
        let isFirstBelow = previous.opensBlock && column > (previous.columns.last ?? 0)
        guard !isFirstBelow else { return nil }
        guard let near = open.min(by: { abs($0.column - column) < abs($1.column - column) }) else { return nil }
        return YAMLAdvice(
            "wrong indentation: this line begins in column \(column + 1), line \(near.line) in column \(near.column + 1)",
            fix: "indent all entries of a map or list equally",
            at: TextPlace(TextPosition(line: number, column: column + 1), length: line.length - column))
    }

    /// A line of block YAML, examined for its indentation.
    private struct Line {
        /// The columns, from 0, of the dashes of lists and of the key after them.
        var columns: [Int] = []
        var isBlank: Bool
        /// `key: …` or `- …`.
        var isEntry: Bool
        /// Whether the line ends with a colon or a dash, so that a block may follow.
        var opensBlock: Bool
        var length: Int

        init(_ text: String) {
            let scalars = Array(text.unicodeScalars)
            length = scalars.count
            var start = scalars.firstIndex { $0 != " " } ?? scalars.count
            isBlank = start == scalars.count || scalars[start] == "#"
            isEntry = false
            opensBlock = text.trimmingBlanks.hasSuffix(":") || text.trimmingBlanks == "-"
            guard !isBlank else { return }
            while start + 1 < scalars.count, scalars[start] == "-", scalars[start + 1] == " " {
                columns.append(start)
                isEntry = true
                start = scalars[(start + 1)...].firstIndex { $0 != " " } ?? scalars.count
            }
            let key = scalars[start...].prefix { $0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "_" || $0 == "-" }
            guard !key.isEmpty, key.endIndex < scalars.count, scalars[key.endIndex] == ":" else { return }
            columns.append(start)
            isEntry = true
        }
    }
}

extension String {
    fileprivate var trimmingBlanks: String {
        var rest = Substring(self)
        while rest.last == " " { rest.removeLast() }
        return String(rest.drop { $0 == " " })
    }
}
