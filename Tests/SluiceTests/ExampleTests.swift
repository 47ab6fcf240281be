import Foundation
import Testing
import Sluice

@testable import upload_files

@Suite("The example")
struct ExampleTests {
    @Test("uploads every file but those that the server refuses, though the server fails and hangs")
    func upload() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("upload-files-\(UUID().uuidString)")
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
        try FileManager.default.createDirectory(at: folder.appendingPathComponent("inner"), withIntermediateDirectories: true)
        for number in 0..<60 {
            let name = number == 31 ? String(repeating: "long", count: 20) : "inner/file \(number)"
            try Data("contents \(number)".utf8).write(to: folder.appendingPathComponent(name))
        }
        let server = FlakyServer()
        let lost = Log<String>()
        let report = try await UploadFiles.upload(UploadFiles.files(in: folder.path), to: server, timeout: .seconds(5)) { letter in
            lost.add("\(letter.element) \(letter.stage) \(letter.attempts)")
        }
        #expect(lost.all == [String(repeating: "long", count: 20) + " upload 4"])
        #expect(await server.stored.count == 59)
        #expect(report.status == .losses && report.balanced)
        #expect(report.written == 59 && report.dead == 1)
        #expect(report.stages.map(\.name) == ["hash", "new", "upload"])
        #expect((report.stages.last?.retries ?? 0) > 3)
    }
}
