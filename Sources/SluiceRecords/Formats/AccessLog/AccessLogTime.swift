import CBytes

/// Parses `[10/Oct/2025:13:55:36 +0200]`, and caches the day and the zone of the previous line.
///
/// Unsafe memory: reads 29 bytes from the bracket, whatever they are.
struct AccessLogTime {
    static let count = 28

    private var day: UInt64 = 0
    private var year: UInt32 = 0
    private var dayStart: Int64 = 0
    private var zone: UInt64 = 0
    private var zoneOffset: Int64 = 0

    /// Seconds since 1970 in UTC; `nil` if the text, or the space after it, is not as expected. A
    /// second of 60 is the first of the next minute.
    @inline(__always)
    mutating func seconds(_ start: UnsafePointer<UInt8>) -> Int64? {
        if cbytes_load64(start) != day || cbytes_load32(start + 8) != year {
            guard readDay(start) else { return nil }
        }
        if cbytes_load64(start + 21) != zone {
            guard readZone(start) else { return nil }
        }
        guard start[12] == UInt8(ascii: ":"), start[15] == UInt8(ascii: ":"), start[18] == UInt8(ascii: ":"),
            let hour = Self.twoDigits(start + 13), let minute = Self.twoDigits(start + 16), let second = Self.twoDigits(start + 19),
            hour < 24, minute < 60, second <= 60
        else { return nil }
        return dayStart + hour * 3600 + minute * 60 + second - zoneOffset
    }

    @inline(__always)
    static func twoDigits(_ place: UnsafePointer<UInt8>) -> Int64? {
        let tens = place[0] &- UInt8(ascii: "0")
        let ones = place[1] &- UInt8(ascii: "0")
        guard tens <= 9, ones <= 9 else { return nil }
        return Int64(tens) * 10 + Int64(ones)
    }

    @inline(never)
    private mutating func readDay(_ start: UnsafePointer<UInt8>) -> Bool {
        let slash = UInt8(ascii: "/")
        guard start[0] == UInt8(ascii: "["), start[3] == slash, start[7] == slash, let dayOfMonth = Self.twoDigits(start + 1),
            let century = Self.twoDigits(start + 8), let yearOfCentury = Self.twoDigits(start + 10),
            let month = Self.months.firstIndex(where: { $0.utf8Start[0] == start[4] && $0.utf8Start[1] == start[5] && $0.utf8Start[2] == start[6] })
        else { return false }
        guard let days = Self.days(year: century * 100 + yearOfCentury, month: Int64(month) + 1, day: dayOfMonth) else { return false }
        dayStart = 86400 * days
        day = cbytes_load64(start)
        year = cbytes_load32(start + 8)
        return true
    }

    @inline(never)
    private mutating func readZone(_ start: UnsafePointer<UInt8>) -> Bool {
        let sign = start[22]
        guard start[21] == UInt8(ascii: " "), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), start[27] == UInt8(ascii: "]"),
            start[28] == UInt8(ascii: " "), let hours = Self.twoDigits(start + 23), let minutes = Self.twoDigits(start + 25), hours < 24, minutes < 60
        else { return false }
        zoneOffset = (hours * 3600 + minutes * 60) * (sign == UInt8(ascii: "-") ? -1 : 1)
        zone = cbytes_load64(start + 21)
        return true
    }

    /// Days since the beginning of 1970; `nil` if the calendar, which begins with the year 1, has
    /// no such day.
    static func days(year: Int64, month: Int64, day: Int64) -> Int64? {
        guard year >= 1, (1...12).contains(month) else { return nil }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        guard day >= 1, day <= days[Int(month) - 1] + (isLeap && month == 2 ? 1 : 0) else { return nil }
        return daysSince1970(year, month, day)
    }

    /// For the Gregorian calendar (H. Hinnant, `days_from_civil`).
    private static func daysSince1970(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    static let months: [StaticString] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    private static let days: [Int64] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}
