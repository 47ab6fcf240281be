import SluiceCEL

/// How a server escapes bytes that would break a line or a quoted text in its log.
///
/// Unsafe memory: reads between the two given pointers, and writes at most as many bytes as it
/// reads to memory of the arena.
enum LogEscapes: Sendable {
    /// The escapes of Apache and nginx: `\"`, `\\`, `\n \r \t \b \v \f`, `\xHH`. A backslash before
    /// anything else is literal.
    case server
    /// The escapes of JSON strings (nginx's `escape=json`).
    case json
    /// No escapes (nginx's `escape=none`).
    case none

    /// The unescaped text; the original text if unescaping gives invalid UTF-8, since a string must
    /// be valid.
    @inline(never)
    func cell(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ text: TextArena) -> Cell {
        let memory = text.allocate(end - start)
        var count = 0
        var place = start
        while place < end {
            guard place.pointee == UInt8(ascii: "\\"), let (byte, length) = escape(place, end) else {
                memory[count] = place.pointee
                (count, place) = (count + 1, place + 1)
                continue
            }
            memory[count] = byte
            (count, place) = (count + 1, place + length)
        }
        let undone = UnsafeBufferPointer(start: UnsafePointer(memory), count: count)
        guard count < end - start, UTF8Text.isValid(undone) else {
            text.giveBack(end - start)
            return .text(.string, start, count: end - start)
        }
        text.giveBack(end - start - count)
        return .text(.string, memory, count: count)
    }

    /// The byte that the escape stands for, and the length of the escape.
    private func escape(_ place: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> (byte: UInt8, length: Int)? {
        guard place + 1 < end else { return nil }
        switch (self, place[1]) {
        case (.none, _): return nil
        case (_, UInt8(ascii: "\"")), (_, UInt8(ascii: "\\")): return (place[1], 2)
        case (_, UInt8(ascii: "n")): return (0x0A, 2)
        case (_, UInt8(ascii: "r")): return (0x0D, 2)
        case (_, UInt8(ascii: "t")): return (0x09, 2)
        case (_, UInt8(ascii: "b")): return (0x08, 2)
        case (_, UInt8(ascii: "f")): return (0x0C, 2)
        case (.server, UInt8(ascii: "v")): return (0x0B, 2)
        case (.server, UInt8(ascii: "x")) where place + 3 < end: return hexadecimal(place + 2).map { ($0, 4) }
        case (.json, UInt8(ascii: "/")): return (place[1], 2)
        // nginx writes characters other than ASCII unescaped.
        case (.json, UInt8(ascii: "u")) where place + 5 < end && place[2] == UInt8(ascii: "0") && place[3] == UInt8(ascii: "0"):
            return hexadecimal(place + 4).flatMap { $0 < 0x80 ? ($0, 6) : nil }
        default: return nil
        }
    }

    private func hexadecimal(_ place: UnsafePointer<UInt8>) -> UInt8? {
        guard let high = Self.digit(place[0]), let low = Self.digit(place[1]) else { return nil }
        return high << 4 | low
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
