import Foundation
import SluiceCEL
import Testing

@testable import SluiceRecords

private let archives = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../../shared/data").standardized.path
private let archivesAreThere = FileManager.default.fileExists(atPath: archives)

/// Published archives with known answers, next to the project's checkout; skipped if they are
/// absent.
@Suite(.enabled(if: archivesAreThere, "the real archives are not beside the project: ../shared/data"))
struct RunsOverRealArchivesTests {

    /// Runs the stages over the archives, with an output for each value of `key`.
    /// - Returns: the report, and the number of records of each value.
    private func count(
        _ pattern: String, _ format: any Format, by key: String, stages: [any Verb] = [], joining lines: Multiline? = nil
    ) async throws -> (report: RunReport, counts: [String: Int]) {
        let folder = NSTemporaryDirectory() + "sluice-real-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = try PathTemplate(pieces: [.text(folder + "/out/"), .value(CellProgram(key)), .text(".jsonl")])
        var source = SourceSettings(FileSource(try InputFiles.expand([archives + "/" + pattern])), format: format)
        source.multiline = lines
        let pipeline = RecordPipeline(
            name: "real", definition: "sha256:0", source: source,
            stages: stages.enumerated().map { RecordStage(name: "stage-\($0)", verb: $1) },
            sink: SinkSettings(FileSink(path)), deadLetters: folder + "/dead.jsonl")
        let report = try await RecordRun(pipeline, options: RunOptions(state: folder + "/state")).run()
        #expect(try Audit(report).findings.filter { !$0.holds } == [])
        let counts = report.outputs.map { output in
            (String(output.file.dropFirst(folder.utf8.count + "/out/".utf8.count).dropLast(".jsonl".utf8.count)), output.records)
        }
        return (report, Dictionary(uniqueKeysWithValues: counts))
    }

    @Test func `ten thousand lines of an Apache log by status`() async throws {
        let (report, counts) = try await count("access/*.gz", Combined(), by: "status")
        #expect(counts == ["200": 9126, "206": 45, "301": 164, "304": 445, "403": 2, "404": 213, "416": 2, "500": 3])
        #expect(report.records == .init(read: 10_000, written: 10_000))
        #expect(report.balanced)
    }

    @Test func `bots of that log, by their agents in any case`() async throws {
        let bots = Keep(try CellProgram("has(record.agent) && agent.lower().contains('bot')"))
        let (report, _) = try await count("access/*.gz", Combined(), by: "'bots'", stages: [bots])
        // 1,170 quoted fields, and one that a server truncated inside the quotes.
        #expect(report.records.written == 1171)
        #expect(report.records.dead == 0)
    }

    @Test func `every line of fifteen daily logs is accounted for`() async throws {
        let (report, counts) = try await count("access/daily/*.gz", Combined(), by: "source.file.split('_')[2].substring(0, 10)")
        #expect(report.inputs.count == 15)
        #expect(report.records.read == 17_064)
        #expect(report.records.written + report.records.dead == 17_064)
        #expect(counts.count == 15)
    }

    @Test func `collections of a Java program's garbage, of 27 lines each, by kind`() async throws {
        let pattern = try Pattern(
            #"(?s)^(?P<time>[0-9T:.+-]+): [0-9.]+: \[(?P<kind>GC [a-z]+).*\[Times: user=(?P<user>[0-9.]+) .*real=(?P<real>[0-9.]+) secs\]"#)
        let joined = Multiline(.starts, try Pattern("^[0-9]{4}-[0-9]{2}-[0-9]{2}T"))
        let (report, counts) = try await count("applogs/*.gz", RegexFormat(pattern), by: "kind", joining: joined)
        // 20,596 lines; the first three are about the machine, and the steps of concurrent marking
        // have no times.
        #expect(report.records.read == 798)
        #expect(counts["GC pause"] == 761)
        #expect(report.records.written + report.records.dead == 798)
        #expect(report.balanced)
    }

    @Test func `every flight of a year by carrier, and the minutes of delay`() async throws {
        let options: [String: Argument] = [
            "types": CSVOptions.entries(["arr_delay": "int", "year": "int", "time_hour": "timestamp", "distance": "double"]),
            "nulls": CSVOptions.texts(["", "NA"]),
        ]
        let late = Keep(try CellProgram("record.?arr_delay.orValue(0) > 60"))
        let format = try CSV.with(options)
        let (all, carriers) = try await count("csv/nycflights13_flights.csv.gz", format, by: "carrier")
        #expect(all.records == .init(read: 336_776, written: 336_776))
        #expect(all.balanced)
        #expect(carriers.count == 16)
        #expect(carriers["UA"] == 58_665)
        let (delayed, _) = try await count("csv/nycflights13_flights.csv.gz", format, by: "string(arr_delay)", stages: [late])
        let minutes = delayed.outputs.reduce(0) { sum, output in
            sum + output.records * (Int(output.file.split(separator: "/").last?.dropLast(".jsonl".count) ?? "") ?? 0)
        }
        #expect(delayed.records.written == 27_789)
        #expect(minutes == 3_367_231)
    }

    @Test func `DNS records by a field that may be absent`() async throws {
        let (report, counts) = try await count("ndjson/zeek_dns.json.gz", JSONL(), by: "record.?rcode_name.orValue('none')")
        #expect(report.records.read == 53_615)
        #expect(counts["NOERROR"] == 42_010)
        #expect(counts["none"] == 9_497)
        #expect(counts["NXDOMAIN"] == 2_097)
    }

    @Test func `Windows events by number`() async throws {
        let (report, counts) = try await count("ndjson/otrf_windows_runas.ndjson.gz", JSONL(), by: "event_id")
        #expect(report.records == .init(read: 2_581, written: 2_581))
        #expect(counts["12"] == 466)
        #expect(counts["10"] == 419)
        #expect(counts["800"] == 376)
    }

    @Test func `CloudTrail records with an error`() async throws {
        let (report, counts) = try await count(
            "ndjson/cloudtrail_stratus.ndjson.gz", JSONL(), by: "has(record.errorCode) ? 'failed' : 'fine'")
        #expect(counts == ["failed": 82, "fine": 696])
        #expect(report.balanced)
    }

    @Test func `a million and a half lines`() async throws {
        let programs = Keep(try CellProgram("line.startsWith('usr/bin/')"))
        let (report, _) = try await count("debian/*.gz", Lines(), by: "'bin'", stages: [programs])
        #expect(report.records.read == 1_655_516)
        #expect(report.records.written == 32_082)
    }
}
