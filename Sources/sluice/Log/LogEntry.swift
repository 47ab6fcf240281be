import Glibc
import SluiceDefinition
import SluiceRecords

/// A log record, with the names of OpenTelemetry's data model.
struct LogEntry: Equatable {
    typealias Attributes = KeyValuePairs<String, Value>

    /// With OpenTelemetry's numbers.
    enum Severity: Int {
        case debug = 5
        case info = 9
        case warning = 13
        case error = 17

        var name: String {
            switch self {
            case .debug: "DEBUG"
            case .info: "INFO"
            case .warning: "WARN"
            case .error: "ERROR"
            }
        }
    }

    enum Value: Equatable, ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
        case text(String)
        case integer(Int)
        case number(Double)
        case flag(Bool)
        /// Left out.
        case none

        init(stringLiteral text: String) { self = .text(text) }
        init(integerLiteral number: Int) { self = .integer(number) }
        init(booleanLiteral flag: Bool) { self = .flag(flag) }
        init(_ text: String?) { self = text.map(Value.text) ?? .none }
        init(_ number: Int?) { self = number.map(Value.integer) ?? .none }
        init(_ number: Double?) { self = number.map(Value.number) ?? .none }
    }

    let severity: Severity
    let body: String
    private let attributes: [(name: String, value: Value)]

    init(_ severity: Severity, _ body: String, _ attributes: Attributes = [:]) {
        (self.severity, self.body) = (severity, body)
        self.attributes = attributes.map { ($0.key, $0.value) }
    }

    static func == (left: LogEntry, right: LogEntry) -> Bool {
        left.severity == right.severity && left.body == right.body && left.attributes.elementsEqual(right.attributes, by: ==)
    }

    subscript(name: String) -> Value? { attributes.first { $0.name == name }?.value }

    var json: String { json(at: Self.now) }

    /// - Parameter time: as in RFC 3339.
    func json(at time: String) -> String {
        var text = "{\"timestamp\":\"\(time)\",\"severity_text\":\"\(severity.name)\",\"severity_number\":\(severity.rawValue),\"body\":\(Self.quoted(body))"
        let fields = attributes.compactMap { name, value in Self.shown(value).map { "\(Self.quoted(name)):\($0)" } }
        if !fields.isEmpty { text += ",\"attributes\":{\(fields.joined(separator: ","))}" }
        return text + "}"
    }

    private static func shown(_ value: Value) -> String? {
        switch value {
        case .text(let text): quoted(text)
        case .integer(let number): String(number)
        // JSON has no other numbers.
        case .number(let number): number.isFinite ? String(number) : nil
        case .flag(let flag): String(flag)
        case .none: nil
        }
    }

    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            // Of those that are left, no program should see raw ones in a log.
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.value == 0x2028 || scalar.value == 0x2029:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    /// `2026-03-01T00:16:20.123Z`
    private static var now: String {
        var (time, parts) = (timespec(), tm())
        clock_gettime(CLOCK_REALTIME, &time)
        gmtime_r(&time.tv_sec, &parts)
        func digits(_ number: Int, _ count: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        let date = "\(digits(Int(parts.tm_year) + 1900, 4))-\(digits(Int(parts.tm_mon) + 1, 2))-\(digits(Int(parts.tm_mday), 2))"
        let clock = "\(digits(Int(parts.tm_hour), 2)):\(digits(Int(parts.tm_min), 2)):\(digits(Int(parts.tm_sec), 2))"
        return "\(date)T\(clock).\(digits(time.tv_nsec / 1_000_000, 3))Z"
    }
}

extension LogEntry {
    /// What is laid out in lines for people, as an entry for each.
    static func lines(_ text: String, _ severity: Severity) -> [LogEntry] {
        text.split(separator: "\n").compactMap { line in
            var line = line.drop { $0 == " " }
            for mark in ["sluice: ", "warning: "] where line.hasPrefix(mark) { line = line.dropFirst(mark.count) }
            return line.isEmpty ? nil : LogEntry(severity, String(line))
        }
    }

    /// An error in a pipeline file, or a warning, with the names that OpenTelemetry has for a place
    /// in code.
    init(_ diagnostic: DefinitionDiagnostic, in file: String) {
        self.init(
            diagnostic.severity == .error ? .error : .warning, diagnostic.message,
            [
                "code.file.path": .text(file), "code.line.number": Value(diagnostic.place?.start.line),
                "code.column.number": Value(diagnostic.place?.start.column),
                "sluice.fix": Value(diagnostic.fix),
            ])
    }
}
