import SluiceDefinition

/// Text from elsewhere as a terminal can show it: with a known number of columns, and without
/// anything that controls the terminal or reorders a line.
///
/// What terminals disagree on is left out or replaced: joined and colored emoji become single ones,
/// flags become letters, marks that change the direction of writing become `�`.
enum TerminalText {
    /// The longest chain of marks on one letter that is kept.
    private static let mostMarks = 3

    static func safe(_ text: some StringProtocol) -> String {
        var safe = String.UnicodeScalarView()
        var marks = mostMarks
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x09, 0x0A, 0x0D: safe.append(" ")
            // Variation selectors, skin tones, and the joiner of emoji.
            case 0xFE00...0xFE0F, 0xE0100...0xE01EF, 0x1F3FB...0x1F3FF, 0x200D: continue
            // Letters of flags.
            case 0x1F1E6...0x1F1FF: safe.append(Unicode.Scalar(UInt8(scalar.value - 0x1F1E6) + UInt8(ascii: "A")))
            case _ where isMark(scalar):
                marks += 1
                guard marks <= mostMarks else { continue }
                safe.append(scalar)
                continue
            default: safe.append(isShown(scalar) ? scalar : "\u{FFFD}")
            }
            marks = 0
        }
        return String(safe).printable
    }

    /// The columns that a safe text takes.
    static func width(of text: some StringProtocol) -> Int { text.unicodeScalars.reduce(0) { $0 + width(of: $1) } }

    /// A safe text in exactly so many columns: cut with `…`, or filled with spaces.
    static func fitted(_ text: String, to columns: Int, isRight: Bool = false) -> String {
        guard columns > 0 else { return "" }
        let width = width(of: text)
        let fill = String(repeating: " ", count: max(0, columns - width))
        if width <= columns { return isRight ? fill + text : text + fill }
        let (kept, used) = beginning(of: text, columns - 1)
        return kept + "…" + String(repeating: " ", count: columns - 1 - used)
    }

    /// What of a safe text fits into so many columns, and how many of them it takes.
    static func beginning(of text: String, _ columns: Int) -> (text: String, columns: Int) {
        var kept = String.UnicodeScalarView()
        var used = 0
        for scalar in text.unicodeScalars {
            let width = width(of: scalar)
            guard used + width <= columns else { break }
            used += width
            kept.append(scalar)
        }
        return (String(kept), used)
    }

    private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
        // Those of ASCII get a picture.
        case .control: scalar.value < 0x80
        default: true
        }
    }

    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: true
        // Vowels and final consonants of Hangul, which are drawn into the consonant before them.
        default: (0x1160...0x11FF).contains(scalar.value) || (0xD7B0...0xD7FF).contains(scalar.value)
        }
    }

    static func width(of scalar: Unicode.Scalar) -> Int {
        if scalar.value < 0x300 { return 1 }
        if isMark(scalar) { return 0 }
        let isWide = wide.contains { $0.contains(scalar.value) } || scalar.properties.isEmojiPresentation
        return isWide ? 2 : 1
    }

    /// The blocks of wide characters of Unicode's East Asian Width, but for emoji.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x3247, 0x3250...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
        0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x18DFF, 0x1AFF0...0x1B2FF, 0x1F200...0x1F265, 0x20000...0x3FFFD,
    ]
}
