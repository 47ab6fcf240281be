import Foundation
import Sluice
import Testing

@testable import SluiceRecords

/// A temporary folder for the inputs, outputs and state of runs.
struct RunFolder {
    let path = NSTemporaryDirectory() + "sluice-verbs-\(UUID().uuidString)"

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult
    func write(_ bytes: some Sequence<UInt8>, to name: String) throws -> InputFile {
        try Data(bytes).write(to: URL(filePath: "\(path)/\(name)"))
        return InputFile(path: "\(path)/\(name)")
    }

    func pipeline(_ inputs: [InputFile], _ stages: [RecordStage], format: any Format = JSONL()) -> RecordPipeline {
        RecordPipeline(
            name: "test", definition: "sha256:0", source: SourceSettings(FileSource(inputs), format: format), stages: stages,
            sink: SinkSettings(FileSink(PathTemplate(pieces: [.text(path + "/out.jsonl")]))), deadLetters: path + "/dead.jsonl")
    }

    struct Outcome: Equatable {
        var status: RunReport.Status
        var out: String
        var dead: String
        /// The report without what depends on the clock and on scheduling.
        var report: String
    }

    /// - Returns: the outcome, the report, and the number of inputs that its audit skipped.
    func run(_ pipeline: RecordPipeline, workers: Int) async throws -> (outcome: Outcome, report: RunReport, skipped: Int) {
        var report = try await RecordRun(pipeline, options: RunOptions(workers: workers, state: path + "/state")).run()
        let out = (try? String(contentsOfFile: path + "/out.jsonl", encoding: .utf8)) ?? ""
        let dead = (try? String(contentsOfFile: path + "/dead.jsonl", encoding: .utf8)) ?? ""
        let isPublished = report.status == .complete || report.status == .losses
        let audit = isPublished ? try Audit(report) : nil
        #expect(audit?.findings.filter { !$0.holds } ?? [] == [])
        for name in ["out.jsonl", "dead.jsonl"] { try? FileManager.default.removeItem(atPath: "\(path)/\(name)") }
        let whole = report
        report.elapsedSeconds = 0
        for index in report.stages.indices {
            report.stages[index].busySeconds = 0
            report.stages[index].workers = RunReport.Workers(min: 1, max: 1, peak: 1)
            report.stages[index].retries = 0
            report.stages[index].timeouts = 0
        }
        let text = String(decoding: try report.json(), as: UTF8.self)
        return (Outcome(status: report.status, out: out, dead: dead, report: text), whole, audit?.skipped.count ?? 0)
    }
}
