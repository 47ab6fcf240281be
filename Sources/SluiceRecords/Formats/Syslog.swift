package import SluiceCEL

/// `syslog`: messages of RFC 5424, and of RFC 3164 as programs write them.
package struct Syslog: DatedFormat {
    package static let declaration = Declaration(
        "syslog", "messages of RFC 5424 and of RFC 3164, as syslog daemons and journald write them", argument: .keys([]), example: "format: syslog")

    package private(set) var timeDefaults = TimeDefaults()

    package init() {}
    package init?(_ options: Arguments?, _ checking: inout Checking) {}

    package var timeField: String { SyslogField.time.name }

    package func completed(by defaults: TimeDefaults) -> any Format {
        var completed = self
        completed.timeDefaults = defaults
        return completed
    }

    package var framing: Framing { .syslog }

    package var schema: Schema {
        .known(SyslogField.allCases.map { Schema.Field(name: $0.name, type: type(of: $0)) })
    }

    private func type(of field: SyslogField) -> CELType {
        switch field {
        case .priority: .int
        // A time without a year stays text.
        case .time: timeDefaults.year == nil ? .dyn : .timestamp
        case .structuredData: .map(.string, .dyn)
        default: .string
        }
    }

    package func makeDecoder(columns: [String], spans: Bool) -> any RecordDecoder { SyslogDecoder(columns: columns, timeDefaults) }
}

extension Syslog: DoubtfulFormat {
    /// A line that begins with a time of ISO 8601 is a message only with a tag or a priority: its
    /// next word could be anything.
    package func isEvident(in record: ValueMap) -> Bool {
        if record[SyslogField.app.name] != nil || record[SyslogField.priority.name] != nil { return true }
        guard case .string(let time)? = record[SyslogField.time.name] else { return false }
        return time.first?.isLetter == true
    }
}

extension RecordFormat {
    /// Messages of RFC 5424, and of RFC 3164 as programs write them. See docs/formats.md.
    public static let syslog = RecordFormat(Syslog.self)
}
