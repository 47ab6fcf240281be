/// `access`: access logs in the format that the server's own configuration defines.
package struct Access: Format {
    package static let declaration = Declaration(
        "access", "access logs as defined by nginx's `log_format` or Apache's `LogFormat`",
        argument: .keys([
            ArgumentKey(
                "nginx", .text, example: #"nginx: '$remote_addr - [$time_local] "$request" $status'"#, "the value of nginx's `log_format`"),
            ArgumentKey("apache", .text, example: #"apache: '%h %l %u %t "%r" %>s %b'"#, "the value of Apache's `LogFormat`"),
            ArgumentKey(
                "format", .choice(KnownLogFormat.all.map(\.name)), example: "format: main", "the name of a well-known definition"),
            ArgumentKey(
                "escape", .choice(["default", "json", "none"]), default: "default", example: "escape: json",
                "with `nginx`: the `escape` parameter of its `log_format`"),
        ]),
        example: "format: {access: {format: main}}")

    private let template: LogTemplate

    init(_ template: LogTemplate) {
        self.template = template
    }

    package init?(_ options: Arguments?, _ checking: inout Checking) {
        let keys = ["nginx", "apache", "format"].filter { options?[$0] != nil }
        guard let options, keys.count == 1, let leaf = options[keys[0]]?.leaf else {
            let message = keys.isEmpty ? "the format '\(Self.name)' needs the server's definition" : "both '\(keys[0])' and '\(keys[1])'"
            checking.report(message, at: options?.place, fix: "give one of 'nginx', 'apache' and 'format': \(Self.declaration.example)")
            return nil
        }
        guard leaf.isComplete else { return nil }
        if let escape = options["escape"], keys[0] != "nginx" {
            checking.report("\(Self.name): 'escape' is only for 'nginx'", at: escape.place, fix: "remove it")
            return nil
        }
        do throws(LogTemplateError) {
            switch keys[0] {
            case "nginx": template = try LogTemplate(nginx: leaf.text, escape: options["escape"]?.leaf?.text)
            case "apache": template = try LogTemplate(apache: leaf.text)
            default: template = try KnownLogFormat.named(leaf.text)
            }
        } catch {
            checking.report("\(Self.name): \(error.message)", at: leaf.place, fix: error.fix)
            return nil
        }
    }

    package var schema: Schema { .known(template.fields) }

    package func makeDecoder(columns: [String], spans: Bool) -> any RecordDecoder { LogTemplateDecoder(template, columns: columns) }
}

extension Access: VariedFormat {
    /// Those of the well-known definitions that are not formats of their own.
    package static func variants(for text: [UInt8]) -> [FormatVariant] {
        ["main", "squid"].map { FormatVariant("format", .leaf(Leaf($0)), as: $0) }
    }
}

/// Formats that common servers define by default.
struct KnownLogFormat: Sendable {
    let name: String
    private let make: @Sendable () throws(LogTemplateError) -> LogTemplate

    private init(_ name: String, _ make: @escaping @Sendable () throws(LogTemplateError) -> LogTemplate) {
        self.name = name
        self.make = make
    }

    private static let commonApache = #"%h %l %u %t "%r" %>s %b"#
    private static let combinedApache = commonApache + #" "%{Referer}i" "%{User-agent}i""#

    static let all: [KnownLogFormat] = [
        KnownLogFormat("main") { () throws(LogTemplateError) in
            try LogTemplate(
                nginx: #"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" "#
                    + #""$http_x_forwarded_for""#)
        },
        KnownLogFormat(Combined.name) { () throws(LogTemplateError) in try LogTemplate(apache: combinedApache) },
        KnownLogFormat(Common.name) { () throws(LogTemplateError) in try LogTemplate(apache: commonApache) },
        KnownLogFormat("vhost_combined") { () throws(LogTemplateError) in try LogTemplate(apache: "%v:%p " + combinedApache) },
        KnownLogFormat("vhost_common") { () throws(LogTemplateError) in try LogTemplate(apache: "%v " + commonApache) },
        KnownLogFormat("squid") { () throws(LogTemplateError) in LogTemplate.squid },
    ]

    static func named(_ name: String) throws(LogTemplateError) -> LogTemplate {
        guard let format = all.first(where: { $0.name == name }) else {
            throw LogTemplateError("no well-known format '\(name)'", fix: "there are: \(all.map(\.name).joined(separator: ", "))")
        }
        return try format.make()
    }
}

extension RecordFormat {
    /// An access log in a format defined for nginx.
    ///
    /// - Parameters:
    ///   - nginx: the format from the `log_format` directive.
    ///   - escape: `default`, `json` or `none`, as in that directive.
    public static func access(nginx: String, escape: String = "default") -> RecordFormat {
        RecordFormat(Access.self) { ["nginx": $0.argument(nginx), "escape": $0.argument(escape)] }
    }

    /// An access log in a format defined for Apache.
    ///
    /// - Parameter apache: the format from the `LogFormat` directive.
    public static func access(apache: String) -> RecordFormat { RecordFormat(Access.self) { ["apache": $0.argument(apache)] } }

    /// An access log in a format known by name, such as `main` or `squid`. docs/formats.md lists
    /// the names.
    public static func access(format: String) -> RecordFormat { RecordFormat(Access.self) { ["format": $0.argument(format)] } }
}
