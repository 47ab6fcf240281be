import Foundation
import Testing

@testable import SluiceRecords

@Suite struct OversizedDeadLetterTests {
    /// Runs over `lines` with a limit of 1 MiB per record and returns the dead letters.
    private func deadLetters(of lines: [[UInt8]]) async throws -> [[String: Any]] {
        let folder = NSTemporaryDirectory() + "sluice-long-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(lines.joined(separator: [10])).write(to: URL(filePath: folder + "/in.txt"))
        let source = SourceSettings(FileSource([InputFile(path: folder + "/in.txt")]), format: Lines(), maxRecord: 1 << 20)
        let sink = SinkSettings(FileSink(PathTemplate(pieces: [.text(folder + "/out.log")])), format: Lines())
        let pipeline = RecordPipeline(
            name: "long", definition: "sha256:0", source: source, stages: [], sink: sink, deadLetters: folder + "/dead.jsonl")
        let report = try await RecordRun(pipeline, options: RunOptions(workers: 2, state: folder + "/state")).run()
        #expect(report.error == nil)
        #expect(report.balanced)
        #expect(report.records.read == lines.count)
        #expect(try Audit(report).holds)
        let spilled = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/state/spill")) ?? []
        #expect(spilled.isEmpty)
        return try Data(contentsOf: URL(filePath: folder + "/dead.jsonl")).split(separator: 10).compactMap {
            try JSONSerialization.jsonObject(with: $0) as? [String: Any]
        }
    }

    @Test func `a record over the limit is a dead letter with all its bytes`() async throws {
        // Three-byte characters, so that chunks end inside a character.
        let long = Array(String(repeating: "€\"\n".replacing("\n", with: "\u{1}"), count: 300_000).utf8)
        let letters = try await deadLetters(of: [Array("short".utf8), long, Array("also short".utf8)])
        #expect(letters.count == 1)
        #expect((letters[0]["error"] as? [String: String])?["code"] == "record.too_long")
        #expect((letters[0]["raw"] as? String).map { Array($0.utf8) } == long)
        #expect((letters[0]["source"] as? [String: Any])?["line"] as? Int == 2)
    }

    @Test func `a dead letter of 20 MB is audited like any other`() async throws {
        let letters = try await deadLetters(of: [[UInt8](repeating: 0x61, count: 20_000_000)])
        #expect((letters[0]["raw"] as? String)?.utf8.count == 20_000_000)
    }

    @Test func `one that is not UTF-8 is given as base64`() async throws {
        let long = [UInt8](repeating: 0xFF, count: 2_000_001)
        let letters = try await deadLetters(of: [long])
        #expect((letters[0]["raw_base64"] as? String).flatMap { Data(base64Encoded: $0) }.map(Array.init) == long)
    }
}
