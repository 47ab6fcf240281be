/// One YAML scalar: its text, and where each byte of it was written.
public struct Leaf: Sendable {
    public var text: String
    /// Written without quotes, so that `null`, `true` and numbers are more than text.
    var isPlain: Bool
    /// One for each UTF-8 byte of `text`, and one for its end.
    var positions: [TextPosition]
    /// Whether every parameter in it has a value; if not, that was reported, and nothing more is to be said about the text.
    var isComplete = true

    init(text: String, isPlain: Bool, positions: [TextPosition]) {
        self.text = text
        self.isPlain = isPlain
        self.positions = positions
    }

    /// The whole scalar, as far as it is on its first line.
    public var place: Place { place(of: 0..<text.utf8.count) }

    var isNull: Bool { isPlain && ["", "~", "null", "Null", "NULL"].contains(text) }

    /// The stretch of the file that these UTF-8 bytes were written at, cut at the end of its first line.
    func place(of range: Range<Int>) -> Place {
        let last = positions.count - 1
        let lower = min(max(0, range.lowerBound), last)
        let start = positions[lower]
        var end = start
        for index in lower..<max(lower, min(range.upperBound, last)) {
            guard positions[index].line == start.line else { break }
            end = max(end, positions[index])
        }
        return Place(start, length: end.column - start.column + 1)
    }

    /// The part of the leaf between two UTF-8 offsets, which are ends of characters.
    func part(_ range: Range<Int>) -> Leaf {
        let utf8 = text.utf8
        let lower = utf8.index(utf8.startIndex, offsetBy: range.lowerBound)
        let upper = utf8.index(utf8.startIndex, offsetBy: range.upperBound)
        var part = self
        part.text = String(text[lower..<upper])
        part.positions = Array(positions[range.lowerBound...range.upperBound])
        return part
    }
}
