import SluiceCEL

/// Reads times as syslog programs write them.
///
/// Unsafe memory: reads at most 64 bytes after the end of a record, which must be readable. No time
/// that is returned ends after the record.
struct SyslogTime {
    typealias Place = UnsafePointer<UInt8>

    let defaults: TimeDefaults

    /// The time at the beginning of a record without a version: as in RFC 3164, RFC 3339, or of
    /// journald. Text if it lacks a year, or has a zone that is only a name, and nothing says
    /// which.
    /// - Returns: `nil` if none begins here.
    func any(_ start: Place, _ end: Place) -> (cell: Cell, end: Place)? {
        guard start < end else { return nil }
        switch start.pointee {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): return Self.isWeekday(start) ? full(start, end) : dated(start, end)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return start[4] == UInt8(ascii: "-") ? iso(start, end) : unix(start, end)
        default: return nil
        }
    }

    /// `2026-11-28T10:00:00.123456+01:00`; the zone may lack its colon or, for times in a zone that
    /// is known otherwise, be absent.
    ///
    /// - Parameter isStrict: only as in RFC 5424.
    func iso(_ start: Place, _ end: Place, isStrict: Bool = false) -> (cell: Cell, end: Place)? {
        guard let (seconds, nanoseconds, place) = Self.dateAndClock(start, end, hasBlank: false) else { return nil }
        guard let (zone, after) = Self.offset(place, end, needsColon: isStrict) else {
            return isStrict ? nil : (.timestamp(seconds: seconds - Int64(defaults.zone ?? 0), nanoseconds: nanoseconds), place)
        }
        return (.timestamp(seconds: seconds - zone, nanoseconds: nanoseconds), after)
    }

    /// `Nov 28 10:00:00`, with or without a fraction, or a year after the day.
    private func dated(_ start: Place, _ end: Place) -> (cell: Cell, end: Place)? {
        guard let month = Self.month(start), start[3] == 0x20 else { return nil }
        var place = start + (start[4] == 0x20 ? 5 : 4)
        guard let day = Self.dayOfMonth(&place), place.pointee == 0x20 else { return nil }
        place += 1
        var year: Int64?
        if place[4] == 0x20, let century = AccessLogTime.twoDigits(place), let yearOfCentury = AccessLogTime.twoDigits(place + 2) {
            year = century * 100 + yearOfCentury
            place += 5
        }
        guard let (seconds, nanoseconds, after) = Self.clock(place, end) else { return nil }
        if let year {
            guard let days = AccessLogTime.days(year: year, month: month, day: day) else { return nil }
            return (.timestamp(seconds: days * 86_400 + seconds - Int64(defaults.zone ?? 0), nanoseconds: nanoseconds), after)
        }
        guard let time = YearlessTime.cell(month: month, day: day, seconds: seconds, nanoseconds: nanoseconds) else { return nil }
        return (defaults.year == nil ? .text(.string, start, count: after - start) : time, after)
    }

    /// `Sat 2026-11-28 10:00:00 UTC`.
    private func full(_ start: Place, _ end: Place) -> (cell: Cell, end: Place)? {
        guard start[3] == 0x20, let (seconds, nanoseconds, place) = Self.dateAndClock(start + 4, end, hasBlank: true), place < end,
            place.pointee == 0x20
        else { return nil }
        if let (zone, after) = Self.offset(place + 1, end, needsColon: false) { return (.timestamp(seconds: seconds - zone, nanoseconds: nanoseconds), after) }
        var after = place + 1
        while after < end, (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(after.pointee) { after += 1 }
        guard after > place + 1 else { return nil }
        let isUTC = String(decoding: UnsafeBufferPointer(start: place + 1, count: min(3, after - place - 1)), as: UTF8.self) == "UTC"
        guard let zone = isUTC ? 0 : defaults.zone else { return (.text(.string, start, count: after - start), after) }
        return (.timestamp(seconds: seconds - Int64(zone), nanoseconds: nanoseconds), after)
    }

    /// `1764324000.123456`.
    private func unix(_ start: Place, _ end: Place) -> (cell: Cell, end: Place)? {
        let point = min(JSONScan.digits(start, end), end)
        guard (9...11).contains(point - start), point < end, point.pointee == UInt8(ascii: "."), let (nanoseconds, after) = Self.fraction(point, end) else {
            return nil
        }
        return (.timestamp(seconds: Int64(JSONNumber.integer(start, point - start)), nanoseconds: nanoseconds), after)
    }

    private static func dateAndClock(_ start: Place, _ end: Place, hasBlank: Bool) -> (seconds: Int64, nanoseconds: UInt32, end: Place)? {
        guard start[4] == UInt8(ascii: "-"), start[7] == UInt8(ascii: "-"), start[10] == (hasBlank ? 0x20 : UInt8(ascii: "T")),
            let century = AccessLogTime.twoDigits(start), let year = AccessLogTime.twoDigits(start + 2), let month = AccessLogTime.twoDigits(start + 5),
            let day = AccessLogTime.twoDigits(start + 8), let days = AccessLogTime.days(year: century * 100 + year, month: month, day: day),
            let (seconds, nanoseconds, after) = clock(start + 11, end)
        else { return nil }
        return (days * 86_400 + seconds, nanoseconds, after)
    }

    /// `10:00:00`, with or without a fraction. A second of 60 is the first of the next minute.
    private static func clock(_ start: Place, _ end: Place) -> (seconds: Int64, nanoseconds: UInt32, end: Place)? {
        guard end - start >= 8, start[2] == UInt8(ascii: ":"), start[5] == UInt8(ascii: ":"), let hour = AccessLogTime.twoDigits(start),
            let minute = AccessLogTime.twoDigits(start + 3), let second = AccessLogTime.twoDigits(start + 6), hour < 24, minute < 60, second <= 60
        else { return nil }
        guard let (nanoseconds, after) = fraction(start + 8, end) else { return nil }
        return (hour * 3600 + minute * 60 + second, nanoseconds, after)
    }

    /// A point and 1 to 9 digits, if there is a point here.
    private static func fraction(_ start: Place, _ end: Place) -> (nanoseconds: UInt32, end: Place)? {
        guard start < end, start.pointee == UInt8(ascii: ".") else { return (0, start) }
        let after = min(JSONScan.digits(start + 1, end), end)
        let count = after - start - 1
        guard (1...9).contains(count) else { return nil }
        var nanoseconds = JSONNumber.integer(start + 1, count)
        for _ in count..<9 { nanoseconds *= 10 }
        return (UInt32(nanoseconds), after)
    }

    /// `Z`, `+01:00`, `+0100`; without a colon needed, `+01` too. In seconds.
    private static func offset(_ start: Place, _ end: Place, needsColon: Bool) -> (seconds: Int64, end: Place)? {
        guard start < end else { return nil }
        if start.pointee == UInt8(ascii: "Z") { return (0, start + 1) }
        guard start.pointee == UInt8(ascii: "+") || start.pointee == UInt8(ascii: "-"), let hours = AccessLogTime.twoDigits(start + 1) else { return nil }
        let hasColon = start[3] == UInt8(ascii: ":")
        var minutes: Int64 = 0
        var after = start + 3
        if hasColon || !needsColon, let found = AccessLogTime.twoDigits(start + (hasColon ? 4 : 3)) {
            minutes = found
            after = start + (hasColon ? 6 : 5)
        } else if hasColon || needsColon {
            return nil
        }
        guard after <= end, hours < 24, minutes < 60 else { return nil }
        return ((hours * 3600 + minutes * 60) * (start.pointee == UInt8(ascii: "-") ? -1 : 1), after)
    }

    /// One or two digits.
    private static func dayOfMonth(_ place: inout Place) -> Int64? {
        let first = place.pointee &- UInt8(ascii: "0")
        guard first <= 9 else { return nil }
        let second = place[1] &- UInt8(ascii: "0")
        place += second <= 9 ? 2 : 1
        return second <= 9 ? Int64(first) * 10 + Int64(second) : Int64(first)
    }

    private static func month(_ start: Place) -> Int64? {
        AccessLogTime.months.firstIndex { matches($0, start) }.map { Int64($0) + 1 }
    }

    private static func isWeekday(_ start: Place) -> Bool {
        start[3] == 0x20 && (start[4] &- UInt8(ascii: "0")) <= 9 && start[8] == UInt8(ascii: "-") && weekdays.contains { matches($0, start) }
    }

    private static func matches(_ name: StaticString, _ start: Place) -> Bool {
        name.utf8Start[0] == start[0] && name.utf8Start[1] == start[1] && name.utf8Start[2] == start[2]
    }

    private static let weekdays: [StaticString] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
}
