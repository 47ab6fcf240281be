import SluiceCEL
import Testing

@testable import SluiceRecords

@Suite("syslog")
struct SyslogTests {
    private static let columns = SyslogField.allCases.map(\.name)

    private static func row(_ record: String, _ defaults: TimeDefaults = TimeDefaults()) -> DecodedRow {
        decode(Array(record.utf8), columns: columns, with: SyslogDecoder(columns: columns, defaults))
    }

    /// The fields that a record has, in order.
    private static func fields(_ record: String, _ defaults: TimeDefaults = TimeDefaults()) -> [String] {
        let row = row(record, defaults)
        guard row.outcome == .decoded else { return [row.message ?? "\(row.outcome)"] }
        return zip(columns, row.cells).compactMap { $1 == .absent ? nil : "\($0) \($1)" }
    }

    private static let auth = ["priority 34", "facility 'auth'", "severity 'crit'"]

    @Test(
        "RFC 5424",
        arguments: [
            (
                "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \u{FEFF}'su root' failed for lonvick on /dev/pts/8",
                [
                    "time timestamp 1065910455", "host 'mymachine.example.com'", "app 'su'", "msgid 'ID47'",
                    "message ''su root' failed for lonvick on /dev/pts/8'",
                ]
            ),
            ("<34>1 - - - - - -", []), ("<34>1 - - - - - - ", ["message ''"]), ("<34>1 - - - - - -\r", []),
            (
                "<34>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 p 8710 - - %% x",
                ["time timestamp 1061727255", "host '192.0.2.1'", "app 'p'", "pid '8710'", "message '%% x'"]
            ),
            ("<34>1 2016-12-31T23:59:60Z - - - - -", ["time timestamp 1483228800"]),
            (#"<34>1 - - - - - [a@1 k="v"] m"#, [#"structured_data json {"a@1":{"k":"v"}}"#, "message 'm'"]),
            (#"<34>1 - - - - - [a@1][b x="\"\\\]\n" y=""]"#, [#"structured_data json {"a@1":{},"b":{"x":"\"\\]\\n","y":""}}"#]),
            (#"<34>1 - - - - - [o ip="1" ip="2" n="é"][o z="3"]"#, [#"structured_data json {"o":{"ip":["1","2"],"n":"é","z":"3"}}"#]),
            // Longer than RFC 5424 allows, and with a blank before the message, as rsyslog writes
            // it.
            ("<34>1 - - \(String(repeating: "a", count: 49)) - - -  x", ["app '\(String(repeating: "a", count: 49))'", "message ' x'"]),
        ])
    func version1(record: String, fields: [String]) {
        #expect(Self.fields(record) == Self.auth + fields)
    }

    @Test(
        "RFC 3164, as programs write it",
        arguments: [
            // rsyslog, syslog-ng, and journald's `short`.
            ("Nov 28 10:48:19 vm app[32487]: hello world", ["time '…'", "host 'vm'", "app 'app'", "pid '32487'", "message 'hello world'"]),
            ("Nov  8 01:02:03 vm systemd-logind[1]: a: b", ["time '…'", "host 'vm'", "app 'systemd-logind'", "pid '1'", "message 'a: b'"]),
            ("Nov 8 01:02:03 vm postfix/smtpd[9]: x", ["time '…'", "host 'vm'", "app 'postfix/smtpd'", "pid '9'", "message 'x'"]),
            ("Nov 28 10:48:19 vm kernel: [   12.345] x: y", ["time '…'", "host 'vm'", "app 'kernel'", "message '[   12.345] x: y'"]),
            ("Nov 28 10:48:19.123456 vm app: x", ["time '….123456'", "host 'vm'", "app 'app'", "message 'x'"]),
            // What is no tag.
            ("Nov 28 10:48:19 vm my app: tag with blank", ["time '…'", "host 'vm'", "message 'my app: tag with blank'"]),
            ("Nov 28 10:48:19 vm last message repeated 3 times", ["time '…'", "host 'vm'", "message 'last message repeated 3 times'"]),
            ("Nov 28 10:48:19 vm http://x/y z", ["time '…'", "host 'vm'", "message 'http://x/y z'"]),
            ("Nov 28 10:48:19 vm [1]: x", ["time '…'", "host 'vm'", "message '[1]: x'"]),
            ("Nov 28 10:48:19 vm app[7]x", ["time '…'", "host 'vm'", "message 'app[7]x'"]),
            ("Nov 28 10:48:19 vm app:", ["time '…'", "host 'vm'", "app 'app'", "message ''"]),
            ("Nov 28 10:48:19 vm app[7]", ["time '…'", "host 'vm'", "app 'app'", "pid '7'", "message ''"]),
            ("Nov 28 10:48:19 vm sshd[7]:x", ["time '…'", "host 'vm'", "app 'sshd'", "pid '7'", "message 'x'"]),
            ("Nov 28 10:48:19 vm", ["time '…'", "host 'vm'"]), ("Nov 28 10:48:19", ["time '…'"]),
            // No host, as in /dev/log.
            ("Nov 28 10:48:19 app[7]: x", ["time '…'", "app 'app'", "pid '7'", "message 'x'"]),
            ("Nov 28 10:48:19 app: x", ["time '…'", "app 'app'", "message 'x'"]),
        ])
    func legacy(record: String, fields: [String]) {
        let time = record.firstRange(of: "9.").map { record[..<$0.lowerBound] + "9" } ?? record.prefix(record.hasPrefix("Nov 8") ? 14 : 15)
        #expect(Self.fields(record) == fields.map { $0.replacing("…", with: time) })
    }

    @Test("busybox writes facility and severity by name, and others send a priority")
    func priorities() {
        let names = ["priority 12", "facility 'user'", "severity 'warning'"]
        #expect(Self.fields("Nov 28 10:48:23 vm user.warn w: x") == names + ["time 'Nov 28 10:48:23'", "host 'vm'", "app 'w'", "message 'x'"])
        #expect(Self.fields("Nov 28 10:48:23 user.warn w: x") == names + ["time 'Nov 28 10:48:23'", "app 'w'", "message 'x'"])
        #expect(Self.fields("<34>Nov 28 10:48:23 vm w: x") == Self.auth + ["time 'Nov 28 10:48:23'", "host 'vm'", "app 'w'", "message 'x'"])
        #expect(Self.fields("<34>app[1]: x") == Self.auth + ["app 'app'", "pid '1'", "message 'x'"])
        #expect(Self.fields("<34>no time here") == Self.auth + ["message 'no time here'"])
        #expect(Self.fields("<34>") == Self.auth)
        #expect(Self.fields("Nov 28 10:48:23 vm user.nothing x").last == "message 'user.nothing x'")
    }

    @Test(
        "times",
        arguments: [
            ("2026-11-28T10:48:19.277038+01:00", 1_795_859_299), ("2026-11-28T10:48:19+0100", 1_795_859_299), ("2026-11-28T09:48:19Z", 1_795_859_299),
            ("2026-11-28T10:48:19", 1_795_859_299), ("Sat 2026-11-28 09:48:19 UTC", 1_795_859_299), ("Sat 2026-11-28 10:48:19 CET", 1_795_859_299),
            ("Sat 2026-11-28 10:48:19 +01", 1_795_859_299), ("1795859299.123456", 1_795_859_299), ("Nov 28 2026 10:48:19", 1_795_859_299),
        ] as [(String, Int64)])
    func times(text: String, seconds: Int64) {
        // The zone is that of times without one.
        #expect(Self.row(text + " vm app: x", TimeDefaults(zone: 3600)).cells[3] == .timestamp(seconds))
        #expect(Self.fields(text + " vm app: x", TimeDefaults(zone: 3600)).suffix(3) == ["host 'vm'", "app 'app'", "message 'x'"])
    }

    @Test("a zone that is only a name leaves the time as text, unless the source has one")
    func namedZones() {
        #expect(Self.row("Sat 2026-11-28 10:48:19 CET vm app: x").cells[3] == .string("Sat 2026-11-28 10:48:19 CET"))
    }

    @Test(
        "what is refused, and why",
        arguments: [
            ("hello", "expected a priority such as <34>, or a time at byte 0, found 'h'"),
            ("-- MARK --", "expected a priority such as <34>, or a time at byte 0, found '-'"),
            ("Feb 30 10:00:00 vm app: x", "expected a priority such as <34>, or a time at byte 0, found 'F'"),
            ("Nov 28 10:60:00 vm app: x", "expected a priority such as <34>, or a time at byte 0, found 'N'"),
            ("<999>1 - - - - - - x", "the priority 999 is greater than 191"), ("<x>1 -", "expected a priority such as <34> at byte 0, found '<'"),
            ("<1234>1 -", "expected a priority such as <34> at byte 0, found '<'"), ("<34>999 - - - - - -", nil),
            ("<34>1 - - - - - -x", "expected structured data or '-' at byte 16, found '-'"),
            ("<34>1 yesterday - - - - -", "expected a time such as 2026-11-28T10:00:00Z, or '-', at byte 6, found 'y'"),
            ("<34>1 2026-11-28T10:00:00 - - - - -", "expected a time such as 2026-11-28T10:00:00Z, or '-', at byte 6, found '2'"),
            ("<34>1 2026-11-28T10:00:00+0100 - - - - -", "expected a time such as 2026-11-28T10:00:00Z, or '-', at byte 6, found '2'"),
            ("<34>1 - - - -", "expected a blank after a process at byte 13, where the record ends"),
            ("<34>1 -  - - - -", "expected a host or '-' at byte 8, found a space"),
            ("<34>1 - - - - - x", "expected structured data or '-' at byte 16, found 'x'"), ("<34>1 - - - - - [a] [b]", nil),
            ("<34>1 - - - - - [a]x", "expected a blank after structured data at byte 19, found 'x'"),
            ("<34>1 - - - - - [", "expected the name of an element at byte 17, where the record ends"),
            ("<34>1 - - - - - [a", "expected a blank or ']' at byte 18, where the record ends"),
            (#"<34>1 - - - - - [a b]"#, "expected '=\"' at byte 20, found ']'"),
            (#"<34>1 - - - - - [a b="c]"]"#, "expected '\\' before ']' in a value at byte 23, found ']'"),
            (#"<34>1 - - - - - [a b="c"#, "expected a closing quote at byte 23, where the record ends"),
            (#"<34>1 - - - - - [a b="c"d="e"]"#, "expected a blank or ']' at byte 24, found 'd'"),
            ("<34>1 - a\u{1}b - - - -", "expected a blank after a host at byte 9, found byte 0x01"),
            ("12 <34>1 - - - - - -", "the message has 17 bytes, but its count is 12"),
        ] as [(String, String?)])
    func refused(record: String, message: String?) {
        #expect(Self.row(record).message == message)
        #expect(Self.row(record).code == (message == nil ? nil : "parse.syslog"))
    }

    @Test("octets are counted, and a line end among them is left out")
    func counted() {
        #expect(Self.fields("17 <34>1 - - - - - -") == Self.auth)
        #expect(Self.fields("21 <34>1 - - - - - - a\nb") == Self.auth + ["message 'a\nb'"])
        #expect(Self.fields("20 <34>1 - - - - - - a\n") == Self.auth + ["message 'a'"])
        #expect(Self.row(" \r").outcome == .blank)
    }

    @Test("text that is not UTF-8 is bytes, but not in structured data")
    func bytes() {
        let columns = ["message", "host"]
        let decoder = SyslogDecoder(columns: columns, TimeDefaults())
        let row = decode(Array("<34>1 - h".utf8) + [0xE9] + Array(" - - - - a".utf8) + [0xFF], columns: columns, with: decoder)
        #expect(row.cells == [.bytes([0x61, 0xFF]), .bytes([0x68, 0xE9])])
        let structured = decode(Array("<34>1 - - - - - [a b=\"".utf8) + [0xFF] + Array("\"]".utf8), columns: columns, with: decoder)
        #expect(structured.message == "invalid UTF-8 at byte 22, found byte 0xFF")
    }

    @Test("many parameters in one element take time in proportion to them")
    func many() {
        let parameters = (0..<20_000).map { " k\($0 % 10_000)=\"v\"" }.joined()
        let row = Self.row("<34>1 - - - - - [a\(parameters)]")
        guard case .json(let text) = row.cells[8] else { return #expect(Bool(false)) }
        #expect(text.hasPrefix(#"{"a":{"k0":["v","v"],"k1":["v","v"]"#))
    }
}
