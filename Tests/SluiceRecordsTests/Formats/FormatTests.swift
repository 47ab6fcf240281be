import SluiceCEL
import SluiceRecords
import Testing

@Suite("Formats")
struct FormatTests {
    @Test("names, aliases, and what this version can do")
    func names() {
        #expect(Formats.named("ndjson")?.name == "jsonl")
        #expect(Formats.named("jsonl")?.name == "jsonl")
        #expect(Formats.named("xml") == nil)
        #expect(Formats.names == ["jsonl", "json", "combined", "common", "access", "csv", "tsv", "logfmt", "syslog", "lines", "regex"])
        #expect(Formats.writableNames == ["jsonl", "csv", "tsv", "logfmt", "syslog", "lines"])
    }

    @Test("each format's decoder fills the fields of its schema")
    func schemas() throws {
        let pattern = try Pattern(#"^(?P<level>[A-Z]+) (?:id=(?P<id>\d+) )?(?P<text>.*)$"#)
        let samples: [(any Format, String, [CellValue?])] = [
            (
                Combined(), AccessLogTests.line,
                [.string("10.0.0.1"), .absent, .string("frank"), nil, nil, nil, nil, nil, .absent, .int(200), .int(2326), nil, nil]
            ),
            (
                Common(), #"h - - [10/Oct/2025:13:55:36 +0000] "GET / HTTP/1.0" 200 1"#,
                [.string("h"), .absent, .absent, nil, nil, nil, nil, nil, .absent, .int(200), .int(1)]
            ),
            (Lines(), "x", [.string("x")]), (RegexFormat(pattern), "WARN hello", [.string("WARN"), .absent, .string("hello")]),
        ]
        for (format, text, expected) in samples {
            guard case .known(let fields) = format.schema else {
                Issue.record("\(format.name) has known fields")
                continue
            }
            #expect(fields.count == expected.count)
            let decoder = format.makeDecoder(columns: fields.map(\.name), spans: false)
            let row = decode(Array(text.utf8), columns: fields.map(\.name), with: decoder)
            #expect(row.outcome == .decoded)
            for (cell, expected) in zip(row.cells, expected) where expected != nil { #expect(cell == expected) }
        }
        guard case .open = JSONL().schema else {
            Issue.record("JSON has any fields")
            return
        }
    }

    @Test("a regular expression's groups are fields")
    func regex() throws {
        let pattern = try Pattern(#"^(?P<level>[A-Z]+) (?:id=(?P<id>\d+) )?(?P<text>.*)$"#)
        let columns = ["id", "nosuch", "text"]
        let decoder = RegexDecoder(pattern, columns: columns)
        #expect(decode(Array("WARN id=7 a b\r".utf8), columns: columns, with: decoder).cells == [.string("7"), .absent, .string("a b")])
        #expect(decode(Array("warn".utf8), columns: columns, with: decoder).code == "parse.regex")
        #expect(decode(Array("warn".utf8), with: RegexDecoder(pattern, columns: [])).code == "parse.regex")
        #expect(decode(Array(" \r".utf8), columns: columns, with: decoder).outcome == .blank)
        let lines = decodeLines([Array("A x".utf8), Array("-".utf8), Array("B id=2 ".utf8)], columns: columns, with: decoder)
        #expect(lines.map(\.outcome) == [.decoded, .failed, .decoded])
        #expect(lines[2].cells == [.string("2"), .absent, .string("")])
    }
}
