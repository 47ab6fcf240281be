import Foundation
import Sluice
import SluiceCEL
import Testing

@testable import SluiceRecords

@Suite("SQLite: the sink, and tables of lookup")
struct SQLiteTests {
    private static func make(_ path: String, _ statements: [String]) throws {
        let database = try SQLiteDatabase(path, .creating)
        for statement in statements { try database.run(statement) }
    }

    /// All rows of a table, as SQLite writes their values as SQL.
    private static func rows(_ path: String, _ table: String = "t") throws -> [[String]] {
        let database = try SQLiteDatabase(path, .reading)
        let rows = try SQLiteStatement(database, "SELECT * FROM " + SQLiteDatabase.quoted(table))
        var all = [rows.columns]
        while try rows.step() {
            all.append(
                rows.columns.indices.map { index in
                    switch rows.column(index) {
                    case .null: "NULL"
                    case .integer(let value): "\(value)"
                    case .real(let value): "real \(value)"
                    case .text(let bytes): "'\(String(decoding: bytes, as: UTF8.self))'"
                    case .blob(let bytes): "blob \(Array(bytes))"
                    }
                })
        }
        return all
    }

    private static func pipeline(
        _ folder: RunFolder, _ inputs: [InputFile], format: any Format = JSONL(), columns: [String]? = nil, table: String = "t"
    ) -> RecordPipeline {
        let sink = SQLiteSink(folder.path + "/out/t.db", table: table)
        return RecordPipeline(
            name: "test", definition: "sha256:0", source: SourceSettings(FileSource(inputs), format: format), stages: [],
            sink: SinkSettings(sink, format: SQLiteRows(), columns: columns), deadLetters: folder.path + "/dead.jsonl")
    }

    private static func run(_ pipeline: RecordPipeline, _ folder: RunFolder, workers: Int = 2) async throws -> RunReport {
        let report = try await RecordRun(pipeline, options: RunOptions(workers: workers, state: folder.path + "/state")).run()
        if report.status != .failed { #expect(try Audit(report).findings.filter { !$0.holds } == []) }
        return report
    }

    @Test("each value is stored with its own type")
    func types() async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        let lines = [
            #"{"a":1,"b":"x","c":1.5,"d":true,"e":null,"f":[1,{"g":2}],"o''\"dd":9223372036854775807}"#, #"{"a":-0.0,"b":"","c":1e3,"d":false,"f":{}}"#,
            #"{"a":18446744073709551616,"b":"\u0000é","c":18446744073709551615}"#, "{}",
        ]
        let input = try folder.write(lines.map { $0 + "\n" }.joined().utf8, to: "in.jsonl")
        let report = try await Self.run(Self.pipeline(folder, [input]), folder)
        #expect(report.status == .complete)
        #expect(report.outputs.map(\.table) == ["t"])
        #expect(report.outputs.map(\.records) == [4])
        #expect(
            try Self.rows(folder.path + "/out/t.db") == [
                ["a", "b", "c", "d", "e", "f", "o''\"dd"], ["1", "'x'", "real 1.5", "1", "NULL", #"'[1,{"g":2}]'"#, "9223372036854775807"],
                ["real -0.0", "''", "real 1000.0", "0", "NULL", "'{}'", "NULL"],
                ["'18446744073709551616'", "'\u{0}é'", "'18446744073709551615'", "NULL", "NULL", "NULL", "NULL"], Array(repeating: "NULL", count: 7),
            ])
    }

    /// A value as JSON, and as `rows` shows it.
    private static func value(_ random: inout Seeded) -> (json: String, row: String) {
        switch Int.random(in: 0..<8, using: &random) {
        case 0: return ("null", "NULL")
        case 1: return Bool.random(using: &random) ? ("true", "1") : ("false", "0")
        case 2:
            let value = Int64.random(in: .min ... .max, using: &random) >> Int64.random(in: 0...63, using: &random)
            return ("\(value)", "\(value)")
        case 3:
            let value = UInt64.random(in: 1 << 63 ... .max, using: &random)
            return ("\(value)", "'\(value)'")
        case 4:
            let any = Double(bitPattern: UInt64.random(in: 0 ... .max, using: &random))
            let value = any.isFinite ? any : 0.1
            return ("\(value)", "real \(value)")
        default:
            let text = text(&random, 0...6)
            return (json(text), "'\(text)'")
        }
    }

