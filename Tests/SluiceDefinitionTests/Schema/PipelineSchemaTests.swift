import Foundation
import SluiceRecords
import Testing

@testable import SluiceDefinition

@Suite("The schema of pipeline files")
struct PipelineSchemaTests {
    static let root = BadFilesTests.folder.appending(path: "../../..").standardizedFileURL
    private let check = SchemaCheck(root: PipelineSchema.schema)

    /// The runnable pipeline files of the project.
    static let good: [String] = {
        let manager = FileManager.default
        let ready = (try? manager.contentsOfDirectory(atPath: root.appending(path: "pipelines").path)) ?? []
        let cases = (try? manager.contentsOfDirectory(atPath: root.appending(path: "Tests/Cases").path)) ?? []
        let all = ready.map { "pipelines/\($0)" } + cases.map { "Tests/Cases/\($0)/pipeline.yaml" }
        return all.filter { $0.hasSuffix(".yaml") && manager.fileExists(atPath: root.appending(path: $0).path) }.sorted()
    }()

    /// The files of `Tests/Definitions/bad` whose only errors are outside the schema's reach: an
    /// expression, a field, a file on disk, a combination of values of two keys.
    static let wrongByMeaning: Set<String> = {
        let list = try? String(contentsOf: BadFilesTests.folder.appending(path: "../wrong-by-meaning.txt"), encoding: .utf8)
        return Set((list ?? "").split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init))
    }()

    @Test("accepts the pipeline files that can be run", arguments: good)
    func accepts(path: String) throws {
        let text = try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
        #expect(try check.faults(of: #require(root(of: text))) == [])
    }

    @Test("refuses those whose shape is wrong, and no others", arguments: BadFilesTests.names)
    func refuses(name: String) throws {
        let text = try String(contentsOf: BadFilesTests.folder.appending(path: "\(name).yaml"), encoding: .utf8)
        // A file that isn't YAML has no shape to check.
        guard let root = root(of: text) else { return }
        #expect(try check.faults(of: root).isEmpty == Self.wrongByMeaning.contains(name))
    }

    @Test("the list of exceptions names existing files")
    func listed() {
        #expect(!Self.wrongByMeaning.isEmpty)
        #expect(Self.wrongByMeaning.subtracting(BadFilesTests.names) == [])
        #expect(Self.good.count > 15)
    }

    @Test("accepts each declaration's own example")
    func examples() throws {
        for verb in Verbs.all.map({ $0.declaration }) { try accept("stages: [{\(verb.example)}]") }
        for key in FileKeys.stage { try accept("stages: [{\(FileKeys.verbs[0].example), \(key.example)}]") }
        for key in FileKeys.file where !["name", "source", "sink", "routes", "match"].contains(key.name) { try accept(key.example) }
        for format in Formats.all.map({ $0.declaration }) {
            let text = "name: x\nsource: {files: '-', \(format.example)}\nsink: {stdout: true}"
            #expect(try check.faults(of: #require(root(of: text))) == [], "\(format.example)")
        }
    }

    @Test("accepts a parameter wherever a value is allowed")
    func parameters() throws {
        try accept("limits: {memory: '${m}', dead_letters: '${d}'}")
        try accept("stages: [{keep: '${k}', name: 'x-${n}', workers: '${w}', timeout: '${t}', on_error: '${e}'}]")
        #expect(try faults("limits: {memory: 'x$${m}'}") != [])
    }

    @Test("is JSON, and equals the schema that is checked here")
    func isJSON() throws {
        let parsed = try JSONSerialization.jsonObject(with: Data(PipelineSchema.json().utf8))
        let members = try #require(parsed as? [String: Any])
        #expect(members["$schema"] as? String == "https://json-schema.org/draft/2020-12/schema")
        #expect(Set((members["properties"] as? [String: Any] ?? [:]).keys) == Set(FileKeys.file.map(\.name)))
        let stage = (members["$defs"] as? [String: Any])?["stage"] as? [String: Any]
        let keys = try #require(stage?["properties"] as? [String: Any])
        for verb in Verbs.names { #expect(keys[verb] != nil) }
    }

    private func accept(_ line: String) throws {
        #expect(try faults(line) == [], "\(line)")
    }

    private func faults(_ line: String) throws -> [String] {
        try check.faults(of: #require(root(of: "name: x\nsource: {files: '-', format: \(Formats.names[0])}\nsink: {stdout: true}\n\(line)\n")))
    }

    private func root(of text: String) -> YAMLNode? {
        let document = YAMLDocument(SourceText(text))
        return document.diagnostics.contains { $0.severity == .error } ? nil : document.root
    }
}
