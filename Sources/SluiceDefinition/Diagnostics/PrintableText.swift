extension String {
    /// The text with a visible character in place of each control character except tabs and line
    /// feeds, and of marks that change the direction of writing, so that no text from a file can
    /// control the terminal or show other than it is.
    package var printable: String {
        guard unicodeScalars.contains(where: \.isControl) else { return self }
        var text = String.UnicodeScalarView()
        for scalar in unicodeScalars { text.append(scalar.isControl ? scalar.picture : scalar) }
        return String(text)
    }
}

extension Unicode.Scalar {
    fileprivate var isControl: Bool { value < 0x20 && self != "\n" && self != "\t" || (0x7F...0x9F).contains(value) || changesDirection }

    private var changesDirection: Bool {
        switch value {
        case 0x061C, 0x200E...0x200F, 0x2028...0x2029, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    /// Its picture: `␇` for BEL.
    fileprivate var picture: Unicode.Scalar {
        value < 0x20 ? Unicode.Scalar(0x2400 + value) ?? "\u{FFFD}" : value == 0x7F ? "\u{2421}" : "\u{FFFD}"
    }
}

/// The part of a line that a diagnostic shows: all of it, or what surrounds the place if it is
/// long.
struct LineExcerpt {
    /// In Unicode scalars.
    private static let most = 160
    private static let before = 60

    let text: String
    /// The column of the place in the excerpt, from 1.
    let column: Int

    /// - Parameter column: of the place in the line, from 1.
    init(_ line: String, column: Int) {
        let scalars = Array(line.printable.unicodeScalars)
        guard scalars.count > Self.most else {
            text = line.printable
            self.column = column
            return
        }
        let start = max(0, min(column - 1 - Self.before, scalars.count - Self.most))
        let end = min(scalars.count, start + Self.most)
        var shown = String.UnicodeScalarView()
        if start > 0 { shown.append("…") }
        shown.append(contentsOf: scalars[start..<end])
        if end < scalars.count { shown.append("…") }
        text = String(shown)
        self.column = column - start + (start > 0 ? 1 : 0)
    }
}
