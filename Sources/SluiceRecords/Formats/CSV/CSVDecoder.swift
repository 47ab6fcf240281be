import Glibc
import SluiceCEL

/// Decodes records of delimited fields, optionally quoted.
///
/// A record fails with `parse.csv` if it has more or fewer fields than the head, if a quote is not
/// closed, if text follows a closing quote, or if a field is not of the type in the definition. A
/// field that is not UTF-8 becomes a value of type `bytes`.
struct CSVDecoder: RecordDecoder {
    static let failureCode = "parse.csv"

    private let quoting: Quoting
    private let nulls: Nulls
    private let layout: FieldLayout

    init(_ quoting: Quoting, nulls: Nulls, _ layout: FieldLayout) {
        self.quoting = quoting
        self.nulls = nulls
        self.layout = layout
    }

    func decode(_ text: UnsafeBufferPointer<UInt8>, row: Int, into table: RowTable) {
        let count = oneRecord(in: text)
        withWalk(table) { walk in
            if let count {
                decode(UnsafeBufferPointer(rebasing: text[..<count]), row, table, walk)
            } else {
                table.fail(row, Self.failureCode, "expected one record, found a line feed outside quotes")
            }
        }
    }

    func decode(_ frames: [Frame], of base: UnsafePointer<UInt8>, into table: RowTable) {
        withWalk(table) { walk in
            for (row, frame) in frames.enumerated() {
                decode(UnsafeBufferPointer(start: base + Int(frame.start), count: Int(frame.count)), row, table, walk)
            }
        }
    }

    private func withWalk(_ table: RowTable, _ body: (FieldWalk) -> Void) {
        layout.check(table)
        layout.fields.withUnsafeBufferPointer { body(FieldWalk(quoting, nulls: nulls, fields: $0, text: table.text)) }
    }

    @inline(__always)
    private func decode(_ text: UnsafeBufferPointer<UInt8>, _ row: Int, _ table: RowTable, _ walk: FieldWalk) {
        let record = text.withoutReturns
        guard let start = record.baseAddress, !isEmpty(record) else {
            table.outcomes[row] = .blank
            return
        }
        if let problem = layout.problem { return layout.fail(row, problem, in: table) }
        do throws(FieldFault) {
            layout.settle(row, try walk.record(start, start + record.count, table.row(row)), in: table)
        } catch {
            layout.fail(row, error.message(in: text, quoting), in: table)
        }
    }

    /// Whether the line has no record. An empty line is a record if records have one field.
    @inline(__always)
    private func isEmpty(_ record: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = record.first else { return layout.fields.count != 1 }
        if first == quoting.comment { return true }
        return first <= 0x20 && layout.fields.count > 1 && quoting.isEmpty(record)
    }

    /// The length of the one record in the text; `nil` if there are several. A quote that is never
    /// closed is the record's fault, not the end of its line.
    private func oneRecord(in text: UnsafeBufferPointer<UInt8>) -> Int? {
        guard let start = text.baseAddress, memchr(start, 0x0A, text.count) != nil else { return text.count }
        let buffer = ByteBuffer(capacity: text.count)
        buffer.append(text)
        let scan = Framing.quoted(quoting).makeScan(maxRecord: text.count)
        scan.advance(over: buffer)
        guard let first = scan.frames.first else { return text.count }
        return scan.recordStart == buffer.count && scan.frames.count == 1 ? Int(first.count) : nil
    }
}
