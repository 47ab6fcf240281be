internal import Foundation
internal import Synchronization

/// The components of a timestamp, in UTC or in a time zone, and of a duration.
enum Times {
    static let functions: [Function] =
        parts.map { name, part in
            Function(
                "(timestamp).\(name)() -> int",
                implementation: .pure { value throws(EvaluationError) in
                    guard case .timestamp(let moment) = value else { throw .noOverload(name, value) }
                    return .int(Int64(part(LocalTime(moment, offset: 0))))
                })
        }
        + parts.map { name, part in
            Function(
                "(timestamp).\(name)(string) -> int",
                implementation: .pure { value, zone throws(EvaluationError) in
                    guard case .timestamp(let moment) = value, case .string(let zone) = zone else { throw .noOverload(name, value, zone) }
                    return .int(Int64(part(LocalTime(moment, offset: try offset(of: zone, at: moment)))))
                })
        }
        + durationParts.map { name, unit in
            Function(
                "(timestamp).\(name)() -> int", "(duration).\(name)() -> int",
                implementation: .pure { value throws(EvaluationError) in
                    switch value {
                    case .timestamp(let moment): .int(Int64(durationPart(name, of: LocalTime(moment, offset: 0))))
                    case .duration(let duration): .int(Int64(unit(duration.wholeNanoseconds)))
                    default: throw .noOverload(name, value)
                    }
                })
        }
        + durationParts.map { name, _ in
            Function(
                "(timestamp).\(name)(string) -> int",
                implementation: .pure { value, zone throws(EvaluationError) in
                    guard case .timestamp(let moment) = value, case .string(let zone) = zone else { throw .noOverload(name, value, zone) }
                    return .int(Int64(durationPart(name, of: LocalTime(moment, offset: try offset(of: zone, at: moment)))))
                })
        }

    private static let parts: [(String, @Sendable (LocalTime) -> Int)] = [
        ("getFullYear", { $0.date.year }),
        ("getMonth", { $0.date.month - 1 }),
        ("getDate", { $0.date.day }),
        ("getDayOfMonth", { $0.date.day - 1 }),
        ("getDayOfWeek", { $0.date.dayOfWeek }),
        ("getDayOfYear", { $0.date.dayOfYear }),
    ]

    /// The components that timestamps and durations share. For a duration: how often the unit fits
    /// in it, except for milliseconds, which are those of its last second.
    private static let durationParts: [(String, @Sendable (Int128) -> Int128)] = [
        ("getHours", { $0 / 3_600_000_000_000 }),
        ("getMinutes", { $0 / 60_000_000_000 }),
        ("getSeconds", { $0 / 1_000_000_000 }),
        ("getMilliseconds", { $0 % 1_000_000_000 / 1_000_000 }),
    ]

    private static func durationPart(_ name: String, of time: LocalTime) -> Int {
        switch name {
        case "getHours": time.secondOfDay / 3_600
        case "getMinutes": time.secondOfDay / 60 % 60
        case "getSeconds": time.secondOfDay % 60
        default: time.nanoseconds / 1_000_000
        }
    }

    /// Seconds east of UTC in a zone given by name (`Europe/Berlin`) or as `+02:00`, `-8:00`,
    /// `02:00`, or `+0200`, as logs have it.
    static func offset(of zone: String, at moment: Timestamp) throws(EvaluationError) -> Int {
        if ["UTC", "Z", ""].contains(zone) { return 0 }
        if let offset = fixedOffset(zone) { return offset }
        guard let zone = zones.named(zone) else { throw .invalid("unknown time zone '\(zone)'") }
        return zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(moment.seconds)))
    }

    private static func fixedOffset(_ zone: String) -> Int? {
        var scanner = DigitScanner(zone)
        let sign = scanner.skip("-") ? -1 : 1
        let isSigned = sign < 0 || scanner.skip("+")
        guard var hours = scanner.digit() else { return nil }
        let tens = scanner.digit()
        if let tens { hours = hours * 10 + tens }
        guard scanner.skip(":") || (isSigned && tens != nil), let minutes = scanner.number(2), scanner.isAtEnd, hours < 24, minutes < 60 else { return nil }
        return sign * (hours * 3_600 + minutes * 60)
    }

    private static let zones = ZoneCache()
}

/// The date and time on a clock.
struct LocalTime {
    let date: CivilDate
    let secondOfDay: Int
    let nanoseconds: Int

    init(_ moment: Timestamp, offset: Int) {
        let (days, rest) = (moment.seconds + Int64(offset)).floorDivided(by: 86_400)
        date = CivilDate(dayNumber: Int(days))
        secondOfDay = Int(rest)
        nanoseconds = Int(moment.nanoseconds)
    }
}

/// Caches time zones by name, because looking one up reads files.
private final class ZoneCache: Sendable {
    private static let limit = 1_000
    private let known = Mutex<[Name: TimeZone]>([:])

    func named(_ name: String) -> TimeZone? {
        if let zone = known.withLock({ $0[Name(name)] }) { return zone }
        guard let zone = TimeZone(identifier: name) else { return nil }
        known.withLock { known in
            if known.count >= ZoneCache.limit { known.removeAll() }
            known[Name(name)] = zone
        }
        return zone
    }
}
