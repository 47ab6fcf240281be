/// Rows of text in aligned columns, the first of them left-aligned, the others right-aligned.
struct Columns {
    private var rows: [[String]] = []
    /// The number of left-aligned columns.
    var left = 1
    /// Whether the last column is left-aligned, too.
    var lastIsLeft = false

    init(_ heading: String...) {
        if !heading.isEmpty { rows.append(heading) }
    }

    mutating func append(_ row: [String]) { rows.append(row) }

    /// Indented by two spaces, without trailing spaces.
    var text: String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            var line = "  "
            for (column, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                let isLeft = column < left || (lastIsLeft && column == columns - 1)
                line += (column == 0 ? "" : "  ") + (isLeft ? cell + padding : padding + cell)
            }
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}
