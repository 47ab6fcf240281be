/// The escapes within quotes.
///
/// Unsafe memory: reads within the record.
enum LogfmtEscape {
    typealias Place = UnsafePointer<UInt8>

    /// Writes the escape that begins here as JSON.
    /// - Returns: the place after it.
    static func rewrite(
        _ start: Place, _ end: Place, _ line: UnsafeBufferPointer<UInt8>, to buffer: ByteBuffer
    ) throws(FormatFault) -> Place {
        guard start + 1 < end else { throw FormatFault("the record ends after a backslash") }
        switch start[1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"):
            return copy(start, 2, to: buffer)
        case UInt8(ascii: "u") where code(start + 2, end, digits: 4) != nil:
            return copy(start, 6, to: buffer)
        default:
            guard let (text, count) = meaning(start, end) else { throw FormatFault("unknown escape", at: start + 1, in: line) }
            text.withUnsafeBufferPointer { JSONText.writeEscaped($0, to: buffer) }
            return start + count
        }
    }

    private static func copy(_ start: Place, _ count: Int, to buffer: ByteBuffer) -> Place {
        buffer.append(UnsafeBufferPointer(start: start, count: count))
        return start + count
    }

    /// What an escape stands for that JSON does not have, and the escape's length; `nil` if it is
    /// unknown.
    private static func meaning(_ start: Place, _ end: Place) -> (text: [UInt8], count: Int)? {
        switch start[1] {
        case UInt8(ascii: "a"): return ([0x07], 2)
        case UInt8(ascii: "v"): return ([0x0B], 2)
        case UInt8(ascii: "'"): return ([start[1]], 2)
        case UInt8(ascii: "x"):
            // A byte beyond ASCII is no character by itself: its escape is kept as text.
            guard let code = code(start + 2, end, digits: 2) else { return nil }
            return (code < 0x80 ? [UInt8(code)] : Array(UnsafeBufferPointer(start: start, count: 4)), 4)
        case UInt8(ascii: "U"):
            guard let code = code(start + 2, end, digits: 8), let scalar = Unicode.Scalar(code) else { return nil }
            return (UTF8.encode(scalar).map { Array($0) } ?? [], 10)
        default: return nil
        }
    }

    /// - Returns: `nil` unless so many hexadecimal digits follow.
    private static func code(_ start: Place, _ end: Place, digits: Int) -> UInt32? {
        guard end - start >= digits else { return nil }
        var code: UInt32 = 0
        for place in start..<start + digits {
            guard let digit = JSONScan.hexDigit(place.pointee) else { return nil }
            code = code << 4 | digit
        }
        return code
    }
}
