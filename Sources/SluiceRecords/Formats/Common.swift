/// `common`: the access log of Apache and nginx without referer and agent.
package struct Common: Format {
    package static let declaration = Declaration(
        "common", "access logs without referer and agent", argument: .keys([]), example: "format: common")

    package init() {}
    package init?(_ options: Arguments?, _ checking: inout Checking) {}

    package var schema: Schema {
        .known(AccessLogField.allCases.filter { $0 != .referer && $0 != .agent }.map(\.schemaField))
    }

    package func makeDecoder(columns: [String], spans: Bool) -> any RecordDecoder {
        AccessLogDecoder(.common, columns: columns)
    }
}

extension RecordFormat {
    /// The access log of Apache and nginx, without referer and agent.
    public static let common = RecordFormat(Common.self)
}
