/// An instant between the years 1 and 9999, to the nanosecond.
public struct Timestamp: Hashable, Sendable {
    /// Since 1970-01-01T00:00:00Z, rounded down.
    public let seconds: Int64
    /// 0 ..< 1_000_000_000, always forward from `seconds`.
    public let nanoseconds: Int32

    public static let epoch = Timestamp(unchecked: 0, 0)
    static let secondsRange: ClosedRange<Int64> = -62_135_596_800...253_402_300_799

    private init(unchecked seconds: Int64, _ nanoseconds: Int32) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// Nil outside the years 1 to 9999, or if `nanoseconds` is not a fraction of a second.
    public init?(seconds: Int64, nanoseconds: Int32 = 0) {
        guard Timestamp.secondsRange.contains(seconds), (0..<1_000_000_000).contains(nanoseconds) else { return nil }
        self.init(unchecked: seconds, nanoseconds)
    }

    /// The instant `duration` later; nil outside the range.
    func adding(_ duration: Duration) -> Timestamp? {
        let (seconds, attoseconds) = duration.components
        let sum = Int64(nanoseconds) + attoseconds / 1_000_000_000
        let carry: Int64 = sum < 0 ? -1 : sum >= 1_000_000_000 ? 1 : 0
        let (total, overflows) = self.seconds.addingReportingOverflow(seconds)
        guard !overflows else { return nil }
        return Timestamp(seconds: total + carry, nanoseconds: Int32(sum - carry * 1_000_000_000))
    }

    /// How much later this is than `other`; nil beyond 292 years (64 bits of nanoseconds), where
    /// the conformance suite requires an error.
    func since(_ other: Timestamp) -> Duration? {
        let seconds = self.seconds - other.seconds
        let nanoseconds = Int64(self.nanoseconds) - Int64(other.nanoseconds)
        return Int64(exactly: Int128(seconds) * 1_000_000_000 + Int128(nanoseconds)).map { .nanoseconds($0) }
    }
}

extension Timestamp: Comparable {
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }
}

extension Timestamp {
    /// A date and a time on a clock that is `offset` seconds ahead of UTC; nil where there is no
    /// such moment. The leap second, 60, ends the last minute of a month in UTC, and is taken for
    /// the second after it.
    init?(_ date: CivilDate, hour: Int, minute: Int, second: Int, nanoseconds: Int, offset: Int) {
        guard hour < 24, minute < 60, second <= 60 else { return nil }
        let seconds = Int64(date.dayNumber) * 86_400 + Int64(hour * 3_600 + minute * 60 + second - offset)
        if second == 60 {
            let (day, rest) = seconds.floorDivided(by: 86_400)
            guard rest == 0, CivilDate(dayNumber: Int(day)).day == 1 else { return nil }
        }
        self.init(seconds: seconds, nanoseconds: Int32(nanoseconds))
    }

    /// Reads RFC 3339: `2009-02-13T23:31:30.25Z`, `2009-02-13t23:31:30+01:00`,
    /// `2016-12-31T23:59:60Z`.
    public init?(_ text: String) {
        var scanner = DigitScanner(text)
        guard let year = scanner.number(4), scanner.skip("-"), let month = scanner.number(2), scanner.skip("-"),
            let day = scanner.number(2), scanner.skip("T") || scanner.skip("t"), let hour = scanner.number(2), scanner.skip(":"),
            let minute = scanner.number(2), scanner.skip(":"), let second = scanner.number(2)
        else { return nil }
        var nanoseconds = 0
        if scanner.skip(".") {
            guard let fraction = scanner.fraction() else { return nil }
            nanoseconds = fraction
        }
        guard let offset = scanner.offset(), scanner.isAtEnd else { return nil }
        guard let date = CivilDate(year: year, month: month, day: day) else { return nil }
        self.init(date, hour: hour, minute: minute, second: second, nanoseconds: nanoseconds, offset: offset)
    }
}

extension Timestamp: CustomStringConvertible {
    /// RFC 3339 in UTC, with as many fractional digits of the second as needed.
    public var description: String {
        let (days, rest) = seconds.floorDivided(by: 86_400)
        let date = CivilDate(dayNumber: Int(days))
        let time = Int(rest)
        return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))T"
            + "\(padded(time / 3_600, 2)):\(padded(time / 60 % 60, 2)):\(padded(time % 60, 2))"
            + fractionText(Int(nanoseconds)) + "Z"
    }
}

/// `number` in decimal, padded with zeros on the left.
func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}

/// `.5` for 500,000,000; empty for zero.
func fractionText(_ nanoseconds: Int) -> String {
    guard nanoseconds != 0 else { return "" }
    var digits = padded(nanoseconds, 9)
    while digits.hasSuffix("0") { digits.removeLast() }
    return "." + digits
}

extension FixedWidthInteger {
    func floorDivided(by divisor: Self) -> (quotient: Self, remainder: Self) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
