import Foundation
import Glibc
import SluiceCEL
import SluiceRecords
import Testing

func written(_ body: (ByteBuffer) -> Void) -> String {
    let buffer = ByteBuffer(capacity: 1)
    body(buffer)
    return withExtendedLifetime(buffer) { String(decoding: buffer.filled, as: UTF8.self) }
}

@Suite("JSON text")
struct JSONTextTests {
    static let stringCases: [(String, String)] = [
        ("", #""""#), ("plain", #""plain""#), ("a\"b\\c/d", #""a\"b\\c/d""#), ("\u{8}\t\n\u{C}\r\u{1}\u{1F}\u{0}", #""\b\t\n\f\r\u0001\u001f\u0000""#),
        ("\u{7F}é€😀\u{2028}", "\"\u{7F}é€😀\u{2028}\""), (String(repeating: "x", count: 100) + "\n", "\"" + String(repeating: "x", count: 100) + "\\n\""),
    ]

    @Test("strings are escaped where JSON asks for it and nowhere else", arguments: stringCases)
    func strings(text: String, expected: String) {
        #expect(written { JSONText.write(text, to: $0) } == expected)
    }

    @Test("invalid UTF-8 becomes U+FFFD", arguments: JSONGrammarTests.wrongUTF8)
    func invalidUTF8(bytes: [UInt8]) {
        for text in [bytes, Array("ab".utf8) + bytes, bytes + Array("cd, and so on".utf8), bytes + bytes] {
            let output = written { buffer in text.withUnsafeBufferPointer { JSONText.write($0, to: buffer) } }
            #expect(output.contains("\u{FFFD}"))
            #expect(
                output.unicodeScalars.filter { $0 != "\u{FFFD}" }.elementsEqual(
                    "\"\(String(decoding: text.filter { $0 < 0x80 }, as: UTF8.self))\"".unicodeScalars))
        }
    }

    @Test("text at the very end of readable memory, at every alignment")
    func endOfMemory() throws {
        let page = 4096
        let memory = try #require(mmap(nil, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
        defer { munmap(memory, 2 * page) }
        mprotect(memory + page, page, PROT_NONE)
        for count in 0...100 {
            for text in [String(repeating: "x", count: count), String(repeating: "é\"", count: count / 3), String(repeating: "\\", count: count)] {
                let bytes = Array(text.utf8)
                let start = (memory + page - bytes.count).assumingMemoryBound(to: UInt8.self)
                start.update(from: bytes, count: bytes.count)
                let placed = UnsafeBufferPointer(start: UnsafePointer(start), count: bytes.count)
                #expect(written { JSONText.write(placed, to: $0) } == written { JSONText.write(text, to: $0) })
            }
        }
    }

    @Test("Foundation's reader returns any string unchanged", arguments: [1, 2, 3, 4] as [UInt64])
    func roundTrip(seed: UInt64) throws {
        var random = Seeded(seed)
        let pieces = ["a", "0123456789abcdefghijklmnopqrstuvwxyz", "\"", "\\", "\n", "\u{1}", "é", "€", "😀", "\u{2028}", " ", "\u{0}"]
        for _ in 0..<300 {
            let text = (0..<Int.random(in: 0..<30, using: &random)).map { _ in pieces[Int.random(in: 0..<pieces.count, using: &random)] }.joined()
            let json = written { JSONText.write(text, to: $0) }
            let read = try JSONSerialization.jsonObject(with: Data(json.utf8), options: .fragmentsAllowed) as? String
            #expect(read.map { Array($0.utf8) } == Array(text.utf8))
        }
    }

