import SluiceCEL

/// `lines`: any text, with a field `line` for each line.
package struct Lines: WritableFormat {
    package static let declaration = Declaration(
        "lines", "any text; the only field is `line`", argument: .keys([]), example: "format: lines",
        elsewhere: ["text", "raw", "plain", "line", "none", "txt"])
    package static let fileExtensions = ["log", "txt"]

    package init() {}
    package init?(_ options: Arguments?, _ checking: inout Checking) {}

    // Bytes if a line is not UTF-8, which is known only when it is read.
    package var schema: Schema { .known([Schema.Field(name: LinesDecoder.field, type: .string)]) }
    package var writesFields: Bool { false }
    package var mentions: [String] { [LinesDecoder.field] }

    package func makeDecoder(columns: [String], spans: Bool) -> any RecordDecoder { LinesDecoder(columns: columns) }

    package func checkWriting(_ checking: inout Checking, at place: TextPlace, areOwn: Bool) {
        guard !areOwn, case .known(let fields) = checking.fields, LinesDecoder.field.index(in: fields.map(\.name)) == nil else { return }
        checking.report("needs a field 'line', which the records here do not have", at: place, fix: "set a field 'line', or write jsonl")
    }

    package func makeWriter(for fields: RecordFields, columns: [String]?) -> any RecordWriter { LinesWriter(fields: fields) }
}

/// Writes the field `line`. If records cannot have it and no stage changed them, writes the bytes
/// that were read.
///
/// Refuses what would be read differently: as more than one line, or without a carriage return at
/// its end or a byte order mark at its beginning.
struct LinesWriter: RecordWriter {
    private let column: Int?
    /// Whether records are written as the bytes that were read.
    private let writesText: Bool
    let copiesRecords: Bool
    let dropsReturns = true

    init(fields: RecordFields) {
        column = fields.shape.column(of: LinesDecoder.field)
        writesText = fields.shape.isUntouched && fields.shape.base == .other && fields.format != nil && (fields.format is Lines || column == nil)
        copiesRecords = writesText && fields.isLine
    }

    func canCopy(_ batch: RecordBatch) -> Bool {
        batch.rows.allSatisfy { row in
            let text = LineText.withoutEnd(batch.text(Int(row)))
            return text.last != UInt8(ascii: "\r") && !Self.hasMark(text)
        }
    }

    func write(_ row: Int, of batch: RecordBatch, to buffer: ByteBuffer) throws(RecordFailure) {
        let text = writesText ? LineText.withoutEnd(batch.text(row)) : try line(row, of: batch)
        guard !text.contains(UInt8(ascii: "\n")) else {
            let what = writesText ? "the record is more than one line" : "the field 'line' contains a line feed, so it would become more than one line"
            throw RecordFailure(code: "sink.line", message: what)
        }
        let subject = writesText ? "the record" : "the field 'line'"
        guard text.last != UInt8(ascii: "\r") else {
            throw RecordFailure(code: "sink.line", message: "\(subject) ends in a carriage return, which would be read as part of the line's end")
        }
        guard !Self.hasMark(text) else {
            throw RecordFailure(code: "sink.line", message: "\(subject) begins with a byte order mark, which would not be read as text")
        }
        buffer.append(text)
        buffer.append(UInt8(ascii: "\n"))
    }

    private static func hasMark(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        text.count >= 3 && text[0] == 0xEF && text[1] == 0xBB && text[2] == 0xBF
    }

    private func line(_ row: Int, of batch: RecordBatch) throws(RecordFailure) -> UnsafeBufferPointer<UInt8> {
        let cell = column.map { batch.table.row(row)[$0] } ?? .absent
        guard cell.kind == .string || cell.kind == .bytes else {
            throw RecordFailure(code: "sink.line", message: "the record has no text field 'line' to write")
        }
        return cell.textBytes
    }
}

extension RecordFormat {
    /// Any text: a field `line` for each line.
    public static let lines = RecordFormat(Lines.self)
}
