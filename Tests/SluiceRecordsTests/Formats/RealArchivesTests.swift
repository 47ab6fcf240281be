import Foundation
import Glibc
import SluiceCEL
import SluiceRecords
import Testing

/// Published archives next to the project's checkout; skipped if they are absent.
enum RealArchives {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../../shared/data").standardizedFileURL
    static let areHere = FileManager.default.fileExists(atPath: folder.path)

    struct Decoded {
        let memory: GuardedText
        let base: UnsafePointer<UInt8>
        let frames: [Frame]
        let table: RowTable

        func outcomes(_ outcome: RowTable.Outcome) -> Int { table.outcomes.count { $0 == outcome } }
    }

    /// Decodes the lines of a gzip file as a single batch.
    static func decode(_ path: String, columns: [String], _ decoder: some RecordDecoder) throws -> Decoded {
        let gzip = Process()
        gzip.executableURL = URL(filePath: "/usr/bin/env")
        gzip.arguments = ["gzip", "-dc", folder.appending(path: path).path]
        let output = Pipe()
        gzip.standardOutput = output
        try gzip.run()
        let text = [UInt8](try output.fileHandleForReading.readToEnd() ?? Data())
        gzip.waitUntilExit()
        let memory = GuardedText(atLeast: text.count)
        let base = try #require(memory.place(text).baseAddress)
        var frames: [Frame] = []
        var start = 0
        while start < text.count {
            let end = memchr(base + start, 0x0A, text.count - start).map { UnsafeRawPointer($0) - UnsafeRawPointer(base) } ?? text.count
            frames.append(Frame(start: UInt32(start), count: UInt32(end - start), lineDelta: UInt32(frames.count)))
            start = end + 1
        }
        let table = RowTable(columns: columns.count, hasSpans: false)
        table.prepare(rows: frames.count)
        withExtendedLifetime(memory) { decoder.decode(frames, of: base, into: table) }
        return Decoded(memory: memory, base: base, frames: frames, table: table)
    }
}

@Suite("Real archives", .enabled(if: RealArchives.areHere, "there are no archives in ../shared/data"))
struct RealArchivesTests {
    @Test("10,000 lines of an access log, by status and bytes")
    func combined() throws {
        let columns = ["status", "bytes"]
        let found = try RealArchives.decode(
            "access/elastic_apache_combined_10k.log.gz", columns: columns, AccessLogDecoder(.combined, columns: columns))
        #expect(found.outcomes(.decoded) == 10_000)
        var counts: [Int64: Int] = [:]
        var bytes: Int64 = 0
        for row in found.frames.indices {
            counts[found.table.row(row)[0].intValue, default: 0] += 1
            bytes += found.table.row(row)[1].intValue
        }
        #expect(counts == [200: 9126, 206: 45, 301: 164, 304: 445, 403: 2, 404: 213, 416: 2, 500: 3])
        #expect(bytes == 2_747_282_740)
    }

