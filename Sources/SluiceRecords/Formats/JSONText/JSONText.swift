import CBytes

/// Writes JSON text into buffers. The output is valid JSON and valid UTF-8 for any input.
///
/// Unsafe memory: writes stay in the room that was reserved just before. Loads may reach past the
/// end of the input as ``VectorLoad`` says.
package enum JSONText {
    /// Writes a quoted string. Quotes, backslashes and control characters are escaped (`\n`,
    /// `\u0001`), a byte that is not UTF-8 becomes U+FFFD, everything else is unchanged.
    package static func write(_ text: UnsafeBufferPointer<UInt8>, to buffer: ByteBuffer) {
        buffer.append(UInt8(ascii: "\""))
        writeEscaped(text, to: buffer)
        buffer.append(UInt8(ascii: "\""))
    }

    package static func write(_ text: String, to buffer: ByteBuffer) {
        var text = text
        text.withUTF8 { write($0, to: buffer) }
    }

    /// Writes the contents of a string.
    static func writeEscaped(_ text: UnsafeBufferPointer<UInt8>, to buffer: ByteBuffer) {
        guard var place = text.baseAddress else { return }
        let end = place + text.count
        buffer.reserve(text.count + 32)
        while place < end {
            let stops = stops(place, end)
            let run = min(stops == 0 ? 32 : stops.trailingZeroBitCount, end - place)
            let target = buffer.start + buffer.count
            if VectorLoad.isSafe(place, end) {
                UnsafeMutableRawPointer(target).copyMemory(from: place, byteCount: 32)
            } else {
                target.update(from: place, count: run)
            }
            buffer.count += run
            place += run
            if run < 32, place < end { place = writeSpecial(place, end, to: buffer) }
        }
    }

    /// A mask of the next 32 bytes that cannot simply be copied; bits after the end are
    /// meaningless.
    @inline(__always)
    private static func stops(_ place: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> UInt32 {
        if VectorLoad.isSafe(place, end) { return cbytes_string_stops32(place) }
        var mask: UInt32 = 0
        for offset in 0..<min(32, end - place) {
            let byte = place[offset]
            let isStop = byte < 0x20 || byte >= 0x80 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
            mask |= (isStop ? 1 : 0) << UInt32(offset)
        }
        return mask
    }

    /// Writes characters beyond ASCII, or one byte that must be escaped.
    @inline(never)
    private static func writeSpecial(
        _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, to buffer: ByteBuffer
    ) -> UnsafePointer<UInt8> {
        var place = start
        buffer.reserve(end - start + 40)
        while place < end, place.pointee >= 0x80 {
            let length = end - place >= 4 ? UTF8Text.sequence(at: place) : UTF8Text.lastSequence(at: place, end)
            if length == 0 {
                buffer.append("\u{FFFD}")
                buffer.reserve(end - place + 40)
            } else {
                (buffer.start + buffer.count).update(from: place, count: length)
                buffer.count += length
            }
            place += max(1, length)
        }
        if place > start { return place }
        switch place.pointee {
        case UInt8(ascii: "\""): buffer.append("\\\"")
        case UInt8(ascii: "\\"): buffer.append("\\\\")
        case 0x08: buffer.append("\\b")
        case 0x09: buffer.append("\\t")
        case 0x0A: buffer.append("\\n")
        case 0x0C: buffer.append("\\f")
        case 0x0D: buffer.append("\\r")
        default:
            buffer.append("\\u00")
            buffer.append(hexDigit(place.pointee >> 4))
            buffer.append(hexDigit(place.pointee & 15))
        }
        buffer.reserve(end - place + 32)
        return place + 1
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") - 10 + value
    }

    /// Writes a string in base64 (RFC 4648) with padding.
    package static func writeBase64(_ bytes: UnsafeBufferPointer<UInt8>, to buffer: ByteBuffer) {
        buffer.append(UInt8(ascii: "\""))
        writeBase64Digits(bytes, to: buffer)
        buffer.append(UInt8(ascii: "\""))
    }

    /// Writes the contents of a base64 string.
    static func writeBase64Digits(_ bytes: UnsafeBufferPointer<UInt8>, to buffer: ByteBuffer) {
        let letters: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        let alphabet = letters.utf8Start
        buffer.reserve((bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let left = bytes.count - index
            let second = left > 1 ? bytes[index + 1] : 0
            let third = left > 2 ? bytes[index + 2] : 0
            let group = Int(bytes[index]) << 16 | Int(second) << 8 | Int(third)
            buffer.append(alphabet[group >> 18])
            buffer.append(alphabet[group >> 12 & 63])
            buffer.append(left > 1 ? alphabet[group >> 6 & 63] : UInt8(ascii: "="))
            buffer.append(left > 2 ? alphabet[group & 63] : UInt8(ascii: "="))
            index += 3
        }
    }
}
