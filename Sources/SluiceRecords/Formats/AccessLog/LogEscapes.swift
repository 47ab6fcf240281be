import SluiceCEL

/// How a server writes bytes in its log that would break a line or a quoted text.
///
/// Unsafe memory: reads between the two places that it is given, and writes to memory of the arena
/// that has as many bytes as were read.
enum LogEscapes: Sendable {
    /// Apache's and nginx's: `\"`, `\\`, `\n \r \t \b \v \f`, `\xHH`. A backslash before anything
    /// else is text.
    case server
    /// Those of JSON strings (nginx's `escape=json`).
    case json
    /// None (nginx's `escape=none`).
    case none

    /// The text with its escapes undone. Where they give no UTF-8, it stays as it was logged: a
    /// string is text.
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

    /// The byte that the escape here stands for, and the escape's own length.
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
        // Of characters that are not ASCII nginx writes the bytes.
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
