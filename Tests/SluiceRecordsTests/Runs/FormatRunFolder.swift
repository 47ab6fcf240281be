import Foundation
import Testing

@testable import SluiceRecords

/// A temporary folder for complete runs over one file, whose books and audit are checked.
final class FormatRunFolder {
    let path = NSTemporaryDirectory() + "sluice-run-\(UUID().uuidString)"

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func run(
        _ bytes: [UInt8], _ format: any Format, _ stages: [any Verb] = [], as written: any WritableFormat
    ) async throws -> (report: RunReport, output: [UInt8]) {
        try Data(bytes).write(to: URL(filePath: path + "/in"))
        let pipeline = RecordPipeline(
            name: "test", definition: "sha256:0", source: SourceSettings(FileSource([InputFile(path: path + "/in")]), format: format),
            stages: stages.enumerated().map { RecordStage(name: "stage-\($0)", verb: $1) },
            sink: SinkSettings(FileSink(PathTemplate(pieces: [.text(path + "/out")])), format: written), deadLetters: path + "/dead.jsonl",
            limits: Limits(deadLetters: .all))
        let report = try await RecordRun(pipeline, options: RunOptions(workers: 2, state: path + "/state")).run()
        #expect(report.balanced)
        #expect(try Audit(report).findings.filter { !$0.holds } == [])
        return (report, try [UInt8](Data(contentsOf: URL(filePath: path + "/out"))))
    }

    func run(_ text: String, _ format: any Format, _ stages: [any Verb] = [], as written: any WritableFormat) async throws -> String {
        String(decoding: try await run(Array(text.utf8), format, stages, as: written).output, as: UTF8.self)
    }

    /// The lines of the dead-letter file.
    var deadLetters: [String] {
        get throws { try String(contentsOf: URL(filePath: path + "/dead.jsonl"), encoding: .utf8).split(separator: "\n").map(String.init) }
    }
}
