import SluiceCEL

extension Syslog: WritableFormat {
    package static let fileExtensions = [Syslog.name]

    package func checkWriting(_ checking: inout Checking, at place: TextPlace, areOwn: Bool) {
        let names = SyslogField.allCases.map(\.name)
        let others = checking.fields.names.filter { $0.index(in: names) == nil }
        guard let first = others.first else { return }
        let what = others.count == 1 ? "the field '\(first)'\(didYouMean(first, among: names))" : "the fields '\(others.joined(separator: "', '"))'"
        checking.report("\(name) cannot hold \(what)", at: place, fix: "remove all fields other than: \(names.joined(separator: ", "))")
    }

    package func makeWriter(for fields: RecordFields, columns: [String]?) -> any RecordWriter { SyslogWriter(fields: fields) }
}

/// Writes records as messages of RFC 5424, one a line.
struct SyslogWriter: RecordWriter {
    private let fields: RecordFields
    /// For JSON records.
    private let members = JSONMemberCells(SyslogField.allCases.map(\.name))
    /// For other records: the columns of the fields; -1 for one that records do not have here.
    private let columns: [Int]
    /// For other records: fields without a place in a message.
    private let others: [(name: String, column: Int)]

    init(fields: RecordFields) {
        self.fields = fields
        let names = SyslogField.allCases.map(\.name)
        columns = names.map { fields.shape.column(of: $0) ?? -1 }
        others = fields.shape.fieldNames.filter { $0.index(in: names) == nil }.compactMap { name in fields.shape.column(of: name).map { (name, $0) } }
    }

    func write(_ row: Int, of batch: RecordBatch, to buffer: ByteBuffer) throws(RecordFailure) {
        let start = buffer.count
        let failure = withUnsafeTemporaryAllocation(of: Cell.self, capacity: SyslogField.allCases.count) { cells -> RecordFailure? in
            cells.initialize(repeating: .absent)
            if let failure = fill(cells, row, of: batch, buffer) { return failure }
            guard let first = cells.baseAddress else { return nil }
            do throws(RecordFailure) {
                try SyslogMessage(cells: UnsafePointer(first), scratch: batch.scratch, buffer: buffer).write()
                return nil
            } catch {
                return error
            }
        }
        guard let failure else { return buffer.append(UInt8(ascii: "\n")) }
        buffer.count = start
        throw failure
    }

    private func fill(_ cells: UnsafeMutableBufferPointer<Cell>, _ row: Int, of batch: RecordBatch, _ buffer: ByteBuffer) -> RecordFailure? {
        guard fields.shape.base == .other else {
            let object = fields.object(row, of: batch, using: buffer)
            var failure: RecordFailure?
            let fault = members.read(object, batch.scratch.text, into: cells) { name in failure = failure ?? .noPlace(for: name()) }
            return fault.map { .syslog($0.message(in: object)) } ?? failure
        }
        let found = batch.table.row(row)
        for other in others where found[other.column].kind != .absent && found[other.column].kind != .null { return .noPlace(for: other.name) }
        for (field, column) in columns.enumerated() where column >= 0 { cells[field] = found[column] }
        return nil
    }
}

extension RecordFailure {
    static func syslog(_ message: String) -> RecordFailure { RecordFailure(code: "sink.field", message: "\(Syslog.name): \(message)") }
    fileprivate static func noPlace(for name: String) -> RecordFailure { .syslog("a message cannot hold the field '\(name)'") }
}

/// A message that is being written.
///
/// Unsafe memory: reads the cells at the raw values of ``SyslogField``.
private struct SyslogMessage {
    let cells: UnsafePointer<Cell>
    let scratch: Scratch
    let buffer: ByteBuffer

    /// `nil` if the record has no value for it.
    private func cell(_ field: SyslogField) -> Cell? {
        let cell = cells[field.rawValue]
        return cell.kind == .absent || cell.kind == .null ? nil : cell
    }

    func write() throws(RecordFailure) {
        buffer.append(UInt8(ascii: "<"))
        JSONText.write(try priority(), to: buffer)
        buffer.append(">1 ")
        try writeTime()
        // As many bytes as RFC 5424 allows.
        try writeWord(.host, most: 255)
        try writeWord(.app, most: 48)
        try writeWord(.pid, most: 128)
        try writeWord(.msgid, most: 32)
        buffer.append(UInt8(ascii: " "))
        try writeStructuredData()
        try writeMessage()
    }

