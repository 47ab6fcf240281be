import SluiceCEL

/// A pattern for the lines that a logger writes: a time, a level, and a message at the end.
///
/// What a logger writes depends on how it is configured. These are the usual configurations, which
/// are proposed for a sample.
struct LoggerPattern: Sendable {
    /// As in a pipeline file.
    let text: String
    private let pattern: Pattern

    private init(_ text: String) {
        self.text = text
        do {
            pattern = try Pattern(try NamedPatterns.expanded(text))
        } catch {
            preconditionFailure("\(text) is not a pattern: \(error)")
        }
    }

    /// Those with more fields first.
    static let all = [
        // Spring Boot.
        #"^%{time:time} +%{level:level} +%{int:pid} --- \[ *%{text:thread}\] +%{notspace:logger} +: %{rest:message}$"#,
        // Logback and Log4j.
        #"^%{time:time} +\[%{text:thread}\] +%{level:level} +%{notspace:logger} +-+ %{rest:message}$"#,
        #"^%{time:time} +%{level:level} +\[%{text:thread}\] +%{notspace:logger} +-+ %{rest:message}$"#,
        #"^%{time:time} +%{level:level} +%{host:app}(?:\[%{int:pid}\])?: %{rest:message}$"#,
        // Python.
        #"^%{time:time} - %{notspace:logger} - %{level:level} - %{rest:message}$"#,
        #"^\[?%{time:time}\]? +\[?%{level:level}\]?:? +%{rest:message}$"#,
    ].map { LoggerPattern($0) }

    /// Without a level.
    private static let timed = LoggerPattern(#"^\[?%{time:time}\]?:? +%{rest:message}$"#)

    /// The pattern of lines that begin with a time, if there are such lines.
    static func timed(_ text: [UInt8]) -> LoggerPattern? {
        let lines = text.split(separator: UInt8(ascii: "\n"))
        return lines.contains { line in line.withUnsafeBufferPointer { timed.pattern.matches($0) } } ? timed : nil
    }

    /// The one with the most fields that nearly as many lines match as any other.
    static func best(for text: [UInt8]) -> LoggerPattern? {
        let lines = text.split(separator: UInt8(ascii: "\n"))
        let counts = all.map { candidate in lines.count { line in line.withUnsafeBufferPointer { candidate.pattern.matches($0) } } }
        guard let most = counts.max(), most > 0 else { return nil }
        return zip(all, counts).first { 10 * $0.1 >= 9 * most }?.0
    }
}
