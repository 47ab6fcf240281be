import SluiceRecords
import Testing

@Suite("The words before an access log's request")
struct AccessLogWordsTests {
    private static let rest = #"[10/Oct/2025:13:55:36 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/8""#

    private func combined(_ text: String) -> DecodedRow {
        let columns = ["ip", "ident", "user", "time"]
        return decode(Array(text.utf8), columns: columns, with: AccessLogDecoder(.combined, columns: columns))
    }

    private func value(_ text: String?) -> CellValue { text.map { .string($0) } ?? .absent }

    @Test(
        "an address, an identity and a user",
        arguments: [
            ("203.0.113.9 - -", "203.0.113.9", nil, nil), ("::1 - -", "::1", nil, nil),
            ("2001:db8::8:800:200c:417a - -", "2001:db8::8:800:200c:417a", nil, nil),
            ("fe80::1%eth0 - -", "fe80::1%eth0", nil, nil), ("::ffff:203.0.113.9 - -", "::ffff:203.0.113.9", nil, nil),
            ("203.0.113.9:51234 - -", "203.0.113.9:51234", nil, nil), ("a-b.example_x.org - -", "a-b.example_x.org", nil, nil),
            ("unix: - -", "unix:", nil, nil), ("- - -", nil, nil, nil), (#""127.0.0.1" - -"#, "127.0.0.1", nil, nil), (#""::1" - -"#, "::1", nil, nil),
            // lighttpd writes the requested host in place of the identity.
            ("203.0.113.9 example.org -", "203.0.113.9", "example.org", nil), ("203.0.113.9 192.0.2.1:8080 ann", "203.0.113.9", "192.0.2.1:8080", "ann"),
            ("203.0.113.9 [::1]:8080 -", "203.0.113.9", "[::1]:8080", nil), (#"h EXAMPLE\ann -"#, "h", #"EXAMPLE\ann"#, nil),
            ("h - 7", "h", nil, "7"), ("h - i.j@example.org", "h", nil, "i.j@example.org"), ("h - john q doe", "h", nil, "john q doe"),
            ("h - 192.0.2.1", "h", nil, "192.0.2.1"), ("h - x [y", "h", nil, "x [y"), ("h - [y", "h", nil, "[y"), ("h - a] [b", "h", nil, "a] [b"),
            ("h - [10/Oct/2025:13:55:36 +0000] x", "h", nil, "[10/Oct/2025:13:55:36 +0000] x"), (#"h - o"neil"#, "h", nil, #"o"neil"#),
            (#"h - o\"neil\\x\x41"#, "h", nil, #"o"neil\x\x41"#), ("h - a\tb", "h", nil, "a\tb"), ("h - ü", "h", nil, "ü"),
            // A missing user, as Apache and varnish write it.
            (#"h - """#, "h", nil, ""), ("h - ", "h", nil, ""),
        ] as [(String, String?, String?, String?)])
    func words(text: String, ip: String?, ident: String?, user: String?) {
        let row = combined("\(text) \(Self.rest)")
        #expect(row.message == nil)
        #expect(row.cells == [value(ip), value(ident), value(user), .timestamp(1_760_104_536)])
    }

    private static let prefix = "unexpected text before the address, such as a virtual host or a syslog header"

    @Test(
        "a line of a neighbouring shape is refused",
        arguments: [
            // A list of forwarding addresses.
            ("198.51.100.7, 192.0.2.1 - -", "expected an address and a space at byte 12, found ','"),
            ("198.51.100.7,192.0.2.1 - -", "expected an address and a space at byte 12, found ','"),
            ("198.51.100.7 192.0.2.1 - -", prefix), ("198.51.100.7 - 192.0.2.1 - ann", prefix),
            // A virtual host prefix.
            ("example.org:443 203.0.113.9 - -", prefix), ("example.org:443 203.0.113.9 - ann", prefix), ("example.org 2001:db8::1 - ann", prefix),
            ("example.org 203.0.113.9 -", prefix), ("example.org 203.0.113.9 ann", prefix),
            // A syslog prefix.
            ("<133>Dec 23 15:31:15 web1 nginx: 203.0.113.9 - -", "expected an address and a space at byte 0, found '<'"),
            ("Dec 23 15:31:15 web1 nginx: 203.0.113.9 - -", prefix), ("Dec 23 15:31:15 web1 nginx: 203.0.113.9 - ann", prefix),
            ("Dec 23 15:31:15 web1 lighttpd: 203.0.113.9 example.org ann", prefix), ("2025-12-23T15:31:15Z web1 nginx: host.example - ann", prefix),
            ("2025-12-23T15:31:15+01:00 web1 nginx: 203.0.113.9 - -", "expected an address and a space at byte 19, found '+'"),
            // Container log prefixes.
            ("web-1  | 203.0.113.9 - -", "expected an identity and a space at byte 6, found a space"),
            ("web-1 | 203.0.113.9 - -", "expected an identity and a space at byte 6, found '|'"), ("web-1: 203.0.113.9 - -", prefix),
            ("[pod/web-1] 203.0.113.9 - -", "expected an address and a space at byte 0, found '['"),
            ("2025-10-10T13:55:36.123456789Z stdout F 203.0.113.9 - ann", prefix), ("12 203.0.113.9 - -", prefix),
            // Remnants of other formats.
            (#""203.0.113.9 - -"#, "expected an address and a space at byte 0, found '\"'"),
            (#""" - -"#, "expected an address and a space at byte 0, found '\"'"),
            (#""a"b - -"#, "expected an address and a space at byte 0, found '\"'"),
            ("(203.0.113.9) - -", "expected an address and a space at byte 0, found '('"),
            ("ä.example - -", "expected an address and a space at byte 0, found byte 0xC3"),
            ("h a\u{1}b -", "expected an identity and a space at byte 3, found byte 0x01"),
            ("h - a\u{1}b", "expected a user name at byte 5, found byte 0x01"), ("h  ann", "expected an identity and a space at byte 2, found a space"),
            ("h -", "expected a user, a space and '[' at byte 68, where the record ends"),
            ("\0\0203.0.113.9 - -", "a NUL at byte 0"), ("203.0.113.9 - \0", "a NUL at byte 14"),
        ])
    func neighbours(text: String, message: String) {
        let row = combined("\(text) \(Self.rest)")
        #expect(row.outcome == .failed)
        #expect(row.message == message)
        #expect(row.cells.allSatisfy { $0 == .absent })
    }

    @Test("a NUL anywhere in a line is refused, and so is a line of NULs")
    func nul() {
        #expect(combined(#"h - - [10/Oct/2025:13:55:36 +0000] "GET /\#u{0} HTTP/1.1" 200 5 "-" "curl/8""#).message == "a NUL at byte 41")
        #expect(combined(String(repeating: "\0", count: 100)).message == "a NUL at byte 0")
    }

    @Test("an agent may end in a backslash, a line in LF or CR LF")
    func ends() {
        let line = #"h - - [10/Oct/2025:13:55:36 +0000] "G" 200 1 "-" "#
        for (agent, value) in [(#""a\""#, #"a\"#), (#""\""#, #"\"#), (#""a\\""#, #"a\"#), (#""a\\\""#, #"a\\"#), (#""a\"b""#, #"a"b"#), (#""a\"#, #"a\"#)] {
            for end in ["", "\n", "\r\n", "\r"] {
                let row = decode(Array((line + agent + end).utf8), columns: ["agent"], with: AccessLogDecoder(.combined, columns: ["agent"]))
                #expect(row.cells == [.string(value)], "\(agent)")
            }
        }
    }

    @Test("a number of bytes is exact to 64 bits, and anything else is refused")
    func bytes() {
        let line = #"h - - [10/Oct/2025:13:55:36 +0000] "G" 200 "#
        let common = { (text: String) in decode(Array((line + text).utf8), columns: ["bytes"], with: AccessLogDecoder(.common, columns: ["bytes"])) }
        for (text, value) in [("5000000000", 5_000_000_000), ("9223372036854775807", Int64.max), ("007", 7), ("0000000000000000007", 7)] {
            #expect(common(text).cells == [.int(value)])
        }
        for text in ["9223372036854775808", "99999999999999999999", "-1", "12.5", "+1", ""] { #expect(common(text).outcome == .failed, "\(text)") }
    }
}
