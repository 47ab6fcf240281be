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

    /// `{files: ${logs}}`, `{file: out/{day}.csv}`: braces and brackets end an unquoted text.
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
                return needsQuotes(reference, at: TextPlace(TextPosition(line: line, column: index + 1), length: end - index))
            case "{" where depth > 0 && !" {[,:".unicodeScalars.contains(text[index - 1]):
                let start = text[..<index].lastIndex { " {[,".unicodeScalars.contains($0) }.map { $0 + 1 } ?? 0
                let word = Self.word(text[start...])
                return needsQuotes(word.text, at: TextPlace(TextPosition(line: line, column: start + 1), length: word.length))
            case "{", "[": depth += 1
            case "}", "]": depth = max(0, depth - 1)
            default: break
            }
        }
        return nil
    }

    private static func needsQuotes(_ text: String, at place: TextPlace) -> YAMLAdvice {
        YAMLAdvice("'\(text)' needs quotes within braces or brackets", fix: "write '\(text)', with the quotes", at: place)
    }

    /// A text up to what ends it, but for what is in braces of its own.
    private static func word(_ scalars: ArraySlice<Unicode.Scalar>) -> (text: String, length: Int) {
        var depth = 0
        let word = scalars.prefix { scalar -> Bool in
            switch scalar {
            case "{": depth += 1
            case "}" where depth > 0: depth -= 1
            case "}", "]", ",", " ": return depth > 0
            default: break
            }
            return true
        }
        return (String(String.UnicodeScalarView(word)), word.count)
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

    /// A line that is indented to a column in which no enclosing map or list has its entries.
    private static func indentation(_ number: Int, _ source: SourceText) -> YAMLAdvice? {
        let line = Line(source.line(number))
        guard let entry = line.entries.first, number > 1 else { return nil }
        var open: [(entry: Line.Entry, line: Int)] = []
        var previous: Line?
        for earlier in 1..<number {
            let text = Line(source.line(earlier))
            guard !text.isBlank else { continue }
            previous = text
            for entry in text.entries {
                while let last = open.last, last.entry.depth >= entry.depth { open.removeLast() }
                open.append((entry, earlier))
            }
        }
        guard let previous, !open.isEmpty, !open.contains(where: { $0.entry.depth == entry.depth }) else { return nil }
        let isFirstBelow = previous.opensBlock && previous.entries.last.map { entry.depth > $0.depth } ?? true
        guard !isFirstBelow else { return nil }
        // Of entries equally near, the key says which is meant if it is one of a file; otherwise it
        // is the one of the line before.
        let siblings = open.filter { $0.entry.isDash == entry.isDash }
        let isOfFile = line.key.map { key in FileKeys.file.contains { $0.name == key } } ?? false
        func distance(_ sibling: (entry: Line.Entry, line: Int)) -> Int { abs(sibling.entry.column - entry.column) }
        let nearest = siblings.map(distance).min()
        let near = siblings.filter { distance($0) == nearest }
        guard let sibling = isOfFile && near.first?.entry.column == 0 ? near.first : near.last else { return nil }
        let column = sibling.entry.column
        let fix = column == 0 ? "do not indent it" : "indent it by \(column == 1 ? "1 blank" : "\(column) blanks")"
        return YAMLAdvice(
            "wrong indentation: this line begins in column \(entry.column + 1), line \(sibling.line) in column \(column + 1)",
            fix: "\(fix), like line \(sibling.line)",
            at: TextPlace(TextPosition(line: number, column: entry.column + 1), length: line.length - entry.column))
    }

    /// A line of block YAML, examined for its indentation.
    private struct Line {
        /// The dash of a list's entry, or a key.
        struct Entry {
            /// From 0.
            var column: Int
            var isDash: Bool

            /// Dashes in the column of a key are below it.
            var depth: Int { 2 * column + (isDash ? 1 : 0) }
        }

        /// The dashes of lists, and the key after them; empty if the line is neither `key: …` nor
        /// `- …`.
        var entries: [Entry] = []
        var key: String?
        var isBlank: Bool
        /// Whether the line ends with a colon or a dash, so that a block may follow.
        var opensBlock: Bool
        var length: Int

        init(_ text: String) {
            let scalars = Array(text.unicodeScalars)
            length = scalars.count
            var start = scalars.firstIndex { $0 != " " } ?? scalars.count
            isBlank = start == scalars.count || scalars[start] == "#"
            opensBlock = text.trimmingBlanks.hasSuffix(":") || text.trimmingBlanks == "-"
            guard !isBlank else { return }
            while start + 1 < scalars.count, scalars[start] == "-", scalars[start + 1] == " " {
                entries.append(Entry(column: start, isDash: true))
                start = scalars[(start + 1)...].firstIndex { $0 != " " } ?? scalars.count
            }
            let name = scalars[start...].prefix { $0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "_" || $0 == "-" }
            guard !name.isEmpty, name.endIndex < scalars.count, scalars[name.endIndex] == ":" else { return }
            entries.append(Entry(column: start, isDash: false))
            key = String(String.UnicodeScalarView(name))
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
