import Foundation
import SluiceCEL

@testable import SluiceRecords

/// Reads bytes as a SQLite database with a table of lookup, and writes its rows as another one.
///
/// A database that is refused says why. Of one that is not, no row is missing: SQLite counts as
/// many, and so do the pages themselves. Written as a table, the rows are all on record, and are
/// read as the same rows again.
struct DatabaseFuzzer: Fuzzer {
    static let name = "database"

    private let folder = FuzzFolder("database")
    private static let pageSize = 512

    init() {
        require(FileManager.default.changeCurrentDirectoryPath(folder.path), "no folder to work in")
    }

    var seeds: [[UInt8]] {
        let filled = "INSERT INTO t SELECT 'k' || value, value, value * 0.5, x'00ff', NULL FROM (WITH RECURSIVE c(value) AS "
        let rows = { (count: Int) in filled + "(SELECT 1 UNION ALL SELECT value + 1 FROM c WHERE value < \(count)) SELECT value FROM c)" }
        let statements = [
            ["CREATE TABLE t (a, b, c, d, e)", rows(1)], ["CREATE TABLE t (a, b, c, d, e)", rows(40)],
            ["CREATE TABLE t (a PRIMARY KEY, b, c, d, e) WITHOUT ROWID", rows(20)],
            ["CREATE TABLE t (a TEXT UNIQUE, b INTEGER PRIMARY KEY, c REAL, d, e CHECK (e IS NULL))", rows(20), "CREATE INDEX i ON t (b, a, c, d, e)"],
            ["CREATE TABLE u (a, b)", "INSERT INTO u VALUES ('10.0.0.0/8', 1), ('fe80::/10', NULL)", "CREATE VIEW t AS SELECT a, b AS c FROM u"],
            ["CREATE TABLE t (a, b)", "INSERT INTO t VALUES ('x', '\(String(repeating: "long ", count: 300))'), (x'', 1e300), (-1, 9e999)"],
            ["CREATE TABLE t (a, A2 AS (a || 1))", "INSERT INTO t VALUES (1), (2)", "DELETE FROM t WHERE a = 1"], ["CREATE TABLE \"t\"\"\" (a)"],
        ]
        return statements.flatMap { statements -> [[UInt8]] in
            let bytes = database(statements)
            return [[0] + bytes, [2] + bytes, [7] + bytes]
        }
    }

    private func database(_ statements: [String]) -> [UInt8] {
        folder.remove("seed.db")
        do throws(SQLiteDatabase.Fault) {
            let database = try SQLiteDatabase("seed.db", .creating)
            for statement in ["PRAGMA page_size = \(Self.pageSize)"] + statements { try database.run(statement) }
        } catch {
            preconditionFailure(error.message)
        }
        return folder.bytes(of: "seed.db") ?? []
    }

    func run(_ bytes: [UInt8]) {
        guard let flags = bytes.first, bytes.count > 100 else { return }
        var file = Array(bytes.dropFirst())
        if flags & 2 != 0 { Self.putRight(&file) }
        for name in folder.names(in: "") { folder.remove(name) }
        folder.write(file, to: "t.db")
        guard SQLiteDatabase.isDatabase("t.db") else { return }
        do throws(LookupTable.Fault) {
            let rows = try LookupTable.rows(of: "t.db", table: flags & 4 == 0 ? nil : "t")
            let lines = Self.lines(of: rows)
            check(lines, rows.names, in: file, flags & 4 == 0 ? nil : "t")
            if !lines.isEmpty, flags & 8 == 0 { write(lines) }
            guard let first = rows.names.first else { return }
            let table = try LookupTable("t.db", rows, flags & 1 == 0 ? .value(first) : .network(first), selected: nil)
            require(table.rows == lines.count, "\(lines.count) rows, \(table.rows) in the table")
            require(table.added.count == rows.names.count - 1, "columns \(rows.names), added \(table.added)")
        } catch {
            require(!error.message.isEmpty, "a fault without a message")
        }
    }

    /// A magic number, the page size, and as many pages as there are.
    private static func putRight(_ file: inout [UInt8]) {
        file += [UInt8](repeating: 0, count: (pageSize - file.count % pageSize) % pageSize)
        file.replaceSubrange(0..<18, with: Array("SQLite format 3\0".utf8) + [2, 0])
        file.replaceSubrange(28..<32, with: [0, 0, 0, UInt8(truncatingIfNeeded: file.count / pageSize)])
        // The version that the number of pages is valid for.
        file.replaceSubrange(92..<96, with: file[24..<28])
    }

    private static func lines(of rows: LookupTable.Rows) -> [[UInt8]] {
        rows.batches.flatMap { batch -> [[UInt8]] in
            require(batch.spilled.isEmpty && batch.damage.isEmpty, "rows that are set aside")
            return batch.frames.map { frame in Array(batch.bytes.filled[Int(frame.start)..<Int(frame.start) + Int(frame.count)]) }
        }
    }

    private func check(_ lines: [[UInt8]], _ names: [String], in file: [UInt8], _ table: String?) {
        do throws(SQLiteDatabase.Fault) {
            let database = try SQLiteDatabase("t.db", .reading)
            let tables = try database.tables()
            let name = table ?? tables.first ?? ""
            let count = try SQLiteStatement(database, "SELECT count(*) FROM \(SQLiteDatabase.quoted(name)) NOT INDEXED")
            let isThere = try count.step()
            require(isThere && count.integer(0) == lines.count, "\(lines.count) rows, SQLite counts \(count.integer(0))")
        } catch {
            require(false, "read, and then not: \(error.message)")
        }
        for line in lines {
            let buffer = ByteBuffer(capacity: line.count)
            line.withUnsafeBufferPointer { buffer.append($0) }
            guard case .map(let map)? = buffer.withFilled({ try? JSONReader().value(ofJSON: $0) }) else {
                return require(false, "no object: \(String(decoding: line, as: UTF8.self))")
            }
            require(map.entries.count <= names.count, "more fields than columns: \(String(decoding: line, as: UTF8.self))")
        }
        guard let pages = DatabasePages(file), let count = pages.rowCount(of: table) else { return }
        require(count == lines.count, "\(lines.count) rows, the pages have \(count)")
    }

    private func write(_ lines: [[UInt8]]) {
        let input = MemorySource(named: [("rows", lines.flatMap { $0 + [0x0A] })])
        let pipeline = RecordPipeline(
            name: "fuzz", definition: "sha256:0", source: SourceSettings(input, format: JSONL()), stages: [],
            sink: SinkSettings(SQLiteSink("out.db", table: "t"), format: SQLiteRows()), deadLetters: "dead.jsonl", limits: Limits(deadLetters: .all))
        guard let report = finishedRun(of: pipeline, state: "state"), report.status != .failed else { return }
        require(report.records.read == lines.count, "\(lines.count) rows, \(report.records.read) read")
        guard report.records.written > 0, folder.bytes(of: "out.db")?.isEmpty == false else { return }
        do throws(LookupTable.Fault) {
            let again = Self.lines(of: try LookupTable.rows(of: "out.db", table: "t"))
            require(again.count == report.records.written, "\(report.records.written) rows written, \(again.count) read")
            guard report.records.dead == 0 else { return }
            for (line, other) in zip(lines, again) {
                require(line == other, "written: \(String(decoding: line, as: UTF8.self))\nread: \(String(decoding: other, as: UTF8.self))")
            }
        } catch {
            require(false, "the table that was written cannot be read: \(error.message)")
        }
    }
}
