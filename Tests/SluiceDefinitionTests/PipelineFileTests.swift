import Foundation
import SluiceCEL
import Sluice
import SluiceRecords
import Testing
import WorkerPools

@testable import SluiceDefinition

@Suite("Pipeline files")
struct PipelineFileTests {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL
    static let ready: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: root.appending(path: "pipelines").path)) ?? []
        return files.filter { $0.hasSuffix(".yaml") }.sorted()
    }()

    static let small = """
        name: small
        source: {files: '-', format: jsonl}
        stages:
          - keep: a > 1
        sink: {stdout: true}
        """

    @Test("the provided ones can be run", arguments: ready)
    func areReady(name: String) throws {
        let path = Self.root.appending(path: "pipelines/\(name)").path
        let checked = try PipelineFile(readingFrom: path).check(setting: Self.absoluteInputs(of: name))
        #expect(checked.rendered() == "")
        #expect(checked.pipeline?.name == String(name.dropLast(5)))
    }

    /// The pipeline files name their inputs relative to the project folder.
    private static func absoluteInputs(of name: String) -> [String: String] {
        let text = (try? String(contentsOf: root.appending(path: "pipelines/\(name)"), encoding: .utf8)) ?? ""
        let inputs = text.matches(of: #/\n  (?<parameter>\w+): (?<path>sampledata/\S+)/#).map {
            (String($0.output.parameter), root.appending(path: String($0.output.path)).path)
        }
        return Dictionary(uniqueKeysWithValues: inputs)
    }

    @Test("options of stages arrive, with defaults for missing ones")
    func options() throws {
        let pipeline = try pipeline(
            """
            name: options
            source: {files: '-', format: jsonl, on_damage: fail, max_record: 1MiB}
            stages:
              - {name: first, keep: a > 1, workers: 3, queue: 7, timeout: 5s, retry: {times: 2, backoff: 10ms, max_backoff: 1s}, on_error: drop}
              - {drop: a > 2, workers: {max: 4}}
            sink: {file: out/x.log.gz, level: fast, order: any}
            limits: {dead_letters: 2%, memory: 64MiB}
            """)
        #expect(pipeline.source.onDamage == .fail)
        #expect(pipeline.source.maxRecord == 1 << 20)
        let first = pipeline.stages[0]
        #expect(first.name == "first")
        #expect(first.onError == .drop)
        #expect(first.pool.workers == 3...3)
        #expect(first.pool.queue == 7)
        #expect(first.pool.timeout == .seconds(5))
        #expect(first.pool.retry?.times == 2)
        #expect(first.pool.retry?.backoff == .milliseconds(10))
        #expect(first.pool.retry?.maxBackoff == .seconds(1))
        let second = pipeline.stages[1]
        #expect(second.name == "drop")
        #expect(second.onError == .deadLetter)
        #expect(second.pool.workers == 1...4)
        #expect(second.pool.timeout == nil)
        #expect(pipeline.sinks[0].format is Lines)
        #expect(pipeline.sinks[0].sink.compression == .fast)
        #expect(pipeline.sinks[0].order == .any)
        #expect(pipeline.limits.deadLetters == .share(0.02))
        #expect(pipeline.limits.memory == 64 << 20)
        #expect(pipeline.deadLetters == ".sluice/options/dead-letter.jsonl.gz")
    }

    @Test("stages without a name are called by their verb, numbered from the second on")
    func names() throws {
        let pipeline = try pipeline(
            """
            name: names
            source: {files: '-', format: jsonl}
            stages: [{keep: a > 1}, {keep: a > 2}, {name: keep-3, drop: a > 3}, {keep: a > 4}]
            sink: {stdout: true}
            """)
        #expect(pipeline.stages.map(\.name) == ["keep", "keep-2", "keep-3", "keep-4"])
    }

    @Test("dead letters go to the state folder, unless the file gives them a place")
    func stateFolder() {
        let file = PipelineFile(path: "small.yaml", text: Self.small)
        #expect(file.check(state: "/var/state").pipeline?.deadLetters == "/var/state/dead-letter.jsonl.gz")
    }

    @Test("a path is split at its expressions, with their braces and quotes")
    func pathPieces() throws {
        let pipeline = try pipeline(Self.small.replacing("stdout: true", with: "file: \"out/{ {'a': '}'}['a'] }-{string(b)}/x.jsonl\""))
        let shown = pipeline.sinks[0].sink.path.pieces.map { piece in
            switch piece {
            case .text(let text): text
            case .value(let program): "{\(program.text)}"
            }
        }
        #expect(shown == ["out/", "{ {'a': '}'}['a'] }", "-", "{string(b)}", "/x.jsonl"])
    }

    @Test("a missing file and a file that is not text are reported")
    func unreadable() {
        #expect(throws: UnreadablePipelineFile(path: "no/such.yaml", reason: .missing)) { try PipelineFile(readingFrom: "no/such.yaml") }
        let archive = Self.root.appending(path: "sampledata/access/2026-03-01.log.gz").path
        #expect(throws: UnreadablePipelineFile(path: archive, reason: .notUTF8)) { try PipelineFile(readingFrom: archive) }
    }

    @Test("matches of a pattern that are not files are named in a warning, and the rest is read")
    func passedOver() throws {
        let folder = NSTemporaryDirectory() + "sluice-passed-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data("{}\n".utf8).write(to: URL(filePath: folder + "/a.jsonl"))
        #expect(mkfifo(folder + "/b.jsonl", 0o600) == 0)
        let checked = PipelineFile(path: "x.yaml", text: Self.small.replacing("'-'", with: "'\(folder)/*.jsonl'")).check()
        #expect(checked.errorCount == 0)
        #expect(checked.pipeline?.source.inputs.map(\.path) == [folder + "/a.jsonl"])
        #expect(checked.diagnostics.map(\.severity) == [.warning])
        #expect(checked.rendered().contains("\(folder)/b.jsonl is a named pipe"))
    }

    @Test("colors are for terminals only")
    func colours() {
        let checked = PipelineFile(path: "x.yaml", text: Self.small.replacing("keep", with: "kep")).check()
        #expect(!checked.rendered().contains("\u{1B}"))
        #expect(checked.rendered(colored: true).contains("\u{1B}[31m^~~\u{1B}[0m"))
    }

    private func pipeline(_ text: String) throws -> RecordPipeline {
        let checked = PipelineFile(path: "test.yaml", text: text).check()
        #expect(checked.rendered() == "")
        return try #require(checked.pipeline)
    }
}

