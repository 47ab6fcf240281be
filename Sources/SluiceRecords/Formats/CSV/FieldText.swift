import SluiceCEL

/// Writes values as the fields of delimited text, by the rules of one format.
protocol FieldText: Sendable {
    func separate(_ buffer: ByteBuffer)

    /// Writes the text for an absent value.
    func writeNull(to buffer: ByteBuffer)

    /// - Parameters:
    ///   - isFirst: whether it is the first field of its record.
    ///   - isAlone: whether it is the only field of its record.
    func write(_ text: UnsafeBufferPointer<UInt8>, isFirst: Bool, isAlone: Bool, to buffer: ByteBuffer)

    /// - Parameter write: writes the value as JSON: quoted, without escapes, or unquoted.
    func writeUnquoted(isNumber: Bool, to buffer: ByteBuffer, _ write: (ByteBuffer) -> Void)
}

extension FieldText {
    /// - Parameters:
    ///   - isFirst: whether it is the first field of its record.
    ///   - isAlone: whether it is the only field of its record.
    @inline(__always)
    func write(_ cell: Cell, isFirst: Bool, isAlone: Bool, _ scratch: Scratch, to buffer: ByteBuffer) {
        switch cell.kind {
        case .absent, .null: writeNull(to: buffer)
        case .string, .bytes, .json: write(cell.textBytes, isFirst: isFirst, isAlone: isAlone, to: buffer)
        case .boxed: write(scratch.boxedValue(cell), isFirst: isFirst, isAlone: isAlone, to: buffer)
        default: writePlain(cell, scratch, to: buffer)
        }
    }

    /// Writes a name in the header.
    func write(_ text: String, isFirst: Bool, isAlone: Bool, to buffer: ByteBuffer) {
        var text = text
        text.withUTF8 { write($0, isFirst: isFirst, isAlone: isAlone, to: buffer) }
    }

    /// Writes a value as in JSON, without the quotes of values that JSON has no type for.
    private func writePlain(_ cell: Cell, _ scratch: Scratch, to buffer: ByteBuffer) {
        let isNumber = [.int, .uint, .double, .decimal].contains(cell.kind)
        writeUnquoted(isNumber: isNumber, to: buffer) { JSONText.write(cell, scratch, to: $0) }
    }

    private func write(_ value: Value, isFirst: Bool, isAlone: Bool, to buffer: ByteBuffer) {
        switch value {
        case .null, .optional(nil): writeNull(to: buffer)
        case .optional(let value?): write(value, isFirst: isFirst, isAlone: isAlone, to: buffer)
        case .string(let text): write(text, isFirst: isFirst, isAlone: isAlone, to: buffer)
        case .bytes(let bytes):
            bytes.withUnsafeBufferPointer { write($0, isFirst: isFirst, isAlone: isAlone, to: buffer) }
        case .ip(let address): write(address.description, isFirst: isFirst, isAlone: isAlone, to: buffer)
        case .cidr(let network): write(network.description, isFirst: isFirst, isAlone: isAlone, to: buffer)
        case .type(let type): write(type.name, isFirst: isFirst, isAlone: isAlone, to: buffer)
        case .list, .map:
            let json = ByteBuffer(capacity: 256)
            JSONText.write(value, to: json)
            json.withFilled { write($0, isFirst: isFirst, isAlone: isAlone, to: buffer) }
        case .int, .uint, .double, .decimal:
            writeUnquoted(isNumber: true, to: buffer) { JSONText.write(value, to: $0) }
        case .bool, .timestamp, .duration:
            writeUnquoted(isNumber: false, to: buffer) { JSONText.write(value, to: $0) }
        }
    }

    /// - Parameter write: writes a value as JSON; quotes around it are dropped.
    static func writeWithoutQuotes(to buffer: ByteBuffer, _ write: (ByteBuffer) -> Void) {
        let start = buffer.count
        write(buffer)
        guard buffer.start[start] == UInt8(ascii: "\"") else { return }
        (buffer.start + start).update(from: buffer.start + start + 1, count: buffer.count - start - 2)
        buffer.count -= 2
    }
}
