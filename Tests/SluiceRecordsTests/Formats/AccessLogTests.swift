import SluiceCEL
import SluiceRecords
import Testing

@Suite("Access logs")
struct AccessLogTests {
    static let line =
        #"10.0.0.1 - frank [10/Oct/2025:13:55:36 +0200] "GET /a%20b?x=1 HTTP/1.1" 200 2326 "http://example.com/" "Mozilla/5.0 (X11)""#
    static let names = AccessLogField.allCases.filter { $0 != .vhost && $0 != .zone }.map(\.name)

    func combined(_ text: String, _ columns: [String] = names) -> DecodedRow {
        decode(Array(text.utf8), columns: columns, with: AccessLogDecoder(.combined, columns: columns))
    }

    func common(_ text: String, _ columns: [String] = names) -> DecodedRow {
        decode(Array(text.utf8), columns: columns, with: AccessLogDecoder(.common, columns: columns))
    }

    @Test("a combined line has all its fields")
    func fields() {
        let row = combined(Self.line)
        #expect(row.outcome == .decoded)
        #expect(
            row.cells == [
                .string("10.0.0.1"), .absent, .string("frank"), .timestamp(1_760_097_336), .string("GET"), .string("/a%20b?x=1"), .string("HTTP/1.1"),
                .absent, .int(200), .int(2326), .string("http://example.com/"), .string("Mozilla/5.0 (X11)"),
            ])
        #expect(combined(Self.line + "\r") == row)
    }

    @Test("what follows a line in memory changes nothing, wherever the line ends")
    func followingBytes() {
        let common = #"::1 - frank [10/Oct/2025:13:55:36 +0200] "GET /a HTTP/1.1" 200 2326"#
        for (text, layout) in [(Self.line, AccessLogDecoder.Layout.combined), (common, .common)] {
            let bytes = Array(text.utf8)
            let decoder = AccessLogDecoder(layout, columns: Self.names)
            for count in 1...bytes.count {
                let plain = decode(Array(bytes[..<count]), columns: Self.names, with: decoder)
                for filler in Array("07 \"-]\\+:".utf8) {
                    let row = decode(Array(bytes[..<count]), columns: Self.names, filler: filler, with: decoder)
                    #expect(row.outcome == plain.outcome && row.cells == plain.cells, "\(count) bytes, then \(filler)")
                }
            }
        }
    }

    @Test("a common line ends after the bytes")
    func commonFields() {
        let row = common(#"::1 id - [01/Jan/1970:00:00:00 -0130] "GET / HTTP/1.0" 304 -"#)
        #expect(row.outcome == .decoded)
        #expect(row.cells[0] == .string("::1"))
        #expect(row.cells[1] == .string("id"))
        #expect(row.cells[3] == .timestamp(5400))
        #expect(row.cells[8...] == [.int(304), .absent, .absent, .absent])
        #expect(common(Self.line).message == "expected the end of the record at byte 80, found a space")
    }

    @Test("columns in any order, and only those asked for")
    func someColumns() {
        #expect(combined(Self.line, ["status", "nosuch", "path"]).cells == [.int(200), .absent, .string("/a%20b?x=1")])
        #expect(combined(Self.line, []).outcome == .decoded)
    }

    static let requests: [(String, [CellValue])] = [
        (#"GET /"#, [.absent, .absent, .absent, .string("GET /")]), ("", [.absent, .absent, .absent, .string("")]),
        (#"\x16\x03\x01"#, [.absent, .absent, .absent, .string(#"\x16\x03\x01"#)]), ("-", [.absent, .absent, .absent, .absent]),
        ("GET /a b HTTP/1.1", [.absent, .absent, .absent, .string("GET /a b HTTP/1.1")]),
        ("GET  HTTP/1.1", [.absent, .absent, .absent, .string("GET  HTTP/1.1")]), ("GET / ", [.absent, .absent, .absent, .string("GET / ")]),
        (#"GET /\"q\" HTTP/1.1"#, [.string("GET"), .string(#"/"q""#), .string("HTTP/1.1"), .absent]),
        (#"GET /\\x41\x41 HTTP/1.1"#, [.string("GET"), .string(#"/\x41\x41"#), .string("HTTP/1.1"), .absent]),
        (
            "GET /" + String(repeating: "p", count: 200) + " HTTP/9",
            [.string("GET"), .string("/" + String(repeating: "p", count: 200)), .string("HTTP/9"), .absent]
        ),
        ("GET /my file.html", [.absent, .absent, .absent, .string("GET /my file.html")]), ("GET /u null", [.absent, .absent, .absent, .string("GET /u null")]),
        ("GET / HTTP/", [.absent, .absent, .absent, .string("GET / HTTP/")]), ("- - -", [.absent, .absent, .absent, .string("- - -")]),
        ("GET / RTSP/1.0", [.absent, .absent, .absent, .string("GET / RTSP/1.0")]),
        ("GET - HTTP/1.1", [.string("GET"), .absent, .string("HTTP/1.1"), .absent]),
        ("GET /é HTTP/2", [.string("GET"), .string("/é"), .string("HTTP/2"), .absent]),
    ]

    @Test("a request of three words is split if the third is a protocol, any other is kept", arguments: requests)
    func request(text: String, expected: [CellValue]) {
        let row = common(#"h - - [10/Oct/2025:13:55:36 +0000] "\#(text)" 400 0"#)
        #expect(Array(row.cells[4...7]) == expected)
    }

    static let bad: [(String, String)] = [
        ("hello", "expected an address and a space at byte 5, where the record ends"), (" - - x", "expected an address and a space at byte 0, found a space"),
        ("h -", "expected an identity and a space at byte 3, where the record ends"),
        ("h - - [10/Oct", "expected a time like [10/Oct/2025:13:55:36 +0000] and a space at byte 6, found '['"),
        (#"h - - 10/Oct/2025:13:55:36 "GET""#, "expected a user, a space and '[' at byte 32, where the record ends"),
        (#"h - - [32/Oct/2025:13:55:36 +0000] "GET / H" 200 1 "-" "-""#, "expected a time like [10/Oct/2025:13:55:36 +0000] and a space at byte 6, found '['"),
        (#"h - - [29/Feb/2025:13:55:36 +0000] "GET / H" 200 1 "-" "-""#, "expected a time like [10/Oct/2025:13:55:36 +0000] and a space at byte 6, found '['"),
        (#"h - - [29/Feb/0000:13:55:36 +0000] "GET / H" 200 1 "-" "-""#, "expected a time like [10/Oct/2025:13:55:36 +0000] and a space at byte 6, found '['"),
        (#"h - - [10/okt/2025:13:55:36 +0000] "GET / H" 200 1 "-" "-""#, "expected a time like [10/Oct/2025:13:55:36 +0000] and a space at byte 6, found '['"),
        (#"h - - [10/Oct/2025:24:55:36 +0000] "GET / H" 200 1 "-" "-""#, "expected a time like [10/Oct/2025:13:55:36 +0000] and a space at byte 6, found '['"),
        (#"h - - [10/Oct/2025:13:55:36 0000] "GET / H" 200 1 "-" "-" "#, "expected a time like [10/Oct/2025:13:55:36 +0000] and a space at byte 6, found '['"),
        (#"h - - [10/Oct/2025:13:55:36 +0000] GET / H 200 1 "-" "-""#, "expected '\"' before the request at byte 35, found 'G'"),
        (#"h - - [10/Oct/2025:13:55:36 +0000] "GET / H 200"#, "expected a closing quote at byte 47, where the record ends"),
        (#"h - - [10/Oct/2025:13:55:36 +0000] "GET / H\" 200 1"#, "expected a closing quote at byte 51, where the record ends"),
        (#"h - - [10/Oct/2025:13:55:36 +0000] "G"200 1 "-" "-""#, "expected a space after the request at byte 38, found '2'"),
        (#"h - - [10/Oct/2025:13:55:36 +0000] "G" 20 1 "-" "-""#, "expected a status of three digits and a space at byte 39, found '2'"),
        (#"h - - [10/Oct/2025:13:55:36 +0000] "G" 2000 1 "-" "-""#, "expected a status of three digits and a space at byte 39, found '2'"),
        (#"h - - [10/Oct/2025:13:55:36 +0000] "G" 200 x "-" "-""#, "expected a number of bytes or '-' at byte 43, found 'x'"),
        (#"h - - [10/Oct/2025:13:55:36 +0000] "G" 200 1"#, "expected a space and '\"' before the referer at byte 44, where the record ends"),
        (#"h - - [10/Oct/2025:13:55:36 +0000] "G" 200 1x "-" "-""#, "expected a space and '\"' before the referer at byte 44, found 'x'"),
        (#"h - - [10/Oct/2025:13:55:36 +0000] "G" 200 1 "-""#, "expected a space after the referer at byte 48, where the record ends"),
        (#"h - - [10/Oct/2025:13:55:36 +0000] "G" 200 1 "-" -"#, "expected '\"' before the agent at byte 49, found '-'"),
        (#"h - - [10/Oct/2025:13:55:36 +0000] "G" 200 1 "-" "-" 0.003"#, "expected the end of the record at byte 52, found a space"),
        (#"h - - [10/Oct/2025:13:55:36 +0000] "G" 200 1 "-" "C:\" MISS:DIRECT"#, "expected a closing quote at byte 66, where the record ends"),
    ]

    @Test("a line that does not match fails and says where", arguments: bad)
    func refuses(text: String, message: String) {
        let row = combined(text)
        #expect(row.outcome == .failed)
        #expect(row.code == "parse.combined")
        #expect(row.message == message)
        #expect(row.cells.allSatisfy { $0 == .absent })
        #expect(combined(text, []).message == message)
    }

    @Test("a line truncated before its agent fails, whatever follows")
    func truncation() {
        let text = Array(Self.line.utf8)
        for count in 1..<text.count {
            for filler in Array("\" 0-]\\".utf8) {
                let row = decode(Array(text[..<count]), columns: Self.names, filler: filler, with: AccessLogDecoder(.combined, columns: Self.names))
                guard count > 103 else {
                    #expect(row.outcome == .failed, "\(count) bytes, then \(filler)")
                    continue
                }
                #expect(row.cells.last == .string(String("Mozilla/5.0 (X11)".prefix(count - 104))))
            }
        }
    }

    @Test("a truncated agent is accepted as it is")
    func cutAgent() {
        #expect(combined(#"h - - [10/Oct/2025:13:55:36 +0000] "G" 200 1 "-" "Mozi\"#).cells.last == .string(#"Mozi\"#))
        #expect(combined(#"h - - [10/Oct/2025:13:55:36 +0000] "G" 200 1 "-" "-"#).cells.last == .absent)
        #expect(combined(#"h - - [10/Oct/2025:13:55:36 +0000] "G" 200 1 "-" ""#).cells.last == .string(""))
        #expect(combined(#"h - - [10/Oct/2025:13:55:36 +0000] "G" 200 1 "x"#).message == "expected a closing quote at byte 47, where the record ends")
    }

    @Test("invalid UTF-8 fails, white space is blank, spaces in a user's name are kept")
    func edges() {
        let bytes = Array(Self.line.utf8.map { $0 == UInt8(ascii: "X") ? 0xFF : $0 })
        #expect(decode(bytes, with: AccessLogDecoder(.combined, columns: [])).message == "invalid UTF-8 at byte 117, found byte 0xFF")
        #expect(combined("").outcome == .blank)
        #expect(combined("  \r").outcome == .blank)
        #expect(combined(Self.line.replacing("frank", with: "john q doe")).cells[2] == .string("john q doe"))
        #expect(common(#"h - - [10/Oct/2025:13:55:36 +0000] "G" - -"#).cells[8] == .absent)
    }

    @Test("dates and zones that change from line to line")
    func times() {
        let stamps: [(String, Int64)] = [
            ("10/Oct/2025:13:55:36 +0000", 1_760_104_536), ("10/Oct/2025:13:55:36 -0700", 1_760_129_736), ("29/Feb/2024:23:59:60 +0000", 1_709_251_200),
            ("31/Dec/1999:23:59:59 +0000", 946_684_799), ("01/Jan/2000:00:00:00 +0000", 946_684_800), ("01/Mar/1900:00:00:00 +0000", -2_203_891_200),
            ("10/Oct/2025:13:55:37 +0000", 1_760_104_537),
        ]
        let texts = stamps.map { Array(#"h - - [\#($0.0)] "G" 200 1"#.utf8) }
        let rows = decodeLines(texts, columns: ["time"], with: AccessLogDecoder(.common, columns: ["time"]))
        #expect(rows.map(\.cells) == stamps.map { [.timestamp($0.1)] })
    }
}

@Suite("Lines")
struct LinesTests {
    @Test("each line is a field, without the line end", arguments: ["", "x", "a b\tc", "é", "{\"a\":1}", " "])
    func lines(text: String) {
        for ending in ["", "\r", "\n", "\r\n"] {
            let row = decode(Array((text + ending).utf8), columns: ["x", "line"], with: LinesDecoder(columns: ["x", "line"]))
            #expect(row == DecodedRow(outcome: .decoded, cells: [.absent, .string(text)], spans: []))
        }
    }

    @Test("a line that is not UTF-8 is bytes")
    func bytes() {
        let row = decode([0x61, 0xFF, 0x62, 0x0D], columns: ["line"], with: LinesDecoder(columns: ["line"]))
        #expect(row.cells == [.bytes([0x61, 0xFF, 0x62])])
    }
}
