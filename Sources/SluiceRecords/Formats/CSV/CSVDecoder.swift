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
    private let fields: [FieldWalk.Field]
    private let names: [String]
    /// The permitted numbers of fields in a record.
    private let fieldCounts: ClosedRange<Int>
    private let columns: Int
    /// Why no record of the file can be read.
    private let problem: String?
    /// What determines the number of fields, for messages.
    private let authority: String

    /// - Parameters:
    ///   - names: the names of the fields.
    ///   - leastFields: the number of fields that every record must have, if the last ones may be
    ///     missing; `nil`: all.
    ///   - types: the types of fields that are not text.
    ///   - columns: the names of the fields to fill columns with, in column order.
    ///   - problem: why no record can be read.
    init(
        _ quoting: Quoting, nulls: Nulls, names: [String], leastFields: Int?, types: [Name: FieldType], columns: [String],
        authority: String, problem: String? = nil
    ) {
        self.quoting = quoting
        self.nulls = nulls
        self.names = names
        fieldCounts = min(leastFields ?? names.count, names.count)...names.count
        self.columns = columns.count
        self.authority = authority
        self.problem = problem
        let places = Dictionary(columns.enumerated().map { (Name($1), $0) }) { first, _ in first }
        fields = names.map { FieldWalk.Field(column: places[Name($0)] ?? -1, type: types[Name($0)] ?? .string) }
    }

    func decode(_ text: UnsafeBufferPointer<UInt8>, row: Int, into table: RowTable) {
        let count = oneRecord(in: text)
        withWalk(table) { walk in
            if let count {
                decode(UnsafeBufferPointer(rebasing: text[..<count]), row, table, walk)
            } else {
                table.fail(row, Self.failureCode, "expected one record, found a line feed outside of quotes")
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
        precondition(columns <= table.columns, "a table has a cell for each column of its decoder")
        fields.withUnsafeBufferPointer { body(FieldWalk(quoting, nulls: nulls, fields: $0, text: table.text)) }
    }

    @inline(__always)
    private func decode(_ text: UnsafeBufferPointer<UInt8>, _ row: Int, _ table: RowTable, _ walk: FieldWalk) {
        let record = text.withoutReturns
        guard let start = record.baseAddress, !isEmpty(record) else {
            if fields.count != 1 || record.first != nil { table.outcomes[row] = .blank }
            return
        }
        guard problem == nil else { return fail(row, table, problem ?? "") }
        do throws(FieldFault) {
            let course = try walk.record(start, start + record.count, table.row(row))
            guard fieldCounts.contains(course.count), course.misread == nil else { return fail(row, table, message(course)) }
            if course.beyond != 0 { checkUTF8(table.row(row)) }
        } catch {
            fail(row, table, error.message(in: text, quoting))
        }
    }

    /// Whether the line has no record. An empty line is a record if records have one field.
    @inline(__always)
    private func isEmpty(_ record: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = record.first else { return true }
        if first == quoting.comment { return true }
        return first <= 0x20 && fields.count > 1 && quoting.isEmpty(record)
    }

    private func checkUTF8(_ cells: UnsafeMutablePointer<Cell>) {
        for column in 0..<columns where cells[column].kind == .string && !UTF8Text.isValid(cells[column].textBytes) {
            cells[column].kind = .bytes
        }
    }

    private func message(_ course: FieldWalk.Course) -> String {
        guard fieldCounts.contains(course.count), let (field, start, end) = course.misread else {
            let least = fieldCounts.lowerBound < fields.count ? " and 'at_least' is \(fieldCounts.lowerBound)" : ""
            return "the record has \(course.count) field\(course.count == 1 ? "" : "s"), \(authority) \(fields.count)\(least)"
        }
        let text = String(decoding: UnsafeBufferPointer(start: start, count: min(end - start, 40)), as: UTF8.self)
        return "column '\(names[field])': expected \(fields[field].type.example), found '\(text)\(end - start > 40 ? "…" : "")'"
    }

    @inline(never)
    private func fail(_ row: Int, _ table: RowTable, _ message: String) {
        for column in 0..<columns { table.row(row)[column] = .absent }
        table.fail(row, Self.failureCode, message)
    }

    /// The length of the one record in the text; `nil` if there are several.
    private func oneRecord(in text: UnsafeBufferPointer<UInt8>) -> Int? {
        guard let start = text.baseAddress, memchr(start, 0x0A, text.count) != nil else { return text.count }
        let buffer = ByteBuffer(capacity: text.count)
        buffer.append(text)
        let scan = Framing.quoted(quoting).makeScan(maxRecord: text.count)
        scan.advance(over: buffer)
        scan.endRecord(of: buffer)
        return scan.frames.count > 1 ? nil : scan.frames.first.map { Int($0.count) } ?? 0
    }
}
