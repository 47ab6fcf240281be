import SluiceCEL

/// Decodes JSON lines: one object per record, fully validated against RFC 8259 in one pass.
///
/// Stricter than most parsers: invalid UTF-8, control characters in strings, `01`, `1.`, trailing
/// commas, text after the object and nesting deeper than 1,024 levels fail the record with
/// `parse.jsonl`. A lone surrogate (`"\ud800"`) is valid by the RFC's grammar: such a record is
/// decoded and written back unchanged, and as a value the surrogate becomes U+FFFD. An integer is
/// an `int`, a `uint` if only that can hold it, else (and if it is `-0`) a `decimal` with its own
/// text; a number with a fraction or an exponent is the nearest `double`, or a `decimal` if it
/// exceeds all doubles (`1e400`). Lists and maps stay text.
///
/// 64 bytes after each record must be readable.
package struct JSONLinesDecoder: RecordDecoder {
    package static let failureCode = "parse.jsonl"

    private let table: ColumnTable
    private let columns: Int
    private let code: String
    private let wantsSpans: Bool

    /// - Parameters:
    ///   - columns: names of top-level members, taken literally: `a.b` is a member of that name.
    ///     May be empty, to validate records only.
    ///   - spans: whether to fill in ``RowTable/spans``.
    ///   - code: the code of records that fail.
    package init(columns: [String], spans: Bool = false, failingWith code: String = failureCode) {
        self.code = code
        table = ColumnTable(columns)
        self.columns = columns.count
        wantsSpans = spans
    }

    package func decode(_ text: UnsafeBufferPointer<UInt8>, row: Int, into table: RowTable) {
        JSONShape.withEmpty { shape in
            decode(text, row: row, into: table, walk: walk(shape, table))
        }
    }

    package func decode(_ frames: [Frame], of base: UnsafePointer<UInt8>, into table: RowTable) {
        JSONShape.withEmpty { shape in
            let walk = walk(shape, table)
            for (row, frame) in frames.enumerated() {
                let text = UnsafeBufferPointer(start: base + Int(frame.start), count: Int(frame.count))
                decode(text, row: row, into: table, walk: walk)
            }
        }
    }

    private func walk(_ shape: JSONShape, _ rows: RowTable) -> JSONWalk {
        precondition(columns <= rows.columns, "a table has a cell for each column of its decoder")
        return JSONWalk(table: table, shape: shape, text: rows.text, wantsSpans: wantsSpans && rows.hasSpans)
    }

    @inline(__always)
    private func decode(_ text: UnsafeBufferPointer<UInt8>, row: Int, into table: RowTable, walk: borrowing JSONWalk) {
        guard let start = text.baseAddress else {
            table.outcomes[row] = .blank
            return
        }
        let cells = table.row(row)
        let spans = table.hasSpans ? table.rowSpans(row) : table.spans
        do throws(JSONFault) {
            var outcome = try walk.record(start, start + text.count, cells, spans)
            if walk.shape.hasRepetition { outcome = walk.outcomeOfRepetition(start, start + text.count) }
            if outcome != .decoded { table.outcomes[row] = outcome }
        } catch {
            walk.shape.forgetRepetition()
            fail(error, text, row, table)
        }
    }

    @inline(never)
    private func fail(_ fault: JSONFault, _ text: UnsafeBufferPointer<UInt8>, _ row: Int, _ table: RowTable) {
        for column in 0..<columns { table.row(row)[column] = .absent }
        if table.hasSpans { for column in 0..<columns { table.rowSpans(row)[column] = .none } }
        table.fail(row, code, fault.message(in: text))
    }
}
