import Foundation
import SluiceCEL
import Testing

@testable import SluiceRecords

@Suite("Named patterns")
struct NamedPatternsTests {
    private static func matches(_ name: String, _ text: String) throws -> Bool {
        let pattern = try Pattern("^" + NamedPatterns.expanded("%{\(name)}") + "$")
        return Array(text.utf8).withUnsafeBufferPointer { pattern.matches($0) }
    }

    @Test("match their examples, and the page has them all", arguments: NamedPatterns.all.map(\.name))
    func examples(name: String) throws {
        let entry = try #require(NamedPatterns.all.first { $0.name == name })
        #expect(try Self.matches(name, entry.example))
        let page = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../docs/formats.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        #expect(text.contains("\n| `%{\(name)}` | \(entry.summary) | `\(entry.example)` |\n"))
    }

    @Test(
        "match nothing else",
        arguments: [
            ("word", "a-b"), ("notspace", "a b"), ("quoted", #""a" b""#), ("int", "1.5"), ("number", "1.5.2"), ("number", "."), ("hex", "0xG"),
            ("uuid", "f81d4fae-7dec-11d0-a765-00a0c91e6bf"), ("ip", "256.1.1.1"), ("ipv4", "1.2.3"), ("ipv4", "01.2.3.4"), ("ipv6", "13:55"),
            ("ipv6", "10.0.0.1"), ("host", "-a"), ("host", "a..b"), ("path", "a/b"), ("url", "//a"), ("method", "get"), ("level", "informal"),
            ("date", "2026-3-1"), ("clock", "1:55"), ("time", "2026-03-01"), ("http_time", "1/Oct/2025:13:55:36 +0200"), ("syslog_time", "Mar 1 13:55:36"),
        ])
    func others(name: String, text: String) throws {
        #expect(try !Self.matches(name, text))
    }

    @Test("a field's name makes a group, and what is no named pattern stays")
    func expands() throws {
        #expect(try NamedPatterns.expanded("^%{word:who} %{int}$") == #"^(?P<who>\w+) (?:[+-]?\d+)$"#)
        #expect(try NamedPatterns.expanded(#"a%{3}b \%{ip} 100%"#) == #"a%{3}b \%{ip} 100%"#)
        #expect(try NamedPatterns.expanded("é%{word:a}é%{word:b}") == #"é(?P<a>\w+)é(?P<b>\w+)"#)
    }

    @Test(
        "mistakes are named",
        arguments: [
            ("%{wrd:a}", "no such named pattern 'wrd' (did you mean 'word'?)"), ("%{ip", "'%{ip' has no closing brace"),
            ("%{IP:client}", "no such named pattern 'IP' (did you mean 'ip'?)"), ("%{ip:1a}", "'1a' in '%{ip:1a}' is not a field name"),
            ("%{ip:}", "'' in '%{ip:}' is not a field name"), ("%{ip:a-b}", "'a-b' in '%{ip:a-b}' is not a field name"),
        ])
    func mistakes(text: String, message: String) {
        do throws(NamedPatterns.Fault) {
            Issue.record("gave \(try NamedPatterns.expanded(text))")
        } catch {
            #expect(error.message == message)
        }
    }

    @Test("the format reads lines by them")
    func reads() throws {
        var checking = Checking(label: "regex")
        let options = Arguments(["pattern": .leaf(Leaf("^%{time:time} %{level:level} %{host:app}: %{rest:message}$"))])
        let format = try #require(RegexFormat(options, &checking))
        let names = ["time", "level", "app", "message"]
        let row = decode(
            Array("2026-03-01T00:02:00Z ERROR worker-0: {\"job\": 2}".utf8), columns: names, with: format.makeDecoder(columns: names, spans: false))
        #expect(row.cells == [.string("2026-03-01T00:02:00Z"), .string("ERROR"), .string("worker-0"), .string("{\"job\": 2}")])
    }
}
