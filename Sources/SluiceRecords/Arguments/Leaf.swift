/// A text of the definition, and where each byte of it was written.
package struct Leaf: Sendable {
    package var text: String
    /// Written without quotes, so that `null`, `true` and numbers are more than text.
    package var isPlain: Bool
    /// One for each UTF-8 byte of `text`, and one for its end.
    package var positions: [TextPosition]
    /// Whether every parameter in it has a value; if not, that was reported, and nothing more is to
    /// be said about the text.
    package var isComplete = true

    package init(text: String, isPlain: Bool, positions: [TextPosition]) {
        self.text = text
        self.isPlain = isPlain
        self.positions = positions
    }

    /// A text that a program gives: its places count from its own beginning.
    package init(_ text: String) {
        var positions: [TextPosition] = []
        for (index, scalar) in text.unicodeScalars.enumerated() {
            positions += repeatElement(TextPosition(line: 1, column: index + 1), count: UTF8.width(scalar))
        }
        positions.append(TextPosition(line: 1, column: text.unicodeScalars.count + 1))
        self.init(text: text, isPlain: false, positions: positions)
    }

    /// The whole scalar, as far as it is on its first line.
    package var place: TextPlace { place(of: 0..<text.utf8.count) }

    package var isNull: Bool { isPlain && ["", "~", "null", "Null", "NULL"].contains(text) }

    /// The stretch of the file that these UTF-8 bytes were written at, cut at the end of its first
    /// line.
    package func place(of range: Range<Int>) -> TextPlace {
        let last = positions.count - 1
        let lower = min(max(0, range.lowerBound), last)
        let start = positions[lower]
        var end = start
        for index in lower..<max(lower, min(range.upperBound, last)) {
            guard positions[index].line == start.line else { break }
            end = max(end, positions[index])
        }
        return TextPlace(start, length: end.column - start.column + 1)
    }

    /// The part of the leaf between two UTF-8 offsets, which are ends of characters.
    package func part(_ range: Range<Int>) -> Leaf {
        let utf8 = text.utf8
        let lower = utf8.index(utf8.startIndex, offsetBy: range.lowerBound)
        let upper = utf8.index(utf8.startIndex, offsetBy: range.upperBound)
        var part = self
        part.text = String(text[lower..<upper])
        part.positions = Array(positions[range.lowerBound...range.upperBound])
        return part
    }
}
