import SluiceCEL
import Testing

@testable import SluiceRecords

/// A byte-by-byte reference for ``CSVDecoder``: the fields of a record, or nil if it is malformed.
struct PlainFields {
    struct Field: Equatable {
        var text: [UInt8]
        var isQuoted: Bool
    }

    private let bytes: [UInt8]
    private let quoting: Quoting
    private var place = 0

    static func read(_ record: [UInt8], _ quoting: Quoting) -> [Field]? {
        var bytes = record
        while bytes.last == 0x0D { bytes.removeLast() }
        var reader = PlainFields(bytes: bytes, quoting: quoting)
        return reader.fields()
    }

    private mutating func fields() -> [Field]? {
        var fields: [Field] = []
        while true {
            let start = place
            if quoting.trimsBlanks { while place < bytes.count, quoting.isBlank(bytes[place]) { place += 1 } }
            if place < bytes.count, bytes[place] == quoting.quote {
                guard let field = quoted() else { return nil }
                fields.append(field)
            } else {
                place = start
                while place < bytes.count, bytes[place] != quoting.separator { place += 1 }
                var text = bytes[start..<place]
                if quoting.trimsBlanks {
                    text = text.drop { quoting.isBlank($0) }
                    while let last = text.last, quoting.isBlank(last) { text.removeLast() }
                }
                fields.append(Field(text: Array(text), isQuoted: false))
            }
            guard place < bytes.count else { return fields }
            place += 1
        }
    }

    private mutating func quoted() -> Field? {
        var text: [UInt8] = []
        place += 1
        while place < bytes.count {
            let byte = bytes[place]
            let next = place + 1 < bytes.count ? bytes[place + 1] : nil
            if byte == quoting.quote, next == quoting.quote {
                text.append(byte)
                place += 2
            } else if byte == quoting.quote {
                place += 1
                if quoting.trimsBlanks { while place < bytes.count, quoting.isBlank(bytes[place]) { place += 1 } }
                return place == bytes.count || bytes[place] == quoting.separator ? Field(text: text, isQuoted: true) : nil
            } else if byte == quoting.escape, let next, next == quoting.quote || next == quoting.escape {
                text.append(next)
                place += 2
            } else {
                text.append(byte)
                place += 1
            }
        }
        return nil
    }
}

@Suite("CSV, decoded")
struct CSVDecoderTests {
    private static func read(_ record: String, _ columns: [String]? = nil, head: String = "a,b,c", _ options: [String: Argument] = [:]) throws -> DecodedRow {
        try read(Array(record.utf8), columns, head: head, options)
    }

    private static func read(_ record: [UInt8], _ columns: [String]? = nil, head: String = "a,b,c", _ options: [String: Argument] = [:]) throws -> DecodedRow {
        let format = try CSV.with(options).headed(by: head)
        let columns = columns ?? format.schema.names
        return decode(record, columns: columns, with: format.makeDecoder(columns: columns, spans: false))
    }

    @Test("fields are text, and an empty one without quotes is absent")
    func fields() throws {
        #expect(try Self.read("1,,\"\"").cells == [.string("1"), .absent, .string("")])
        #expect(try Self.read("007,1e5,\"x,\"\"y\"\"\"\r").cells == [.string("007"), .string("1e5"), .string("x,\"y\"")])
        #expect(try Self.read(" a ,5\" disk,NULL").cells == [.string(" a "), .string("5\" disk"), .string("NULL")])
        #expect(try Self.read("\"a\r\nb\",c\rd,\\N").cells == [.string("a\r\nb"), .string("c\rd"), .string("\\N")])
        #expect(try Self.read("1,2,3\r\r").cells == [.string("1"), .string("2"), .string("3")])
        #expect(try Self.read("\"1\",\"2\",\"3\"").cells == [.string("1"), .string("2"), .string("3")])
        #expect(try Self.read("1,2,3", ["c", "none", "a"]).cells == [.string("3"), .absent, .string("1")])
        let long = String(repeating: "long", count: 40)
        #expect(try Self.read("\(long),\"\(long)\",\"\"\"\(long)\"\"\"").cells == [.string(long), .string(long), .string("\"\(long)\"")])
    }

    @Test(
        "a record that is none says why",
        arguments: [
            ("1,2", "the record has 2 fields, but the header has 3"), ("1", "the record has 1 field, but the header has 3"),
            ("1,2,3,", "the record has 4 fields, but the header has 3"), ("1,\"2,3", "the quote at byte 2 is not closed"),
            ("1,\"2\n3,4,5\n", "the quote at byte 2 is not closed"), ("1,2,3\n4,\"5", "expected one record, found a line feed outside quotes"),
            ("1,\"2\"x,3", "expected ',' after the closing quote at byte 5, found 'x'"),
            ("1,2,\"3\" ", "expected ',' after the closing quote at byte 7, found a space"),
            ("\"a\"b\"c\",2,3", "expected ',' after the closing quote at byte 3, found 'b'"),
        ])
    func faults(record: String, message: String) throws {
        for columns in [nil, []] as [[String]?] {
            let row = try Self.read(record, columns)
            #expect(row.outcome == .failed)
            #expect(row.code == "parse.csv")
            #expect(row.message == message)
            #expect(row.cells.allSatisfy { $0 == .absent })
        }
    }

