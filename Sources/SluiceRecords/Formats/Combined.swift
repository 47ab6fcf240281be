import SluiceCEL

/// `combined`: the access log of Apache and nginx with referer and agent.
package struct Combined: Format {
    package static let declaration = Declaration(
        "combined", "access logs of Apache and nginx", argument: .keys([]), example: "format: combined")

    package init() {}
    package init?(_ options: Arguments?, _ checking: inout Checking) {}

    package var schema: Schema { .known(AccessLogField.allCases.map(\.schemaField)) }

    package func makeDecoder(columns: [String], spans: Bool) -> any RecordDecoder {
        AccessLogDecoder(.combined, columns: columns)
    }
}

extension AccessLogField {
    var schemaField: Schema.Field { Schema.Field(name: name, type: type) }

    private var type: CELType {
        switch self {
        case .time: .timestamp
        case .status, .bytes: .int
        default: .string
        }
    }
}

extension RecordFormat {
    /// The access log of Apache and nginx, with referer and agent.
    public static let combined = RecordFormat(Combined.self)
}