    @Test("15 daily access logs decode, every line")
    func daily() throws {
        let folder = RealArchives.folder.appending(path: "access/daily")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".gz") }
        var decoded = 0
        for file in files {
            decoded += try RealArchives.decode("access/daily/\(file)", columns: [], AccessLogDecoder(.combined, columns: [])).outcomes(.decoded)
        }
        #expect(files.count == 15)
        #expect(decoded == 17_064)
    }

    static let archives: [(String, Int)] = [
        ("zeek_dns.json.gz", 53_615), ("elastic_nginxplus_json.ndjson.gz", 500), ("cloudtrail_stratus.ndjson.gz", 778), ("otrf_windows_runas.ndjson.gz", 2581),
    ]

    @Test("every record of the JSON archives is valid, and what was read is written back the same", arguments: archives)
    func json(file: String, count: Int) throws {
        let found = try RealArchives.decode("ndjson/\(file)", columns: [], JSONLinesDecoder(columns: []))
        #expect(found.outcomes(.decoded) == count)
        #expect(found.outcomes(.failed) == 0)
        let reader = JSONReader()
        for frame in found.frames.prefix(50) {
            let value = try withExtendedLifetime(found) {
                try reader.value(ofJSON: UnsafeBufferPointer(start: found.base + Int(frame.start), count: Int(frame.count)))
            }
            let again = ByteBuffer(capacity: 1)
            JSONText.write(value, to: again)
            #expect(try withExtendedLifetime(again) { try reader.value(ofJSON: again.filled) } == value)
        }
    }

    @Test("members with dots in their names, and absent ones")
    func zeek() throws {
        let columns = ["rcode_name", "id.orig_h"]
        let found = try RealArchives.decode("ndjson/zeek_dns.json.gz", columns: columns, JSONLinesDecoder(columns: columns))
        var counts: [String: Int] = [:]
        var addresses = 0
        for row in found.frames.indices {
            counts[withExtendedLifetime(found) { CellValue(found.table.row(row)[0]).description }, default: 0] += 1
            addresses += found.table.row(row)[1].kind == .string ? 1 : 0
        }
        #expect(counts["'NOERROR'"] == 42_010)
        #expect(counts["absent"] == 9497)
        #expect(counts["'NXDOMAIN'"] == 2097)
        #expect(addresses == 53_615)
    }

    /// Every record of a whole file, as JSON.
    static func records(of path: String, as format: any Format) async throws -> (lines: [String], report: RunReport) {
        let file = InputFile(path: RealArchives.folder.appending(path: path).path)
        let sink = MemorySink(PathTemplate("records"))
        let pipeline = RecordPipeline(
            name: "archive", definition: "", source: SourceSettings(FileSource([file]), format: format), stages: [],
            sink: SinkSettings(sink), deadLetters: "dead-letter.jsonl")
        let report = try await withTemporaryFolder { state in
            var pipeline = pipeline
            pipeline.deadLetters = state + "/dead-letter.jsonl"
            return try await RecordRun(pipeline, options: .trial(state)).run()
        }
        let lines = String(decoding: sink["records"] ?? [], as: UTF8.self).split(separator: "\n").map(String.init)
        return (lines, report)
    }

    @Test("a log of Zeek as TSV has the values of the same log as JSON")
    func zeekAsTSV() async throws {
        let (rows, report) = try await Self.records(of: "tsv/zeek_dns.log.gz", as: TSV())
        let (objects, _) = try await Self.records(of: "ndjson/zeek_dns.json.gz", as: JSONL())
        #expect(report.records.read == 53_615 && report.records.written == 53_615)
        // The log as TSV has fewer digits of times, and says elsewhere which log it is.
        let others = ["ts", "rtt", "_path", "_write_ts"]
        var differences = 0
        for (row, object) in zip(rows, objects) {
            guard case .map(let row)? = Value(json: row), case .map(let object)? = Value(json: object) else { throw CocoaError(.coderInvalidValue) }
            let same = object.entries.allSatisfy { entry in
                guard case .string(let name) = entry.key, !others.contains(name) else { return true }
                return row[name] == entry.value
            }
            let count = object.entries.count { if case .string(let name) = $0.key { !others.contains(name) } else { false } }
            let own = row.entries.count { if case .string(let name) = $0.key { !others.contains(name) } else { false } }
            if !same || count != own { differences += 1 }
        }
        #expect(rows.count == 53_615 && objects.count == 53_615)
        #expect(differences == 0)
    }

    @Test("the records of CloudTrail's documents are those of the same archive as JSON lines")
    func cloudTrail() async throws {
        let folder = RealArchives.folder.appending(path: "cloudtrail")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".gz") }
        var checking = Checking(label: "")
        let path = Argument.list([.leaf(Leaf("Records"))], TextPlace(TextPosition(line: 1, column: 1)))
        let format = try #require(JSON(Arguments(["records": path]), &checking))
        var records: [String] = []
        for file in files {
            let (lines, report) = try await Self.records(of: "cloudtrail/\(file)", as: format)
            #expect(report.records.read == lines.count && report.records.dead == 0)
            records += lines
        }
        let (lines, _) = try await Self.records(of: "ndjson/cloudtrail_stratus.ndjson.gz", as: JSONL())
        #expect(files.count == 18 && records.count == 778)
        let values = { (lines: [String]) in Set(lines.map { Value(json: $0)?.jsonText }) }
        #expect(values(records) == values(lines))
    }

    @Test("the inferred types of the flights hold for all of them")
    func flights() async throws {
        var checking = Checking(label: "")
        let nulls = Argument.list([.leaf(Leaf("")), .leaf(Leaf("NA"))], TextPlace(TextPosition(line: 1, column: 1)))
        let format = try #require(CSV(Arguments(["types": .leaf(Leaf("infer")), "nulls": nulls]), &checking))
        let (lines, report) = try await Self.records(of: "csv/nycflights13_flights.csv.gz", as: format)
        let types = try #require(report.types)
        #expect(lines.count == 336_776 && report.records.dead == 0)
        #expect(types.fields.filter { $0.type == "string" }.map(\.name) == ["carrier", "tailnum", "origin", "dest"])
        #expect(types.fields.filter { $0.type == "timestamp" }.map(\.name) == ["time_hour"])
        #expect(types.fields.count { $0.type == "int" } == 14)
    }
}