    static let doubleCases: [(Double, String)] = [
        (0, "0.0"), (-0.0, "-0.0"), (1, "1.0"), (-3, "-3.0"), (0.1, "0.1"), (0.009799, "0.009799"), (1234.5, "1234.5"), (999_999.999, "999999.999"),
        (0.00001, "1e-05"), (0.30000000000000004, "0.30000000000000004"), (1e20, "1e+20"), (1e-7, "1e-07"), (123_456_789, "123456789.0"),
        (.greatestFiniteMagnitude, "1.7976931348623157e+308"), (.leastNonzeroMagnitude, "5e-324"), (.nan, #""NaN""#), (.infinity, #""Infinity""#),
        (-.infinity, #""-Infinity""#), (100, "100.0"), (0.5, "0.5"), (1.000001, "1.000001"), (0.022088999999999998, "0.022088999999999998"),
    ]

    @Test("doubles are as short as can be and read back as doubles", arguments: doubleCases)
    func doubles(value: Double, expected: String) {
        #expect(written { JSONText.write(value, to: $0) } == expected)
    }

    @Test("doubles read back exactly", arguments: [1, 2, 3] as [UInt64])
    func doublesRoundTrip(seed: UInt64) {
        var random = Seeded(seed)
        for _ in 0..<20_000 {
            let scale = [1.0, 1e3, 1e6, 1e9][Int.random(in: 0..<4, using: &random)]
            let short = Double(Int.random(in: -1_000_000_000...1_000_000_000, using: &random)) / scale
            for value in [short, short / 1000, Double(bitPattern: random.next())] where value.isFinite {
                let text = written { JSONText.write(value, to: $0) }
                #expect(Double(text)?.bitPattern == value.bitPattern, "\(text)")
                #expect(text == value.description)
            }
        }
    }

    @Test("integers of every width")
    func integers() {
        for value in [0, 1, -1, 9, 10, 99, 100, 12_345, 999_999, 1_000_000, 10_000_000_000, .max, .min] {
            #expect(written { JSONText.write(value, to: $0) } == String(value))
        }
    }

    static let cellCases: [(Cell, String)] = [
        (.absent, "null"), (.null, "null"), (.bool(true), "true"), (.bool(false), "false"), (.int(-7), "-7"), (.uint(.max), "18446744073709551615"),
        (.double(2.5), "2.5"), (.timestamp(seconds: 0, nanoseconds: 0), #""1970-01-01T00:00:00Z""#),
        (.timestamp(seconds: 1_760_104_536, nanoseconds: 120_000_000), #""2025-10-10T13:55:36.12Z""#),
        (.timestamp(seconds: -1, nanoseconds: 1), #""1969-12-31T23:59:59.000000001Z""#),
        (.timestamp(seconds: 951_782_400, nanoseconds: 0), #""2000-02-29T00:00:00Z""#),
        (.timestamp(seconds: -62_135_596_800, nanoseconds: 0), #""0001-01-01T00:00:00Z""#),
        (.timestamp(seconds: 253_402_300_799, nanoseconds: 999_999_999), #""9999-12-31T23:59:59.999999999Z""#),
        (.duration(seconds: 1, nanoseconds: 500_000_000), #""1.5s""#), (.duration(seconds: 0, nanoseconds: -1_000_000), #""-0.001s""#),
        (.duration(seconds: 90, nanoseconds: 0), #""90s""#), (.duration(seconds: -2, nanoseconds: -250_000_000), #""-2.25s""#),
    ]

    @Test("each kind of cell is written as JSON", arguments: cellCases)
    func cells(cell: Cell, expected: String) {
        #expect(written { JSONText.write(cell, Scratch(), to: $0) } == expected)
    }

    @Test("cells over text, and boxed ones")
    func textCells() {
        let scratch = Scratch()
        for (kind, text, expected) in [
            (Cell.Kind.string, "a\"", #""a\"""#), (.decimal, "1e400", "1e400"), (.json, #"[1, {"a":2}]"#, #"[1, {"a":2}]"#),
            (.bytes, "any carnal pleas", #""YW55IGNhcm5hbCBwbGVhcw==""#),
            (.bytes, "", #""""#), (.bytes, "abc", #""YWJj""#), (.bytes, "ab", #""YWI=""#),
        ] {
            let cell = scratch.text(kind, copying: text)
            #expect(written { JSONText.write(cell, scratch, to: $0) } == expected)
        }
        let boxed = scratch.box(.list([.int(1), .map(["a": .null]), .optional(nil), .optional(.string("x")), .type(.int)]))
        #expect(written { JSONText.write(boxed, scratch, to: $0) } == #"[1,{"a":null},null,"x","int"]"#)
    }

    @Test("values of every type have JSON")
    func values() {
        var map = ValueMap()
        map.set(.int(1), to: .uint(2))
        map.set(.bool(true), to: .bytes([0xFF]))
        map.set(.string("k\n"), to: .double(1))
        #expect(written { JSONText.write(Value.map(map), to: $0) } == #"{"1":2,"true":"/w==","k\n":1.0}"#)
        #expect(written { JSONText.write(Value.list([]), to: $0) } == "[]")
        #expect(written { JSONText.write(Value.duration(.milliseconds(1500)), to: $0) } == #""1.5s""#)
        if let time = Timestamp("2025-10-10T13:55:36.5Z"), let address = IPAddress("10.0.0.1") {
            #expect(written { JSONText.write(Value.list([.timestamp(time), .ip(address)]), to: $0) } == #"["2025-10-10T13:55:36.5Z","10.0.0.1"]"#)
        } else {
            Issue.record("a timestamp and an address")
        }
    }

    @Test("an object leaves out absent cells")
    func object() {
        let scratch = Scratch()
        let text = written { buffer in
            var object = JSONObjectWriter(buffer)
            object.write("a", .absent, scratch)
            object.write("b\"", .int(1), scratch)
            object.write("c", .null, scratch)
            object.end()
        }
        #expect(text == #"{"b\"":1,"c":null}"#)
        let cells: [Cell] = [.absent, .int(1), .null]
        let fields = JSONFields([
            .init(key: "a", column: 0), .init(key: "b\"", column: 1), .init(key: "x", column: 1, unless: 2), .init(key: "c", column: 2, unless: 0),
        ])
        #expect(
            cells.withUnsafeBufferPointer { cells in
                written { buffer in
                    if let start = cells.baseAddress { fields.write(start, scratch, to: buffer) }
                }
            } == text)
        #expect(written { JSONObjectWriter($0).end() } == "{}")
    }
}
