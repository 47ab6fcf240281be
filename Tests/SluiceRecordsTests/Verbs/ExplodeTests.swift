import Sluice
import SluiceCEL
import Testing

@testable import SluiceRecords

@Suite("explode")
struct ExplodeTests {
    private func stage(_ verb: any Verb) -> RecordStage { RecordStage(name: verb.name, verb: verb) }

    @Test("a record that becomes too many records, or too large ones, is refused; its neighbours are not")
    func tooLarge() async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        let many = #"{"v":[\#(Array(repeating: "1", count: ExplodeStage.mostElements + 1).joined(separator: ","))]}"#
        let most = #"{"v":[\#(Array(repeating: "1", count: ExplodeStage.mostElements).joined(separator: ","))]}"#
        let large = #"{"big":"\#(String(repeating: "x", count: 1 << 20))","v":[\#(Array(repeating: "1", count: 65).joined(separator: ","))]}"#
        let text = [#"{"v":[1]}"#, many, large, most, #"{"v":[2]}"#].joined(separator: "\n")
        let input = try folder.write(text.utf8, to: "a.jsonl")
        for workers in [1, 8] {
            let run = try await folder.run(folder.pipeline([input], [stage(Explode(field: "v"))]), workers: workers)
            #expect(run.report.deadLetters.byCode == ["explode.too_large": 2])
            #expect(run.report.records.written == ExplodeStage.mostElements + 2)
            #expect(run.report.balanced)
        }
    }

    @Test("a record that exceeds its stage's timeout is discarded")
    func timeout() async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        var slow = stage(Explode(field: "v"))
        slow.pool.timeout = .nanoseconds(1)
        let input = try folder.write(#"{"v":[1,2,3]}"#.utf8, to: "a.jsonl")
        let run = try await folder.run(folder.pipeline([input], [slow]), workers: 1)
        #expect(run.outcome.out == "")
        #expect(run.report.stages[1].timeouts == 1)
        #expect(run.report.records == .init(read: 1, dead: 1))
        #expect(run.report.balanced)
    }
}
