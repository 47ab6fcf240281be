import Foundation
import InMemoryLogging
import Logging
import MetricsTestKit
import Testing

@testable import SluiceRecords

@Suite("The log of a run of records")
struct RunEventsTests {
    private struct Log {
        let handler = InMemoryLogHandler()
        let logger: Logger

        init() {
            let handler = handler
            var logger = Logger(label: "test") { _ in handler }
            logger.logLevel = .trace
            self.logger = logger
        }

        var entries: [InMemoryLogHandler.Entry] { handler.entries }
        func first(_ message: String) -> [String: String]? {
            entries.first { "\($0.message)" == message }.map { $0.metadata.mapValues { "\($0)" } }
        }
    }

    private static func records(_ folder: RunFolder, _ input: String) -> Records {
        Records.reading(archives: [input], format: .jsonl).keep("n > 1").writing(to: "\(folder.path)/out.jsonl")
    }

    @Test("says how it began, what failed first, what was damaged, and how it ended")
    func events() async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        let input = try folder.write("{\"n\":1}\nbroken\nbroken too\n{\"n\":2}\n".utf8, to: "in.jsonl").path
        let log = Log()
        let report = try await Self.records(folder, input).run(workers: 1, state: folder.path + "/state", logger: log.logger)
        #expect(report.status == .losses)
        #expect(
            log.entries.filter { $0.level > .debug }.map { "\($0.level) \($0.message)" } == [
                "info run began", "warning record failed", "warning run complete, with losses",
            ])
        let failed = try #require(log.first("record failed"))
        #expect(failed["sluice.stage"] == "source" && failed["error.type"] == "parse.jsonl" && failed["file.path"] == input && failed["sluice.line"] == "2")
        let ended = try #require(log.first("run complete, with losses"))
        #expect(ended["sluice.read"] == "4" && ended["sluice.written"] == "1" && ended["sluice.dead"] == "2" && ended["sluice.filtered"] == "1")
    }

    @Test("names the first damage of an input")
    func damage() async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        let whole = GzipSamples.member("{\"n\":2}\n")
        let input = try folder.write(whole.dropLast(4), to: "in.jsonl.gz").path
        let log = Log()
        try await Self.records(folder, input).run(workers: 1, state: folder.path + "/state", logger: log.logger)
        let damaged = try #require(log.first("input damaged"))
        #expect(damaged["file.path"] == input && damaged["error.type"] == "truncated")
    }

    @Test("says why a run could not begin")
    func refused() async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        let input = try folder.write("{\"n\":2}\n".utf8, to: "in.jsonl").path
        // In place of a file that the run locks.
        try FileManager.default.createDirectory(atPath: folder.path + "/state/unfinished.jsonl", withIntermediateDirectories: true)
        let log = Log()
        await #expect(throws: RecordsError.self) { try await Self.records(folder, input).run(state: folder.path + "/state", logger: log.logger) }
        #expect(log.entries.map { "\($0.level) \($0.message)" } == ["error run failed"])
    }

    @Test("is beside metrics, which count records")
    func metrics() async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        let input = try folder.write("{\"n\":1}\nbroken\n{\"n\":2}\n".utf8, to: "in.jsonl").path
        let (factory, control) = (TestMetrics(), RecordControl())
        async let reported: Void = control.reportMetrics(of: "p", every: .milliseconds(1), to: factory)
        try await Self.records(folder, input).run(control, workers: 1, state: folder.path + "/state")
        await reported
        func total(_ label: String, _ stage: String? = nil) throws -> Int64 {
            try factory.expectCounter(label, [("pipeline", "p")] + (stage.map { [("stage", $0)] } ?? [])).totalValue
        }
        #expect(try total("sluice_read") == 3 && total("sluice_written") == 1 && total("sluice_dead_letters") == 1)
        #expect(try total("sluice_stage_out", "source") == 2 && total("sluice_stage_filtered", "keep") == 1)
        #expect(try total("sluice_text_bytes") == 23)
    }
}
