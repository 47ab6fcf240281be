import SluiceCEL

/// Decodes any text: a field `line` with the record's bytes, without the line's end.
///
/// No record fails and none is blank: an empty line is a line. Text that is not valid UTF-8 becomes
/// a value of type `bytes` instead of a string, so that it is preserved, and an expression that
/// uses it as text fails.
package struct LinesDecoder: RecordDecoder {
    package static let field = "line"

    private let column: Int?

    /// - Parameter columns: columns with names other than ``field`` are left absent.
    package init(columns: [String]) {
        column = columns.firstIndex(of: Self.field)
    }

    package func decode(_ text: UnsafeBufferPointer<UInt8>, row: Int, into table: RowTable) {
        guard let column else { return }
        precondition(column < table.columns, "a table has a cell for each column of its decoder")
        table.row(row)[column] = Self.cell(LineText.withoutEnd(text))
    }

    package func decode(_ frames: [Frame], of base: UnsafePointer<UInt8>, into table: RowTable) {
        guard column != nil else { return }
        for (row, frame) in frames.enumerated() {
            decode(UnsafeBufferPointer(start: base + Int(frame.start), count: Int(frame.count)), row: row, into: table)
        }
    }

    /// A string, or bytes if the text is not UTF-8.
    static func cell(_ text: UnsafeBufferPointer<UInt8>) -> Cell {
        guard let start = text.baseAddress else { return Cell(kind: .string) }
        return .text(UTF8Text.isValid(text) ? .string : .bytes, start, count: text.count)
    }
}