    private static func text(_ random: inout Seeded, _ counts: ClosedRange<Int>, hasNUL: Bool = true) -> String {
        let pieces = ["a", "é", " ", "'", "\"", "\n", "\r\n", "\\", "\u{FEFF}", "🎉", "1", "NULL", "--", "long long text "] + (hasNUL ? ["\u{0}"] : [])
        return (0..<Int.random(in: counts, using: &random)).map { _ in pieces[Int.random(in: 0..<pieces.count, using: &random)] }.joined()
    }

    private static func json(_ text: String) -> String {
        let buffer = ByteBuffer(capacity: 64)
        JSONText.write(text, to: buffer)
        return buffer.withFilled { String(decoding: $0, as: UTF8.self) }
    }

    @Test("what is written is read back by SQLite: names, values and their types", arguments: 1...10 as ClosedRange<UInt64>)
    func roundTrip(seed: UInt64) async throws {
        var random = Seeded(seed)
        // The name that no other has, even if SQLite ignores the case.
        let names = (0..<Int.random(in: 1...5, using: &random)).map { Self.text(&random, 0...3, hasNUL: false).lowercased() + "\($0)" }
        let records = (0..<300).map { _ in names.map { _ in Self.value(&random) } }
        let lines = records.map { record in
            "{" + zip(names, record).map { Self.json($0) + ":" + $1.json }.joined(separator: ",") + "}\n"
        }
        let folder = try RunFolder()
        defer { folder.remove() }
        let report = try await Self.run(Self.pipeline(folder, [try folder.write(lines.joined().utf8, to: "in.jsonl")]), folder)
        #expect(report.records == .init(read: 300, written: 300))
        #expect(try Self.rows(folder.path + "/out/t.db") == [names] + records.map { $0.map(\.row) })
    }

