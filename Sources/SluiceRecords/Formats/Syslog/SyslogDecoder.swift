import SluiceCEL

/// Decodes syslog messages. A message or a name that is not UTF-8 becomes a value of type `bytes`.
///
/// Unsafe memory: 64 bytes after each record must be readable.
struct SyslogDecoder: RecordDecoder {
    static let failureCode = "parse.syslog"

    private let times: SyslogTime
    /// The column of each field; -1 if it is not wanted.
    private let columns: InlineArray<10, Int>
    private let columnCount: Int

    init(columns: [String], _ defaults: TimeDefaults) {
        times = SyslogTime(defaults: defaults)
        self.columns = InlineArray { index in columns.firstIndex(of: SyslogField.allCases[index].name) ?? -1 }
        columnCount = columns.count
    }

    func decode(_ text: UnsafeBufferPointer<UInt8>, row: Int, into table: RowTable) {
        decode(text, row, table, ByteBuffer(capacity: 0))
    }

    func decode(_ frames: [Frame], of base: UnsafePointer<UInt8>, into table: RowTable) {
        let buffer = ByteBuffer(capacity: 0)
        for (row, frame) in frames.enumerated() {
            decode(UnsafeBufferPointer(start: base + Int(frame.start), count: Int(frame.count)), row, table, buffer)
        }
    }

    /// - Parameter buffer: a buffer for structured data.
    private func decode(_ text: UnsafeBufferPointer<UInt8>, _ row: Int, _ table: RowTable, _ buffer: ByteBuffer) {
        precondition(columnCount <= table.columns, "a table has a cell for each column of its decoder")
        guard let start = text.baseAddress, !LineText.isBlank(text) else {
            table.outcomes[row] = .blank
            return
        }
        var reading = SyslogReading(text, from: start, times)
        do throws(FormatFault) {
            try reading.read()
            fill(table.row(row), with: reading.found, table.text, buffer)
        } catch {
            table.fail(row, Self.failureCode, error.message)
        }
    }

    @inline(__always)
    private func put(_ field: SyslogField, _ cell: @autoclosure () -> Cell, _ cells: UnsafeMutablePointer<Cell>) {
        let column = columns[field.rawValue]
        if column >= 0 { cells[column] = cell() }
    }

    private func fill(_ cells: UnsafeMutablePointer<Cell>, with record: SyslogRecord, _ arena: TextArena, _ buffer: ByteBuffer) {
        if let priority = record.priority {
            put(.priority, .int(Int64(priority)), cells)
            put(.facility, SyslogNames.facilityCells[priority / 8], cells)
            put(.severity, SyslogNames.severityCells[priority % 8], cells)
        }
        put(.time, record.time, cells)
        if let host = record.host { put(.host, LinesDecoder.cell(host), cells) }
        if let app = record.app { put(.app, LinesDecoder.cell(app), cells) }
        if let pid = record.pid { put(.pid, LinesDecoder.cell(pid), cells) }
        if let msgid = record.msgid { put(.msgid, LinesDecoder.cell(msgid), cells) }
        if let data = record.structuredData { put(.structuredData, Self.json(of: data, arena, buffer), cells) }
        if let message = record.message { put(.message, LinesDecoder.cell(message), cells) }
    }

    private static func json(of data: UnsafeBufferPointer<UInt8>, _ arena: TextArena, _ buffer: ByteBuffer) -> Cell {
        buffer.count = 0
        StructuredData.writeJSON(data, to: buffer)
        return .text(.json, buffer.withFilled { arena.copy($0) }, count: buffer.count)
    }
}

/// The fields of a message, in the order in which they are written.
enum SyslogField: Int, CaseIterable {
    case priority, facility, severity, time, host, app, pid, msgid, structuredData, message

    var name: String {
        switch self {
        case .priority: "priority"
        case .facility: "facility"
        case .severity: "severity"
        case .time: "time"
        case .host: "host"
        case .app: "app"
        case .pid: "pid"
        case .msgid: "msgid"
        case .structuredData: "structured_data"
        case .message: "message"
        }
    }
}
