import Foundation
import Sluice
import SluiceCEL
import SluiceRecords
import Testing

/// The code for records in docs/library.md, so that it compiles; the test below checks that the two
/// are the same.
enum RecordsPage {
    // Names that the page assumes to be declared.
    struct Model: Sendable {
        func score(_ path: String) async throws -> Double { Double(path.count) }
    }

    static func first(_ model: Model) async throws {
        let report = try await Records.reading(archives: ["logs/*.log.gz"], format: .combined)
            .keep("status >= 500")
            .set(["section": "path.split('/')[1]"])
            .update("score", concurrency: 4, timeout: .seconds(5), retry: .times(2)) { record in
                record["score"] = .double(try await model.score(record["path"]?.string ?? ""))
            }
            .select(["time", "status", "section", "score"])
            .writing(to: "out/date={string(time).substring(0, 10)}/errors.jsonl.gz")
            .run()
        print(report)
    }

    static func routes(_ logFolder: String, _ out: String, state: String) async throws -> RunReport {
        let logs = Records.reading(archives: ["\(logFolder)/*.log.gz"], format: .combined, onlyNew: true)
        let routed = logs.routes(
            RecordRoute("errors", when: "status >= 500") {
                $0.remove(["agent"]).writing(to: "\(out)/errors.jsonl.gz", part: PartLimit(bytes: 256 << 20))
            },
            RecordRoute("rest") {
                $0.summarize(["requests": "count()", "bytes": "sum(record.?bytes)"], by: ["path": "path"], order: .key)
                    .writing(to: .file("\(out)/paths.csv.gz"), .database("\(out)/paths.db", table: "paths"))
            })
        guard state.isEmpty else { return try await routed.run(state: state) }
        let routedReport = try await routed.run()
        print(routedReport.inputs.isEmpty ? "no file is new" : "\(routedReport)")
        return routedReport
    }

    static func errors(_ records: Records) async {
        do {
            try await records.run(state: "state")
        } catch .invalid(let problems) {
            for problem in problems { print(problem) }
        } catch {
            print("nothing was published: \(error)")
        }
    }

    static func control(_ records: Records) async throws {
        let control = RecordControl()
        async let report = records.run(control)
        print(control.progress.records)  // read and accounted for, at any time
        control.drain()  // read no more; finish what was read; publish nothing
        _ = try await report
    }
}

@Suite("The library's page on records")
struct RecordsPageTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardizedFileURL

    @Test func `shows only code that compiles here`() throws {
        let page = try String(contentsOf: Self.root.appending(path: "docs/library.md"), encoding: .utf8)
        let section = try #require(page.components(separatedBy: "## Archives of records").last)
        let compiled = Set(try String(contentsOf: URL(filePath: #filePath), encoding: .utf8).split(separator: "\n").map(squeezed))
        let blocks = section.components(separatedBy: "```swift\n").dropFirst().compactMap { $0.components(separatedBy: "```").first }
        #expect(blocks.count == 4)
        for line in blocks.flatMap({ $0.split(separator: "\n") }) {
            #expect(compiled.contains(squeezed(line)), "not compiled: \(line)")
        }
    }

    @Test func `shows routes that run`() async throws {
        let folder = NSTemporaryDirectory() + "sluice-page-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let logs = Self.root.appending(path: "sampledata/access").path
        let report = try await RecordsPage.routes(logs, folder, state: folder + "/state")
        #expect(report.balanced)
        #expect(report.outputs.map { $0.file.dropFirst(folder.count + 1) } == ["errors-00001.jsonl.gz", "paths.csv.gz", "paths.db"])
        #expect(report.outputs.compactMap(\.table) == ["paths"])
        #expect(try await RecordsPage.routes(logs, folder, state: folder + "/state").inputs.isEmpty)
    }

    /// Removes indentation and collapses runs of spaces.
    private func squeezed(_ line: Substring) -> String { line.split(separator: " ").joined(separator: " ") }

    @Test func `shows definitions that are valid, apart from the files`() async throws {
        await #expect(throws: RecordsError.self) { try await RecordsPage.first(RecordsPage.Model()) }
        let problems = Records.reading(archives: ["logs/*.log.gz"], format: .combined).forEach { _ in }
        await RecordsPage.errors(problems)
        await #expect(throws: RecordsError.self) { try await RecordsPage.control(problems) }
    }
}