    /// The priority or, without one, that of facility and severity, which are `user` and `notice`
    /// if they are absent.
    private func priority() throws(RecordFailure) -> Int {
        if let priority = try code(.priority, to: SyslogNames.highestPriority, { _ in nil }) { return priority }
        let facility = try code(.facility, to: SyslogNames.facilities.count - 1, SyslogNames.facility) ?? 1
        let severity = try code(.severity, to: SyslogNames.severities.count - 1, SyslogNames.severity) ?? 5
        return 8 * facility + severity
    }

    /// The code that a field has as a number or by name.
    private func code(_ field: SyslogField, to most: Int, _ named: (UnsafeBufferPointer<UInt8>) -> Int?) throws(RecordFailure) -> Int? {
        guard let cell = cell(field) else { return nil }
        var code: Int?
        switch cell.kind {
        case .int: code = Int(cell.intValue)
        case .string: code = named(cell.textBytes) ?? Int(String(decoding: cell.textBytes, as: UTF8.self))
        case .decimal: code = Int(String(decoding: cell.textBytes, as: UTF8.self))
        default: break
        }
        guard let code, (0...most).contains(code) else { throw .syslog("'\(field.name)' is not a known value") }
        return code
    }

    /// RFC 5424 allows no more than six digits after the point.
    private func writeTime() throws(RecordFailure) {
        guard let cell = cell(.time) else { return buffer.append(UInt8(ascii: "-")) }
        guard let (seconds, nanoseconds) = Self.moment(cell) else {
            throw .syslog("'time' is not a timestamp; a time without a year needs 'year' in the source")
        }
        let start = buffer.count
        JSONText.writeTimestamp(seconds: seconds, nanoseconds: nanoseconds / 1000 * 1000, to: buffer)
        // Without the quotes.
        (buffer.start + start).update(from: buffer.start + start + 1, count: buffer.count - start - 2)
        buffer.count -= 2
    }

    private static func moment(_ cell: Cell) -> (seconds: Int64, nanoseconds: UInt32)? {
        if cell.kind == .timestamp { return (cell.intValue, cell.count) }
        guard cell.kind == .string, let time = Timestamp(String(decoding: cell.textBytes, as: UTF8.self)) else { return nil }
        return (time.seconds, UInt32(time.nanoseconds))
    }

    /// A blank and a word, `-` if there is none.
    private func writeWord(_ field: SyslogField, most: Int) throws(RecordFailure) {
        buffer.append(UInt8(ascii: " "))
        let start = buffer.count
        if let cell = cell(field) { writeText(cell) }
        if buffer.count == start { return buffer.append(UInt8(ascii: "-")) }
        guard buffer.count - start <= most else { throw .syslog("'\(field.name)' is longer than \(most) bytes") }
        guard (start..<buffer.count).allSatisfy({ buffer.start[$0] > 0x20 && buffer.start[$0] < 0x7F }) else {
            throw .syslog("'\(field.name)' contains a blank, a control character or a character other than ASCII")
        }
    }

    private func writeText(_ cell: Cell) {
        switch cell.kind {
        case .string, .bytes: buffer.append(cell.textBytes)
        default: JSONText.write(cell, scratch, to: buffer)
        }
    }

    private func writeStructuredData() throws(RecordFailure) {
        guard let cell = cell(.structuredData) else { return buffer.append(UInt8(ascii: "-")) }
        let text = ByteBuffer(capacity: Int(cell.count))
        JSONText.write(cell, scratch, to: text)
        let problem = text.withFilled { StructuredData.write(json: $0, to: buffer) }
        if let problem { throw .syslog("'\(SyslogField.structuredData.name)' \(problem)") }
    }

    private func writeMessage() throws(RecordFailure) {
        guard let cell = cell(.message) else { return }
        buffer.append(UInt8(ascii: " "))
        let start = buffer.count
        writeText(cell)
        let text = UnsafeBufferPointer(rebasing: buffer.filled[start...])
        guard !text.contains(0x0A), text.last != 0x0D else {
            throw RecordFailure(code: "sink.line", message: "'message' contains a line end, so it would become more than one line")
        }
        // Readers skip one byte order mark.
        if text.starts(with: [0xEF, 0xBB, 0xBF]) {
            buffer.count = start
            buffer.append("\u{FEFF}")
            writeText(cell)
        }
    }
}
