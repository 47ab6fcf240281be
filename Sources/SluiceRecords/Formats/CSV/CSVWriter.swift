import SluiceCEL

extension CSV: WritableFormat {
    package static let fileExtensions = [CSV.name]

    package var needsColumns: Bool { columns == nil }
    package var mentions: [String] { columns?.map(\.text) ?? [] }
    package var writesFields: Bool { columns == nil }

    package var writtenFraming: Framing {
        var written = quoting
        (written.comment, written.trimsBlanks, written.hasHead) = (nil, false, writesHeader)
        return .quoted(written)
    }

    package func checkWriting(_ checking: inout Checking, at place: TextPlace, areOwn: Bool) {
        for option in readingOptions {
            checking.report("csv: '\(option.name)' is only for reading", at: option.place, fix: "remove it")
        }
        if quoting.quote == nil {
            checking.report("csv: some values can only be written in quotes", at: place, fix: "remove 'quote: none'")
        }
        if let columns { checking.checkFields(columns) }
    }

    package func head(of columns: [String]) -> [UInt8] {
        let columns = self.columns?.map(\.text) ?? columns
        guard writesHeader, !columns.isEmpty else { return [] }
        return text.head(of: columns)
    }

    package func makeWriter(for fields: RecordFields, columns: [String]?) -> any RecordWriter {
        text.makeWriter(for: fields, columns: self.columns?.map(\.text), sinkColumns: columns, head: head)
    }

    private var text: CSVText { CSVText(quoting, nulls: nulls, quotes: quotes) }
}

extension FieldText {
    /// A record of the column names.
    func head(of columns: [String]) -> [UInt8] {
        let buffer = ByteBuffer(capacity: 256)
        for (index, name) in columns.enumerated() {
            if index > 0 { separate(buffer) }
            write(name, isFirst: index == 0, isAlone: columns.count == 1, to: buffer)
        }
        buffer.append(UInt8(ascii: "\n"))
        return buffer.withFilled { Array($0) }
    }

    /// - Parameters:
    ///   - columns: the columns from the definition, if any. Fields without a column are then left
    ///     out.
    ///   - sinkColumns: the columns of the output, if the definition has none.
    ///   - head: returns the header of an output with the given columns.
    func makeWriter(
        for fields: RecordFields, columns: [String]?, sinkColumns: [String]?, head: ([String]) -> [UInt8]
    ) -> any RecordWriter {
        let names = columns ?? sinkColumns ?? []
        guard fields.shape.base == .other else {
            return FieldMemberWriter(head: head(names), text: self, names: names, fields: fields, refusesOthers: columns == nil)
        }
        let others = columns == nil ? fields.shape.fieldNames.filter { $0.index(in: names) == nil } : []
        return FieldCellWriter(
            head: head(names), text: self, columns: names.map { fields.shape.column(of: $0) ?? Shape.undecoded },
            others: others.compactMap { name in fields.shape.column(of: name).map { .init(name: name, column: $0) } })
    }
}

extension RecordFailure {
    /// A field that has no column in an output whose header is already written.
    fileprivate static func column(_ name: String) -> RecordFailure {
        RecordFailure(
            code: "sink.columns",
            message: "the output has no column '\(name)', because its first records had no such field; list it in the format's 'columns', "
                + "or remove the field")
    }

    static let noColumns = RecordFailure(code: "sink.columns", message: "the record has no fields, and the output has no columns yet")
}

/// Writes records whose fields are cells of a row.
struct FieldCellWriter<Text: FieldText>: RecordWriter {
    struct Other: Sendable {
        var name: String
        var column: Int
    }

    let head: [UInt8]
    let text: Text
    /// Columns of the row; ``Shape/undecoded`` for a field that records do not have here.
    let columns: [Int]
    /// Fields without a column in the output. A record that has a value in one of them fails.
    let others: [Other]

    func write(_ row: Int, of batch: RecordBatch, to buffer: ByteBuffer) throws(RecordFailure) {
        let cells = batch.table.row(row)
        for other in others where cells[other.column].holdsValue { throw .column(other.name) }
        var isFirst = true
        for column in columns {
            if !isFirst { text.separate(buffer) }
            let cell = column < 0 ? .absent : cells[column]
            text.write(cell, isFirst: isFirst, isAlone: columns.count == 1, batch.scratch, to: buffer)
            isFirst = false
        }
        buffer.append(UInt8(ascii: "\n"))
    }
}

extension Cell {
    @inline(__always)
    fileprivate var holdsValue: Bool { kind != .absent && kind != .null }
}

/// Writes JSON records: each as the members of its JSON object, so that numbers keep their digits.
struct FieldMemberWriter<Text: FieldText>: RecordWriter {
    let head: [UInt8]
    private let text: Text
    private let members: JSONMemberCells
    private let count: Int
    private let fields: RecordFields
    private let refusesOthers: Bool

    init(head: [UInt8], text: Text, names: [String], fields: RecordFields, refusesOthers: Bool) {
        self.head = head
        self.text = text
        members = JSONMemberCells(names)
        count = names.count
        self.fields = fields
        self.refusesOthers = refusesOthers
    }

    func write(_ row: Int, of batch: RecordBatch, to buffer: ByteBuffer) throws(RecordFailure) {
        let object = fields.object(row, of: batch, using: buffer)
        let failure = withUnsafeTemporaryAllocation(of: Cell.self, capacity: max(1, count)) { cells -> RecordFailure? in
            cells.initialize(repeating: .absent)
            if let failure = read(object, batch.scratch.text, into: cells) { return failure }
            for column in 0..<count {
                if column > 0 { text.separate(buffer) }
                text.write(cells[column], isFirst: column == 0, isAlone: count == 1, batch.scratch, to: buffer)
            }
            buffer.append(UInt8(ascii: "\n"))
            return nil
        }
        if let failure { throw failure }
    }

    private func read(
        _ object: UnsafeBufferPointer<UInt8>, _ arena: TextArena, into cells: UnsafeMutableBufferPointer<Cell>
    ) -> RecordFailure? {
        var failure: RecordFailure?
        let fault = members.read(object, arena, into: cells) { name in
            if refusesOthers, failure == nil { failure = .column(name()) }
        }
        return failure ?? fault.map { RecordFailure(code: "sink.columns", message: $0.message(in: object)) }
    }
}
