public import SluiceCEL

/// How records are read: what fields they have, and what finds them.
public enum Format: Sendable {
    case jsonl, combined, common, lines
    case regex(Pattern)

    public var name: FormatName {
        switch self {
        case .jsonl: .jsonl
        case .combined: .combined
        case .common: .common
        case .lines: .lines
        case .regex: .regex
        }
    }

    /// The fields that a record can have. Of a format with known fields, any may be absent from a record but `line`.
    public var schema: Schema {
        switch self {
        case .jsonl: .open
        case .combined: .known(AccessLogField.allCases.map(\.field))
        case .common: .known(AccessLogField.allCases.filter { $0 != .referer && $0 != .agent }.map(\.field))
        // Bytes where a line is not UTF-8, which only reading it tells.
        case .lines: .known([Schema.Field(name: LinesDecoder.field, type: .string)])
        case .regex(let pattern): .known(RegexDecoder.fields(of: pattern).map { Schema.Field(name: $0, type: .string) })
        }
    }

    /// A decoder that fills one column for each of the names; names that the format does not know stay absent.
    ///
    /// - Parameter spans: whether the places of members are wanted as well; only records of JSON have any.
    public func makeDecoder(columns: [String], spans: Bool) -> any RecordDecoder {
        switch self {
        case .jsonl: JSONLinesDecoder(columns: columns, spans: spans)
        case .combined: AccessLogDecoder(.combined, columns: columns)
        case .common: AccessLogDecoder(.common, columns: columns)
        case .lines: LinesDecoder(columns: columns)
        case .regex(let pattern): RegexDecoder(pattern, columns: columns)
        }
    }
}

extension AccessLogField {
    fileprivate var field: Schema.Field { Schema.Field(name: name, type: type) }

    public var type: CELType {
        switch self {
        case .time: .timestamp
        case .status, .bytes: .int
        default: .string
        }
    }
}
