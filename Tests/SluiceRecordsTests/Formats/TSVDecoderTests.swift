import SluiceCEL
import Testing

@testable import SluiceRecords

extension TSV {
    /// The format with these options; fails the test if they are invalid.
    static func with(_ options: [String: Argument]) throws -> TSV {
        var checking = Checking(label: "tsv")
        let format = TSV(Arguments(options), &checking)
        #expect(checking.diagnostics.isEmpty)
        return try #require(format)
    }
}

@Suite("TSV, decoded")
struct TSVDecoderTests {
    private static func read(
        _ record: [UInt8], _ columns: [String]? = nil, head: String = "a\tb\tc", filler: UInt8 = 0, _ options: [String: Argument] = [:]
    ) throws -> DecodedRow {
        let format = try TSV.with(options).completed(by: FileHead(Array(head.utf8)))
        let columns = columns ?? format.schema.names
        return decode(record, columns: columns, filler: filler, with: format.makeDecoder(columns: columns, spans: false))
    }

    private static func read(
        _ record: String, _ columns: [String]? = nil, head: String = "a\tb\tc", _ options: [String: Argument] = [:]
    ) throws -> DecodedRow {
        try read(Array(record.utf8), columns, head: head, options)
    }

    /// Longer than a block of the decoder.
    private static let long = String(repeating: "é", count: 70)

