import Foundation
import SluiceCEL
import Testing

@testable import SluiceRecords

/// Whole runs over small files in a folder of their own.
@Suite struct RecordRunTests {
    private let folder = NSTemporaryDirectory() + "sluice-run-\(UUID().uuidString)"

    private func pipeline(_ text: String, _ stages: [RecordStage], format: Format = .jsonl) throws -> RecordPipeline {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: folder + "/in.txt"))
        return RecordPipeline(
            name: "test", definition: "sha256:0", source: RecordSource(inputs: [InputFile(path: folder + "/in.txt")], format: format),
            stages: stages,
            sink: RecordSink(
                destination: .file(PathTemplate(pieces: [.text(folder + "/out.jsonl")])), encoding: .jsonl, compression: nil),
            deadLetters: folder + "/dead.jsonl")
    }

    private func run(_ pipeline: RecordPipeline, workers: Int = 2) async throws -> (report: RunReport, out: String, dead: [String]) {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let report = try await RecordRun(pipeline, options: RunOptions(workers: workers, state: folder + "/state")).run()
        let out = try String(contentsOfFile: folder + "/out.jsonl", encoding: .utf8)
        let dead = try String(contentsOfFile: folder + "/dead.jsonl", encoding: .utf8)
        return (report, out, dead.split(separator: "\n").map(String.init))
    }

    private func stage(_ name: String, _ verb: Verb) -> RecordStage { RecordStage(name: name, verb: verb) }

    @Test func `kept records are written as their own bytes`() async throws {
        let text = #"{"status": 500,"a" : 1.0}"# + "\n" + #"{"status":200}"# + "\n\n" + #"{"status":503}"#
        let result = try await run(pipeline(text, [stage("keep", .keep(CellProgram("status >= 500")))]))
        #expect(result.out == #"{"status": 500,"a" : 1.0}"# + "\n" + #"{"status":503}"# + "\n")
        #expect(result.report.status == .complete)
        #expect(result.report.balanced)
        #expect(result.report.records == .init(read: 4, written: 2, filtered: 2))
    }

    @Test func `set, remove and rename change only what they name`() async throws {
        let text = #"{"id":12345678901234567890123,"ip":"::1","ms":1500.0,"méthode":"get"}"#
        let stages = try [
            stage("set", .set([("s", CellProgram("ms / 1000.0")), ("up", CellProgram("`méthode`.upper()"))])),
            stage("remove", .remove(["ip"])), stage("rename", .rename([("ms", "milliseconds")])),
        ]
        let result = try await run(pipeline(text, stages))
        #expect(result.out == #"{"id":12345678901234567890123,"milliseconds":1500.0,"méthode":"get","s":1.5,"up":"GET"}"# + "\n")
    }

    @Test func `a missing field sends that record to the dead letters, with its bytes, its place and a suggestion`() async throws {
        let text = #"{"latency_ms":1}"# + "\n" + #"{"latency":5}"# + "\n"
        let result = try await run(pipeline(text, [stage("slow", .keep(CellProgram("latency > 1")))]))
        #expect(result.out == #"{"latency":5}"# + "\n")
        #expect(result.report.status == .losses)
        let letter = try #require(result.dead.first)
        #expect(
            letter
                == #"{"pipeline":"test","definition":"sha256:0","stage":"slow","error":{"code":"expression.no_such_field","message":"no such field 'latency'; did you mean 'latency_ms'?"},"attempts":1,"source":{"file":"\#(folder)/in.txt","member":0,"offset":0,"line":1},"raw":"{\"latency_ms\":1}","record":{"latency_ms":1}}"#
        )
    }

    @Test func `garbage is a dead letter of the source`() async throws {
        let result = try await run(pipeline("hello\n{\"a\":1}\n", []))
        #expect(result.out == "{\"a\":1}\n")
        #expect(result.report.deadLetters.byCode == ["parse.jsonl": 1])
    }

    @Test(arguments: [1, 8]) func `the bytes are the same whatever the number of workers`(workers: Int) async throws {
        let text = (0..<60_000).map { #"{"n":\#($0),"text":"some text to make it long enough \#($0 % 7)"}"# }.joined(separator: "\n")
        let stages = try [
            stage("keep", .keep(CellProgram("n % 3 != 0"))), stage("set", .set([("m", CellProgram("n * 2"))])),
            stage("select", .select(["m", "n"])),
        ]
        let result = try await run(pipeline(text, stages), workers: workers)
        let expected = (0..<60_000).filter { $0 % 3 != 0 }.map { #"{"n":\#($0),"m":\#($0 * 2)}"# + "\n" }.joined()
        #expect(result.out == expected)
        #expect(result.report.balanced)
    }

    @Test func `access logs become objects, and their dead letters have all fields`() async throws {
        let text = #"10.0.0.1 - bob [10/Oct/2025:13:55:36 +0000] "GET /a HTTP/1.1" 200 12 "-" "curl/8""# + "\n"
        let stages = try [stage("set", .set([("kb", CellProgram("bytes / 0"))]))]
        let result = try await run(pipeline(text, stages, format: .combined))
        let letter = try #require(result.dead.first)
        #expect(letter.contains(#""code":"expression.division_by_zero""#))
        #expect(
            letter.hasSuffix(
                #""record":{"ip":"10.0.0.1","user":"bob","time":"2025-10-10T13:55:36Z","method":"GET","path":"/a","protocol":"HTTP/1.1","status":200,"bytes":12,"agent":"curl/8"}}"#
            ))
    }
}
