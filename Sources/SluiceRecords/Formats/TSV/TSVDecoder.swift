import CBytes
import SluiceCEL

/// Decodes records of tab-separated fields.
///
/// A record fails with `parse.tsv` if it has more or fewer fields than the header, or if a field
/// does not have the type in the definition. A field that is not UTF-8 becomes a value of type
/// `bytes`.
///
/// Unsafe memory: reads stop at the end of the record, except for loads of 64 bytes, which are
/// covered by the padding after each record. Writes go to the decoder's columns of the table.
struct TSVDecoder: RecordDecoder {
    static let failureCode = "parse.tsv"

    private typealias Place = UnsafePointer<UInt8>

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

    /// The parameters are those of ``CSVDecoder``.
    init(
        nulls: Nulls, names: [String], leastFields: Int?, types: [Name: FieldType], columns: [String], authority: String,
        problem: String? = nil
    ) {
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
        precondition(columns <= table.columns, "a table has a cell for each column of its decoder")
        let line = LineText.withoutEnd(text)
        guard !line.contains(0x0A) else {
            return table.fail(row, Self.failureCode, "expected one record, found a line feed")
        }
        fields.withUnsafeBufferPointer { decode(line, row, table, $0) }
    }

    func decode(_ frames: [Frame], of base: UnsafePointer<UInt8>, into table: RowTable) {
        precondition(columns <= table.columns, "a table has a cell for each column of its decoder")
        fields.withUnsafeBufferPointer { fields in
            for (row, frame) in frames.enumerated() {
                decode(UnsafeBufferPointer(start: base + Int(frame.start), count: Int(frame.count)), row, table, fields)
            }
        }
    }

    @inline(__always)
    private func decode(
        _ text: UnsafeBufferPointer<UInt8>, _ row: Int, _ table: RowTable, _ fields: UnsafeBufferPointer<FieldWalk.Field>
    ) {
        let record = text.withoutReturns
        guard let start = record.baseAddress, !isBlank(record) else {
            table.outcomes[row] = .blank
            return
        }
        guard problem == nil else { return fail(row, table, problem ?? "") }
        let cells = table.row(row)
        let course = walk(start, start + record.count, cells, fields, table.text)
        guard fieldCounts.contains(course.count), course.misread == nil else { return fail(row, table, message(course)) }
        if course.beyond != 0 { checkUTF8(cells) }
    }

    /// Whether the line contains no record. A blank line is a record if records have a single
    /// field.
    @inline(__always)
    private func isBlank(_ record: UnsafeBufferPointer<UInt8>) -> Bool {
        guard fields.count != 1 else { return false }
        guard let first = record.first else { return true }
        return first == 0x20 && record.allSatisfy { $0 == 0x20 }
    }

    @inline(__always)
    private func walk(
        _ start: Place, _ end: Place, _ cells: UnsafeMutablePointer<Cell>, _ fields: UnsafeBufferPointer<FieldWalk.Field>, _ text: TextArena
    ) -> FieldWalk.Course {
        var course = FieldWalk.Course()
        var fieldStart = start
        var block = start
        // Whether the current field has a backslash in an earlier block.
        var isEscaped = false
        while block < end {
            let found = cbytes_fields64(block, 0x09, TSVEscapes.backslash)
            let within: UInt64 = end - block >= 64 ? ~0 : (1 << UInt64(end - block)) - 1
            course.beyond |= found.beyond & within
            var escapes = found.quotes & within
            var tabs = found.separators & within
            while tabs != 0 {
                let bit = UInt64(tabs.trailingZeroBitCount)
                let before: UInt64 = (1 << bit) - 1
                take(fieldStart, block + Int(bit), isEscaped || escapes & before != 0, cells, fields, text, &course)
                isEscaped = false
                escapes &= ~before
                tabs &= tabs &- 1
                fieldStart = block + Int(bit) + 1
            }
            isEscaped = isEscaped || escapes != 0
            block += 64
        }
        take(fieldStart, end, isEscaped, cells, fields, text, &course)
        return course
    }

    @inline(__always)
    private func take(
        _ start: Place, _ end: Place, _ isEscaped: Bool, _ cells: UnsafeMutablePointer<Cell>,
        _ fields: UnsafeBufferPointer<FieldWalk.Field>, _ text: TextArena, _ course: inout FieldWalk.Course
    ) {
        defer { course.count += 1 }
        guard course.count < fields.count else { return }
        let field = fields[course.count]
        guard field.column >= 0, !nulls.contains(start, end) else { return }
        var (from, to) = (start, end)
        if isEscaped {
            let memory = text.allocate(end - start)
            from = UnsafePointer(memory)
            to = from + TSVEscapes.undo(start, end, into: memory)
        }
        if field.type == .string {
            cells[field.column] = .text(.string, from, count: to - from)
        } else if let cell = field.type.cell(from, to) {
            cells[field.column] = cell
        } else if course.misread == nil {
            course.misread = (course.count, from, to)
        }
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
}
