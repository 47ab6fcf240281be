/// The escapes of Zeek's logs: `\xHH` for a byte, and `\\` for a backslash.
///
/// Unsafe memory: the output is never longer than the input, and callers provide that much room.
enum ZeekEscapes {
    private static let backslash = TSVEscapes.backslash

    /// - Returns: the number of bytes written to `target`.
    static func undo(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, into target: UnsafeMutablePointer<UInt8>) -> Int {
        var (place, output) = (start, target)
        while place < end {
            let (byte, count) = next(place, end)
            output.pointee = byte
            output += 1
            place += count
        }
        return output - target
    }

    static func undone(_ text: [UInt8]) -> [UInt8] {
        text.withUnsafeBufferPointer { text in
            guard let start = text.baseAddress else { return [] }
            return [UInt8](unsafeUninitializedCapacity: text.count) { bytes, count in
                if let target = bytes.baseAddress { count = undo(start, start + text.count, into: target) }
            }
        }
    }

    /// The byte that begins here, and how many bytes stand for it.
    @inline(__always)
    private static func next(_ place: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> (byte: UInt8, count: Int) {
        guard place.pointee == backslash, end - place >= 2 else { return (place.pointee, 1) }
        if place[1] == backslash { return (backslash, 2) }
        guard end - place >= 4, place[1] == UInt8(ascii: "x"), let high = JSONScan.hexDigit(place[2]), let low = JSONScan.hexDigit(place[3]) else {
            return (backslash, 1)
        }
        return (UInt8(high << 4 | low), 4)
    }
}
