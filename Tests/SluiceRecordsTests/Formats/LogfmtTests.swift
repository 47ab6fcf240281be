import SluiceCEL
import Testing

@testable import SluiceRecords

@Suite("logfmt")
struct LogfmtTests {
    /// The object that a record is rewritten as; its message if it is refused; `nil` if it is
    /// blank.
    private static func object(_ record: [UInt8]) -> String? {
        let buffer = ByteBuffer(capacity: 16)
        let memory = ByteBuffer(capacity: record.count)
        record.withUnsafeBufferPointer { memory.append($0) }
        do throws(FormatFault) {
            guard try LogfmtRewriter().rewrite(memory.filled, to: buffer) else { return nil }
            memory.count = 0
            return buffer.withFilled { String(decoding: $0, as: UTF8.self) }
        } catch {
            return error.message
        }
    }

    private static func object(_ record: String) -> String? { object(Array(record.utf8)) }

    @Test(
        "keys and values",
        arguments: [
            ("a=1 b=two", #"{"a":"1","b":"two"}"#),
            ("  a=1 \t b=2\r", #"{"a":"1","b":"2"}"#),
            // A key without a value, and empty values.
            ("flag", #"{"flag":true}"#), ("flag a= b=\"\"", #"{"flag":true,"a":"","b":""}"#), ("a=  b", #"{"a":"","b":true}"#),
            // The first `=` ends the key.
            ("url=/a?b=c&d==", #"{"url":"/a?b=c&d=="}"#), ("a==", #"{"a":"="}"#),
            (#"msg="a = b" x=1"#, #"{"msg":"a = b","x":"1"}"#),
            // Escapes have a meaning within quotes only: structlog writes a line feed as \n without
            // them.
            (#"a=x\ny b="x\ny""#, #"{"a":"x\\ny","b":"x\ny"}"#),
            (#"a="say \"hi\"" b="C:\\dir""#, #"{"a":"say \"hi\"","b":"C:\\dir"}"#),
            (#"a="\t\r\b\f\/\u00e9\ud83d\ude00""#, #"{"a":"\t\r\b\f\/\u00e9\ud83d\ude00"}"#),
            // As Go writes what JSON has no escape for.
            (#"a="\a\v\'\x1f\xff\U0001F600""#, #"{"a":"\u0007\u000b'\u001f\\xff😀"}"#),
            // Control characters and text beyond ASCII.
            ("a=\u{1}b c=é ƒ=2h3s", #"{"a":"\u0001b","c":"é","ƒ":"2h3s"}"#), ("\u{1E} y=g", #"{"y":"g"}"#), ("a=\"\u{1}\u{9}\"", #"{"a":"\u0001\t"}"#),
            // A key may have anything but blanks, `=`, quotes and control characters.
            (#"a\b=1 a.b/c[0]=2"#, #"{"a\\b":"1","a.b/c[0]":"2"}"#),
            // Of a record of several lines, each line feed separates.
            ("a=1\nb=2", #"{"a":"1","b":"2"}"#),
        ])
    func reads(record: String, object: String) {
        #expect(Self.object(record) == object)
    }

    @Test(
        "what is refused, and where",
        arguments: [
            ("=1", "expected a key at byte 0, found '='"), ("a=1 =2", "expected a key at byte 4, found '='"),
            (#"a="1"#, "the quote at byte 2 is not closed"), (#"a="1\"#, "the record ends after a backslash"),
            (#"a="1\""#, "the quote at byte 2 is not closed"), (#"a="x"y=2"#, "expected a blank at byte 5, found 'y'"),
            (#""k"=1"#, "a quote in a key at byte 0, found '\"'"), (#"k"ey=1"#, "a quote in a key at byte 1, found '\"'"),
            (#"k=b"ar"#, "a quote inside a value without quotes at byte 3, found '\"'"),
            ("a\u{1}=1", "a control character in a key at byte 1, found byte 0x01"),
            (#"a="\u1""#, "unknown escape at byte 4, found 'u'"), (#"a="\q""#, "unknown escape at byte 4, found 'q'"),
            (#"a="\U00110000""#, "unknown escape at byte 4, found 'U'"), (#"a="\x1"#, "unknown escape at byte 4, found 'x'"),
        ])
    func refuses(record: String, message: String) {
        #expect(Self.object(record) == message)
    }

    @Test("blank records are none, and invalid UTF-8 is refused")
    func others() {
        for blank in ["", " ", "\t \r"] { #expect(Self.object(blank) == nil) }
        #expect(Self.object([0x61, 0x3D, 0xFF]) == "invalid UTF-8 at byte 2, found byte 0xFF")
        #expect(Self.object([0x80, 0x3D, 0x61]) == "invalid UTF-8 at byte 0, found byte 0x80")
    }

    private static func typed(_ types: KeyValuePairs<String, String>) throws -> Logfmt {
        var checking = Checking(label: "logfmt")
        let format = Logfmt(Arguments(["types": CSVOptions.entries(types)]), &checking)
        #expect(checking.diagnostics.isEmpty)
        return try #require(format)
    }

    @Test("fields that have a type, with and without quotes")
    func types() throws {
        let columns = ["ms", "share", "ok", "at", "name"]
        let format = try Self.typed(["ms": "int", "share": "double", "ok": "bool", "at": "timestamp", "name": "string"])
        let decoder = format.makeDecoder(columns: columns, spans: false)
        let lines = [
            "ms=250 share=0.50 ok=true at=2026-11-28T10:00:00.5+01:00 name=007",
            #"ms="-7" share="nan" ok at="2026-11-28 10:00:00Z" name="7""#,
            "ms= share= ok= at= name= other=007", "ms=+07 share=Infinity ok=false", "ms=", "ms=1 ms=2",
        ]
        let rows = decodeLines(lines.map { Array($0.utf8) }, columns: columns, with: decoder)
        #expect(rows.allSatisfy { $0.outcome == .decoded })
        #expect(rows[0].cells == [.int(250), .double(0.5), .bool(true), .timestamp(1_795_856_400), .string("007")])
        #expect(rows[1].cells[0] == .int(-7))
        if case .double(let share) = rows[1].cells[1] { #expect(share.isNaN) } else { Issue.record("expected NaN, found \(rows[1].cells[1])") }
        #expect(rows[1].cells[2] == .bool(true))
        #expect(rows[1].cells[3] == .timestamp(1_795_860_000))
        #expect(rows[2].cells == [.absent, .absent, .absent, .absent, .string("")])
        #expect(rows[3].cells == [.int(7), .double(.infinity), .bool(false), .absent, .absent])
        #expect(rows[4].cells.allSatisfy { $0 == .absent })
        #expect(rows[5].cells[0] == .int(2))
    }

    @Test(
        "what is not of its type",
        arguments: [
            ("a=1 ms=x", "expected an int of 64 bits in the pair at byte 4, found 'x'"),
            ("ms=1.5", "expected an int of 64 bits in the pair at byte 0, found '1.5'"),
            (#"ms="""#, "expected an int of 64 bits in the pair at byte 0, found ''"),
            ("ms", "expected an int of 64 bits after the key at byte 2, where the record ends"),
            ("at=noon", "expected a timestamp like 2025-10-10T13:55:36Z in the pair at byte 0, found 'noon'"),
            (#"ms="1\u0030""#, #"expected an int of 64 bits in the pair at byte 0, found '1\u0030'"#),
        ])
    func mistyped(record: String, message: String) throws {
        let decoder = try Self.typed(["ms": "int", "at": "timestamp"]).makeDecoder(columns: ["ms"], spans: false)
        let row = try #require(decodeLines([Array(record.utf8)], columns: ["ms"], with: decoder).first)
        #expect((row.code, row.message) == ("parse.logfmt", message))
    }

    @Test("a field's value is that of the last pair with its key, and other fields stay in place")
    func repeated() {
        let columns = ["a", "b"]
        let decoder = Logfmt().makeDecoder(columns: columns, spans: false)
        let rows = decodeLines([Array("a=1 b=2 a=3".utf8), Array("a=\"".utf8), Array("b=4".utf8), Array(" ".utf8)], columns: columns, with: decoder)
        #expect(rows.map(\.outcome) == [.decoded, .failed, .decoded, .blank])
        #expect(rows[0].cells == [.string("3"), .string("2")])
        #expect(rows[1].code == "parse.logfmt")
        #expect(rows[2].cells == [.absent, .string("4")])
        #expect(decode(Array("a=1 b=2 a=3".utf8), columns: columns, with: decoder).cells == [.string("3"), .string("2")])
    }
}
