/// A day of the proleptic Gregorian calendar.
struct CivilDate: Hashable {
    let year: Int
    /// 1 ... 12
    let month: Int
    /// 1 ... 31
    let day: Int

    /// Nil if there is no such day.
    init?(year: Int, month: Int, day: Int) {
        guard (1...12).contains(month), day >= 1, day <= CivilDate.days(in: month, of: year) else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    /// From a number of days since 1970-01-01. Counts in eras of 400 years that begin on 1 March,
    /// so that a leap day ends its year (Howard Hinnant, "chrono-compatible low-level date
    /// algorithms").
    init(dayNumber: Int) {
        let (era, dayOfEra) = (dayNumber + 719_468).floorDivided(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Days since 1970-01-01.
    var dayNumber: Int {
        let shiftedYear = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = shiftedYear.floorDivided(by: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// 0 for 1 January.
    var dayOfYear: Int {
        let newYear = CivilDate(year: year, month: 1, day: 1)?.dayNumber ?? dayNumber
        return dayNumber - newYear
    }

    /// 0 for Sunday.
    var dayOfWeek: Int { (dayNumber + 4).floorDivided(by: 7).remainder }

    static func days(in month: Int, of year: Int) -> Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    }
}

/// Reads numbers of a fixed width from the front of a text.
struct DigitScanner {
    private var rest: Substring.UTF8View

    init(_ text: String) {
        rest = text[...].utf8
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest = rest.dropFirst()
        return true
    }

    mutating func digit() -> Int? {
        guard let byte = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
        rest = rest.dropFirst()
        return Int(byte - UInt8(ascii: "0"))
    }

    /// Exactly `width` digits.
    mutating func number(_ width: Int) -> Int? {
        var number = 0
        for _ in 0..<width {
            guard let digit = digit() else { return nil }
            number = number * 10 + digit
        }
        return number
    }

    /// One digit or more after a decimal point, in nanoseconds; digits after the ninth are dropped.
    mutating func fraction() -> Int? {
        guard var nanoseconds = digit() else { return nil }
        var width = 1
        while let digit = digit() {
            if width < 9 {
                nanoseconds = nanoseconds * 10 + digit
                width += 1
            }
        }
        while width < 9 {
            nanoseconds *= 10
            width += 1
        }
        return nanoseconds
    }

    /// `Z`, `+hh:mm` or `-hh:mm`, in seconds.
    mutating func offset() -> Int? {
        if skip("Z") || skip("z") { return 0 }
        let sign = skip("+") ? 1 : skip("-") ? -1 : 0
        guard sign != 0, let hours = number(2), skip(":"), let minutes = number(2), hours < 24, minutes < 60 else { return nil }
        return sign * (hours * 3_600 + minutes * 60)
    }
}
