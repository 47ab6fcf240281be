/// Reads one time by the letters of a ``TimeFormat`` that says enough for one; see
/// ``TimeFormat/init(reading:)``.
///
/// What the text says twice must be the same both times: a day of the week that its date is not
/// makes it no time. What it does not say is the first of its month or year, midnight, UTC.
struct TimeReading {
    private var rest: ArraySlice<UInt8>
    /// By the numbers of ``Part``.
    private var found = InlineArray<13, Int?>(repeating: nil)
    private var isBeforeEpoch = false

    private enum Part: Int {
        case year, month, day, dayOfYear, dayOfWeek, hour, hourOfHalf, half, minute, second, nanoseconds, offset, unixSeconds
    }

    init(_ text: String) {
        rest = Array(text.utf8)[...]
    }

    mutating func read(_ fields: [TimeFormat.Field]) -> Timestamp? {
        for field in fields {
            switch field {
            case .literal(let byte):
                guard rest.popFirst() == byte else { return nil }
            case .verb(let verb):
                guard read(Unicode.Scalar(verb)) else { return nil }
            }
        }
        return rest.isEmpty ? moment : nil
    }

    private subscript(part: Part) -> Int? { found[part.rawValue] }

    private var moment: Timestamp? {
        if let seconds = self[.unixSeconds] { return unixMoment(seconds) }
        guard let year = self[.year], let date = date(in: year), let hour else { return nil }
        if let dayOfWeek = self[.dayOfWeek], dayOfWeek != date.dayOfWeek { return nil }
        return Timestamp(
            date, hour: hour, minute: self[.minute] ?? 0, second: self[.second] ?? 0,
            nanoseconds: self[.nanoseconds] ?? 0, offset: self[.offset] ?? 0)
    }

    /// A fraction leads away from 1970: half a second after -1 is -1.5.
    private func unixMoment(_ seconds: Int) -> Timestamp? {
        let nanoseconds = self[.nanoseconds] ?? 0
        guard isBeforeEpoch, nanoseconds > 0 else { return Timestamp(seconds: Int64(seconds), nanoseconds: Int32(nanoseconds)) }
        return Timestamp(seconds: Int64(seconds) - 1, nanoseconds: Int32(1_000_000_000 - nanoseconds))
    }

    private func date(in year: Int) -> CivilDate? {
        guard let dayOfYear = self[.dayOfYear] else {
            return CivilDate(year: year, month: self[.month] ?? 1, day: self[.day] ?? 1)
        }
        guard dayOfYear >= 1, let newYear = CivilDate(year: year, month: 1, day: 1) else { return nil }
        let date = CivilDate(dayNumber: newYear.dayNumber + dayOfYear - 1)
        guard date.year == year, (self[.month] ?? date.month) == date.month, (self[.day] ?? date.day) == date.day else { return nil }
        return date
    }

    private var hour: Int? {
        guard let half = self[.half] else { return self[.hour] ?? 0 }
        guard let hour = self[.hourOfHalf] else { return self[.hour].flatMap { $0 / 12 == half ? $0 : nil } }
        guard (1...12).contains(hour) else { return nil }
        let full = hour % 12 + 12 * half
        return (self[.hour] ?? full) == full ? full : nil
    }

    /// Notes what a part is.
    /// - Returns: false where it was said to be something else.
    private mutating func note(_ part: Part, _ value: Int?) -> Bool {
        guard let value else { return false }
        guard let known = self[part] else {
            found[part.rawValue] = value
            return true
        }
        return known == value
    }

    private mutating func read(_ verb: Unicode.Scalar) -> Bool {
        switch verb {
        case "f", "L": note(.nanoseconds, fraction())
        case "p": note(.half, halfOfDay())
        case "z", "Z": note(.offset, zone())
        case "b", "h", "B": note(.month, name(TimeReading.months).map { $0 + 1 })
        case "a", "A": note(.dayOfWeek, name(TimeReading.days))
        case "s": note(.unixSeconds, unixSeconds())
        case "Y": note(.year, number(4...4))
        // As POSIX has it: 69 is 1969, 68 is 2068.
        case "y": note(.year, number(2...2).map { $0 + ($0 < 69 ? 2_000 : 1_900) })
        case "m": note(.month, number(1...2))
        case "d": note(.day, number(1...2))
        case "e": note(.day, paddedDay())
        case "j": note(.dayOfYear, number(1...3))
        case "H": note(.hour, number(1...2))
        case "I": note(.hourOfHalf, number(1...2))
        case "M": note(.minute, number(1...2))
        default: note(.second, number(1...2))
        }
    }

    /// As many digits as there are, within the bounds.
    private mutating func number(_ width: ClosedRange<Int>) -> Int? {
        let digits = rest.prefix(width.upperBound).prefix(while: \.isDigit)
        guard width.contains(digits.count) else { return nil }
        rest = rest.dropFirst(digits.count)
        return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    private mutating func paddedDay() -> Int? {
        if rest.first == UInt8(ascii: " ") { rest.removeFirst() }
        return number(1...2)
    }

    /// In nanoseconds; digits after the ninth are dropped.
    private mutating func fraction() -> Int? {
        let digits = rest.prefix(while: \.isDigit)
        rest = rest.dropFirst(digits.count)
        guard !digits.isEmpty else { return nil }
        let shown = digits.prefix(9).reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        return (digits.count..<max(9, digits.count)).reduce(shown) { number, _ in number * 10 }
    }

    /// 1 for the afternoon.
    private mutating func halfOfDay() -> Int? {
        for (half, name) in [[UInt8]("am".utf8), [UInt8]("pm".utf8)].enumerated() where begins(with: name[...]) {
            rest = rest.dropFirst(2)
            return half
        }
        return nil
    }

    /// `Z`, `UTC`, `GMT`, `+0100`, `+01:00`, `+01`, in seconds.
    private mutating func zone() -> Int? {
        for name in ["UTC", "GMT", "Z"] where rest.starts(with: name.utf8) {
            rest = rest.dropFirst(name.utf8.count)
            return 0
        }
        guard let sign = rest.popFirst(), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), let hours = number(2...2) else { return nil }
        var minutes = 0
        let hasColon = rest.first == UInt8(ascii: ":")
        if hasColon { rest.removeFirst() }
        if hasColon || rest.first?.isDigit == true {
            guard let number = number(2...2) else { return nil }
            minutes = number
        }
        guard hours < 24, minutes < 60 else { return nil }
        return (hours * 3_600 + minutes * 60) * (sign == UInt8(ascii: "-") ? -1 : 1)
    }

    /// A name in full or by its first three letters, whatever their case.
    private mutating func name(_ names: [[UInt8]]) -> Int? {
        for (index, name) in names.enumerated() where begins(with: name.prefix(3)) {
            rest = rest.dropFirst(begins(with: name[...]) ? name.count : 3)
            return index
        }
        return nil
    }

    /// `name` is in lower case.
    private func begins(with name: ArraySlice<UInt8>) -> Bool {
        rest.count >= name.count && zip(rest, name).allSatisfy { Strings.lowered($0) == $1 }
    }

    private static let months = TimeFormat.months.map { Array($0.lowercased().utf8) }
    private static let days = TimeFormat.days.map { Array($0.lowercased().utf8) }

    private mutating func unixSeconds() -> Int? {
        isBeforeEpoch = rest.first == UInt8(ascii: "-")
        if isBeforeEpoch { rest.removeFirst() }
        return number(1...15).map { isBeforeEpoch ? -$0 : $0 }
    }
}
