/// Rows of text in aligned columns, the first of them left-aligned, the others right-aligned.
struct Columns {
    private var rows: [[String]] = []
    /// The number of left-aligned columns.
    var left = 1
    /// Whether the last column is left-aligned, too.
    var lastIsLeft = false
    /// The headings of the columns that a narrow terminal does without, the least useful first.
    var dispensable: [String] = []

    /// The width that the texts of the first column and of a left-aligned last one keep as long as
    /// there are columns to dispense with, and what they keep at any rate.
    private static let leastFirst = 20
    private static let leastLast = 16
    private static let least = 8

    init(_ heading: String...) {
        if !heading.isEmpty { rows.append(heading) }
    }

    /// - Parameter row: may be text from records, or names of files.
    mutating func append(_ row: [String]) { rows.append(row.map(Figures.line)) }

    /// Indented by two spaces, without trailing spaces.
    var text: String { text(fitting: nil) }

    /// As `text`, in the columns of a terminal: with fewer columns, a first one without the middles
    /// of its texts, or a last one of several lines.
    ///
    /// - Parameter width: `nil` shows everything.
    func text(fitting width: Int?) -> String {
        let count = rows.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in
            rows.map { column < $0.count ? Self.width(of: $0[column], onTerminal: width != nil) : 0 }.max() ?? 0
        }
        let all = widths.enumerated().map { (column: $0.offset, width: $0.element) }
        let layout = width.map { fitted(all, to: $0) } ?? all
        return rows.map { line(of: $0, in: layout, last: count - 1, onTerminal: width != nil) }.joined()
    }

    private func line(of row: [String], in layout: [(column: Int, width: Int)], last: Int, onTerminal: Bool) -> String {
        var line = "  "
        var more: [String] = []
        for (column, width) in layout where column < row.count {
            line += column == 0 ? "" : "  "
            var cell = row[column]
            if onTerminal, lastIsLeft, column == last {
                let lines = Wrapping.lines(cell, to: width, breaksWords: true)
                let margin = String(repeating: " ", count: Wrapping.width(of: line))
                cell = lines[0]
                more = lines.dropFirst().map { margin + $0 }
            } else if onTerminal {
                cell = Wrapping.withoutMiddle(cell, to: width)
            }
            let padding = String(repeating: " ", count: max(0, width - Self.width(of: cell, onTerminal: onTerminal)))
            let isLeft = column < left || (lastIsLeft && column == last)
            line += isLeft ? cell + padding : padding + cell
        }
        return ([line] + more).map { line in
            var line = line
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }

    /// The columns that are shown in so many columns of a terminal, and their widths.
    private func fitted(_ all: [(column: Int, width: Int)], to width: Int) -> [(column: Int, width: Int)] {
        var layout = all
        let headings = rows.first ?? []
        func isLastText(_ column: Int) -> Bool { lastIsLeft && column == all.count - 1 }
        for heading in dispensable {
            let least = layout.map { column, width in
                column == 0 ? min(width, Self.leastFirst) : isLastText(column) ? min(width, Self.leastLast) : width
            }
            guard least.reduce(2 * least.count, +) > width else { break }
            layout.removeAll { $0.column > 0 && $0.column < headings.count && headings[$0.column] == heading }
        }
        /// Takes what is too much from one column, which keeps some of it.
        func narrow(_ index: Int, keeping least: Int) {
            let surplus = layout.reduce(2 * layout.count) { $0 + $1.width } - width
            if surplus > 0 { layout[index].width = max(min(least, layout[index].width), layout[index].width - surplus) }
        }
        // A last text goes on in the next line, so it is narrowed before the first is shortened.
        if let last = layout.indices.last, isLastText(layout[last].column) { narrow(last, keeping: Self.leastLast) }
        if !layout.isEmpty { narrow(0, keeping: Self.least) }
        return layout
    }

    /// On a terminal, some characters take two columns, and some none.
    private static func width(of cell: String, onTerminal: Bool) -> Int { onTerminal ? Wrapping.width(of: cell) : cell.count }
}