@Suite("The digest of a definition")
struct DefinitionDigestTests {
    static let file = """
        name: digest
        params: {least: 1}
        source: {files: '-', format: jsonl}
        stages:
          - set: {b: a, c: b}
          - keep: a > ${least}
        sink: {stdout: true}
        """

    static let same: [(String, String, String)] = [
        ("comments", "name: digest", "# more\nname: digest  # so"), ("layout", "{stdout: true}", "\n  stdout: true"), ("quotes", "jsonl", "'jsonl'"),
        ("the order of keys", "files: '-', format: jsonl", "format: jsonl, files: '-'"),
        ("the description", "name: digest", "name: digest\ndescription: x"),
        ("the tests", "name: digest", "name: digest\ntests: [{name: x, input: [], output: []}]"),
    ]

    static let other: [(String, String, String)] = [
        ("a value", "a > ", "a >= "), ("a default", "least: 1", "least: 2"), ("the order of assignments", "{b: a, c: b}", "{c: b, b: a}"),
        ("the order of stages", "- set: {b: a, c: b}\n  - keep: a > ${least}", "- keep: a > ${least}\n  - set: {b: a, c: b}"),
        ("a key", "stdout: true", "stdout: true, order: any"),
    ]

    @Test("is independent of", arguments: same)
    func staysTheSame(what: String, old: String, new: String) {
        #expect(digest(Self.file.replacing(old, with: new)) == digest(Self.file))
    }

    @Test("changes with", arguments: other)
    func changes(what: String, old: String, new: String) {
        #expect(digest(Self.file.replacing(old, with: new)) != digest(Self.file))
    }

    @Test("depends on the values of --set, not on the defaults")
    func settings() {
        let changed = digest(Self.file.replacing("least: 1", with: "least: 2"))
        #expect(digest(Self.file, ["least": "2"]) == changed)
        #expect(digest(Self.file)?.hasPrefix("sha256:") == true)
        #expect(digest(Self.file)?.utf8.count == 7 + 64)
    }

    private func digest(_ text: String, _ settings: [String: String] = [:]) -> String? {
        PipelineFile(path: "digest.yaml", text: text).check(setting: settings).pipeline?.definition
    }
}
