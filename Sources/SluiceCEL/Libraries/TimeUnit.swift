/// A unit that times are rounded down to.
///
/// Spans of time are counted from 1970-01-01, 00:00 on the clock of the zone, so `1h` and `1d`
/// begin at full hours and at midnight there. Weeks begin on Monday.
enum TimeUnit {
    /// In nanoseconds.
    case span(Int128)
    case week, month, quarter, year

    /// - Parameter text: `1h`, `15m`, `1d`, `week`, `month`, `quarter` or `year`.
    init(_ text: String) throws(EvaluationError) {
        switch text {
        case "week": self = .week
        case "month": self = .month
        case "quarter": self = .quarter
        case "year": self = .year
        default:
            if text.hasSuffix("d"), let days = Int64(text.dropLast()), (1...366_000).contains(days) {
                self = .span(Int128(days) * 86_400_000_000_000)
            } else if let span = try? Duration(parsing: text) {
                try self.init(span)
            } else {
                throw .invalid("\(Value.quotedBeginning(text)) is no unit of time: write '15m', '1h', '1d', 'week', 'month', 'quarter' or 'year'")
            }
        }
    }

    init(_ span: Duration) throws(EvaluationError) {
        guard span > .zero else { throw .invalid("a unit of time must be longer than zero") }
        self = .span(span.wholeNanoseconds)
    }

    /// The beginning of the unit that contains a time.
    ///
    /// - Parameter zone: as for ``Times/offset(of:at:)``.
    func beginning(_ moment: Timestamp, in zone: String) throws(EvaluationError) -> Timestamp {
        let offset = try Times.offset(of: zone, at: moment)
        let local = beginning(seconds: moment.seconds + Int64(offset), nanoseconds: moment.nanoseconds)
        guard let first = Timestamp(seconds: local.seconds - Int64(offset), nanoseconds: local.nanoseconds) else { throw .overflow("truncate") }
        // The clocks may have changed since.
        let then = try Times.offset(of: zone, at: first)
        guard then != offset, let result = Timestamp(seconds: local.seconds - Int64(then), nanoseconds: local.nanoseconds), result <= moment else {
            return first
        }
        return result
    }

    /// Both are times on the clock of the zone, as if it were UTC.
    private func beginning(seconds: Int64, nanoseconds: Int32) -> (seconds: Int64, nanoseconds: Int32) {
        let days = Int(seconds.floorDivided(by: 86_400).quotient)
        let date = CivilDate(dayNumber: days)
        switch self {
        case .span(let span):
            let (count, _) = (Int128(seconds) * 1_000_000_000 + Int128(nanoseconds)).floorDivided(by: span)
            let (whole, rest) = (count * span).floorDivided(by: 1_000_000_000)
            return (Int64(whole), Int32(rest))
        case .week: return (86_400 * Int64(days - (date.dayOfWeek + 6) % 7), 0)
        case .month: return (86_400 * Int64(days - date.day + 1), 0)
        case .quarter: return (86_400 * Int64(CivilDate(year: date.year, month: (date.month - 1) / 3 * 3 + 1, day: 1)?.dayNumber ?? days), 0)
        case .year: return (86_400 * Int64(days - date.dayOfYear), 0)
        }
    }

    static let functions: [Function] = [
        Function(
            "(timestamp).truncate(string) -> timestamp", "(timestamp).truncate(duration) -> timestamp",
            implementation: .pure { moment, unit throws(EvaluationError) in try truncated([moment, unit, .string("")]) }),
        Function(
            "(timestamp).truncate(string, string) -> timestamp", "(timestamp).truncate(duration, string) -> timestamp",
            implementation: .pure { values throws(EvaluationError) in try truncated(values) }),
    ]

    /// `truncate` with a constant unit, for the other arguments: the time and, if there is one, the
    /// zone.
    static func truncation(to text: String) throws(EvaluationError) -> Implementation.Variadic {
        let unit = try TimeUnit(text)
        return { values, _ throws(EvaluationError) in
            guard case .timestamp(let moment) = values[0] else { throw .noOverload("truncate", values) }
            guard values.count > 1 else { return .timestamp(try unit.beginning(moment, in: "")) }
            guard case .string(let zone) = values[1] else { throw .noOverload("truncate", values) }
            return .timestamp(try unit.beginning(moment, in: zone))
        }
    }

    private static func truncated(_ values: [Value]) throws(EvaluationError) -> Value {
        guard case .timestamp(let moment) = values[0], case .string(let zone) = values[2] else { throw .noOverload("truncate", values) }
        switch values[1] {
        case .string(let unit): return .timestamp(try TimeUnit(unit).beginning(moment, in: zone))
        case .duration(let unit): return .timestamp(try TimeUnit(unit).beginning(moment, in: zone))
        default: throw .noOverload("truncate", values)
        }
    }
}
