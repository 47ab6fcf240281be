/// `common`: the access log of Apache and nginx without referer and agent.
package struct Common: Format {
    package static let declaration = Declaration(
        "common", "access logs without referer and user agent", argument: .keys(AccessLogOptions.keys), example: "format: common",
        elsewhere: ["clf", "apache_common"])

    private let options: AccessLogOptions

    package init() { options = AccessLogOptions() }
    package init?(_ options: Arguments?, _ checking: inout Checking) { self.options = AccessLogOptions(options) }

    package var schema: Schema { .known(AccessLogField.all(.common, withHost: options.hasHost).map(\.schemaField)) }

    package func makeDecoder(columns: [String], spans: Bool) -> any RecordDecoder {
        options.makeDecoder(.common, columns: columns)
    }
}

extension Common: VariedFormat {
    package static func variants(for text: [UInt8]) -> [FormatVariant] { AccessLogOptions.variants }
}

extension RecordFormat {
    /// The access log of Apache and nginx, without referer and agent.
    public static let common = RecordFormat(Common.self)

    /// The access log without referer and agent, with the options of ``combined(vhost:unescape:)``.
    public static func common(vhost: Bool, unescape: Bool = false) -> RecordFormat {
        RecordFormat(Common.self) { AccessLogOptions.arguments(vhost: vhost, unescape: unescape, &$0) }
    }
}
