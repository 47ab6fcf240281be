import CBytes
import SluiceCEL

/// Times and numbers as servers write them.
///
/// Unsafe memory: each function says how many bytes it reads.
enum LogTimes {
    typealias Place = UnsafePointer<UInt8>

    static let isoCount = 25

    /// Parses `10/Oct/2025:13:55:36 +0200`, without brackets; reads 26 bytes.
    static func seconds(_ place: Place, _ time: inout AccessLogTime) -> Int64? {
        let bytes = InlineArray<32, UInt8> { index in
            switch index {
            case 0: UInt8(ascii: "[")
            case 1...26: place[index - 1]
            case 27: UInt8(ascii: "]")
            default: 0x20
            }
        }
        return bytes.span.withUnsafeBufferPointer { bytes in bytes.baseAddress.flatMap { time.seconds($0) } }
    }

    /// Parses `2025-10-10T13:55:36+02:00` to seconds since 1970.
    static func iso(_ place: Place, _ end: Place) -> Int64? {
        guard end - place >= isoCount, place[4] == UInt8(ascii: "-"), place[7] == UInt8(ascii: "-"), place[10] == UInt8(ascii: "T"),
            place[13] == UInt8(ascii: ":"), place[16] == UInt8(ascii: ":"), place[22] == UInt8(ascii: ":"),
            place[19] == UInt8(ascii: "+") || place[19] == UInt8(ascii: "-"),
            let century = AccessLogTime.twoDigits(place), let year = AccessLogTime.twoDigits(place + 2), let month = AccessLogTime.twoDigits(place + 5),
            let day = AccessLogTime.twoDigits(place + 8), let hour = AccessLogTime.twoDigits(place + 11),
            let minute = AccessLogTime.twoDigits(place + 14), let second = AccessLogTime.twoDigits(place + 17),
            let zoneHours = AccessLogTime.twoDigits(place + 20), let zoneMinutes = AccessLogTime.twoDigits(place + 23),
            hour < 24, minute < 60, second <= 60, zoneHours < 24, zoneMinutes < 60,
            let days = AccessLogTime.days(year: century * 100 + year, month: month, day: day)
        else { return nil }
        let offset = (zoneHours * 3600 + zoneMinutes * 60) * (place[19] == UInt8(ascii: "-") ? -1 : 1)
        return days * 86_400 + hour * 3600 + minute * 60 + second - offset
    }

    /// Parses digits up to `point` and an optional fraction after it.
    static func cell(_ kind: LogTemplate.Kind, _ start: Place, _ point: Place, _ end: Place) -> Cell? {
        let fraction = max(0, end - point - 1)
        guard point - start <= 18, end == point || fraction > 0 else { return nil }
        let whole = Int64(JSONNumber.integer(start, point - start))
        switch kind {
        case .double: return double(start, point, end).map { .double($0) }
        case .unixMilliseconds: return moment(whole / 1000, whole % 1000 * 1_000_000)
        case .unixMicroseconds: return moment(whole / 1_000_000, whole % 1_000_000 * 1000)
        case .unixSeconds:
            guard fraction <= 9 else { return nil }
            var nanoseconds = Int64(JSONNumber.integer(point + 1, fraction))
            for _ in fraction..<9 { nanoseconds *= 10 }
            return moment(whole, fraction == 0 ? 0 : nanoseconds)
        default: return nil
        }
    }

    /// A timestamp, up to the end of the year 9999.
    private static func moment(_ seconds: Int64, _ nanoseconds: Int64) -> Cell? {
        seconds < 253_402_300_800 ? .timestamp(seconds: seconds, nanoseconds: UInt32(nanoseconds)) : nil
    }

    /// An `int` or a `double`, if the text is one.
    static func number(_ start: Place, _ end: Place) -> Cell? {
        let digits = min(JSONScan.digits(start, end), end)
        guard digits > start, digits - start <= 18 else { return nil }
        if digits == end { return .int(Int64(JSONNumber.integer(start, digits - start))) }
        guard digits.pointee == UInt8(ascii: "."), min(JSONScan.digits(digits + 1, end), end) == end, end - digits > 1 else { return nil }
        return double(start, digits, end).map { .double($0) }
    }

    /// Converts to a double: correctly rounded if there are at most 15 digits, else by the standard
    /// library.
    private static func double(_ start: Place, _ point: Place, _ end: Place) -> Double? {
        let fraction = max(0, end - point - 1)
        let digits = point - start + fraction
        if digits <= 15 {
            var (value, scale) = (Double(JSONNumber.integer(start, point - start)), 1.0)
            for _ in 0..<fraction { scale *= 10 }
            value = value * scale + Double(JSONNumber.integer(point + 1, fraction))
            return value / scale
        }
        return Double(String(decoding: UnsafeBufferPointer(start: start, count: end - start), as: UTF8.self))
    }
}
