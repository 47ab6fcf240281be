/// How keys and values are written.
enum LogfmtText {
    /// Why a field of this name cannot be written; `nil` if it can.
    static func refusal(_ key: UnsafeBufferPointer<UInt8>) -> String? {
        guard !key.isEmpty else { return "its name is empty" }
        if key.starts(with: [0xEF, 0xBB, 0xBF]) { return "its name begins with a byte order mark" }
        guard let byte = key.first(where: isSpecialInKey) else { return nil }
        switch byte {
        case UInt8(ascii: "="): return "its name contains '='"
        case UInt8(ascii: "\""): return "its name contains a quote"
        case 0x20: return "its name contains a blank"
        default: return "its name contains a control character"
        }
    }

    @inline(__always)
    private static func isSpecialInKey(_ byte: UInt8) -> Bool { byte <= 0x20 || byte == UInt8(ascii: "=") || byte == UInt8(ascii: "\"") }

    @inline(__always)
    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    /// Writes a value, in quotes if it has a blank, `=`, `"`, `\` or a control character, or is
    /// empty.
    static func write(_ text: UnsafeBufferPointer<UInt8>, to buffer: ByteBuffer) {
        guard text.isEmpty || text.contains(where: { needsEscape($0) || $0 == 0x20 || $0 == UInt8(ascii: "=") }) else {
            return buffer.append(text)
        }
        buffer.append(UInt8(ascii: "\""))
        var rest = text[...]
        while let place = rest.firstIndex(where: needsEscape) {
            buffer.append(UnsafeBufferPointer(rebasing: rest[..<place]))
            writeEscape(rest[place], to: buffer)
            rest = rest[(place + 1)...]
        }
        buffer.append(UnsafeBufferPointer(rebasing: rest))
        buffer.append(UInt8(ascii: "\""))
    }

    private static func writeEscape(_ byte: UInt8, to buffer: ByteBuffer) {
        buffer.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x09: buffer.append(UInt8(ascii: "t"))
        case 0x0A: buffer.append(UInt8(ascii: "n"))
        case 0x0D: buffer.append(UInt8(ascii: "r"))
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): buffer.append(byte)
        default:
            buffer.append("u00")
            buffer.append(UInt8(ascii: "0") + byte >> 4)
            buffer.append((byte & 15 < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10) + byte & 15)
        }
    }
}
