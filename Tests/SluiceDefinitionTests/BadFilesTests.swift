import Foundation
import SluiceRecords
import Testing

@testable import SluiceDefinition

@Suite("Bad pipeline files")
struct BadFilesTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Definitions/bad").standardizedFileURL
    static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
    }()

    /// The expected output is next to each file; `SLUICE_WRITE_EXPECTED=1` regenerates it. Review
    /// the result before committing it.
    @Test("each gets the messages of the file next to it", arguments: names)
    func getsMessages(name: String) throws {
        let text = try String(contentsOf: Self.folder.appending(path: "\(name).yaml"), encoding: .utf8)
        let checked = PipelineFile(path: "\(name).yaml", text: text).check(setting: Self.settings(in: text))
        let expected = Self.folder.appending(path: "\(name).txt")
        if ProcessInfo.processInfo.environment["SLUICE_WRITE_EXPECTED"] != nil {
            try checked.rendered().write(to: expected, atomically: true, encoding: .utf8)
        }
        #expect(checked.rendered() == (try String(contentsOf: expected, encoding: .utf8)))
        #expect(!checked.diagnostics.isEmpty)
    }

    @Test("covers more than thirty kinds")
    func areMany() {
        #expect(Self.names.count > 30)
    }

    /// A first line `# --set a=1 b=2` sets parameters.
    private static func settings(in text: String) -> [String: String] {
        guard let line = text.split(separator: "\n").first, line.hasPrefix("# --set ") else { return [:] }
        let pairs = line.dropFirst(8).split(separator: " ").map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
        return Dictionary(uniqueKeysWithValues: pairs.map { ($0[0], $0[1]) })
    }
}
