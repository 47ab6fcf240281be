import SluiceCEL

/// `combined`: the access log of Apache and nginx with referer and agent.
package struct Combined: Format {
    package static let declaration = Declaration(
        "combined", "access logs of Apache and nginx", argument: .keys(AccessLogOptions.keys), example: "format: combined",
        elsewhere: ["apache", "apache_log", "apache_combined", "nginx", "nginx_log", "nginx_combined", "access_log"])

    private let options: AccessLogOptions

    package init() { options = AccessLogOptions() }
    package init?(_ options: Arguments?, _ checking: inout Checking) { self.options = AccessLogOptions(options) }

    package var schema: Schema { .known(AccessLogField.all(.combined, withHost: options.hasHost).map(\.schemaField)) }

    package func makeDecoder(columns: [String], spans: Bool) -> any RecordDecoder {
        options.makeDecoder(.combined, columns: columns)
    }
}

extension Combined: VariedFormat {
    package static func variants(for text: [UInt8]) -> [FormatVariant] { AccessLogOptions.variants }
}

/// The options of `combined` and `common`.
struct AccessLogOptions: Sendable {
    static let keys = [
        ArgumentKey("vhost", .flag, default: "false", example: "vhost: true", "lines begin with the virtual host, which becomes the field `vhost`"),
        ArgumentKey(
            "unescape", .flag, default: "false", example: "unescape: true",
            #"decode escapes such as `\xe4` and `\t` if the result is UTF-8"#),
    ]

    static var variants: [FormatVariant] { [FormatVariant("vhost", .flag(true, Leaf("").place), as: "true")] }

    var hasHost = false
    var undoesEscapes = false

    init(_ options: Arguments? = nil) {
        hasHost = options?["vhost"]?.flag ?? false
        undoesEscapes = options?["unescape"]?.flag ?? false
    }

    func makeDecoder(_ layout: AccessLogDecoder.Layout, columns: [String]) -> any RecordDecoder {
        AccessLogDecoder(layout, columns: columns, hasHost: hasHost, undoesEscapes: undoesEscapes)
    }

    /// The options as in a pipeline file.
    static func arguments(vhost: Bool, unescape: Bool, _ script: inout Script) -> [String: Argument] {
        ["vhost": .flag(vhost, script.place), "unescape": .flag(unescape, script.place)]
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

    /// The access log of Apache and nginx, with options.
    ///
    /// - Parameters:
    ///   - vhost: whether lines begin with a virtual host.
    ///   - unescape: whether escapes such as `\xe4` are decoded to the bytes that they stand for.
    public static func combined(vhost: Bool, unescape: Bool = false) -> RecordFormat {
        RecordFormat(Combined.self) { AccessLogOptions.arguments(vhost: vhost, unescape: unescape, &$0) }
    }
}
