/// A time format in the letters of `strftime`, such as `%d/%b/%Y:%H:%M:%S %z`, or by name:
/// `rfc3339`, `unix`, `unix_ms`, `unix_us`, `unix_ns`.
struct TimeFormat: Sendable {
    /// Formats that are not made of directives.
    static let names = ["rfc3339", "unix", "unix_ms", "unix_us", "unix_ns"]

    private enum Form {
        case rfc3339
        /// A whole number of fractions of a second, with this many to the second.
        case unix(Int64)
        case fields([Field])
    }

    enum Field {
        case literal(UInt8)
        case verb(UInt8)
    }

    private let form: Form

    init(_ text: String) throws(EvaluationError) {
        switch text {
        case "rfc3339": form = .rfc3339
        case "unix": form = .unix(1)
        case "unix_ms": form = .unix(1_000)
        case "unix_us": form = .unix(1_000_000)
        case "unix_ns": form = .unix(1_000_000_000)
        default: form = .fields(try TimeFormat.fields(text))
        }
    }

    private static func fields(_ text: String) throws(EvaluationError) -> [Field] {
        var fields: [Field] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                fields.append(.literal(byte))
                continue
            }
            guard let verb = rest.popFirst() else { throw .invalid("the time format '\(text)' ends with '%'") }
            switch Unicode.Scalar(verb) {
            case "%": fields.append(.literal(verb))
            case "F": fields += try self.fields("%Y-%m-%d")
            case "T": fields += try self.fields("%H:%M:%S")
            case "D": fields += try self.fields("%m/%d/%y")
            case "R": fields += try self.fields("%H:%M")
            case "Y", "y", "m", "d", "e", "j", "H", "I", "M", "S", "p", "f", "L", "z", "Z", "b", "h", "B", "a", "A", "s":
                fields.append(.verb(verb))
            default: throw .invalid("the time format '\(text)' has an unknown directive '%\(Unicode.Scalar(verb))'")
            }
        }
        return fields
    }

    /// The letters of the form; nil where it has a name.
    var verbs: Set<UInt8>? {
        guard case .fields(let fields) = form else { return nil }
        return Set(
            fields.compactMap { field in
                if case .verb(let verb) = field { return verb }
                return nil
            })
    }

    func read(_ text: String) throws(EvaluationError) -> Timestamp {
        let moment: Timestamp?
        switch form {
        case .rfc3339: moment = Timestamp(text)
        case .unix(let parts):
            moment = Int64(text).flatMap { number in
                let (seconds, rest) = number.floorDivided(by: parts)
                return Timestamp(seconds: seconds, nanoseconds: Int32(rest * (1_000_000_000 / parts)))
            }
        case .fields(let fields):
            var reading = TimeReading(text)
            moment = reading.read(fields)
        }
        guard let moment else { throw .invalid("\(Value.quotedBeginning(text)) does not match the time format") }
        return moment
    }

    /// `offset` is how far the clock is ahead of UTC, in seconds.
    func write(_ moment: Timestamp, offset: Int) throws(EvaluationError) -> String {
        switch form {
        case .rfc3339 where offset == 0: return moment.description
        case .rfc3339:
            let fraction = fractionText(Int(moment.nanoseconds))
            let zone = TimeWriting(moment, offset: offset).zone(colon: true)
            return try TimeFormat("%Y-%m-%dT%H:%M:%S").write(moment, offset: offset) + fraction + zone
        case .unix(let parts):
            let (high, overflows) = moment.seconds.multipliedReportingOverflow(by: parts)
            guard !overflows else { throw .overflow("format_time") }
            return String(high + Int64(moment.nanoseconds) / (1_000_000_000 / parts))
        case .fields(let fields): return TimeWriting(moment, offset: offset).text(fields)
        }
    }

    static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
    ]
    static let days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
}

private struct TimeWriting {
    private let moment: Timestamp
    private let offset: Int
    private let time: LocalTime

    init(_ moment: Timestamp, offset: Int) {
        self.moment = moment
        self.offset = offset
        time = LocalTime(moment, offset: offset)
    }

    func text(_ fields: [TimeFormat.Field]) -> String {
        var bytes: [UInt8] = []
        for field in fields {
            switch field {
            case .literal(let byte): bytes.append(byte)
            case .verb(let verb): bytes += Array(text(Unicode.Scalar(verb)).utf8)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    func zone(colon: Bool) -> String {
        let minutes = abs(offset) / 60
        return (offset < 0 ? "-" : "+") + padded(minutes / 60, 2) + (colon ? ":" : "") + padded(minutes % 60, 2)
    }

    private func text(_ verb: Unicode.Scalar) -> String {
        let hour = time.secondOfDay / 3_600
        return switch verb {
        case "Y": padded(time.date.year, 4)
        case "y": padded(time.date.year % 100, 2)
        case "m": padded(time.date.month, 2)
        case "d": padded(time.date.day, 2)
        case "e": (time.date.day < 10 ? " " : "") + String(time.date.day)
        case "j": padded(time.date.dayOfYear + 1, 3)
        case "H": padded(hour, 2)
        case "I": padded(hour % 12 == 0 ? 12 : hour % 12, 2)
        case "M": padded(time.secondOfDay / 60 % 60, 2)
        case "S": padded(time.secondOfDay % 60, 2)
        case "p": hour < 12 ? "AM" : "PM"
        case "f": padded(time.nanoseconds / 1_000, 6)
        case "L": padded(time.nanoseconds / 1_000_000, 3)
        case "z": zone(colon: false)
        case "Z": offset == 0 ? "UTC" : zone(colon: true)
        case "b", "h": String(TimeFormat.months[time.date.month - 1].prefix(3))
        case "B": TimeFormat.months[time.date.month - 1]
        case "a": String(TimeFormat.days[time.date.dayOfWeek].prefix(3))
        case "A": TimeFormat.days[time.date.dayOfWeek]
        default: String(moment.seconds)
        }
    }
}
