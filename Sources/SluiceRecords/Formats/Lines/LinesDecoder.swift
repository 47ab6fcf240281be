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
        guard let column, let first = frames.first, let last = frames.last else { return }
        precondition(column < table.columns, "a table has a cell for each column of its decoder")
        // Lines of UTF-8 are UTF-8, and one long text is checked sooner than many short ones.
        let (start, end) = (Int(first.start), Int(last.start) + Int(last.count))
        let areText = start <= end && UTF8Text.isValid(UnsafeBufferPointer(start: base + start, count: end - start))
        for (row, frame) in frames.enumerated() {
            let line = UnsafeBufferPointer(start: base + Int(frame.start), count: Int(frame.count))
            table.row(row)[column] = Self.cell(LineText.withoutEnd(line), isUTF8: areText)
        }
    }

    /// A string, or bytes if the text is not UTF-8.
    ///
    /// - Parameter isUTF8: whether it is known to be.
    @inline(__always)
    static func cell(_ text: UnsafeBufferPointer<UInt8>, isUTF8: Bool = false) -> Cell {
        guard let start = text.baseAddress else { return Cell(kind: .string) }
        return .text(isUTF8 || UTF8Text.isValid(text) ? .string : .bytes, start, count: text.count)
    }
}