    @Test("blank lines and comments are not records; with a single field, a blank line is one")
    func blanks() throws {
        for line in ["", "\r", "  ", "\t\r"] { #expect(try Self.read(line).outcome == .blank) }
        #expect(try Self.read("", head: "a") == DecodedRow(outcome: .decoded, cells: [.absent], spans: []))
        #expect(try Self.read("", head: "a", ["nulls": CSVOptions.texts(["\\N"])]).cells == [.string("")])
        #expect(try Self.read("  ", head: "a").cells == [.string("  ")])
        #expect(try Self.read("\t\t", head: "a\tb\tc", ["separator": CSVOptions.text("\t")]).cells == [.absent, .absent, .absent])
        let remarks = ["comment": CSVOptions.text("#")]
        #expect(try Self.read("# \"x", nil, remarks).outcome == .blank)
        #expect(try Self.read("1,#2,3", nil, remarks).cells == [.string("1"), .string("#2"), .string("3")])
        #expect(try Self.read("\"#1\",2,3", nil, remarks).cells[0] == .string("#1"))
    }

    @Test("texts that mean no value, and blanks around fields")
    func nullsAndTrim() throws {
        let nulls = ["nulls": CSVOptions.texts(["\\N", "NA"])]
        #expect(try Self.read("\\N,,NA", nil, nulls).cells == [.absent, .string(""), .absent])
        #expect(try Self.read("\"NA\",\"\",N", nil, nulls).cells == [.string("NA"), .string(""), .string("N")])
        #expect(try Self.read(",\"\",x", nil, ["nulls": CSVOptions.texts([])]).cells == [.string(""), .string(""), .string("x")])
        let trim = ["trim": CSVOptions.flag(true)]
        #expect(try Self.read("  x\t,  , \" y \" ", nil, trim).cells == [.string("x"), .absent, .string(" y ")])
        #expect(try Self.read(" \"a\" b,2,3", nil, trim).message == "expected ',' after the closing quote at byte 5, found 'b'")
    }

    @Test("another separator, quote and escape; no quotes at all")
    func dialects() throws {
        let german = ["separator": CSVOptions.text(";"), "quote": CSVOptions.text("'")]
        #expect(try Self.read("1,5;'a;''b';\"c", head: "a;b;c", german).cells == [.string("1,5"), .string("a;'b"), .string("\"c")])
        let spark = ["escape": CSVOptions.text("\\")]
        #expect(try Self.read(#""a \"b\" c","\\","x\ny""#, nil, spark).cells == [.string(#"a "b" c"#), .string("\\"), .string(#"x\ny"#)])
        #expect(try Self.read(#"\"a,"b""c",3"#, nil, spark).cells == [.string(#"\"a"#), .string(#"b"c"#), .string("3")])
        let plain = ["quote": CSVOptions.text("none")]
        #expect(try Self.read("\"1,2\",\"", nil, plain).cells == [.string("\"1"), .string("2\""), .string("\"")])
    }

    @Test("a field that is not UTF-8 is bytes")
    func bytes() throws {
        let row = try Self.read(Array("caf".utf8) + [0xE9] + Array(",\"caf".utf8) + [0xE9] + Array("\",café".utf8))
        #expect(row.cells == [.bytes(Array("caf".utf8) + [0xE9]), .bytes(Array("caf".utf8) + [0xE9]), .string("café")])
    }

    @Test(
        "types, and what is none of its type",
        arguments: [
            ("int", "-12", .int(-12)), ("int", "+5", .int(5)), ("int", "007", .int(7)), ("int", "9223372036854775807", .int(.max)),
            ("int", "9223372036854775808", nil), ("int", "1.0", nil), ("int", "", .absent), ("int", "\"\"", nil), ("int", "\"3\"", .int(3)),
            ("int", "-", nil), ("int", " 1", nil), ("double", "1", .double(1)), ("double", "-1.5e3", .double(-1500)), ("double", ".5", .double(0.5)),
            ("double", "1.", .double(1)), ("double", "-inf", .double(-.infinity)), ("double", "1e400", nil), ("double", "0x10", nil),
            ("double", "12345678901234567168", .double(12_345_678_901_234_567_168)), ("double", "1,5", nil), ("bool", "true", .bool(true)),
            ("bool", "F", .bool(false)), ("bool", "yes", nil), ("timestamp", "2013-01-01T05:00:00Z", .timestamp(1_357_016_400)),
            ("timestamp", "2013-01-01 06:00:00.5+01:00", .timestamp(1_357_016_400)), ("timestamp", "2013-01-01", nil), ("string", "1", .string("1")),
        ] as [(String, String, CellValue?)])
    func types(type: String, text: String, expected: CellValue?) throws {
        let separator = ["separator": CSVOptions.text(";"), "types": CSVOptions.entries(["b": type])]
        let row = try Self.read("x;\(text);y", head: "a;b;c", separator)
        if let expected {
            #expect(row.cells == [.string("x"), expected, .string("y")])
        } else {
            #expect(row.code == "parse.csv")
            #expect(row.message?.hasPrefix("column 'b': expected ") == true)
            #expect(row.message?.hasSuffix(", found '\(text.filter { $0 != "\"" })'") == true)
        }
    }

    @Test("records that lack their last fields, where the definition says how many they have at least")
    func atLeast() throws {
        let options: [String: Argument] = ["at_least": .integer(2, TextPlace(TextPosition(line: 1, column: 1)))]
        #expect(try Self.read("1,2", nil, options).cells == [.string("1"), .string("2"), .absent])
        #expect(try Self.read("1,2,3", nil, options).outcome == .decoded)
        #expect(try Self.read("1", nil, options).message == "the record has 1 field, but the header has 3 and 'at_least' is 2")
    }

    @Test("repeated names get a number, empty ones their position")
    func names() throws {
        func names(_ head: String) throws -> [String] { try CSV.with([:]).headed(by: head).schema.names }
        #expect(try names("a,a,b,a") == ["a", "a_2", "b", "a_3"])
        #expect(try names("a,a,a_2,a") == ["a", "a_3", "a_2", "a_4"])
        #expect(try names(",x,,\"\"\r") == ["column_1", "x", "column_3", "column_4"])
        #expect(try names(",column_1") == ["column_1_2", "column_1"])
        #expect(try names("\"a\nb\",\" c\",\u{E9},e\u{301}") == ["a\nb", " c", "\u{E9}", "e\u{301}"])
        // Names are compared as bytes: these two look alike but differ.
        #expect(try names("\u{E9},e\u{301}").map(\.utf8.count) == [2, 3])
        #expect(FieldNames.unique(Array(repeating: "", count: 20_000) + Array(repeating: "a", count: 20_000)).count == 40_000)
    }

    @Test("parsing a field into a record, which must be valid")
    func oneRecord() throws {
        let format = try CSV.with(["columns": CSVOptions.texts(["a", "b"])])
        let decoder = format.makeDecoder(columns: ["a", "b"], spans: false)
        #expect(decode(Array("1,2\n".utf8), columns: ["a", "b"], with: decoder).cells == [.string("1"), .string("2")])
        #expect(decode(Array("1,\"2\n3\"\r\n".utf8), columns: ["a", "b"], with: decoder).cells == [.string("1"), .string("2\n3")])
        let two = decode(Array("1,2\n3,4".utf8), columns: ["a", "b"], with: decoder)
        #expect(two.message == "expected one record, found a line feed outside quotes")
    }

    @Test("follows the rules for any text", arguments: 1...20 as ClosedRange<UInt64>)
    func fuzz(seed: UInt64) throws {
        var random = Seeded(seed)
        let alphabet = Array("aé,,,\"\"\"\"\n\r \\'".utf8)
        let names = (0..<6).map { "c\($0)" }
        for round in 0..<300 {
            var options: [String: Argument] = ["columns": CSVOptions.texts(names)]
            if Bool.random(using: &random) { options["escape"] = CSVOptions.text("\\") }
            if Bool.random(using: &random) { options["trim"] = CSVOptions.flag(true) }
            let format = try CSV.with(options)
            let count = Int.random(in: 0...(round % 5 == 0 ? 400 : 30), using: &random)
            let bytes = (0..<count).map { _ in
                Int.random(in: 0..<6, using: &random) == 0 || round % 2 == 0
                    ? alphabet[Int.random(in: 0..<alphabet.count, using: &random)] : UInt8(ascii: "x")
            }
            let columns = names.filter { _ in Bool.random(using: &random) }
            let row = decodeLines([bytes], columns: columns, with: format.makeDecoder(columns: columns, spans: false))[0]
            let expected = PlainFields.read(bytes, format.quoting)
            let text = String(decoding: bytes, as: UTF8.self).debugDescription
            if bytes.withUnsafeBufferPointer({ format.quoting.isEmpty($0) }) {
                #expect(row.outcome == .blank, "\(text)")
            } else if let expected, expected.count == names.count {
                let values = columns.map { name -> CellValue in
                    let field = expected[names.firstIndex(of: name) ?? 0]
                    if field.text.isEmpty, !field.isQuoted { return .absent }
                    return String(validating: field.text, as: UTF8.self).map { .string($0) } ?? .bytes(field.text)
                }
                #expect(row.cells == values, "\(text)")
            } else {
                #expect(row.outcome == .failed, "\(text)")
                if let expected { #expect(row.message == "the record has \(expected.count) field\(expected.count == 1 ? "" : "s"), but 'columns' has 6") }
            }
        }
    }
}
