import Foundation
import Sluice
import SluiceCEL
import Testing

@testable import SluiceRecords

/// Complete runs over a few records in memory.
@Suite struct RecordRunTests {
    private let outputs = MemorySink(PathTemplate("out.jsonl"))
    private let deadLetters = MemorySink(PathTemplate("dead.jsonl"))

    private func pipeline(_ text: String, _ stages: [RecordStage], format: any Format = JSONL()) -> RecordPipeline {
        var pipeline = RecordPipeline(
            name: "test", definition: "sha256:0", source: SourceSettings(MemorySource(["in.txt": Array(text.utf8)]), format: format),
            stages: stages, sink: SinkSettings(outputs), deadLetters: "dead.jsonl")
        pipeline.deadLetterSink = deadLetters
        return pipeline
    }

    private func report(_ pipeline: RecordPipeline, workers: Int = 2) async throws -> RunReport {
        let state = NSTemporaryDirectory() + "sluice-run-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: state) }
        return try await RecordRun(pipeline, options: RunOptions(workers: workers, state: state)).run()
    }

    private func run(_ pipeline: RecordPipeline, workers: Int = 2) async throws -> (report: RunReport, out: String, dead: [String]) {
        let report = try await report(pipeline, workers: workers)
        let texts = try [outputs["out.jsonl"], deadLetters["dead.jsonl"]].map { String(decoding: try #require($0), as: UTF8.self) }
        return (report, texts[0], texts[1].split(separator: "\n").map(String.init))
    }

    private func stage(_ name: String, _ verb: any Verb) -> RecordStage { RecordStage(name: name, verb: verb) }

    @Test func `kept records are written as their original bytes`() async throws {
        let text = #"{"status": 500,"a" : 1.0}"# + "\n" + #"{"status":200}"# + "\n\n" + #"{"status":503}"#
        let result = try await run(pipeline(text, [stage("keep", Keep(CellProgram("status >= 500")))]))
        #expect(result.out == #"{"status": 500,"a" : 1.0}"# + "\n" + #"{"status":503}"# + "\n")
        #expect(result.report.status == .complete)
        #expect(result.report.balanced)
        #expect(result.report.records == .init(read: 4, written: 2, filtered: 2))
    }

    @Test func `set, remove and rename change only what they name`() async throws {
        let text = #"{"id":12345678901234567890123,"ip":"::1","ms":1500.0,"méthode":"get"}"#
        let stages = try [
            stage("set", SetFields([("s", CellProgram("ms / 1000.0")), ("up", CellProgram("`méthode`.upper()"))])),
            stage("remove", Remove(["ip"])), stage("rename", Rename([("ms", "milliseconds")])),
        ]
        let result = try await run(pipeline(text, stages))
        #expect(result.out == #"{"id":12345678901234567890123,"milliseconds":1500.0,"méthode":"get","s":1.5,"up":"GET"}"# + "\n")
    }

    @Test func `a missing field sends that record to the dead letters, with its bytes, its place and a suggestion`() async throws {
        let text = #"{"latency_ms":1}"# + "\n" + #"{"latency":5}"# + "\n"
        let result = try await run(pipeline(text, [stage("slow", Keep(CellProgram("latency > 1")))]))
        #expect(result.out == #"{"latency":5}"# + "\n")
        #expect(result.report.status == .losses)
        let letter = try #require(result.dead.first)
        #expect(
            letter
                == #"{"pipeline":"test","definition":"sha256:0","stage":"slow","error":{"code":"expression.no_such_field","message":"no such field 'latency'; did you mean 'latency_ms'?"},"attempts":1,"source":{"file":"in.txt","member":0,"offset":0,"line":1},"raw":"{\"latency_ms\":1}","record":{"latency_ms":1}}"#
        )
    }

    @Test func `malformed records are dead letters of the source`() async throws {
        let result = try await run(pipeline("hello\n{\"a\":1}\n", []))
        #expect(result.out == "{\"a\":1}\n")
        #expect(result.report.deadLetters.byCode == ["parse.jsonl": 1])
    }

    @Test(arguments: [1, 8]) func `the bytes are the same whatever the number of workers`(workers: Int) async throws {
        let text = (0..<60_000).map { #"{"n":\#($0),"text":"some text to make it long enough \#($0 % 7)"}"# }.joined(separator: "\n")
        let stages = try [
            stage("keep", Keep(CellProgram("n % 3 != 0"))), stage("set", SetFields([("m", CellProgram("n * 2"))])),
            stage("select", Select(["m", "n"])),
        ]
        let result = try await run(pipeline(text, stages), workers: workers)
        let expected = (0..<60_000).filter { $0 % 3 != 0 }.map { #"{"n":\#($0),"m":\#($0 * 2)}"# + "\n" }.joined()
        #expect(result.out == expected)
        #expect(result.report.balanced)
    }

    @Test func `access logs become objects, and their dead letters have all fields`() async throws {
        let text = #"10.0.0.1 - bob [10/Oct/2025:13:55:36 +0000] "GET /a HTTP/1.1" 200 12 "-" "curl/8""# + "\n"
        let stages = try [stage("set", SetFields([("kb", CellProgram("bytes / 0"))]))]
        let result = try await run(pipeline(text, stages, format: Combined()))
        let letter = try #require(result.dead.first)
        #expect(letter.contains(#""code":"expression.division_by_zero""#))
        #expect(
            letter.hasSuffix(
                #""record":{"ip":"10.0.0.1","user":"bob","time":"2025-10-10T13:55:36Z","zone":"+0000","method":"GET","path":"/a","protocol":"HTTP/1.1","status":200,"bytes":12,"agent":"curl/8"}}"#
            ))
    }

    @Test func `a record that takes longer than its stage allows is a dead letter`() async throws {
        var slow = try stage("slow", Keep(CellProgram("[1, 2, 3].all(x, x < 9)")))
        slow.pool.timeout = .nanoseconds(1)
        let result = try await run(pipeline("{}\n{}\n", [slow]))
        #expect(result.report.deadLetters.byCode == ["timeout": 2])
        #expect(result.report.stages[1].timeouts == 2)
        #expect(result.report.balanced)
    }

    @Test func `a record that was parsed too slowly is a dead letter, and has no other effect`() async throws {
        var slow = stage("slow", Parse(field: "a", format: JSONL()))
        slow.pool.timeout = .nanoseconds(1)
        let result = try await run(pipeline(#"{"a":"{}"}"# + "\n" + #"{"a":"{\"b\":1}"}"# + "\n", [slow]))
        #expect(result.out == "")
        #expect(result.report.deadLetters.byCode == ["timeout": 2])
        #expect(result.report.balanced)
    }

    @Test func `under on_error stop the first failure ends the run, and nothing is published`() async throws {
        var strict = try stage("strict", Keep(CellProgram("a > 1")))
        strict.onError = .stop
        let report = try await report(pipeline("{\"a\":2}\n{\"b\":2}\n", [strict]))
        #expect(report.status == .failed)
        #expect(try #require(report.error).hasPrefix("stage 'strict' stopped the run at in.txt:2: no such field 'a'"))
        #expect(outputs.names.isEmpty && deadLetters.names.isEmpty)
    }

    @Test func `under on_error drop failures are filtered, and counted`() async throws {
        var lenient = try stage("lenient", Keep(CellProgram("a > 1")))
        lenient.onError = .drop
        let result = try await run(pipeline("{\"a\":2}\n{\"b\":2}\n", [lenient]))
        #expect(result.report.status == .complete)
        #expect(result.report.records == .init(read: 2, written: 1, filtered: 1))
        #expect(result.report.stages[1].dropped == 1)
    }

    @Test func `more dead letters than the limit fail the run`() async throws {
        var pipeline = pipeline("x\ny\n{}\n", [])
        pipeline.limits.deadLetters = .count(1)
        let report = try await report(pipeline)
        #expect(report.status == .failed)
        #expect(outputs.names.isEmpty && deadLetters.names.isEmpty)
    }

    @Test func `parse adds the fields of a text field, or nests them`() async throws {
        let line = #"10.0.0.1 - - [10/Oct/2025:13:55:36 +0000] \"GET /a HTTP/1.1\" 200 12"#
        let text = #"{"log":"\#(line)","inner":"{\"x\": 1, \"id\": 2}","id":1}"# + "\n"
        let spread = [stage("spread", Parse(field: "log", format: Common())), stage("select", Select(["status", "path", "id"]))]
        let nested = [stage("nest", Parse(field: "inner", format: JSONL(), into: "o")), stage("select", Select(["o"]))]
        let merged = [stage("merge", Parse(field: "inner", format: JSONL())), stage("remove", Remove(["log", "inner"]))]
        let results = [
            try await run(pipeline(text, spread)), try await run(pipeline(text, nested)), try await run(pipeline(text, merged)),
        ]
        #expect(results.map(\.dead) == [[], [], []])
        #expect(
            results.map(\.out) == [
                #"{"id":1,"path":"/a","status":200}"# + "\n", #"{"o":{"x": 1, "id": 2}}"# + "\n", #"{"id":2,"x": 1}"# + "\n",
            ])
    }
}
