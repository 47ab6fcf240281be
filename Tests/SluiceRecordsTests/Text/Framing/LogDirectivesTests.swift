import SluiceCEL
import Testing

@testable import SluiceRecords

@Suite("'#' lines of logs")
struct LogDirectivesTests {
    private static let zeek = "#separator \\x09\n#unset_field\t-\n#fields\ta\tb\n#types\tstring\tcount\n"

    private static func read(_ text: String, chunk: Int = 256 << 10, maxRecord: Int = 16 << 20) throws -> ReadAll {
        try ReadAll(Array(text.utf8), maxRecord: maxRecord, chunk: chunk, framing: TSV().framing, name: "test.log")
    }

    /// Decodes all of a text, with the head of each batch.
    private static func decode(_ text: [UInt8], name: String = "test.log") throws -> (rows: [DecodedRow], heads: [[String]]) {
        var configuration = BatchReader.Configuration(spillFolder: "/tmp")
        configuration.framing = TSV().framing
        var isRead = false
        let window = InputWindow(chunk: text.count + 1) { memory in
            defer { isRead = true }
            text.withUnsafeBytes { if !isRead { memory.copyMemory(from: $0) } }
            return isRead ? 0 : text.count
        }
        let reader = try BatchReader(
            InputFile(path: name), index: 0, configuration: configuration, buffers: BufferPool(capacity: Batch.targetBytes, most: 1), window: window,
            bytes: nil)
        var found: (rows: [DecodedRow], heads: [[String]]) = ([], [])
        while let batch = try reader.next() {
            let format = TSV().completed(by: try #require(batch.head))
            let names = format.schema.names
            let table = RowTable(columns: names.count, hasSpans: false)
            table.prepare(rows: batch.frames.count)
            format.makeDecoder(columns: names, spans: false).decode(batch.frames, of: UnsafePointer(batch.bytes.start), into: table)
            found.rows += rows(table, of: UnsafePointer(batch.bytes.start), batch.frames)
            found.heads.append(names)
        }
        return found
    }

    private static func decode(_ text: String) throws -> (rows: [DecodedRow], heads: [[String]]) { try decode(Array(text.utf8)) }

    @Test("are no records, wherever they stand, and records keep their places")
    func places() throws {
        let read = try Self.read(Self.zeek + "x\t1\n#close\t2020\n" + Self.zeek + "y\t2\n#path\tz\nz\t3\n#close")
        #expect(read.texts == ["x\t1", "y\t2", "z\t3"])
        #expect(read.records.map(\.position.line) == [5, 11, 13])
        #expect(read.cuts.count == 1, "lines that change nothing do not divide a batch")
        #expect(read.summary.records == 3)
    }

    @Test("a line that changes the fields counts for the records after it")
    func changes() throws {
        let found = try Self.decode(Self.zeek + "x\t1\n#fields\tb\ta\tc\n#types\tcount\tstring\tbool\n2\ty\tT\n#fields\ta\n3\n")
        #expect(found.heads == [["a", "b"], ["b", "a", "c"], ["a"]])
        #expect(found.rows.map(\.cells) == [[.string("x"), .int(1)], [.int(2), .string("y"), .bool(true)], [.string("3")]])
    }

    @Test("batches are the same however the text is read", arguments: 1...4 as ClosedRange<UInt64>)
    func chunks(seed: UInt64) throws {
        var random = Seeded(seed)
        var text = Self.zeek
        while text.utf8.count < 3 << 20 {
            for _ in 0..<Int.random(in: 0...4000, using: &random) { text += String(repeating: "v", count: Int.random(in: 0...60, using: &random)) + "\t1\n" }
            switch Int.random(in: 0..<4, using: &random) {
            case 0: text += "#close\t2020\n" + Self.zeek
            case 1: text += "#fields\tb\ta\n#types\tstring\tcount\n"
            case 2: text += "#unset_field\t-\n#types\tstring\tstring\n\n"
            default: text += "#" + String(repeating: "x", count: Int.random(in: 0...300, using: &random)) + "\n"
            }
        }
        let whole = try Self.read(text, chunk: 8 << 20)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().filter { !$0.hasPrefix("#") }
        #expect(whole.texts == lines.map(String.init))
        for chunk in [1 << 10, 100_003] { #expect(try Self.read(text, chunk: chunk) == whole) }
    }

    @Test("a file without '#fields', or with a wrong '#types', has only dead letters, until the next '#fields'")
    func problems() throws {
        let found = try Self.decode("#separator \\x09\n1\t2\n#fields\ta\n1\n#types\tstring\tstring\n2\n#fields\ta\tb\n3\t4\n#separator ||\n5\n")
        #expect(
            found.rows.map(\.message) == [
                "the file's header does not name the fields: there is no '#fields' or '#Fields:'", nil,
                "the file's '#fields' and '#types' differ in number: 1 and 2", nil, "the file's '#separator' is not a single byte",
            ])
    }

    @Test("a '#' line that damage has torn counts as a lost header until the next one")
    func torn() throws {
        // A stored block that ends inside a line, followed by one of a type that does not exist.
        let cut = Array("y\t2\n#fields\tb".utf8)
        let size = UInt64(cut.count)
        let header = GzipSamples.bytes(of: .init())
        let broken = header + [0] + GzipSamples.little(size, 2) + GzipSamples.little(~size & 0xFFFF, 2) + cut + [UInt8](repeating: 7, count: 40)
        let text = GzipSamples.member(Self.zeek + "x\t1\n") + broken + GzipSamples.member("5\tv\n#fields\ta\tb\n6\tu\n")
        let found = try Self.decode(text, name: "test.gz")
        #expect(found.rows.map(\.message) == [nil, nil, "the file's header was lost to damage", nil])
        #expect(found.rows.last?.cells == [.string("6"), .string("u")])
    }

    @Test("a '#' line over the size limit is a record")
    func long() throws {
        let read = try Self.read(Self.zeek + "x\t1\n#" + String(repeating: "x", count: 3 << 20) + "\ny\t2\n", maxRecord: 100)
        #expect(read.texts == ["x\t1", "y\t2"])
        #expect(read.spilled.count == 1)
    }

    @Test(
        "only known lines begin such a file",
        arguments: [
            ("#fields\ta\tb", false), ("#path\tdns", false), ("#types", false), ("#separator_2\tb", false),
            ("#separator \\x09", true), ("#Version: 1.0", true), ("#Software: Microsoft", true), ("#Date: x\r", true),
            ("#id\tname", false), ("#", false), ("##fileformat=VCFv4.2", false), ("a\t#fields", false),
        ])
    func begun(line: String, isBegun: Bool) {
        #expect(Array(line.utf8).withUnsafeBufferPointer(LogDirectives.areBegun) == isBegun)
    }

    @Test("other separators and null words, as the file says; the definition's columns, types and nulls are stronger")
    func options() throws {
        let head = "#separator |\n#set_separator|;\n#empty_field|E\n#unset_field|U\n#fields|a|b\n#types|string|set[int]\n"
        let found = try Self.decode(head + "E|1;U;x\nU|1;2\nE|E\n")
        #expect(found.rows[0].message == "column 'b': expected a list of numbers, found '1;U;x'")
        #expect(found.rows[1].cells == [.absent, .json("[1,2]")])
        #expect(found.rows[2].cells == [.string(""), .json("[]")])

        var directives = LogDirectives()
        for line in head.split(separator: "\n") { Array(line.utf8).withUnsafeBufferPointer { directives.take($0) } }
        let options = [
            "columns": CSVOptions.texts(["n", "m"]), "header": CSVOptions.flag(true), "types": CSVOptions.entries(["m": "string"]),
            "nulls": CSVOptions.texts(["none"]),
        ]
        let format = try TSV.with(options).completed(by: FileHead([], directives: directives))
        let row = SluiceRecordsTests.decode(Array("none|U".utf8), columns: ["n", "m"], with: format.makeDecoder(columns: ["n", "m"], spans: false))
        #expect(row.cells == [.absent, .string("U")])
    }

    @Test(
        "Zeek's values",
        arguments: [
            ("time", "1521911720.865716", CellValue.timestamp(1_521_911_720)), ("time", "-0.5", .timestamp(-1)), ("time", "1", .timestamp(1)),
            ("interval", "0.000870", .double(0.00087)), ("count", "18446744073709551615", .uint(.max)), ("count", "007", .int(7)),
            ("port", "53", .int(53)), ("int", "-7", .int(-7)), ("bool", "T", .bool(true)), ("bool", "F", .bool(false)),
            ("addr", "fe80::1", .string("fe80::1")), ("enum", "tcp", .string("tcp")), ("string", "\\x2d", .string("-")),
            ("string", "(empty)", .string("")), ("string", "\\xff", .bytes([0xFF])), ("string", "\\\\x41", .string("\\x41")),
            ("string", "\\q\\x4", .string("\\q\\x4")), ("set[string]", "a\\x2cb,-,(empty)", .json(#"["a,b",null,""]"#)),
            ("vector[interval]", "1.50,-,2", .json("[1.50,null,2]")), ("vector[bool]", "T,F", .json("[true,false]")),
            ("vector[time]", "1,2.5", .json(#"["1970-01-01T00:00:01Z","1970-01-01T00:00:02.5Z"]"#)), ("table[string]", "(empty)", .json("[]")),
            ("vector[double]", "inf", .json("[\"Infinity\"]")), ("string", "-", .absent),
        ])
    func values(type: String, written: String, value: CellValue) throws {
        let found = try Self.decode("#separator \\x09\n#fields\ta\tb\n#types\t\(type)\tstring\n\(written)\tx\n")
        #expect(found.rows.map(\.cells) == [[value, .string("x")]])
    }

    @Test(
        "values that are not of Zeek's types are refused",
        arguments: [
            ("time", "1.2.3"), ("time", "1."), ("time", "99999999999999"), ("time", ""), ("time", "1.1234567890"), ("count", "-1x"), ("bool", "true"),
            ("vector[time]", "x"), ("vector[bool]", "T,"),
        ])
    func refused(type: String, written: String) throws {
        let found = try Self.decode("#separator \\x09\n#fields\ta\tb\n#types\t\(type)\tstring\n\(written)\tx\n")
        #expect(found.rows.map(\.outcome) == [.failed])
    }

    @Test("W3C: by tabs, or in lines without any by blanks, where quotes enclose")
    func w3c() throws {
        let found = try Self.decode("#Fields: a cs(User-Agent)\tb\r\n1\tx y\t\"q\"\r\n1 \"x \"\"y\"\" z\" -\r\n1 2\r\n1 \"x\n\n")
        #expect(found.heads == [["a", "cs(User-Agent)", "b"]])
        #expect(found.rows[0].cells == [.string("1"), .string("x y"), .string("\"q\"")])
        #expect(found.rows[1].cells == [.string("1"), .string("x \"y\" z"), .absent])
        #expect(found.rows[2].message == "the record has 2 fields, but the header has 3")
        #expect(found.rows[3].message == "the quote at byte 2 is not closed")
        #expect(found.rows[4].outcome == .blank)
    }

    @Test("random files never lose or invent a line", arguments: 1...8 as ClosedRange<UInt64>)
    func random(seed: UInt64) throws {
        var random = Seeded(seed)
        let pieces = [
            "#fields\ta\tb\n", "#types\tstring\tcount\n", "#types\tx\n", "#separator \\x09\n", "#separator \\x\n", "#set_separator\t;\n", "#unset_field\t\n",
            "#Fields: a b\n", "#\n", "\n", "1\t2\n", "a b\n", "\\x4\t\\\n", "#fields\n", "#fields\t\n", "\u{FEFF}", "x",
        ]
        for _ in 0..<200 {
            let count = Int.random(in: 0...12, using: &random)
            let text = "#separator \\x09\n#fields\ta\n" + (0..<count).map { _ in pieces[Int.random(in: 0..<pieces.count, using: &random)] }.joined()
            var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            if lines.last == "" { lines.removeLast() }
            let found = try Self.decode(text)
            #expect(found.rows.count == lines.count { !$0.utf8.starts(with: "#".utf8) })
            #expect(try Self.read(text, chunk: 3) == Self.read(text))
        }
    }
}
