package import SluiceCEL

extension JSONText {
    /// Writes a cell as JSON: timestamps as RFC 3339 text, durations as `"1.5s"`, bytes as base64
    /// text, decimals and JSON text unchanged, an absent cell as null.
    ///
    /// - Parameter scratch: the storage of boxed cells.
    @inline(__always)
    package static func write(_ cell: Cell, _ scratch: Scratch, to buffer: ByteBuffer) {
        switch cell.kind {
        case .string: write(cell.textBytes, to: buffer)
        case .int: write(Int(cell.intValue), to: buffer)
        case .double: write(cell.doubleValue, to: buffer)
        case .boxed: write(scratch.boxedValue(cell), to: buffer)
        default: writeRare(cell, to: buffer)
        }
    }

    private static func writeRare(_ cell: Cell, to buffer: ByteBuffer) {
        switch cell.kind {
        case .bool: buffer.append(cell.boolValue ? "true" : "false")
        case .uint: writeDigits(cell.payload, to: buffer)
        case .decimal, .json: buffer.append(cell.textBytes)
        case .bytes: writeBase64(cell.textBytes, to: buffer)
        case .timestamp: writeTimestamp(seconds: cell.intValue, nanoseconds: cell.count, to: buffer)
        case .duration: writeDuration(seconds: cell.intValue, nanoseconds: Int32(bitPattern: cell.count), to: buffer)
        default: buffer.append("null")
        }
    }

    /// Writes a value as JSON, in the same way as cells; keys of maps as text, a type as its name,
    /// an optional as its value or null, addresses as text.
    package static func write(_ value: Value, to buffer: ByteBuffer) {
        switch value {
        case .null: buffer.append("null")
        case .bool(let value): buffer.append(value ? "true" : "false")
        case .int(let value): write(Int(value), to: buffer)
        case .uint(let value): writeDigits(value, to: buffer)
        case .double(let value): write(value, to: buffer)
        case .decimal(var text): text.withUTF8 { buffer.append($0) }
        case .string(let value): write(value, to: buffer)
        case .bytes(let value): value.withUnsafeBufferPointer { writeBase64($0, to: buffer) }
        case .list(let values): write(values, to: buffer)
        case .map(let map): write(map, to: buffer)
        case .timestamp(let value): writeTimestamp(seconds: value.seconds, nanoseconds: UInt32(value.nanoseconds), to: buffer)
        case .duration(let value):
            let (seconds, attoseconds) = value.components
            writeDuration(seconds: seconds, nanoseconds: Int32(truncatingIfNeeded: attoseconds / 1_000_000_000), to: buffer)
        case .type(let type): write(type.name, to: buffer)
        case .optional(let value?): write(value, to: buffer)
        case .optional(nil): buffer.append("null")
        case .ip(let value): write(value.description, to: buffer)
        case .cidr(let value): write(value.description, to: buffer)
        }
    }

    private static func write(_ values: [Value], to buffer: ByteBuffer) {
        buffer.append(UInt8(ascii: "["))
        for (index, value) in values.enumerated() {
            if index > 0 { buffer.append(UInt8(ascii: ",")) }
            write(value, to: buffer)
        }
        buffer.append(UInt8(ascii: "]"))
    }

    private static func write(_ map: ValueMap, to buffer: ByteBuffer) {
        buffer.append(UInt8(ascii: "{"))
        for (index, entry) in map.entries.enumerated() {
            if index > 0 { buffer.append(UInt8(ascii: ",")) }
            if case .string(let key) = entry.key {
                write(key, to: buffer)
            } else {
                buffer.append(UInt8(ascii: "\""))
                write(entry.key, to: buffer)
                buffer.append(UInt8(ascii: "\""))
            }
            buffer.append(UInt8(ascii: ":"))
            write(entry.value, to: buffer)
        }
        buffer.append(UInt8(ascii: "}"))
    }
}
