import Foundation
import Sluice
import SluiceCEL
import Testing

@testable import SluiceRecords

@Suite("head")
struct HeadTests {
    private func lines(_ range: Range<Int>) -> [UInt8] {
        Array(range.map { #"{"n":\#($0),"text":"some text that makes the record longer, \#($0 % 7)"}"# + "\n" }.joined().utf8)
    }

    private func stage(_ verb: any Verb, _ name: String? = nil) -> RecordStage { RecordStage(name: name ?? verb.name, verb: verb) }

    @Test("the same outputs, dead letters and report whatever was read ahead", arguments: [1, 59_999, 60_000, 60_001, 130_000])
    func isDeterministic(count: Int) async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        let inputs = try (0..<4).map { try folder.write(lines($0 * 60_000..<($0 + 1) * 60_000), to: "\($0).jsonl") }
        let stages = try [
            stage(Keep(CellProgram("10 / (n % 1000) < 5"))), stage(Head(count)), stage(SetFields([("m", CellProgram("n + 1"))])),
        ]
        let pipeline = folder.pipeline(inputs, stages)
        let one = try await folder.run(pipeline, workers: 1)
        #expect(one.report.balanced)
        #expect(one.report.records.written == count)
        #expect(one.report.outputs.map(\.records) == [count])
        for workers in [2, 8] {
            #expect(try await folder.run(pipeline, workers: workers).outcome == one.outcome)
        }
        let last = one.report.inputs.firstIndex { !$0.whole }
        for input in one.report.inputs[(try #require(last) + 1)...] {
            #expect(!input.whole && input.bytes == 0 && input.records == 0)
        }
        #expect(one.skipped == 4 - (last ?? 4))
    }

    @Test("a later input that cannot be read does not affect a run that ends before it", arguments: [1, 8])
    func laterFailure(workers: Int) async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        let first = try folder.write(lines(0..<200_000), to: "a.jsonl")
        let second = try folder.write([0x04, 0x22, 0x4D, 0x18, 0, 0, 0, 0], to: "b.jsonl")
        let run = try await folder.run(folder.pipeline([first, second], [stage(Head(190_000))]), workers: workers)
        #expect(run.report.error == nil)
        #expect(run.outcome.status == .complete)
        #expect(run.report.records.written == 190_000)
        let failed = try await folder.run(folder.pipeline([first, second], [stage(Head(200_001))]), workers: workers)
        #expect(failed.outcome.status == .failed)
        #expect(failed.outcome.out == "")
    }

    @Test("records over the limit that were read ahead leave no file")
    func oversized() async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        let long = Array(#"{"long":""#.utf8) + Array(repeating: UInt8(ascii: "x"), count: 1_500_000) + Array("\"}\n".utf8)
        let input = try folder.write(long + lines(0..<20_000) + long + lines(20_000..<40_000) + long, to: "a.jsonl")
        var pipeline = folder.pipeline([input], [stage(Head(10))])
        pipeline.source.maxRecord = 1 << 20
        for workers in [1, 8] {
            let run = try await folder.run(pipeline, workers: workers)
            #expect(run.report.deadLetters.byCode == ["record.too_long": 1])
            #expect(run.report.balanced)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/state") == ["report.json"])
        }
    }

    @Test("continues from a checkpoint, and refuses an invalid one")
    func checkpoint() throws {
        let step = HeadStep(1000)
        let other = HeadStep(1)
        try other.restore(step.checkpoint())
        #expect(other.checkpoint().bytes == [1, 0xE8, 3, 0, 0, 0, 0, 0, 0])
        for bytes in [[], [1], [2, 0, 0, 0, 0, 0, 0, 0, 0], [1] + Array(repeating: 0xFF, count: 8)] as [[UInt8]] {
            #expect(throws: CheckpointError.self) { try other.restore(StageState(bytes: bytes)) }
        }
    }
}
