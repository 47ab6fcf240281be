import SluiceCEL
import SluiceRecords
import Testing

@Suite("JSON lines: cells")
struct JSONCellTests {
    static let values: [(String, CellValue)] = [
        ("null", .null), ("true", .bool(true)), ("false", .bool(false)), ("0", .int(0)), ("-0", .decimal("-0")), ("7", .int(7)), ("-12", .int(-12)),
        ("12345678", .int(12_345_678)), ("123456789", .int(123_456_789)), ("1234567890123456", .int(1_234_567_890_123_456)),
        ("12345678901234567", .int(12_345_678_901_234_567)), ("999999999999999999", .int(999_999_999_999_999_999)),
        ("9223372036854775807", .int(.max)), ("-9223372036854775808", .int(.min)), ("9223372036854775808", .uint(9_223_372_036_854_775_808)),
        ("18446744073709551615", .uint(.max)), ("18446744073709551616", .decimal("18446744073709551616")),
        ("-9223372036854775809", .decimal("-9223372036854775809")), ("12345678901234567890123", .decimal("12345678901234567890123")),
        ("0.5", .double(0.5)), ("-0.0", .double(-0.0)), ("1.25", .double(1.25)), ("9.799", .double(9.799)), ("-123456.789", .double(-123456.789)),
        ("1234567.12345678", .double(1234567.12345678)), ("0.1", .double(0.1)), ("1e3", .double(1000)), ("1E-3", .double(0.001)),
        ("2.5e+2", .double(250)), ("0.30000000000000004", .double(0.30000000000000004)), ("179769313486231570816.0", .double(0x1.37d99cc506d58p67)),
        ("5e-324", .double(.leastNonzeroMagnitude)), ("1e-400", .double(0)), ("1e400", .decimal("1e400")), ("-1.5e999", .decimal("-1.5e999")),
        (#""""#, .string("")), (#""abc""#, .string("abc")), (#""é€😀""#, .string("é€😀")), (#""a\nb""#, .string("a\nb")),
        (#""\"\\\/\b\f\n\r\t""#, .string("\"\\/\u{8}\u{C}\n\r\t")), (#""\u0041\u00e9\u20AC\ud83d\ude00""#, .string("Aé€😀")),
        (#""\u0000""#, .string("\0")), (#""\ud800""#, .string("\u{FFFD}")), (#""x\udc00y""#, .string("x\u{FFFD}y")),
        (#""\ud800\ud83d\ude00""#, .string("\u{FFFD}😀")), (#""\ud800\n""#, .string("\u{FFFD}\n")), (#""\ud800A""#, .string("\u{FFFD}A")),
        (#""01234567890123456789012345678901234567890123\t""#, .string("01234567890123456789012345678901234567890123\t")),
        ("[1, 2]", .json("[1, 2]")), (#"{"b" : [] }"#, .json(#"{"b" : [] }"#)),
    ]

    @Test("each kind of value has a cell", arguments: values)
    func cells(text: String, expected: CellValue) {
        #expect(json(#"{"a":\#(text)}"#, ["a"]).cells == [expected])
        #expect(json(#"{"z": 1, "a" : \#(text) , "y":2}"#, ["y", "a", "x"]).cells == [.int(2), expected, .absent])
    }

    @Test("numbers read as the compiler reads them", arguments: [1, 2, 3] as [UInt64])
    func doubles(seed: UInt64) {
        var random = Seeded(seed)
        for _ in 0..<3000 {
            let whole = UInt64.random(in: 0..<(1 << UInt64.random(in: 0..<63, using: &random)), using: &random)
            let fraction = (0..<Int.random(in: 1...18, using: &random)).map { _ in String(Int.random(in: 0...9, using: &random)) }.joined()
            let exponent = Bool.random(using: &random) ? "" : "e\(Int.random(in: -320...300, using: &random))"
            let text = "\(Bool.random(using: &random) ? "-" : "")\(whole).\(fraction)\(exponent)"
            guard let value = Double(text) else { continue }
            #expect(json(#"{"a":\#(text)}"#, ["a"]).cells == [value.isFinite ? .double(value) : .decimal(text)])
        }
    }

    @Test("doubles of 16 to 19 digits, and those halfway between two doubles", arguments: [4, 5, 6] as [UInt64])
    func longDoubles(seed: UInt64) {
        var random = Seeded(seed)
        for _ in 0..<5000 {
            let digits = String(UInt64.random(in: 1_000_000_000_000_000...9_999_999_999_999_999_999, using: &random))
            let point = Int.random(in: 0..<digits.count, using: &random)
            let text = point == 0 ? "0.\(digits)" : "\(digits.prefix(point)).\(digits.dropFirst(point))"
            #expect(json(#"{"a":-\#(text)}"#, ["a"]).cells == [Double(text).map { .double(-$0) }])
            // Doubles between 2^53 and 2^54 are 2 apart: an odd number is a tie, which any digit
            // after the point must break.
            let odd = (1 << 53) + 2 * Int.random(in: 0..<(1 << 50), using: &random) + 1
            for half in ["\(odd).0", "\(odd).00", "\(odd).01", "\(odd - 1).99"] {
                #expect(json(#"{"a":\#(half)}"#, ["a"]).cells == [Double(half).map { .double($0) }])
            }
        }
    }

    @Test("keys are distinguished by every byte and by length")
    func keys() {
        let names = ["a", "ab", "abcdefgh", "abcdefghi", "abcdefghj", "abcdefg", "", "abcdefgh_middle1_abcdefgh", "abcdefgh_middle2_abcdefgh", "é", "x.y"]
        let members = names.enumerated().map { #""\#($1)":\#($0)"# }
        for shift in names.indices {
            let text = "{" + (members[shift...] + members[..<shift]).joined(separator: ",") + "}"
            #expect(json(text, names).cells == names.indices.map { .int(Int64($0)) })
        }
        #expect(json(#"{"abcdefghk":1,"b":2,"abcdefgh_middle3_abcdefgh":3}"#, names).cells == names.map { _ in .absent })
    }

    @Test("an escaped key equals the unescaped one")
    func escapedKeys() {
        #expect(json(#"{"\u0061b":1,"x\"y":2}"#, ["ab", "x\"y"]).cells == [.int(1), .int(2)])
    }

    @Test("the last of equal keys counts, the row says so, and the span is the first")
    func duplicates() {
        let row = json(#"{"a":1,"b":2,"a":"x"}"#, ["a", "b"], spans: true)
        #expect(row.outcome == .duplicated)
        #expect(row.cells == [.string("x"), .int(2)])
        #expect(row.spans == [#""a":1 ~ 1"#, #""b":2 ~ 2"#])
    }

    @Test(
        "a member that nobody asks for may be there twice, too, and the row says so",
        arguments: [
            #"{"z":1,"z":2,"a":3}"#, #"{"z":1,"a":3,"\u007a":2}"#, #"{"a":{"z":1},"z":1,"b":2,"z":1}"#,
            #"{"a_name_that_is_longer_than_a_shape_remembers":1,"b":2,"a_name_that_is_longer_than_a_shape_remembers":3}"#,
            "{\(JSONCellTests.many(300)),\"n7\":1}", "{\(JSONCellTests.many(300)),\"n299\":1}", "{\(JSONCellTests.many(300)),\"n260\":1}",
        ])
    func otherDuplicates(text: String) {
        #expect(json(text, ["a"]).outcome == .duplicated)
        #expect(json(text).outcome == .duplicated)
    }

    @Test("a nested member is not the member, nor is one of another record")
    func noDuplicates() {
        for text in [#"{"z":{"z":1,"y":{"z":2}},"y":1}"#, "{\(JSONCellTests.many(300))}"] { #expect(json(text).outcome == .decoded) }
        let texts = [#"{"a":1,"b":2}"#, #"{"b":1,"a":2}"#, #"{"c":1,"a":2}"#, #"{"a":1,"a":2}"#, #"{"a":1,"b":2}"#, #"{"b":1,"b":2}"#, #"{"b":1,"c":2}"#]
        let rows = decodeLines(texts.map { Array($0.utf8) }, columns: [], with: JSONLinesDecoder(columns: []))
        #expect(rows.map(\.outcome) == [.decoded, .decoded, .decoded, .duplicated, .decoded, .duplicated, .decoded])
    }

    private static func many(_ count: Int) -> String { (0..<count).map { "\"n\($0)\":\($0)" }.joined(separator: ",") }

    @Test("a member's span runs from its key's quote to its value's end")
    func spans() {
        let row = json(#" { "a" : "x\n" , "b":[1, 2] ,"c":-1.5}"#, ["c", "a", "b", "d"], spans: true)
        #expect(row.spans == [#""c":-1.5 ~ -1.5"#, #""a" : "x\n" ~ "x\n""#, #""b":[1, 2] ~ [1, 2]"#, ""])
    }

    @Test("records of many shapes in one batch decode as each does alone", arguments: 1...20 as ClosedRange<UInt64>)
    func shapes(seed: UInt64) {
        var random = Seeded(seed)
        let names = ["a", "bb", "ccc", "d_very_long_name_that_does_not_fit", "e", "a.b", "wide_name_of_31_bytes_all_told_x", "esc\\u0041pe"]
        let values = ["1", "-2.5", "\"text\"", "\"a longer text, of more than thirty-two bytes\"", "\"\\u00e9\"", "null", "[1,{}]", "true", "bad"]
        let separators = [":", " : ", ": "]
        var texts: [[UInt8]] = []
        for _ in 0..<200 {
            if let last = texts.last, Int.random(in: 0..<3, using: &random) > 0 {
                texts.append(last)
                continue
            }
            let separator = separators[Int.random(in: 0..<3, using: &random)]
            let members = (0..<Int.random(in: 0...80, using: &random) / 10).map { _ in
                let value = values[min(Int.random(in: 0..<200, using: &random) % 9 == 8 ? 8 : Int.random(in: 0..<8, using: &random), 8)]
                return "\"\(names[Int.random(in: 0..<8, using: &random)])\"\(separator)\(value)"
            }
            texts.append(Array(("{" + members.joined(separator: separator.count > 1 ? ", " : ",") + "}").utf8))
        }
        let columns = ["a", "ccc", "d_very_long_name_that_does_not_fit", "escApe", "wide_name_of_31_bytes_all_told_x"]
        let decoder = JSONLinesDecoder(columns: columns, spans: true)
        let together = decodeLines(texts, columns: columns, spans: true, with: decoder)
        for (text, row) in zip(texts, together) {
            #expect(row == decode(text, columns: columns, spans: true, with: decoder), "\(String(decoding: text, as: UTF8.self))")
        }
    }

    @Test("more members than the shape remembers")
    func wide() {
        let text = "{" + (0..<500).map { #""k\#($0)":\#($0)"# }.joined(separator: ",") + "}"
        let columns = ["k0", "k63", "k64", "k499", "k500"]
        let rows = decodeLines(Array(repeating: Array(text.utf8), count: 3), columns: columns, with: JSONLinesDecoder(columns: columns))
        for row in rows { #expect(row.cells == [.int(0), .int(63), .int(64), .int(499), .absent]) }
    }
}
