import Glibc

/// Decodes records of W3C's extended log format: separated by tabs, as CloudFront writes them, or
/// without any tab by blanks, where quotes enclose a field that contains some, as IIS and proxies
/// write them.
///
/// Records fail as those of ``TSVDecoder`` do.
struct W3CDecoder: RecordDecoder {
    private static let tabs = Quoting(separator: 0x09, quote: nil)
    private static let blanks = Quoting(separator: 0x20)

    private let nulls: Nulls
    private let layout: FieldLayout

    init(nulls: Nulls, _ layout: FieldLayout) {
        self.nulls = nulls
        self.layout = layout
    }

    func decode(_ text: UnsafeBufferPointer<UInt8>, row: Int, into table: RowTable) {
        let line = LineText.withoutEnd(text)
        guard !line.contains(0x0A) else {
            return table.fail(row, layout.failureCode, "expected one record, found a line feed")
        }
        withWalks(table) { decode(line, row, table, $0, $1) }
    }

    func decode(_ frames: [Frame], of base: UnsafePointer<UInt8>, into table: RowTable) {
        withWalks(table) { tabs, blanks in
            for (row, frame) in frames.enumerated() {
                decode(UnsafeBufferPointer(start: base + Int(frame.start), count: Int(frame.count)), row, table, tabs, blanks)
            }
        }
    }

    private func withWalks(_ table: RowTable, _ body: (FieldWalk, FieldWalk) -> Void) {
        layout.check(table)
        layout.fields.withUnsafeBufferPointer { fields in
            body(
                FieldWalk(Self.tabs, nulls: nulls, fields: fields, text: table.text),
                FieldWalk(Self.blanks, nulls: nulls, fields: fields, text: table.text))
        }
    }

    private func decode(_ text: UnsafeBufferPointer<UInt8>, _ row: Int, _ table: RowTable, _ tabs: FieldWalk, _ blanks: FieldWalk) {
        let record = text.withoutReturns
        guard let start = record.baseAddress, !LineText.isBlank(record) else {
            table.outcomes[row] = .blank
            return
        }
        if let problem = layout.problem { return layout.fail(row, problem, in: table) }
        let hasTabs = memchr(start, 0x09, record.count) != nil
        do throws(FieldFault) {
            layout.settle(row, try (hasTabs ? tabs : blanks).record(start, start + record.count, table.row(row)), in: table)
        } catch {
            layout.fail(row, error.message(in: text, Self.blanks), in: table)
        }
    }
}
