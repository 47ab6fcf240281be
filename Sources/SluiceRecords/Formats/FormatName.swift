/// The formats of pipeline files, by the names they have there.
public enum FormatName: String, CaseIterable, Sendable {
    case jsonl, combined, common, csv, tsv, logfmt, syslog, lines, regex

    /// Takes `ndjson`, the other name of `jsonl`, too.
    public init?(_ text: String) {
        self.init(rawValue: text == "ndjson" ? "jsonl" : text)
    }

    /// Whether this version reads it.
    public var isRead: Bool {
        switch self {
        case .jsonl, .combined, .common, .lines, .regex: true
        case .csv, .tsv, .logfmt, .syslog: false
        }
    }

    /// Whether this version writes it.
    public var isWritten: Bool {
        switch self {
        case .jsonl, .lines: true
        case .combined, .common, .csv, .tsv, .logfmt, .syslog, .regex: false
        }
    }
}
