import CBytes
import SluiceCEL

/// The type that a field's text is converted to.
enum FieldType: String, Sendable {
    case string, int, double, bool, timestamp
    /// Types that only the head of a file can give: an `int`, or a `uint` if only that can hold it;
    /// seconds since 1970; `T` or `F`; and lists of each kind of element.
    case count, epoch, letter
    case strings, numbers, epochs, letters

    /// The types that a definition can name.
    static let choices: [FieldType] = [.string, .int, .double, .bool, .timestamp]

    var celType: CELType {
        switch self {
        case .string: .string
        case .int: .int
        case .double: .double
        case .bool: .bool
        case .timestamp, .epoch: .timestamp
        case .count: .int
        case .letter: .bool
        case .strings, .numbers, .epochs, .letters: .list(.dyn)
        }
    }

    /// A description for messages.
    var example: String {
        switch self {
        case .string: "text"
        case .int: "an int of 64 bits"
        case .double: "a double"
        case .bool: "true or false"
        case .timestamp: "a timestamp like 2025-10-10T13:55:36Z"
        case .count: "a count"
        case .epoch: "seconds since 1970"
        case .letter: "T or F"
        case .strings: "a list"
        case .numbers: "a list of numbers"
        case .epochs: "a list of seconds since 1970"
        case .letters: "a list of T or F"
        }
    }

    /// Converts the text, which must be followed by 64 readable bytes.
    ///
    /// - Returns: `nil` if the text is not a valid value of the type.
    func cell(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Cell? {
        switch self {
        case .string: return .text(.string, start, count: end - start)
        case .int: return Self.int(start, end)
        case .double: return Self.double(start, end)
        case .bool: return Self.bool(UnsafeBufferPointer(start: start, count: end - start))
        case .timestamp: return Self.timestamp(UnsafeBufferPointer(start: start, count: end - start))
        case .count: return Self.int(start, end) ?? Self.uint(start, end)
        case .epoch: return Self.epoch(start, end)
        case .letter: return Self.letter(UnsafeBufferPointer(start: start, count: end - start))
        // Lists need the separator and the escapes of their file.
        case .strings, .numbers, .epochs, .letters: return nil
        }
    }

    /// Whether it is a list.
    var isList: Bool {
        switch self {
        case .strings, .numbers, .epochs, .letters: true
        default: false
        }
    }

    private static func uint(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Cell? {
        UInt64(String(decoding: UnsafeBufferPointer(start: start, count: end - start), as: UTF8.self)).map(Cell.uint)
    }

    private static func letter(_ text: UnsafeBufferPointer<UInt8>) -> Cell? {
        guard text.count == 1 else { return nil }
        return text[0] == UInt8(ascii: "T") ? .bool(true) : text[0] == UInt8(ascii: "F") ? .bool(false) : nil
    }

    /// Seconds since 1970 with up to nine digits after the point, within the years 1 to 9999.
    private static func epoch(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Cell? {
        let isNegative = start < end && start.pointee == UInt8(ascii: "-")
        var place = isNegative ? start + 1 : start
        var seconds: Int64 = 0
        let first = place
        while place < end, place - first < 13, let digit = digit(place.pointee) {
            seconds = seconds * 10 + digit
            place += 1
        }
        guard place > first else { return nil }
        var nanoseconds: Int64 = 0
        if place < end {
            guard place.pointee == UInt8(ascii: "."), end - place > 1, end - place <= 10 else { return nil }
            var unit: Int64 = 100_000_000
            for fraction in place + 1..<end {
                guard let digit = digit(fraction.pointee) else { return nil }
                nanoseconds += digit * unit
                unit /= 10
            }
        }
        if isNegative {
            seconds = -seconds
            if nanoseconds > 0 { (seconds, nanoseconds) = (seconds - 1, 1_000_000_000 - nanoseconds) }
        }
        guard Timestamp(seconds: seconds, nanoseconds: Int32(nanoseconds)) != nil else { return nil }
        return .timestamp(seconds: seconds, nanoseconds: UInt32(nanoseconds))
    }

    @inline(__always)
    private static func digit(_ byte: UInt8) -> Int64? { byte &- 0x30 < 10 ? Int64(byte &- 0x30) : nil }

    @inline(__always)
    private static func int(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Cell? {
        let isNegative = start < end && start.pointee == UInt8(ascii: "-")
        let digits = isNegative ? start + 1 : start
        let count = end - digits
        guard count > 0, count <= 16, cbytes_nondigits16(digits).trailingZeroBitCount >= count else { return anyInt(start, end) }
        let value = Int64(truncatingIfNeeded: JSONNumber.integer(digits, count))
        return .int(isNegative ? -value : value)
    }

    private static func anyInt(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Cell? {
        Int64(String(decoding: UnsafeBufferPointer(start: start, count: end - start), as: UTF8.self)).map(Cell.int)
    }

    private static func double(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Cell? {
        let text = UnsafeBufferPointer(start: start, count: end - start)
        do throws(JSONFault) {
            let number = try JSONScan.number(start, end)
            guard number.end == end else { return anyDouble(text) }
            let cell = JSONNumber.cell(number)
            switch cell.kind {
            case .int: return .double(Double(cell.intValue))
            case .uint: return .double(Double(cell.payload))
            case .double: return cell
            default: return anyDouble(text)
            }
        } catch {
            return anyDouble(text)
        }
    }

    /// Accepts what other programs write: `.5`, `1.`, `+1.5`, `nan`, `-inf`, but not hexadecimal
    /// digits.
    private static func anyDouble(_ bytes: UnsafeBufferPointer<UInt8>) -> Cell? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard !text.utf8.contains(where: { [UInt8(ascii: "x"), UInt8(ascii: "X"), UInt8(ascii: "(")].contains($0) }) else { return nil }
        guard let value = Double(text) else { return nil }
        let hasDigits = text.utf8.contains { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return value.isInfinite && hasDigits ? nil : .double(value)
    }

    /// Accepts the same texts as the function `bool()`.
    private static func bool(_ text: UnsafeBufferPointer<UInt8>) -> Cell? {
        switch String(decoding: text, as: UTF8.self) {
        case "true", "True", "TRUE", "t", "T", "1": .bool(true)
        case "false", "False", "FALSE", "f", "F", "0": .bool(false)
        default: nil
        }
    }

    /// RFC 3339; a blank may replace the `T`.
    private static func timestamp(_ text: UnsafeBufferPointer<UInt8>) -> Cell? {
        if let moment = timestampInUTC(text) { return moment }
        var bytes = Array(text)
        if bytes.count > 10, bytes[10] == 0x20 { bytes[10] = UInt8(ascii: "T") }
        return Timestamp(String(decoding: bytes, as: UTF8.self)).map {
            .timestamp(seconds: $0.seconds, nanoseconds: UInt32($0.nanoseconds))
        }
    }
}
