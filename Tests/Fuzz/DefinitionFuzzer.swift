import Foundation
import SluiceRecords

@testable import SluiceDefinition

/// Checks text as a pipeline file, and renders what is found.
struct DefinitionFuzzer: Fuzzer {
    static let name = "definition"

    init() {
        let folder = NSTemporaryDirectory() + "sluice-fuzz-\(ProcessInfo.processInfo.processIdentifier)"
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        require(FileManager.default.changeCurrentDirectoryPath(folder), "no folder to work in")
    }

    /// The pipeline files of the project.
    var seeds: [[UInt8]] {
        let root = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL
        return ["pipelines", "Tests/Definitions/bad"].flatMap { folder -> [[UInt8]] in
            let names = (try? FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path)) ?? []
            return names.filter { $0.hasSuffix(".yaml") }.compactMap { try? [UInt8](Data(contentsOf: root.appending(path: "\(folder)/\($0)"))) }
        }
    }

    func run(_ bytes: [UInt8]) {
        // Patterns would walk through the file system.
        guard let text = String(validating: bytes, as: UTF8.self), !text.contains("/*"), !text.contains("**"), !text.contains("..") else { return }
        let checked = PipelineFile(path: "fuzz.yaml", text: text).check(mayLackInputs: true)
        for diagnostic in checked.diagnostics { require(!diagnostic.message.isEmpty, "a diagnostic without a message") }
    }
}
