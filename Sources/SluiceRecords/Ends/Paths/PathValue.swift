import SluiceCEL

/// Converts a value to text for a path.
enum PathValue {
    /// Strings unchanged, numbers and times as in JSON; `nil` for all other types.
    static func of(_ cell: Cell, _ scratch: Scratch) -> String? {
        switch cell.kind {
        case .string, .decimal: return String(decoding: cell.textBytes, as: UTF8.self)
        case .bool, .int, .uint, .double, .timestamp, .duration:
            let buffer = ByteBuffer(capacity: 64)
            JSONText.write(cell, scratch, to: buffer)
            return buffer.withFilled { String(decoding: $0.filter { $0 != UInt8(ascii: "\"") }, as: UTF8.self) }
        default: return nil
        }
    }
}
