import SluiceCEL
import Testing

@testable import SluiceRecords

@Suite("Access logs by their servers' definitions")
struct LogTemplateTests {
    private static func fields(_ line: String, _ template: LogTemplate) -> [String: CellValue]? {
        let columns = template.fields.map(\.name)
        let row = decode(Array(line.utf8), columns: columns, with: LogTemplateDecoder(template, columns: columns))
        guard row.outcome == .decoded else { return nil }
        return Dictionary(zip(columns, row.cells)) { $1 }.filter { $0.value != .absent }
    }

    private static func message(_ line: String, _ template: LogTemplate) -> String? {
        decode(Array(line.utf8), columns: [], with: LogTemplateDecoder(template, columns: [])).message
    }

    static let main =
        #"10.0.0.1 - frank [10/Oct/2025:13:55:36 +0200] "GET /a?x=1 HTTP/1.1" 200 2326 "http://e.x/" "Mozilla/5.0 (X11)" "1.2.3.4, 5.6.7.8""#

    @Test("nginx's main has the names of its variables")
    func nginxMain() throws {
        let fields = try #require(Self.fields(Self.main, KnownLogFormat.named("main")))
        #expect(
            fields == [
                "remote_addr": .string("10.0.0.1"), "remote_user": .string("frank"), "time_local": .timestamp(1_760_097_336), "zone": .string("+0200"),
                "request": .string("GET /a?x=1 HTTP/1.1"), "method": .string("GET"), "path": .string("/a?x=1"), "protocol": .string("HTTP/1.1"),
                "status": .int(200), "body_bytes_sent": .int(2326), "http_referer": .string("http://e.x/"),
                "http_user_agent": .string("Mozilla/5.0 (X11)"), "http_x_forwarded_for": .string("1.2.3.4, 5.6.7.8"),
            ])
    }

    @Test(
        "a whole directive is read as the text in it",
        arguments: [
            #"log_format timed escape=json '$remote_addr $msec '  "\"$request\" $request_time";"#,
            #"log_format timed escape=json '$remote_addr ${msec} "$request" $request_time';"#,
        ])
    func nginxDirective(text: String) throws {
        let fields = try #require(Self.fields(#"::1 1760097336.25 "GET /\"\\\u00e9 HTTP/2.0" 0.003"#, LogTemplate(nginx: text)))
        #expect(fields["request"] == .string(#"GET /"\\#u{005C}u00e9 HTTP/2.0"#))
        #expect(fields["msec"] == .timestamp(1_760_097_336))
        #expect(fields["request_time"] == .double(0.003))
    }

    @Test(
        "Apache's directives, written as in its configuration or plainly",
        arguments: [
            #"LogFormat "%v:%p %h %l %u %t \"%r\" %>s %O %D \"%{X-Forwarded-For}i\" %{ms}T" mine"#,
            #"%v:%p %h %l %u %t "%r" %>s %O %D "%{X-Forwarded-For}i" %{ms}T"#,
        ])
    func apache(text: String) throws {
        let line = #"example.com:443 ::1 - "" [10/Oct/2025:13:55:36 -0700] "GET /\xc3\xa9\"\t HTTP/1.1" 200 512 1234 "-" 1"#
        let fields = try #require(Self.fields(line, LogTemplate(apache: text)))
        #expect(
            fields == [
                "vhost": .string("example.com"), "port": .int(443), "ip": .string("::1"), "user": .string(""), "time": .timestamp(1_760_129_736),
                "zone": .string("-0700"), "request": .string("GET /é\"\t HTTP/1.1"), "method": .string("GET"), "path": .string("/é\"\t"),
                "protocol": .string("HTTP/1.1"), "status": .int(200), "bytes_sent": .int(512), "duration_us": .int(1234), "duration_ms": .int(1),
            ])
    }

    @Test("squid's native lines")
    func squid() throws {
        let line = "1286536309.450    921 192.168.0.68 TCP_MISS/200 507 POST http://h.example/get?q={a} - HIER_DIRECT/64.1.2.3 application/x-fcs"
        let fields = try #require(Self.fields(line, KnownLogFormat.named("squid")))
        #expect(
            fields == [
                "time": .timestamp(1_286_536_309), "duration_ms": .int(921), "ip": .string("192.168.0.68"), "cache": .string("TCP_MISS"),
                "status": .int(200), "bytes": .int(507), "method": .string("POST"), "url": .string("http://h.example/get?q={a}"),
                "hierarchy": .string("HIER_DIRECT"), "peer": .string("64.1.2.3"), "content_type": .string("application/x-fcs"),
            ])
    }

    /// The escapes that servers write for bytes that would break the line, with the decoded text.
    static let escapes: [(LogEscapes, String, String)] = [
        (.server, #"\x22\x5C\x09\x7F\xC3\xA9\x01"#, "\"\\\t\u{7F}é\u{1}"), (.server, #"\"\\\t\xc3\xa9"#, "\"\\\té"), (.server, #"\xff"#, #"\xff"#),
        (.server, #"a\qb\"#, #"a\qb\"#), (.server, #"\x2"#, #"\x2"#), (.json, #"\"\\\n\u0001\/"#, "\"\\\n\u{1}/"), (.json, #"\x22"#, #"\x22"#),
        (.none, #"\x22"#, #"\x22"#), (.server, #"\n\r\b\f\v"#, "\n\r\u{8}\u{C}\u{B}"), (.json, #"\u00e9"#, #"\u00e9"#),
    ]

    @Test("escapes are decoded by the server's rules, and kept if the result is not UTF-8", arguments: escapes.indices)
    func escaped(index: Int) throws {
        let (escapes, text, expected) = Self.escapes[index]
        let template = try LogTemplate(nginx: #"<$http_user_agent>"#, escape: ["json": "json", "none": "none"]["\(escapes)"])
        #expect(Self.fields("<\(text)>", template) == ["http_user_agent": .string(expected)])
    }

    @Test("combined and common decode escapes if configured to")
    func unescape() {
        let line = #"h - - [10/Oct/2025:13:55:36 +0000] "GET /\xc3\xa9\xff HTTP/1.1" 200 1 "\x22\xe4" "\xC3\xA9\t""#
        let columns = ["path", "referer", "agent"]
        let plain = decode(Array(line.utf8), columns: columns, with: AccessLogDecoder(.combined, columns: columns))
        #expect(plain.cells == [.string(#"/\xc3\xa9\xff"#), .string(#"\x22\xe4"#), .string(#"\xC3\xA9\t"#)])
        let undone = decode(Array(line.utf8), columns: columns, with: AccessLogDecoder(.combined, columns: columns, undoesEscapes: true))
        #expect(undone.cells == [.string(#"/\xc3\xa9\xff"#), .string(#"\x22\xe4"#), .string("é\t")])
    }

    @Test("the log's own offset comes with the time, and the virtual host before the address")
    func zoneAndHost() {
        let columns = ["vhost", "ip", "zone", "time"]
        let line = #"www.example.com:80 10.0.0.1 - john [ops] [10/Oct/2025:13:55:36 -0330] "G" 200 1"#
        let decoder = AccessLogDecoder(.common, columns: columns, hasHost: true)
        #expect(
            decode(Array(line.utf8), columns: columns, with: decoder).cells == [
                .string("www.example.com:80"), .string("10.0.0.1"), .string("-0330"), .timestamp(1_760_117_136),
            ])
        #expect(decode(Array("www".utf8), columns: columns, with: decoder).message == "expected a virtual host and a space at byte 3, where the record ends")
        #expect(AccessLogField.all(.common).map(\.name).contains("vhost") == false)
    }

    /// Lines of twelve servers in the shape of `main` or `combined`, with the expected result.
    static let servers: [(String, String, String, CellValue?)] = [
        ("nginx: blank line instead of a request", #"h - - [10/Oct/2025:13:55:36 +0000] "" 400 0 "-" "-""#, "request", .string("")),
        ("nginx: TLS on a plain port", #"h - - [10/Oct/2025:13:55:36 +0000] "\x16\x03\x01" 400 157 "-" "-""#, "request", .string("\u{16}\u{3}\u{1}")),
        ("nginx: no protocol (HTTP/0.9)", #"h - - [10/Oct/2025:13:55:36 +0000] "GET /h09" 200 6 "-" "-""#, "path", nil),
        ("nginx: Unix socket", #"unix: - - [10/Oct/2025:13:55:36 +0000] "GET / HTTP/1.1" 200 6 "-" "-""#, "ip", .string("unix:")),
        ("nginx: a blank in the user", #"h - a b [10/Oct/2025:13:55:36 +0000] "GET / HTTP/1.1" 401 6 "-" "-""#, "user", .string("a b")),
        ("nginx: a bracket in the user", #"h - a [x [10/Oct/2025:13:55:36 +0000] "GET / HTTP/1.1" 401 6 "-" "-""#, "user", .string("a [x")),
        ("nginx: a quote in the user", #"h - a\x22b [10/Oct/2025:13:55:36 +0000] "GET / HTTP/1.1" 401 6 "-" "-""#, "user", .string("a\"b")),
        ("Apache: an empty user", #"h - "" [10/Oct/2025:13:55:36 +0000] "GET / HTTP/1.1" 401 6 "-" "-""#, "user", .string("")),
        ("Apache: 304 without bytes", #"h - - [10/Oct/2025:13:55:36 +0000] "GET / HTTP/1.1" 304 - "-" "-""#, "bytes", nil),
        (
            "Apache: its own dummy connection",
            #"::1 - - [10/Oct/2025:13:55:36 +0000] "OPTIONS * HTTP/1.0" 200 126 "-" "Apache/2.4.71 (Debian) (internal dummy connection)""#, "path",
            .string("*")
        ),
        ("Apache: a blank in the target", #"h - - [10/Oct/2025:13:55:36 +0000] "GET /u q" 400 0 "-" "-""#, "request", .string("GET /u q")),
        (
            "lighttpd: the host in ident's place", #"h www.example.com - [10/Oct/2025:13:55:36 +0000] "GET / HTTP/1.1" 200 6 "-" "-""#, "ident",
            .string("www.example.com")
        ),
        ("lighttpd: a refused request", #"h - - [10/Oct/2025:13:55:36 +0000] "  HTTP/1.1" 400 0 "-" "-""#, "request", .string("  HTTP/1.1")),
        ("Tomcat: a refused request", #"h - - [10/Oct/2025:13:55:36 +0000] "GET /u null" 400 0 "-" "-""#, "request", .string("GET /u null")),
        ("Jetty: a refused request", #"h - - [10/Oct/2025:13:55:36 +0000] "- - -" 400 0 "-" "-""#, "request", .string("- - -")),
        ("varnishncsa: no answer", #"h - - [10/Oct/2025:13:55:36 +0000] "GET / HTTP/1.1" - 0 "-" "-""#, "status", nil),
        ("varnishncsa: CONNECT", #"h - - [10/Oct/2025:13:55:36 +0000] "CONNECT http://h:443 HTTP/1.1" 405 0 "-" "-""#, "path", .string("http://h:443")),
        ("gunicorn: bytes twice in UTF-8", #"h - - [10/Oct/2025:13:55:36 +0000] "GET /Ã© HTTP/1.1" 200 6 "-" "-""#, "path", .string("/Ã©")),
    ]

    @Test("lines as servers really write them", arguments: servers.map(\.0))
    func real(name: String) throws {
        let row = try #require(Self.servers.first { $0.0 == name })
        let fields = try #require(Self.fields(row.1, KnownLogFormat.named(Combined.name)), "\(name)")
        #expect(fields[row.2] == row.3)
    }

    static let bad: [(String, String)] = [
        (#"h - - [10/Oct/2025:13:55:36 +0000] "a"b" 200 1 "-" "-" "-""#, #"expected '" ' after $request at byte 37, found '"'"#),
        ("hello", "expected ' - ' after $remote_addr at byte 5, where the record ends"),
        (#"h - - [32/Oct/2025:13:55:36 +0000] "G" 200 1 "-" "-" "-""#, "expected ' [' after $remote_user at byte 56, where the record ends"),
        (#"h - - [10/Oct/2025:13:55:36 +0000] "G" 20x 1 "-" "-" "-""#, "expected ' ' after $status at byte 41, found 'x'"),
        (#"h - - [10/Oct/2025:13:55:36 +0000] "G" x 1 "-" "-" "-""#, "expected a value of $status at byte 39, found 'x'"),
        (#"h - - [10/Oct/2025:13:55:36 +0000] "G" 200 1 "-" "-""#, #"expected '" "' after $http_user_agent at byte 51, found '"'"#),
        (#"h - - [10/Oct/2025:13:55:36 +0000] "G" 200 1 "-" "-" "-" 7"#, "expected the end of the record at byte 56, found a space"),
        (#"h - - [10/Oct/2025:13:55:36 +0000] "G" 200 99999999999999999999 "-" "-" "-""#, "expected a value of $body_bytes_sent at byte 43, found '9'"),
    ]

    @Test("a line that does not match fails and says where", arguments: bad.map(\.0))
    func refuses(line: String) throws {
        #expect(try Self.message(line, KnownLogFormat.named("main")) == Self.bad.first { $0.0 == line }?.1)
    }

    @Test("what follows a line in memory changes nothing, wherever the line ends")
    func followingBytes() throws {
        let squid = "1286536309.450    921 192.168.0.68 TCP_MISS/200 507 GET http://h/ - HIER_DIRECT/64.1.2.3 text/html"
        for (text, name) in [(Self.main, "main"), (squid, "squid")] {
            let template = try KnownLogFormat.named(name)
            let columns = template.fields.map(\.name)
            let decoder = LogTemplateDecoder(template, columns: columns)
            let bytes = Array(text.utf8)
            for count in 1...bytes.count {
                let plain = decode(Array(bytes[..<count]), columns: columns, with: decoder)
                for filler in Array("07 \"-]\\+:.".utf8) {
                    let row = decode(Array(bytes[..<count]), columns: columns, filler: filler, with: decoder)
                    #expect(row.outcome == plain.outcome && row.cells == plain.cells, "\(count) bytes, then \(filler)")
                    if count < bytes.count, name == "main" { #expect(row.outcome == .failed) }
                }
            }
        }
    }

    @Test("combined by its definition gives what the format of that name gives", arguments: 1...20)
    func sameAsCombined(seed: Int) throws {
        var random = Seeded(UInt64(seed))
        let template = try KnownLogFormat.named(Combined.name)
        let columns = ["ip", "ident", "time", "zone", "method", "path", "protocol", "status", "bytes", "referer", "agent"]
        let compiled = LogTemplateDecoder(template, columns: columns)
        let known = AccessLogDecoder(.combined, columns: columns, undoesEscapes: true)
        for _ in 0..<200 {
            let path = (0..<Int.random(in: 1...60, using: &random)).map { _ in
                ["a", "/", #"\x41"#, "%20", "?", "é", #"\""#].randomElement(using: &random) ?? ""
            }
            let line =
                #"10.0.0.\#(Int.random(in: 0...255, using: &random)) - - [\#(Int.random(in: 10...28, using: &random))/Feb/2025:13:55:36 +0\#(Int.random(in: 0...9, using: &random))00] "#
                + #""GET /\#(path.joined()) HTTP/1.1" \#(Int.random(in: 100...599, using: &random)) \#(Int.random(in: 0...Int.max, using: &random)) "-" "\#(path.joined(separator: " "))""#
            let row = decode(Array(line.utf8), columns: columns, with: compiled)
            #expect(row.outcome == .decoded)
            #expect(row.cells == decode(Array(line.utf8), columns: columns, with: known).cells)
        }
    }

    @Test("numbers that may be lists are numbers where they are one")
    func upstream() throws {
        let template = try LogTemplate(nginx: "$upstream_response_time|$upstream_status|$time_iso8601|$remote_addr:$remote_port")
        let one = try #require(Self.fields("0.250|200|2025-10-10T13:55:36+02:00|::1:80", template))
        #expect(one["upstream_response_time"] == .double(0.25))
        #expect(one["upstream_status"] == .int(200))
        #expect(one["time_iso8601"] == .timestamp(1_760_097_336))
        #expect(one["zone"] == .string("+02:00"))
        #expect(one["remote_addr"] == .string("::1") && one["remote_port"] == .int(80))
        let many = try #require(Self.fields("0.1, 0.2|502, 200|2025-10-10T13:55:36+02:00|1.2.3.4:80", template))
        #expect(many["upstream_response_time"] == .string("0.1, 0.2"))
        #expect(Self.fields("-|-|2025-10-10T13:55:36+02:00|h:-", template)?["upstream_status"] == nil)
    }

    static let wrong: [(nginx: Bool, text: String, message: String)] = [
        (true, "$a$b", "there is nothing between '$a' and '$b' to tell where the first one ends"),
        (true, "x", "the definition has no variables, so it yields no fields"),
        (true, "$ ", "'$' without the name of a variable"), (true, "${a", "'$' without the name of a variable"),
        (false, "%y", "'%y' is not a directive of Apache"),
        (false, "%{a", "a '{' is not closed"), (false, "%", "'%' is not a directive of Apache"),
        (false, "%U%q", "there is nothing between '%U' and '%q' to tell where the first one ends"),
    ]

    @Test("a definition that cannot be read says why", arguments: wrong.indices)
    func wrongDefinitions(index: Int) {
        let (isNginx, text, message) = Self.wrong[index]
        do throws(LogTemplateError) {
            _ = isNginx ? try LogTemplate(nginx: text) : try LogTemplate(apache: text)
            Issue.record("'\(text)' was read")
        } catch {
            #expect(error.message == message)
        }
    }
}
