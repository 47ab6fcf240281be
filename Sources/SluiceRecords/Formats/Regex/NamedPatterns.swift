/// Patterns that regular expressions of the format `regex` can name: `%{ip:client}` is a group
/// `client` that matches an address, `%{ip}` the same without a group.
///
/// They tell the parts of a line from one another. They do not prove that a value is valid: a day
/// of a month may be 39.
enum NamedPatterns {
    struct Entry: Sendable {
        let name: String
        let pattern: String
        /// As in the documentation.
        let summary: String
        let example: String

        init(_ name: String, _ pattern: String, _ summary: String, _ example: String) {
            (self.name, self.pattern, self.summary, self.example) = (name, pattern, summary, example)
        }
    }

    struct Fault: Error, Equatable {
        var message: String
        var fix: String
    }

    private static let octet = #"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"#
    private static let ipv4 = #"(?:\#(octet)\.){3}\#(octet)"#
    private static let ipv6 = #"[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:(?:\.\d{1,3}){3})?(?:%[0-9A-Za-z]+)?"#
    private static let label = #"[0-9A-Za-z_](?:[0-9A-Za-z_-]*[0-9A-Za-z_])?"#
    private static let host = #"\#(label)(?:\.\#(label))*"#
    private static let date = #"\d{4}-\d\d-\d\d"#
    private static let clock = #"\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?"#

    static let all = [
        Entry("word", #"\w+"#, "letters, digits and `_`", "worker_1"),
        Entry("notspace", #"\S+"#, "anything up to white space", "[a]:b"),
        Entry("text", ".*?", "anything, as little as possible", "some text"),
        Entry("rest", ".*", "anything, as much as possible", "the rest of a line"),
        Entry("quoted", #""(?:[^"\\]|\\.)*""#, #"text in double quotes, with them; `\"` within"#, #""say \"hi\"""#),
        Entry("int", #"[+-]?\d+"#, "an integer", "-17"),
        Entry("number", #"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"#, "a decimal number", "1.5e3"),
        Entry("hex", "(?:0[xX])?[0-9A-Fa-f]+", "hexadecimal digits", "0x1F"),
        Entry(
            "uuid", "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}", "a UUID", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
        Entry("ip", "(?:\(ipv4)|\(ipv6))", "an IPv4 or IPv6 address", "2001:db8::1"),
        Entry("ipv4", ipv4, "an IPv4 address", "10.0.0.255"),
        Entry("ipv6", ipv6, "what looks like an IPv6 address", "::ffff:10.0.0.1"),
        Entry("host", host, "a host name, or an IPv4 address", "db-1.example.com"),
        Entry("user", "[0-9A-Za-z._@+-]+", "a user name or an e-mail address", "ann.b@example.com"),
        Entry("path", #"/[^\s?#]*"#, "a path from the root, without a query", "/var/log/app.log"),
        Entry("url", #"[A-Za-z][0-9A-Za-z+.-]*://\S+"#, "an address with a scheme", "https://example.com/a?b=1"),
        Entry("method", "(?:GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH)", "a method of HTTP", "POST"),
        Entry(
            "level", "(?i:trace|debug|info(?:rmation)?|notice|warn(?:ing)?|err(?:or)?|severe|crit(?:ical)?|alert|fatal|emerg(?:ency)?|panic)",
            "a level of severity, in any case", "WARNING"),
        Entry("date", date, "a date, ISO 8601", "2026-03-01"),
        Entry("clock", clock, "a time of day, with or without seconds and their fractions", "13:55:36.250"),
        Entry("time", #"\#(date)[T ]\#(clock)(?: ?(?:Z|[+-]\d\d:?\d\d))?"#, "a date and a time of day, with or without a zone", "2026-03-01T13:55:36Z"),
        Entry("http_time", #"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}"#, "a time as in access logs", "10/Oct/2025:13:55:36 +0200"),
        Entry("syslog_time", #"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"#, "a time as in syslog, without a year", "Mar  1 13:55:36"),
    ]

    private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0.pattern) })

    /// The regular expression with named patterns replaced.
    static func expanded(_ text: String) throws(Fault) -> String {
        var result = ""
        var rest = text[...]
        while let start = rest.firstRange(of: "%{") {
            result += rest[..<start.lowerBound]
            let inside = rest[start.upperBound...]
            // '%{3}' is a repetition; a backslash makes the percent sign text.
            guard let first = inside.first, first.isASCII, first.isLetter, !isEscaped(rest[..<start.lowerBound]) else {
                result += rest[start]
                rest = inside
                continue
            }
            guard let end = inside.firstIndex(of: "}") else {
                throw Fault(message: "'%{\(inside.prefix(20))' has no closing brace", fix: "write %{ip} or %{ip:client}")
            }
            result += try group(inside[..<end])
            rest = inside[inside.index(after: end)...]
        }
        return result + rest
    }

    private static func isEscaped(_ before: Substring) -> Bool { !before.reversed().prefix { $0 == "\\" }.count.isMultiple(of: 2) }

    private static func group(_ inside: Substring) throws(Fault) -> String {
        let parts = inside.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let pattern = byName[parts[0]] else {
            let hint = didYouMean(parts[0], among: all.map(\.name))
            throw Fault(message: "no such named pattern '\(parts[0])'\(hint)", fix: "there are: \(all.map(\.name).joined(separator: ", "))")
        }
        guard parts.count > 1 else { return "(?:\(pattern))" }
        guard isFieldName(parts[1]) else {
            throw Fault(message: "'\(parts[1])' in '%{\(inside)}' is not a field name", fix: "use letters, digits and '_': %{\(parts[0]):client}")
        }
        return "(?P<\(parts[1])>\(pattern))"
    }

    private static func isFieldName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return false }
        return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    }
}
