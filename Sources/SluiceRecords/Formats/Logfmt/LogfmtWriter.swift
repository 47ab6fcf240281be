import SluiceCEL

/// Writes each record as the members of its JSON object, so that numbers keep their digits. Records
/// that were read as logfmt and that no stage changed are written as they were read.
struct LogfmtWriter: RecordWriter {
    private let fields: RecordFields
    private let copiesText: Bool

    init(fields: RecordFields) {
        self.fields = fields
        copiesText = fields.shape.isUntouched && fields.format is Logfmt && fields.isLine
    }

    func write(_ row: Int, of batch: RecordBatch, to buffer: ByteBuffer) throws(RecordFailure) {
        if copiesText {
            buffer.append(LineText.withoutEnd(batch.sourceText(row)))
        } else {
            try writeMembers(of: fields.object(row, of: batch, using: buffer), to: buffer)
        }
        buffer.append(UInt8(ascii: "\n"))
    }

    private func writeMembers(of object: UnsafeBufferPointer<UInt8>, to buffer: ByteBuffer) throws(RecordFailure) {
        let start = buffer.count
        var failure: RecordFailure?
        do throws(JSONFault) {
            try JSONMembers.forEach(in: object) { (key, isEscaped, value, end) throws(JSONFault) in
                guard failure == nil, value.pointee != UInt8(ascii: "n") else { return }
                if buffer.count > start { buffer.append(UInt8(ascii: " ")) }
                let close = try JSONScan.string(key + 1, end).close
                failure = Self.writeKey(key + 1, close, isEscaped, to: buffer)
                try Self.writeValue(value, end, to: buffer)
            }
        } catch {
            failure = RecordFailure(code: "sink.field", message: error.message(in: object))
        }
        if failure == nil, buffer.count == start {
            failure = RecordFailure(code: "sink.field", message: "the record has no values, so its line would be blank")
        }
        guard let failure else { return }
        buffer.count = start
        throw failure
    }

    private static func writeKey(_ start: JSONScan.Place, _ close: JSONScan.Place, _ isEscaped: Bool, to buffer: ByteBuffer) -> RecordFailure? {
        JSONValue.withText(start, close, isEscaped) { key in
            if let reason = LogfmtText.refusal(key) {
                let name = String(decoding: key, as: UTF8.self)
                return RecordFailure(code: "sink.field", message: "\(Logfmt.name) cannot hold the field '\(name)': \(reason)")
            }
            buffer.append(key)
            buffer.append(UInt8(ascii: "="))
            return nil
        }
    }

    private static func writeValue(_ value: JSONScan.Place, _ end: JSONScan.Place, to buffer: ByteBuffer) throws(JSONFault) {
        guard value.pointee == UInt8(ascii: "\"") else {
            return LogfmtText.write(UnsafeBufferPointer(start: value, count: end - value), to: buffer)
        }
        let (close, isEscaped) = try JSONScan.string(value + 1, end)
        JSONValue.withText(value + 1, close, isEscaped) { LogfmtText.write($0, to: buffer) }
    }
}
