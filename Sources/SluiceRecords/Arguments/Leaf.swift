/// A text of the definition, and the position of each of its bytes.
package struct Leaf: Sendable {
    package var text: String
    /// Whether it is written without quotes, so that `null`, `true` and numbers are not just text.
    package var isPlain: Bool
    /// One for each UTF-8 byte of `text`, and one for its end.
    package var positions: [TextPosition]
    /// Whether every parameter in it has a value. If not, that was reported, and the text is not
    /// checked further.
    package var isComplete = true

    package init(text: String, isPlain: Bool, positions: [TextPosition]) {
        self.text = text
        self.isPlain = isPlain
        self.positions = positions
    }

    /// A text given by a program. Positions count from its beginning.
    package init(_ text: String) {
        var positions: [TextPosition] = []
        for (index, scalar) in text.unicodeScalars.enumerated() {
            positions += repeatElement(TextPosition(line: 1, column: index + 1), count: UTF8.width(scalar))
        }
        positions.append(TextPosition(line: 1, column: text.unicodeScalars.count + 1))
        self.init(text: text, isPlain: false, positions: positions)
    }

    /// The place of the whole text, up to the end of its first line.
    package var place: TextPlace { place(of: 0..<text.utf8.count) }

    package var isNull: Bool { isPlain && ["", "~", "null", "Null", "NULL"].contains(text) }

    /// The place in the file of these UTF-8 bytes, up to the end of the first line.
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

    /// The part of the text between two UTF-8 offsets, which must be between characters.
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
