import CBytes

/// The escapes of tab-separated text: a backslash and a letter.
///
/// Unsafe memory: the output is never longer than the input, and callers provide that much room;
/// reads stop at the end, except for loads of 32 bytes, which are covered by padding.
enum TSVEscapes {
    static let backslash = UInt8(ascii: "\\")

    /// The byte that a backslash followed by this byte stands for; `nil` if both are text. Includes
    /// the escapes of ClickHouse and PostgreSQL.
    @inline(__always)
    static func meaning(of letter: UInt8) -> UInt8? {
        switch letter {
        case UInt8(ascii: "t"): 0x09
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case backslash, UInt8(ascii: "'"): letter
        case UInt8(ascii: "0"): 0x00
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "v"): 0x0B
        default: nil
        }
    }

    /// - Returns: the number of bytes written to `target`.
    static func undo(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, into target: UnsafeMutablePointer<UInt8>) -> Int {
        var (place, output) = (start, target)
        while place < end {
            let next = nextBackslash(place, end)
            output.update(from: place, count: next - place)
            output += next - place
            place = next
            guard place < end else { break }
            if place + 1 < end, let byte = meaning(of: place[1]) {
                output.pointee = byte
                place += 2
            } else {
                output.pointee = backslash
                place += 1
            }
            output += 1
        }
        return output - target
    }

    static func undone(_ text: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        var index = 0
        while index < text.count {
            if text[index] == backslash, index + 1 < text.count, let byte = meaning(of: text[index + 1]) {
                bytes.append(byte)
                index += 2
            } else {
                bytes.append(text[index])
                index += 1
            }
        }
        return bytes
    }

    private static func nextBackslash(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> UnsafePointer<UInt8> {
        var place = start
        while place < end {
            let found = cbytes_equals32(place, backslash)
            if found != 0 { return min(place + found.trailingZeroBitCount, end) }
            place += 32
        }
        return end
    }
}
