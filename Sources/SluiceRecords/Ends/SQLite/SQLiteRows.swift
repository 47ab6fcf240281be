import SluiceCEL

/// Rows for a table, as bytes between the workers that make them and ``OpenSQLite``. No file has
/// this format.
///
/// A row is its values and a line feed. A value is a letter, then: nothing for `N`, eight bytes for
/// `I` and `R`, a count of eight bytes and so many bytes for `T` and `B`; little endian. The head
/// has the names of the columns, as values. So the first byte of the head, a count, is eight bytes
/// of the number of columns.
struct SQLiteRows: WritableFormat {
    static let declaration = Declaration("rows", "rows of a table", argument: .keys([]), example: "")
    static let fileExtensions: [String] = []

    init() {}
    init?(_ options: Arguments?, _ checking: inout Checking) { nil }

    var schema: Schema { .open }
    var needsColumns: Bool { true }
    func makeDecoder(columns: [String], spans: Bool) -> any RecordDecoder { JSONLinesDecoder(columns: columns, spans: spans) }

    func head(of columns: [String]) -> [UInt8] {
        guard !columns.isEmpty else { return [] }
        let buffer = ByteBuffer(capacity: 256)
        Self.append(UInt64(columns.count), to: buffer)
        for name in columns { SQLiteValues().write(name, isFirst: false, isAlone: false, to: buffer) }
        return buffer.withFilled { Array($0) }
    }

    func makeWriter(for fields: RecordFields, columns: [String]?) -> any RecordWriter {
        SQLiteValues().makeWriter(for: fields, columns: nil, sinkColumns: columns, head: head)
    }

    static func append(_ value: UInt64, to buffer: ByteBuffer) {
        withUnsafeBytes(of: value.littleEndian) { bytes in buffer.append(bytes.bindMemory(to: UInt8.self)) }
    }
}

/// Writes values as ``SQLiteRows`` has them.
struct SQLiteValues: FieldText {
    enum Tag {
        static let null = UInt8(ascii: "N")
        static let integer = UInt8(ascii: "I")
        static let real = UInt8(ascii: "R")
        static let text = UInt8(ascii: "T")
        static let blob = UInt8(ascii: "B")
    }

    func separate(_ buffer: ByteBuffer) {}

    func writeNull(to buffer: ByteBuffer) { buffer.append(Tag.null) }

    func write(_ text: UnsafeBufferPointer<UInt8>, isFirst: Bool, isAlone: Bool, to buffer: ByteBuffer) {
        var check = UTF8Check()
        check.take(text)
        buffer.append(check.isValid ? Tag.text : Tag.blob)
        SQLiteRows.append(UInt64(text.count), to: buffer)
        buffer.append(text)
    }

    /// Integers that fit are INTEGER, others keep their digits as TEXT; other numbers are REAL, and
    /// true and false 1 and 0.
    func writeUnquoted(isNumber: Bool, to buffer: ByteBuffer, _ write: (ByteBuffer) -> Void) {
        let start = buffer.count
        Self.writeWithoutQuotes(to: buffer, write)
        let text = UnsafeBufferPointer(rebasing: buffer.filled[start...]).map(\.self)
        let string = String(decoding: text, as: UTF8.self)
        buffer.count = start
        let isWhole = isNumber && text.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "-") }
        if !isNumber, string == "true" || string == "false" {
            buffer.append(Tag.integer)
            SQLiteRows.append(string == "true" ? 1 : 0, to: buffer)
        } else if isWhole, let value = Int64(string) {
            buffer.append(Tag.integer)
            SQLiteRows.append(UInt64(bitPattern: value), to: buffer)
        } else if isNumber, !isWhole, let value = Double(string), value.isFinite {
            buffer.append(Tag.real)
            SQLiteRows.append(value.bitPattern, to: buffer)
        } else {
            text.withUnsafeBufferPointer { self.write($0, isFirst: false, isAlone: false, to: buffer) }
        }
    }
}