    @Test("text that is not UTF-8 is a BLOB")
    func blobs() async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        let input = try folder.write([0x61, 0xFF, 0x0A, 0x62, 0x0A], to: "in.log")
        _ = try await Self.run(Self.pipeline(folder, [input], format: Lines(), columns: ["line"]), folder)
        #expect(try Self.rows(folder.path + "/out/t.db") == [["line"], ["blob [97, 255]"], ["'b'"]])
    }

    @Test("has the same bytes with any number of workers, and replaces its own table of an earlier run", arguments: [1, 4])
    func deterministic(workers: Int) async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        let inputs = try (0..<3).map { file in
            try folder.write((0..<9000).map { "{\"n\":\($0),\"t\":\"\(String(repeating: "\(file)", count: $0 % 90))\"}\n" }.joined().utf8, to: "\(file).jsonl")
        }
        _ = try await Self.run(Self.pipeline(folder, inputs), folder, workers: 2)
        let first = try Data(contentsOf: URL(filePath: folder.path + "/out/t.db"))
        _ = try await Self.run(Self.pipeline(folder, inputs), folder, workers: workers)
        #expect(try Data(contentsOf: URL(filePath: folder.path + "/out/t.db")) == first)
        let rows = try Self.rows(folder.path + "/out/t.db")
        #expect(rows.count == 27_001)
        #expect(rows[1...].enumerated().allSatisfy { $1[0] == "\($0 % 9000)" })
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/out") == ["t.db"])
    }

    @Test("a later field is a dead letter, as in csv")
    func laterField() async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        // The second file is another batch.
        let inputs = [try folder.write("{\"a\":1}\n".utf8, to: "0.jsonl"), try folder.write("{\"b\":1}\n{\"a\":2}\n".utf8, to: "1.jsonl")]
        let report = try await Self.run(Self.pipeline(folder, inputs), folder)
        #expect(report.deadLetters.byCode == ["sink.columns": 1])
        #expect(try Self.rows(folder.path + "/out/t.db") == [["a"], ["1"], ["2"]])
    }

    @Test("without records there is an empty table, or none if no columns are known", arguments: [true, false])
    func empty(isKnown: Bool) async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        let format: any Format = isKnown ? Lines() : JSONL()
        let report = try await Self.run(
            Self.pipeline(folder, [try folder.write([], to: "in")], format: format, columns: isKnown ? ["line"] : nil), folder)
        #expect(report.status == .complete)
        #expect(try SQLiteDatabase(folder.path + "/out/t.db", .reading).tables() == (isKnown ? ["t"] : []))
    }

    @Test("fields that SQLite takes for one fail the run, and what stood there stays")
    func sameColumns() async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        try FileManager.default.createDirectory(atPath: folder.path + "/out", withIntermediateDirectories: true)
        try Self.make(folder.path + "/out/t.db", ["CREATE TABLE t (x)", "INSERT INTO t VALUES (7)"])
        let before = try Data(contentsOf: URL(filePath: folder.path + "/out/t.db"))
        let report = try await Self.run(Self.pipeline(folder, [try folder.write("{\"Ab\":1,\"aB\":2}\n".utf8, to: "in.jsonl")]), folder)
        #expect(report.status == .failed)
        #expect(report.error?.contains("'Ab' and 'aB'") == true)
        #expect(try Data(contentsOf: URL(filePath: folder.path + "/out/t.db")) == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/out") == ["t.db"])
    }

    @Test("a file that holds anything else is not replaced")
    func refuses() throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        try Self.make(folder.path + "/other.db", ["CREATE TABLE t (x)", "CREATE TABLE u (x)"])
        try Self.make(folder.path + "/own.db", ["CREATE TABLE t (x)"])
        try folder.write("text".utf8, to: "text.db")
        try folder.write([], to: "empty.db")
        func problem(_ file: String, table: String = "t") -> String {
            var checking = Checking(label: "sink")
            let options = Arguments(["table": .leaf(Leaf(table))])
            _ = SQLiteSink(.leaf(Leaf("\(folder.path)/\(file)")), options: options, &checking)
            return checking.diagnostics.map(\.message).joined().replacing(folder.path + "/", with: "")
        }
        #expect(problem("other.db") == "sink: 'other.db' has another table, 'u', and would be replaced")
        #expect(problem("text.db") == "sink: 'text.db' is not a SQLite database, and would be replaced")
        #expect(problem("own.db") == "")
        #expect(problem("empty.db") == "")
        #expect(problem("new.db") == "")
        #expect(problem("new.db", table: "SQLite_x").contains("SQLite's own"))
        #expect(problem("new.db", table: "") == "sink: 'table': a table needs a name")
    }

    @Test("no run writes over the database that it looks up in")
    func conflict() throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        try Self.make(folder.path + "/t.db", ["CREATE TABLE t (id, a)"])
        try FileManager.default.createDirectory(atPath: folder.path + "/out", withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/out/t.db", withDestinationPath: "../t.db")
        var checking = Checking(label: "lookup")
        let keys: [String: Argument] = [
            "file": .leaf(Leaf(folder.path + "/t.db")), "key": .leaf(Leaf("a")), "column": .keys(Arguments(["value": .leaf(Leaf("id"))])),
        ]
        let verb = try #require(Lookup(.keys(Arguments(keys)), options: Arguments(), &checking))
        var pipeline = Self.pipeline(folder, [try folder.write("{}\n".utf8, to: "in.jsonl")])
        pipeline.flow.stages = [RecordStage(name: "lookup", verb: verb)]
        #expect(try RunFiles(pipeline, state: folder.path + "/state").conflict()?.message.contains("the table") == true)
    }

    @Test("a table of lookup has its values with their types")
    func lookup() async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        try Self.make(
            folder.path + "/t.db",
            [
                "CREATE TABLE other (x)", "CREATE TABLE \"my t\" (id INTEGER PRIMARY KEY, name TEXT, share REAL, raw BLOB)",
                "INSERT INTO \"my t\" VALUES (1, 'é\"', 0.5, x'00FF'), (2, NULL, 2, NULL)", "CREATE VIEW v AS SELECT id + 10 AS id, name FROM \"my t\"",
            ])
        let input = try folder.write("{\"k\":1}\n{\"k\":2}\n{\"k\":3}\n{\"k\":11}\n".utf8, to: "in.jsonl")
        func out(_ table: String) async throws -> String {
            var checking = Checking(label: "lookup")
            let keys: [String: Argument] = [
                "file": .leaf(Leaf(folder.path + "/t.db")), "table": .leaf(Leaf(table)), "key": .leaf(Leaf("k")),
                "column": .keys(Arguments(["value": .leaf(Leaf("id"))])),
            ]
            let verb = try #require(Lookup(.keys(Arguments(keys)), options: Arguments(), &checking))
            return try await folder.run(folder.pipeline([input], [RecordStage(name: "l", verb: verb)]), workers: 2).outcome.out
        }
        #expect(
            try await out("my t")
                == #"{"k":1,"name":"é\"","share":0.5,"raw":"AP8="}"# + "\n" + #"{"k":2,"share":2.0}"# + "\n{\"k\":3}\n{\"k\":11}\n")
        #expect(try await out("v") == #"{"k":1}"# + "\n{\"k\":2}\n{\"k\":3}\n" + #"{"k":11,"name":"é\""}"# + "\n")
    }

    @Test("a table of lookup is refused if its file is damaged, and rows would be missing")
    func damaged() throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        let file = folder.path + "/t.db"
        try Self.make(file, ["CREATE TABLE t (id, a)", "INSERT INTO t VALUES (1, 2), (3, 4), (5, 6)"])
        var bytes = try [UInt8](Data(contentsOf: URL(filePath: file)))
        // The number of rows of the second page.
        #expect(bytes[4096 + 4] == 3)
        bytes[4096 + 4] = 1
        try folder.write(bytes, to: "t.db")
        #expect(try Self.rows(file) == [["id", "a"], ["1", "2"]], "SQLite itself is silent")
        do throws(LookupTable.Fault) {
            _ = try LookupTable.rows(of: file, table: nil)
            Issue.record("not refused")
        } catch {
            #expect(error.message.hasPrefix("'\(file)' is damaged: ") && !error.message.contains("\n"), "\(error.message)")
        }
    }

    @Test("an invalid table of lookup is refused, and the message says where")
    func faults() throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        func fault(_ statements: [String], table: String? = nil) throws -> String {
            try? FileManager.default.removeItem(atPath: folder.path + "/t.db")
            try Self.make(folder.path + "/t.db", statements)
            do throws(LookupTable.Fault) {
                let file = folder.path + "/t.db"
                _ = try LookupTable(file, try LookupTable.rows(of: file, table: table), .value("id"), selected: nil)
                return "none"
            } catch {
                return error.message.replacing(folder.path + "/", with: "")
            }
        }
        let t = "CREATE TABLE t (id, a)"
        #expect(try fault([t]) == "none")
        #expect(try fault([t, "CREATE TABLE u (id)"]) == "'t.db' has several tables")
        #expect(try fault([t, "CREATE TABLE u (id)"], table: "t") == "none")
        #expect(try fault([t], table: "tt") == "'t.db' has no table 'tt' (did you mean 't'?)")
        let unknown = "UPDATE sqlite_master SET sql = 'CREATE TABLE t (id, a CHECK (own(a)))'"
        #expect(try fault([t, "INSERT INTO t VALUES (1, 2)", "PRAGMA writable_schema = ON", unknown]) == "none")
        #expect(try fault([t, "DROP TABLE t"]) == "'t.db' has no table")
        #expect(try fault([t, "INSERT INTO t VALUES (1, 2), (3, 4), (1, 5)"]) == "'t.db', row 3: duplicate key '1' (first on row 1)")
        #expect(try fault([t, "INSERT INTO t VALUES (1, 2), (NULL, 4)"]) == "'t.db', row 2: 'id' is missing")
        #expect(try fault(["CREATE TABLE t (ids)"]) == "'t.db' has no column 'id' (did you mean 'ids'?)")
        try folder.write("SQLite format 3".utf8 + [0] + Array(repeating: 1, count: 600), to: "t.db")
        #expect(throws: LookupTable.Fault.self) { try LookupTable.rows(of: folder.path + "/t.db", table: nil) }
    }
}
