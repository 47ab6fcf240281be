import Foundation
import SluiceCEL
import Testing

@testable import SluiceRecords

@Suite("Archives of files from Swift")
struct ArchivesOfFilesTests {
    @Test("the files in an archive are read one by one, and closures see their names")
    func unpacking() async throws {
        let folder = NSTemporaryDirectory() + "sluice-archives-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let archive = TarSample.file("1.csv", "a,b\n1,2\n") + TarSample.entry("d/", [], type: "5") + TarSample.file("2.csv", "b,a\n3,4\n") + TarSample.end
        try Data(archive).write(to: URL(filePath: folder + "/x.tar"))
        let records = Records.reading(archives: [folder + "/x.tar"], format: .csv(), unpacking: .tar)
            .update("name") { record in
                record["from"] = .string("\(record.source?.file.split(separator: "/").suffix(2).joined(separator: "/") ?? ""):\(record.source?.line ?? 0)")
            }
            .select(["a", "from"]).writing(to: folder + "/out.jsonl").deadLetters(to: folder + "/dead.jsonl")
        let report = try await records.run(workers: 2, state: folder + "/state")
        #expect(
            try String(contentsOfFile: folder + "/out.jsonl", encoding: .utf8)
                == "{\"a\":\"1\",\"from\":\"x.tar/1.csv:2\"}\n{\"a\":\"4\",\"from\":\"x.tar/2.csv:2\"}\n")
        #expect(report.status == .complete && report.inputs[0].archive?.files == 2 && report.inputs[0].archive?.skipped == ["folders": 1])
        #expect(throws: RecordsError.self) {
            try Records.reading(archives: [folder + "/none.tar"], format: .csv(), unpacking: .tar).writing(to: folder + "/out.jsonl").check()
        }
    }
}
