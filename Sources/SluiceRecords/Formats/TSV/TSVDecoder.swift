import CBytes
import SluiceCEL

/// Decodes records of tab-separated fields, and those of Zeek's logs.
///
/// A record fails with `parse.tsv` if it has more or fewer fields than the header, or if a field
/// does not have its type. A field that is not UTF-8 becomes a value of type `bytes`.
///
/// Unsafe memory: reads stop at the end of the record, except for loads of 64 bytes, which are
/// covered by the padding after each record. Writes go to the decoder's columns of the table.
struct TSVDecoder: RecordDecoder {
    static let failureCode = "parse.tsv"

    private typealias Place = FieldWalk.Place

    private let nulls: Nulls
    private let layout: FieldLayout
    private let separator: UInt8
    /// How the file, a log of Zeek, writes values.
    private let zeek: ZeekText?

    init(nulls: Nulls, _ layout: FieldLayout, _ zeek: ZeekText? = nil) {
        self.nulls = nulls
        self.layout = layout
        self.zeek = zeek
        separator = zeek?.separator ?? 0x09
    }

    func decode(_ text: UnsafeBufferPointer<UInt8>, row: Int, into table: RowTable) {
        layout.check(table)
        let line = LineText.withoutEnd(text)
        guard !line.contains(0x0A) else {
            return table.fail(row, Self.failureCode, "expected one record, found a line feed")
        }
        withFields { fields in
            if let zeek { decode(line, row, table, fields, zeek) } else { decode(line, row, table, fields, EscapedFields()) }
        }
    }

    func decode(_ frames: [Frame], of base: UnsafePointer<UInt8>, into table: RowTable) {
        layout.check(table)
        if let zeek { decode(frames, base, table, zeek) } else { decode(frames, base, table, EscapedFields()) }
    }

    /// Specialized for each kind of text, so that nothing is counted or chosen for each field.
    private func decode(_ frames: [Frame], _ base: UnsafePointer<UInt8>, _ table: RowTable, _ values: some FieldTaking) {
        withFields { fields in
            for (row, frame) in frames.enumerated() {
                decode(UnsafeBufferPointer(start: base + Int(frame.start), count: Int(frame.count)), row, table, fields, values)
            }
        }
    }

    @inline(__always)
    private func withFields(_ body: (UnsafeBufferPointer<FieldWalk.Field>) -> Void) {
        layout.fields.withUnsafeBufferPointer { body($0) }
    }

    @inline(__always)
    private func decode(
        _ text: UnsafeBufferPointer<UInt8>, _ row: Int, _ table: RowTable, _ fields: UnsafeBufferPointer<FieldWalk.Field>,
        _ values: some FieldTaking
    ) {
        let record = text.withoutReturns
        guard let start = record.baseAddress, !isBlank(record) else {
            table.outcomes[row] = .blank
            return
        }
        if let problem = layout.problem { return layout.fail(row, problem, in: table) }
        layout.settle(row, walk(start, start + record.count, table.row(row), fields, table.text, values), in: table)
    }

    /// Whether the line contains no record. A blank line is a record if records have a single
    /// field.
    @inline(__always)
    private func isBlank(_ record: UnsafeBufferPointer<UInt8>) -> Bool {
        guard layout.fields.count != 1 else { return false }
        guard let first = record.first else { return true }
        return first == 0x20 && record.allSatisfy { $0 == 0x20 }
    }

    @inline(__always)
    private func walk(
        _ start: Place, _ end: Place, _ cells: UnsafeMutablePointer<Cell>, _ fields: UnsafeBufferPointer<FieldWalk.Field>, _ text: TextArena,
        _ values: some FieldTaking
    ) -> FieldWalk.Course {
        var course = FieldWalk.Course()
        var fieldStart = start
        var block = start
        // Whether the current field has a backslash in an earlier block.
        var isEscaped = false
        while block < end {
            let found = cbytes_fields64(block, separator, TSVEscapes.backslash)
            let within: UInt64 = end - block >= 64 ? ~0 : (1 << UInt64(end - block)) - 1
            course.beyond |= found.beyond & within
            var escapes = found.quotes & within
            var tabs = found.separators & within
            while tabs != 0 {
                let passedFrom = fieldStart
                course.pass(&tabs, of: block, &fieldStart, fields)
                if fieldStart != passedFrom {
                    isEscaped = false
                    let passed = fieldStart - block
                    escapes = passed < 64 ? escapes & (~0 << UInt64(passed)) : 0
                }
                if tabs == 0 { break }
                let bit = UInt64(tabs.trailingZeroBitCount)
                let before: UInt64 = (1 << bit) - 1
                take(fieldStart, block + Int(bit), isEscaped || escapes & before != 0, cells, fields, text, values, &course)
                isEscaped = false
                escapes &= ~before
                tabs &= tabs &- 1
                fieldStart = block + Int(bit) + 1
            }
            isEscaped = isEscaped || escapes != 0
            block += 64
        }
        take(fieldStart, end, isEscaped, cells, fields, text, values, &course)
        return course
    }

    @inline(__always)
    private func take(
        _ start: Place, _ end: Place, _ isEscaped: Bool, _ cells: UnsafeMutablePointer<Cell>,
        _ fields: UnsafeBufferPointer<FieldWalk.Field>, _ text: TextArena, _ values: some FieldTaking,
        _ course: inout FieldWalk.Course
    ) {
        guard course.count < fields.count, fields[course.count].column >= 0, !nulls.contains(start, end) else {
            course.count += 1
            return
        }
        values.take(start, end, isEscaped, cells, fields, text, &course)
    }
}

/// How the fields of a file are written.
protocol FieldTaking {
    /// Takes a field that has a value and a column.
    ///
    /// - Parameter isEscaped: whether it has a backslash.
    func take(
        _ start: FieldWalk.Place, _ end: FieldWalk.Place, _ isEscaped: Bool, _ cells: UnsafeMutablePointer<Cell>,
        _ fields: UnsafeBufferPointer<FieldWalk.Field>, _ text: TextArena, _ course: inout FieldWalk.Course)
}

/// Text with the escapes of `tsv`.
private struct EscapedFields: FieldTaking {
    @inline(__always)
    func take(
        _ start: FieldWalk.Place, _ end: FieldWalk.Place, _ isEscaped: Bool, _ cells: UnsafeMutablePointer<Cell>,
        _ fields: UnsafeBufferPointer<FieldWalk.Field>, _ text: TextArena, _ course: inout FieldWalk.Course
    ) {
        guard isEscaped else { return course.take(start, end, cells, fields) }
        let memory = text.allocate(end - start)
        course.take(memory, memory + TSVEscapes.undo(start, end, into: memory), cells, fields)
    }
}
