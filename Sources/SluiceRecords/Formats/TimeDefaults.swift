import SluiceCEL

/// What times lack that are logged without a year or a zone.
package struct TimeDefaults: Sendable, Equatable {
    /// The year of the first time without one; `nil`: such times stay text.
    package var year: Int?
    /// In seconds east of UTC; `nil`: UTC.
    package var zone: Int?

    package init(year: Int? = nil, zone: Int? = nil) {
        self.year = year
        self.zone = zone
    }

    /// Parses `Z`, `+02:00` or `+0200` to seconds.
    package static func zone(_ text: String) -> Int? {
        if text == "Z" || text == "UTC" { return 0 }
        let digits = text.utf8.dropFirst().filter { $0 != UInt8(ascii: ":") }.map { Int($0) - 0x30 }
        guard let sign = text.utf8.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), digits.count == 4, digits.allSatisfy((0...9).contains)
        else { return nil }
        let (hours, minutes) = (digits[0] * 10 + digits[1], digits[2] * 10 + digits[3])
        guard hours < 24, minutes < 60 else { return nil }
        return (hours * 3600 + minutes * 60) * (sign == UInt8(ascii: "-") ? -1 : 1)
    }
}

/// A format whose times may lack a year or a zone.
package protocol DatedFormat: Format {
    /// The field that holds the time.
    var timeField: String { get }
    var timeDefaults: TimeDefaults { get }

    func completed(by defaults: TimeDefaults) -> any Format
}

/// Times whose year is not known yet: those of a decoded batch, until the years of all records
/// before it are known. See ``YearCount``.
///
/// Such a time is a timestamp beyond all others, made of month, day and second of the day. It is
/// local: the zone is applied with the year.
enum YearlessTime {
    private static let start: Int64 = 1 << 50
    /// More than the seconds of a day, and a power of two.
    private static let unit: Int64 = 1 << 17

    /// - Returns: `nil` if no year has such a day.
    static func cell(month: Int64, day: Int64, seconds: Int64, nanoseconds: UInt32) -> Cell? {
        guard AccessLogTime.days(year: 2000, month: month, day: day) != nil else { return nil }
        return .timestamp(seconds: start + (month * 32 + day) * unit + seconds, nanoseconds: nanoseconds)
    }

    @inline(__always)
    static func isYearless(_ cell: Cell) -> Bool { cell.kind == .timestamp && cell.intValue >= start }

    /// The month of a yearless time, from 1.
    static func month(of cell: Cell) -> Int { Int((cell.intValue - start) / unit / 32) }

    /// - Parameter zone: in seconds east of UTC.
    /// - Returns: `nil` if the year has no such day, which is 29 February then.
    static func cell(_ cell: Cell, in year: Int, zone: Int) -> Cell? {
        let (date, seconds) = (cell.intValue - start).quotientAndRemainder(dividingBy: unit)
        guard let days = AccessLogTime.days(year: Int64(year), month: date / 32, day: date % 32) else { return nil }
        return .timestamp(seconds: days * 86_400 + seconds - Int64(zone), nanoseconds: cell.count)
    }
}
