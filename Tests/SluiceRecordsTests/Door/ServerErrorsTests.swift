import Foundation
import SluiceRecords
import Testing

@testable import server_errors

@Suite("The example over archives")
struct ServerErrorsTests {
    @Test func `writes each day's errors with their owners, though the registry is busy now and then`() async throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardizedFileURL
        let folder = NSTemporaryDirectory() + "server-errors-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let archives = [root.appending(path: "sampledata/access/*.log.gz").path]
        let report = try await ServerErrors.records(in: archives, asking: Registry(), to: folder).run(state: folder + "/state")
        #expect(report.balanced)
        #expect(report.records.written == 75)
        #expect(report.deadLetters.byCode == ["parse.combined": 2])
        #expect(report.outputs.map(\.file).allSatisfy { $0.hasSuffix("/errors.jsonl.gz") })
        #expect(report.stages.first { $0.name == "owner" }.map { $0.retries > 0 } == true)
    }
}
