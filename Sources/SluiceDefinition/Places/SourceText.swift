internal import SluiceRecords

/// The text of a pipeline file, indexed by line and column.
struct SourceText: Sendable {
    let scalars: [Unicode.Scalar]
    /// The index in `scalars` of each line's first scalar.
    private let lineStarts: [Int]

    /// Drops a byte order mark, which columns do not count.
    init(_ text: String) {
        var scalars = Array(text.unicodeScalars)
        if scalars.first == "\u{FEFF}" { scalars.removeFirst() }
        self.scalars = scalars
        var starts = [0]
        for (index, scalar) in scalars.enumerated() where SourceText.isLineBreak(scalar) {
            let isFirstOfPair = scalar == "\r" && index + 1 < scalars.count && scalars[index + 1] == "\n"
            if !isFirstOfPair { starts.append(index + 1) }
        }
        lineStarts = starts
    }

    var text: String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    /// The line without its end; empty if there is no such line.
    func line(_ number: Int) -> String {
        guard number >= 1, number <= lineStarts.count else { return "" }
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[lineStarts[number - 1]...].prefix { !SourceText.isLineBreak($0) })
        return String(view)
    }

    /// The index of a position; the text's end for a position beyond it.
    func index(of position: TextPosition) -> Int {
        guard position.line <= lineStarts.count else { return scalars.count }
        return min(lineStarts[max(0, position.line - 1)] + position.column - 1, scalars.count)
    }

    func position(at index: Int) -> TextPosition {
        var low = 0
        var high = lineStarts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if lineStarts[middle] <= index { low = middle } else { high = middle }
        }
        return TextPosition(line: low + 1, column: index - lineStarts[low] + 1)
    }

    /// The index of the first scalar of the next line.
    func startOfLine(after position: TextPosition) -> Int {
        position.line < lineStarts.count ? lineStarts[position.line] : scalars.count
    }

    /// Whether the scalar is a line break in YAML 1.1.
    static func isLineBreak(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}": true
        default: false
        }
    }
}
