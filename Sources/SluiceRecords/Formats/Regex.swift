package import SluiceCEL

/// `regex`: a field for each named group of a regular expression.
package struct RegexFormat: Format {
    package static let declaration = Declaration(
        "regex", "a field for each named group of a regular expression",
        argument: .keys([
            ArgumentKey(
                "pattern", .text, isRequired: true, example: #"pattern: '^(?P<host>\S+) (?P<rest>.*)$'"#,
                "RE2 syntax, and named patterns such as `%{ip:client}`; matches anywhere unless anchored with `^` and `$`")
        ]),
        example: #"format: {regex: {pattern: '^(?P<host>\S+)'}}"#, elsewhere: ["grok", "pattern", "dissect", "regexp"])

    private let pattern: Pattern

    package init(_ pattern: Pattern) {
        self.pattern = pattern
    }

    package init?(_ options: Arguments?, _ checking: inout Checking) {
        guard let text = options?["pattern"]?.leaf, text.isComplete else { return nil }
        let expanded: String
        do throws(NamedPatterns.Fault) {
            expanded = try NamedPatterns.expanded(text.text)
        } catch {
            checking.report(error.message, at: text.place, fix: error.fix)
            return nil
        }
        do throws(PatternError) {
            let pattern = try Pattern(expanded)
            guard pattern.groupNames.contains(where: { $0 != nil }) else {
                checking.report(
                    "the pattern has no named groups, so it yields no fields", at: text.place,
                    fix: "write (?P<name>…) around each part that should be a field, or a named pattern such as %{ip:client}")
                return nil
            }
            self.init(pattern)
        } catch {
            checking.report(
                "the pattern is not a regular expression: \(error.message)", at: text.place,
                fix: "RE2's syntax: https://github.com/google/re2/wiki/Syntax")
            return nil
        }
    }

    package var schema: Schema { .known(RegexDecoder.fields(of: pattern).map { Schema.Field(name: $0, type: .string) }) }

    package func makeDecoder(columns: [String], spans: Bool) -> any RecordDecoder { RegexDecoder(pattern, columns: columns) }
}

extension RegexFormat: VariedFormat {
    /// Such a line may pass as one of syslog, whose host would then be the level.
    package static func variants(for text: [UInt8]) -> [FormatVariant] {
        let logger: (LoggerPattern, Bool, Double)? = LoggerPattern.best(for: text).map { ($0, true, 1) }
        // A time alone says less than the columns of a table.
        guard let (pattern, winsTies, weight) = logger ?? LoggerPattern.timed(text).map({ ($0, false, 0.7) }) else { return [] }
        return [FormatVariant("pattern", .leaf(Leaf(pattern.text)), as: "'\(pattern.text)'", winsTies: winsTies, weight: weight)]
    }
}

extension RecordFormat {
    /// A field for each named group of a regular expression.
    ///
    /// - Parameter pattern: in RE2's syntax, with named patterns such as `%{ip:client}`. It may
    ///   match anywhere; anchor it with `^` and `$`.
    public static func regex(_ pattern: String) -> RecordFormat { RecordFormat(RegexFormat.self) { ["pattern": $0.argument(pattern)] } }
}
