/// Breaks lines for a terminal, at blanks.
enum Wrapping {
    /// The lines of a text in so many columns. What a line goes on with is indented below it.
    ///
    /// - Parameters:
    ///   - width: the columns of the terminal; `nil` leaves the text as it is.
    ///   - breaksWords: whether words that are longer than a line are broken as well. Otherwise the
    ///     terminal breaks them, so that paths can be copied.
    static func wrapped(_ text: String, to width: Int?, breaksWords: Bool = false) -> String {
        guard let width else { return text }
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { line -> String in
            guard self.width(of: line) > width else { return String(line) }
            let blanks = line.prefix { $0 == " " }
            let margin = min(blanks.count + 2, max(0, width / 2))
            let rest = String(line.dropFirst(blanks.count))
            return lines(rest, after: String(blanks), margin: margin, to: width, breaksWords: breaksWords).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    /// - Parameters:
    ///   - beginning: what the first line begins with.
    ///   - margin: the indentation of the other lines.
    static func lines(_ text: String, after beginning: String = "", margin: Int = 0, to width: Int, breaksWords: Bool) -> [String] {
        let indentation = String(repeating: " ", count: margin)
        var lines: [String] = []
        var line = beginning
        var isFresh = true
        func breakLine() {
            lines.append(line)
            line = indentation
            isFresh = true
        }
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            let columns = self.width(of: word)
            let isBroken = breaksWords && margin + columns > width
            // A word that is broken begins on the line before, if there is room for any of it.
            if !isFresh, self.width(of: line) + 1 + (isBroken ? 1 : columns) > width { breakLine() }
            // The blanks at which a line is broken are not shown.
            if isFresh, word.isEmpty, !lines.isEmpty { continue }
            if !isFresh { line.append(" ") }
            if isBroken {
                for unit in units(of: word) {
                    let columns = self.width(of: unit)
                    if columns > 0, self.width(of: line) + columns > width { breakLine() }
                    line.append(unit)
                }
            } else {
                line.append(contentsOf: word)
            }
            isFresh = false
        }
        return lines + [line]
    }

    /// The columns that a text takes, without its colors.
    static func width(of text: some StringProtocol) -> Int {
        var columns = 0
        var isCode = false
        for scalar in text.unicodeScalars {
            if isCode {
                isCode = scalar != "m"
            } else if scalar == "\u{1B}" {
                isCode = true
            } else {
                columns += TerminalText.width(of: scalar)
            }
        }
        return columns
    }

    /// What a line can be broken between: scalars, and whole codes of colors.
    private static func units(of text: Substring) -> [String] {
        var units: [String] = []
        var code: String?
        for scalar in text.unicodeScalars {
            if let open = code {
                code = scalar == "m" ? nil : open + String(scalar)
                if code == nil { units.append(open + "m") }
            } else if scalar == "\u{1B}" {
                code = String(scalar)
            } else {
                units.append(String(scalar))
            }
        }
        return units
    }

    /// A text in so many columns, with `…` for its middle: of a path, the end says most.
    static func withoutMiddle(_ text: String, to columns: Int) -> String {
        guard width(of: text) > columns else { return text }
        guard columns > 1 else { return "…" }
        let scalars = Array(text.unicodeScalars)
        var first = 0
        var used = 0
        while first < scalars.count, used + TerminalText.width(of: scalars[first]) <= (columns - 1) / 3 {
            used += TerminalText.width(of: scalars[first])
            first += 1
        }
        var last = scalars.count
        while last > first, used + TerminalText.width(of: scalars[last - 1]) <= columns - 1 {
            last -= 1
            used += TerminalText.width(of: scalars[last])
        }
        return String(String.UnicodeScalarView(scalars[..<first])) + "…" + String(String.UnicodeScalarView(scalars[last...]))
    }
}
