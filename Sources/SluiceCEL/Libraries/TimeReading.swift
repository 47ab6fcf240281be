/// Reads one time in a ``TimeFormat``. What the text does not specify defaults to 1 January 1970,
/// midnight, UTC.
struct TimeReading {
    private var rest: ArraySlice<UInt8>
    private var year = 1970
    private var month = 1
    private var day = 1
    private var dayOfYear: Int?
    private var hour = 0
    private var isAfternoon: Bool?
    private var minute = 0
    private var second = 0
    private var nanoseconds = 0
    private var offset = 0
    private var unixSeconds: Int64?

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

    private var moment: Timestamp? {
        if let unixSeconds { return Timestamp(seconds: unixSeconds, nanoseconds: Int32(nanoseconds)) }
        var hour = hour
        if let isAfternoon {
            guard (1...12).contains(hour) else { return nil }
            hour = hour % 12 + (isAfternoon ? 12 : 0)
        }
        guard hour < 24, minute < 60, second < 60, var days = CivilDate(year: year, month: month, day: day)?.dayNumber else { return nil }
        if let dayOfYear {
            guard (1...366).contains(dayOfYear), let newYear = CivilDate(year: year, month: 1, day: 1) else { return nil }
            days = newYear.dayNumber + dayOfYear - 1
        }
        let seconds = Int64(days) * 86_400 + Int64(hour * 3_600 + minute * 60 + second - offset)
        return Timestamp(seconds: seconds, nanoseconds: Int32(nanoseconds))
    }

    private mutating func read(_ verb: Unicode.Scalar) -> Bool {
        switch verb {
        case "f", "L": return readFraction()
        case "p": return readHalfOfDay()
        case "z", "Z": return readZone()
        case "b", "h", "B": return readName(TimeReading.months).map { month = $0 + 1 } != nil
        case "a", "A": return readName(TimeReading.days) != nil
        case "s": return readUnixSeconds()
        case "e":
            if rest.first == UInt8(ascii: " ") { rest.removeFirst() }
            return readNumber(verb)
        default: return readNumber(verb)
        }
    }

    private mutating func readNumber(_ verb: Unicode.Scalar) -> Bool {
        guard let number = number(verb == "Y" ? 4 : verb == "j" ? 3 : 2) else { return false }
        switch verb {
        case "Y": year = number
        // As in POSIX: 69 is 1969, 68 is 2068.
        case "y": year = number + (number < 69 ? 2_000 : 1_900)
        case "m": month = number
        case "d", "e": day = number
        case "j": dayOfYear = number
        case "H", "I": hour = number
        case "M": minute = number
        default: second = number
        }
        return true
    }

    /// At least one digit and at most `width`.
    private mutating func number(_ width: Int) -> Int? {
        let digits = rest.prefix(width).prefix(while: \.isDigit)
        rest = rest.dropFirst(digits.count)
        return digits.isEmpty ? nil : digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    private mutating func readFraction() -> Bool {
        let digits = rest.prefix(while: \.isDigit)
        rest = rest.dropFirst(digits.count)
        guard !digits.isEmpty else { return false }
        let shown = digits.prefix(9).reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        nanoseconds = (digits.count..<max(9, digits.count)).reduce(shown) { number, _ in number * 10 }
        return true
    }

    private mutating func readHalfOfDay() -> Bool {
        let half = String(decoding: rest.prefix(2), as: UTF8.self).lowercased()
        guard half == "am" || half == "pm" else { return false }
        rest = rest.dropFirst(2)
        isAfternoon = half == "pm"
        return true
    }

    /// `Z`, `UTC`, `GMT`, `+0100`, `+01:00`, `+01`.
    private mutating func readZone() -> Bool {
        for name in ["UTC", "GMT", "Z"] where rest.starts(with: name.utf8) {
            rest = rest.dropFirst(name.utf8.count)
            return true
        }
        guard let sign = rest.popFirst(), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), let hours = number(2) else { return false }
        if rest.first == UInt8(ascii: ":") { rest.removeFirst() }
        let minutes = number(2) ?? 0
        guard hours < 24, minutes < 60 else { return false }
        offset = (hours * 3_600 + minutes * 60) * (sign == UInt8(ascii: "-") ? -1 : 1)
        return true
    }

    /// A full name or its first three letters, ignoring case.
    private mutating func readName(_ names: [[UInt8]]) -> Int? {
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

    private mutating func readUnixSeconds() -> Bool {
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative { rest.removeFirst() }
        guard let number = number(15) else { return false }
        unixSeconds = Int64(isNegative ? -number : number)
        return true
    }
}