    @Test(
        "a field is its text, with its escapes undone",
        arguments: [
            ("plain", "plain"), ("", ""), (#"a\tb"#, "a\tb"), (#"\n\r"#, "\n\r"), (#"\\N"#, #"\N"#), (#"x\N"#, #"x\N"#), (#"\q\"#, #"\q\"#),
            (#"\\t"#, #"\t"#), (#"it\'s \0\b\f\v"#, "it's \0\u{8}\u{C}\u{B}"), (#""quoted""#, #""quoted""#), (#"5" disk"#, #"5" disk"#), ("#", "#"),
            (long + #"\t"# + long, long + "\t" + long),
        ])
    func escapes(written: String, text: String) throws {
        #expect(try Self.read("1\t\(written)\t\r").cells == [.string("1"), .string(text), .string("")])
        #expect(try Self.read("\(written)\t\t2").cells == [.string(text), .string(""), .string("2")])
    }

    @Test("a field that is \\N, or in 'nulls', has no value")
    func nulls() throws {
        #expect(try Self.read("\\N\t\tNA").cells == [.absent, .string(""), .string("NA")])
        let options = ["nulls": CSVOptions.texts(["", "NA"])]
        #expect(try Self.read("\\N\t\tNA", options).cells == [.string("\\N"), .absent, .absent])
    }

    private static func read(_ record: String, _ options: [String: Argument]) throws -> DecodedRow {
        try read(Array(record.utf8), nil, options)
    }

    @Test("a record of more or fewer fields is refused, with both numbers")
    func ragged() throws {
        #expect(try Self.read("1\t2").message == "the record has 2 fields, but the header has 3")
        #expect(try Self.read("1\t2\t3\t4", ["a"]).message == "the record has 4 fields, but the header has 3")
        let atLeast = try TSV.with(["columns": CSVOptions.texts(["a", "b", "c"]), "at_least": .integer(2, TextPlace(TextPosition(line: 1, column: 1)))])
        let decoder = atLeast.makeDecoder(columns: ["c", "a"], spans: false)
        #expect(decode(Array("1\t2".utf8), columns: ["c", "a"], with: decoder).cells == [.absent, .string("1")])
        #expect(decode(Array("1".utf8), columns: ["c", "a"], with: decoder).message == "the record has 1 field, but 'columns' has 3 and 'at_least' is 2")
    }

    @Test("the fields that are asked for are the same, whichever others are", arguments: 1...10 as ClosedRange<UInt64>)
    func someFields(seed: UInt64) throws {
        var random = Seeded(seed)
        let names = (0..<90).map { "c\($0)" }
        let pieces = ["a", "é", "\\t", "\\\\", "\\N", "(empty)", "-", "\\x41", "long, longer, longest"]
        let zeek = "#separator \\x09\n#fields\t\(names.joined(separator: "\t"))\nfirst\n"
        let heads = [
            FileHead(Array(names.joined(separator: "\t").utf8)),
            try #require(ReadAll(Array(zeek.utf8), framing: TSV().framing, name: "dns.log").head),
        ]
        for round in 0..<60 {
            let format = try TSV.with([:]).completed(by: heads[round % 2])
            let fields = names.map { _ in (0..<Int.random(in: 0...3, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined() }
            let record = Array(fields.dropLast(round % 20 == 0 ? 1 : 0).joined(separator: "\t").utf8)
            let all = decode(record, columns: names, with: format.makeDecoder(columns: names, spans: false))
            #expect(all.outcome == (round % 20 == 0 ? .failed : .decoded))
            let share = Int.random(in: 1...90, using: &random)
            let some = names.filter { _ in Int.random(in: 0..<90, using: &random) < share }
            let row = decode(record, columns: some, with: format.makeDecoder(columns: some, spans: false))
            #expect(row.message == all.message)
            #expect(row.cells == some.compactMap { names.firstIndex(of: $0) }.map { all.cells[$0] })
        }
    }

    @Test("types; a field that does not match its type is refused")
    func types() throws {
        let options = ["types": CSVOptions.entries(["a": "int", "b": "double", "c": "bool"])]
        #expect(try Self.read("-7\t.5\ttrue", options).cells == [.int(-7), .double(0.5), .bool(true)])
        #expect(try Self.read("\\N\t1\tfalse", options).cells[0] == .absent)
        #expect(try Self.read("x\t1\tfalse", options).message?.hasPrefix("column 'a': expected an int") == true)
    }

    @Test("a blank line is only a record if records have a single field")
    func blank() throws {
        #expect(try Self.read("").outcome == .blank)
        #expect(try Self.read("  \r").outcome == .blank)
        #expect(try Self.read("", head: "a").cells == [.string("")])
        #expect(try Self.read(" ", head: "a").cells == [.string(" ")])
    }

    @Test("bytes that are not UTF-8 are kept")
    func bytes() throws {
        let row = try Self.read([0xFF, 0x09, 0x09, 0x5C, 0x74, 0xC3])
        #expect(row.outcome == .decoded)
        #expect(row.cells == [.bytes([0xFF]), .string(""), .bytes([0x09, 0xC3])])
    }

    @Test("names are unescaped and made unique")
    func head() throws {
        let format = TSV().completed(by: FileHead(Array("a\\tb\t\ta\\tb\r".utf8)))
        #expect(format.schema.names == ["a\tb", "column_2", "a\tb_2"])
    }

    /// A byte-by-byte reference for the decoder.
    private static func plainly(_ record: [UInt8]) -> [CellValue] {
        var bytes = record
        while bytes.last == 0x0D { bytes.removeLast() }
        return bytes.split(separator: 0x09, omittingEmptySubsequences: false).map { field in
            guard field != [0x5C, 0x4E] else { return .absent }
            let text = TSVEscapes.undone(Array(field))
            return String(validating: text, as: UTF8.self).map { .string($0) } ?? .bytes(text)
        }
    }

    @Test("reads random bytes like a byte-by-byte reader", arguments: 1...6)
    func random(seed: Int) throws {
        var random = Seeded(UInt64(seed))
        let alphabet = Array("ab\t\t\\\\tnN\r ".utf8) + [0xC3, 0xA9, 0xFF, 0x00]
        for _ in 0..<1500 {
            let most = [4, 20, 200][Int.random(in: 0..<3, using: &random)]
            let record = (0..<Int.random(in: 0...most, using: &random)).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
            let fields = Self.plainly(record)
            let head = (0..<fields.count).map { "f\($0)" }.joined(separator: "\t")
            let row = try Self.read(record, head: head, filler: alphabet[Int.random(in: 0..<alphabet.count, using: &random)])
            if fields.count > 1 {
                #expect(row.outcome == .decoded)
                #expect(row.cells == fields)
            }
            #expect(try Self.read(record, head: head + "\tmore").outcome != .decoded)
        }
    }
}
