import SluiceCEL

/// Encodes values as bytes in the order of ``CellOrder``: comparing two keys with `memcmp` is the
/// same as comparing their values one after the other.
///
/// Each value is a byte for its kind, followed by its contents. A number is its nearest double and
/// the difference from it; text ends with two zero bytes, and a zero byte within it is followed by
/// 255.
enum OrderKey {
    static func append(_ cell: Cell, isDescending: Bool, to buffer: ByteBuffer, _ scratch: Scratch) throws(EvaluationError) {
        let start = buffer.count
        if cell.kind == .json || cell.kind == .boxed {
            let key = ByteBuffer(capacity: 256)
            _ = try GroupKey.append(cell, to: key, scratch)
            key.withFilled { append(cell, own: $0, to: buffer) }
        } else {
            append(cell, own: UnsafeBufferPointer(start: nil, count: 0), to: buffer)
        }
        if isDescending { for index in start..<buffer.count { buffer.start[index] = ~buffer.start[index] } }
    }

    /// - Parameter own: the value's ``GroupKey``, which orders values whose kind has no other
    ///   order, such as lists and maps.
    static func append(_ cell: Cell, own: UnsafeBufferPointer<UInt8>, to buffer: ByteBuffer) {
        buffer.append(UInt8(CellOrder.rank(cell.kind)))
        switch cell.kind {
        case .int:
            let value = Double(cell.intValue)
            append(value, Int128(cell.intValue) - Int128(value), to: buffer)
        case .uint:
            let value = Double(cell.payload)
            append(value, Int128(cell.payload) - Int128(value), to: buffer)
        case .double, .decimal: append(CellOrder.double(cell), 0, to: buffer)
        case .string, .bytes: append(cell.textBytes, to: buffer)
        case .timestamp, .duration:
            append(UInt64(bitPattern: cell.intValue) ^ 1 << 63, bytes: 8, to: buffer)
            append(UInt64(cell.count ^ 1 << 31), bytes: 4, to: buffer)
        case .bool: buffer.append(cell.boolValue ? 1 : 0)
        case .json, .boxed: append(own, to: buffer)
        case .absent, .null, .error: break
        }
    }

    /// Appends the place of a record, so that records that are otherwise equal stay in input order.
    static func append(_ place: RecordPlace, to buffer: ByteBuffer) {
        append(UInt64(place.input), bytes: 4, to: buffer)
        append(place.offset, bytes: 8, to: buffer)
        append(UInt64(place.part), bytes: 4, to: buffer)
    }

    private static func append(_ value: Double, _ difference: Int128, to buffer: ByteBuffer) {
        let bits = (value.isNaN ? .nan : value == 0 ? 0 : value).bitPattern
        append(bits >> 63 == 1 ? ~bits : bits | 1 << 63, bytes: 8, to: buffer)
        // A 64-bit integer differs from its nearest double by at most 1,024.
        append(UInt64(truncatingIfNeeded: difference + 0x8000), bytes: 2, to: buffer)
    }

    private static func append(_ number: UInt64, bytes: UInt64, to buffer: ByteBuffer) {
        for place in (0..<bytes).reversed() { buffer.append(UInt8(truncatingIfNeeded: number >> (8 * place))) }
    }

    private static func append(_ text: UnsafeBufferPointer<UInt8>, to buffer: ByteBuffer) {
        for byte in text {
            buffer.append(byte)
            if byte == 0 { buffer.append(255) }
        }
        buffer.append(0)
        buffer.append(0)
    }
}
