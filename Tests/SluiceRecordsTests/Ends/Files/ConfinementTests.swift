import Foundation
import Testing

@testable import SluiceRecords

@Suite("Confinement of outputs")
struct ConfinementTests {
    @Test("an output stays in its folder, whenever that is created", arguments: 0..<12)
    func createdMeanwhile(call: Int) throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("sluice-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        // The folders are created one by one, from the given look at the file system on.
        var toCreate = ["/out", "/out/a", "/out/a/day", "/out/a/day/hour"]
        var calls = 0
        let isConfined = try FileSink.isConfined(root + "/out/a/day/hour/x.jsonl", to: root + "/out/a") { path throws(InputError) in
            if calls >= call, !toCreate.isEmpty { mkdir(root + toCreate.removeFirst(), 0o777) }
            calls += 1
            return try FileIdentity(path)
        }
        #expect(isConfined)
    }

    @Test("a link out of the folder is noticed, whenever the folder is created", arguments: 0..<8)
    func linkedMeanwhile(call: Int) throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("sluice-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        try FileManager.default.createDirectory(atPath: root + "/elsewhere/day", withIntermediateDirectories: true)
        symlink(root + "/elsewhere", root + "/link")
        var calls = 0
        let isConfined = try FileSink.isConfined(root + "/link/day/x.jsonl", to: root + "/out") { path throws(InputError) in
            if calls == call { mkdir(root + "/out", 0o777) }
            calls += 1
            return try FileIdentity(path)
        }
        #expect(!isConfined)
    }
}
