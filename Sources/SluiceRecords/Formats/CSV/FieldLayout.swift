import SluiceCEL

/// The fields of a file's records, as the decoders of formats with columns need them: where the
/// value of each goes, how many there must be, and what is said of a record that fails.
struct FieldLayout: Sendable {
    let failureCode: String
    let fields: [FieldWalk.Field]
    /// Why no record of the file can be read.
    let problem: String?
    /// The number of columns to fill.
    let columns: Int
    private let names: [String]
    /// The permitted numbers of fields in a record.
    private let counts: ClosedRange<Int>
    /// What determines the number of fields, for messages.
    private let authority: String

    /// - Parameters:
    ///   - names: the names of the fields.
    ///   - leastFields: the number of fields that every record must have, if the last ones may be
    ///     missing; `nil`: all.
    ///   - types: the types of the fields, by index.
    ///   - columns: the names of the fields to fill columns with, in column order.
    init(
        _ failureCode: String, names: [String], leastFields: Int?, types: [FieldType], columns: [String], authority: String, problem: String?
    ) {
        self.failureCode = failureCode
        self.names = names
        self.columns = columns.count
        self.authority = authority
        self.problem = problem
        counts = min(leastFields ?? names.count, names.count)...names.count
        let places = Dictionary(columns.enumerated().map { (Name($1), $0) }) { first, _ in first }
        var fields = zip(names, types).map { FieldWalk.Field(column: places[Name($0)] ?? -1, type: $1) }
        var unasked = Int.max
        for index in fields.indices.reversed() {
            unasked = fields[index].column >= 0 ? 0 : unasked == .max ? .max : unasked + 1
            fields[index].unasked = unasked
        }
        self.fields = fields
    }

    func check(_ table: RowTable) {
        precondition(columns <= table.columns, "a table has a cell for each column of its decoder")
    }

    /// Completes a row whose fields are in its cells.
    @inline(__always)
    func settle(_ row: Int, _ course: FieldWalk.Course, in table: RowTable) {
        guard counts.contains(course.count), course.misread == nil else { return fail(row, message(course), in: table) }
        if course.beyond != 0 { checkUTF8(table.row(row)) }
    }

    private func checkUTF8(_ cells: UnsafeMutablePointer<Cell>) {
        for column in 0..<columns where cells[column].kind == .string && !UTF8Text.isValid(cells[column].textBytes) {
            cells[column].kind = .bytes
        }
    }

    private func message(_ course: FieldWalk.Course) -> String {
        guard counts.contains(course.count), let (field, start, end) = course.misread else {
            let least = counts.lowerBound < fields.count ? " and 'at_least' is \(counts.lowerBound)" : ""
            return "the record has \(course.count) field\(course.count == 1 ? "" : "s"), but \(authority) \(fields.count)\(least)"
        }
        let text = String(decoding: UnsafeBufferPointer(start: start, count: min(end - start, 40)), as: UTF8.self)
        return "column '\(names[field])': expected \(fields[field].type.example), found '\(text)\(end - start > 40 ? "…" : "")'"
    }

    @inline(never)
    func fail(_ row: Int, _ message: String, in table: RowTable) {
        for column in 0..<columns { table.row(row)[column] = .absent }
        table.fail(row, failureCode, message)
    }
}

extension FieldWalk.Course {
    /// Takes the next field, with this text.
    @inline(__always)
    mutating func take(
        _ start: FieldWalk.Place, _ end: FieldWalk.Place, _ cells: UnsafeMutablePointer<Cell>, _ fields: UnsafeBufferPointer<FieldWalk.Field>
    ) {
        defer { count += 1 }
        guard count < fields.count else { return }
        let field = fields[count]
        guard field.column >= 0 else { return }
        if field.type == .string {
            cells[field.column] = .text(.string, start, count: end - start)
        } else if let cell = field.type.cell(start, end) {
            cells[field.column] = cell
        } else if misread == nil {
            misread = (count, start, end)
        }
    }
}
