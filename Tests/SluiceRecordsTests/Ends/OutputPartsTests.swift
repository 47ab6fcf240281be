import Foundation
import Sluice
import SluiceCEL
import Synchronization
import Testing

@testable import SluiceRecords

@Suite("Outputs divided into files")
struct OutputPartsTests {
    @Test(
        "the number goes before the extensions",
        arguments: [
            ("a.jsonl.gz", 1, "a-00001.jsonl.gz"), ("out/a.jsonl", 12, "out/a-00012.jsonl"), ("out.d/a", 3, "out.d/a-00003"),
            ("a.2025.csv.zst", 99_999, "a.2025-99999.csv.zst"), ("a.csv", 100_000, "a-100000.csv"), (".hidden", 1, ".hidden-00001"),
            ("x/.gz", 1, "x/.gz-00001"), ("a.gz", 1, "a-00001.gz"), ("é.d/ü.log", 2, "é.d/ü-00002.log"),
        ])
    func names(output: String, part: Int, path: String) {
        #expect(PartLimit.path(of: output, part: part) == path)
    }

    @Test("the output of a part is found by its name, and what is no part has none")
    func outputs() {
        for output in ["a.jsonl.gz", "out/a.jsonl", "out.d/a", "a-00001.csv", ".hidden", "x/.gz", "é.d/ü.log", "a.2025.csv.zst"] {
            for part in [1, 99_999, 100_000] { #expect(PartLimit.split(PartLimit.path(of: output, part: part))?.output == output) }
        }
        for other in ["a.jsonl", "a-1.jsonl", "a-0001.jsonl", "a-0000x.jsonl", "a-00001-b.jsonl", "00001.jsonl", "out-00001/a.jsonl", ""] {
            #expect(PartLimit.split(other) == nil, "\(other)")
        }
    }

    @Test("the parts of all tasks have numbers with as many digits", arguments: [(1, 5), (99_999, 5), (100_000, 6), (1_000_000, 7)])
    func widths(tasks: Int, digits: Int) {
        let paths = [0, 9, tasks / 2, tasks - 1].compactMap { TaskParts.path(of: "out/a.jsonl.gz", from: $0, of: tasks) }
        #expect(paths.allSatisfy { $0.utf8.count == "out/a-.jsonl.gz".utf8.count + digits }, "\(paths)")
        #expect(paths[0] == "out/a-\(String(repeating: "0", count: digits - 1))1.jsonl.gz")
        #expect(paths[3] == "out/a-\(String(repeating: "0", count: digits - String(tasks).count))\(tasks).jsonl.gz")
    }

    @Test("a task's number comes before that of its part of limited size, and such names are known again")
    func limited() {
        for output in ["a.jsonl.gz", "out/a.jsonl", "out.d/a", "a-00001.csv", "a-00001-0001.csv", ".hidden", "x/.gz", "é.d/ü.log"] {
            for (place, tasks) in [(0, 1), (16, 400), (99_999, 100_000)] {
                for part in [1, 17, 9_999, 10_000] {
                    let own = TaskParts.path(of: output, part: part)
                    let path = TaskParts.path(of: own, from: place, of: tasks, areLimited: true)
                    #expect(path.map { TaskParts.isPart($0, of: output, from: tasks, areLimited: true) } == true, "\(own), \(path ?? "none")")
                    #expect(path.map { TaskParts.isPart($0, of: output + "x", from: tasks, areLimited: true) } == false)
                    #expect(path.map { TaskParts.isPart($0, of: output, from: place, areLimited: true) } == false, "no such task")
                }
            }
        }
        #expect(TaskParts.path(of: "out/a-0003.jsonl.gz", from: 16, of: 400, areLimited: true) == "out/a-00017-0003.jsonl.gz")
        #expect(TaskParts.path(of: "out/a-10000.jsonl", from: 0, of: 1_000_000, areLimited: true) == "out/a-0000001-10000.jsonl")
        #expect(TaskParts.path(of: "out/a.jsonl.gz", from: 16, of: 400, areLimited: true) == nil)
        for other in ["out/a-00001.jsonl", "out/a-1-0001.jsonl", "out/a-00000-0001.jsonl", "out/a-00001-001.jsonl", "a-00001-0001.jsonl"] {
            #expect(!TaskParts.isPart(other, of: "out/a.jsonl", from: 400, areLimited: true), "\(other)")
        }
        #expect(TaskParts.isPart("out/a-00400.jsonl", of: "out/a.jsonl", from: 400, areLimited: false))
        #expect(!TaskParts.isPart("out/a-00401.jsonl", of: "out/a.jsonl", from: 400, areLimited: false))
    }

    @Test("no two outputs have a file of the same name")
    func unique() {
        let outputs = ["a", "a-1", "a-00001", "a-00001-00002", "a.b", "a-00001.b", "a.b.gz", "a-00001.b.gz", ".b", "-00001.b", "a.gz", "a-00001.gz"]
        let paths = outputs.flatMap { output in [1, 2, 99_999, 100_000, 100_001].map { PartLimit.path(of: output, part: $0) } }
        #expect(Swift.Set(paths).count == paths.count)
    }

    /// Divides lines as the documentation says.
    private static func model(_ lines: [String], _ limit: PartLimit, head: String = "") -> [String] {
        var parts: [[String]] = [[]]
        var bytes = head.utf8.count
        for line in lines {
            let count = parts[parts.count - 1].count
            if count > 0, count >= limit.records ?? .max || bytes + line.utf8.count > limit.bytes ?? .max {
                parts.append([])
                bytes = head.utf8.count
            }
            parts[parts.count - 1].append(line)
            bytes += line.utf8.count
        }
        return parts.map { head + $0.joined() }
    }

    private static func run(
        _ folder: RunFolder, _ inputs: [InputFile], _ name: String, _ limit: PartLimit, as format: any WritableFormat = JSONL(), workers: Int,
        order: SinkSettings.Order = .input
    ) async throws -> RunReport {
        let pieces: [PathTemplate.Piece] = [.text(folder.path + "/out/")] + (name.hasPrefix("{k}") ? [.value(try CellProgram("k")), .text("/")] : [])
        let sink = FileSink(
            PathTemplate(pieces: pieces + [.text(String(name.split(separator: "/").last ?? ""))]), compression: FileName(name).codec == nil ? nil : .standard,
            codec: FileName(name).codec ?? .gzip, part: limit)
        let pipeline = RecordPipeline(
            name: "test", definition: "sha256:0", source: SourceSettings(FileSource(inputs), format: JSONL()), stages: [],
            sink: SinkSettings(sink, format: format, order: order), deadLetters: folder.path + "/dead.jsonl")
        let report = try await RecordRun(pipeline, options: RunOptions(workers: workers, state: folder.path + "/state")).run()
        #expect(report.status == .complete, "\(report.error ?? "")")
        #expect(try Audit(report).findings.filter { !$0.holds } == [])
        return report
    }

    private static func outputs(_ folder: RunFolder) throws -> [String: Data] {
        var files: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder.path + "/out") where name.contains(".") {
            files[name] = try Data(contentsOf: URL(filePath: "\(folder.path)/out/\(name)"))
        }
        try FileManager.default.removeItem(atPath: folder.path + "/out")
        return files
    }

    private static func text(_ bytes: Data, _ name: String) throws -> String {
        try ReadAll([UInt8](bytes), framing: .lines, name: name).texts.map { $0 + "\n" }.joined()
    }

    @Test("every file holds what the limit allows, and no less; with any number of workers the same bytes", arguments: 1...6 as ClosedRange<UInt64>)
    func divides(seed: UInt64) async throws {
        var random = Seeded(seed)
        let folder = try RunFolder()
        defer { folder.remove() }
        // Several batches, and records from one that is larger than the limit down to the least.
        let longest = [100, 300, 5000][Int(seed % 3)]
        let lines = (0..<(2_600_000 / (longest + 50))).map { n in
            "{\"n\":\(n),\"k\":\"\(n % 3)\",\"t\":\"\(String(repeating: "x", count: Int.random(in: 0...longest, using: &random)))\"}\n"
        }
        let half = lines.count / 2
        let inputs = [
            try folder.write(lines[..<half].joined().utf8, to: "a.jsonl"), try folder.write(lines[half...].joined().utf8, to: "b.jsonl"),
        ]
        let limit = [PartLimit(bytes: 700_000), PartLimit(records: 1_234), PartLimit(bytes: 300_000, records: 2_000)][Int(seed % 3)]
        let name = ["all.jsonl.gz", "all.jsonl", "{k}/all.jsonl.zst"][Int((seed / 3 + seed) % 3)]
        _ = try await Self.run(folder, inputs, name, limit, workers: 1)
        let one = try Self.outputs(folder)
        _ = try await Self.run(folder, inputs, name, limit, workers: 5, order: .any)
        #expect(try Self.outputs(folder) == one)
        var expected: [String: String] = [:]
        for k in name.hasPrefix("{k}") ? ["0", "1", "2"] : [""] {
            let own = k.isEmpty ? lines : lines.filter { $0.contains("\"k\":\"\(k)\"") }
            for (index, text) in Self.model(own, limit).enumerated() {
                let file = PartLimit.path(of: String(name.split(separator: "/").last ?? ""), part: index + 1)
                expected[k.isEmpty ? file : "\(k)/\(file)"] = text
            }
        }
        #expect(expected.count > 1)
        #expect(Swift.Set(one.keys) == Swift.Set(expected.keys))
        for (file, text) in expected { #expect(try one[file].map { try Self.text($0, file) } == text, "\(file)") }
    }

    @Test("each file has the header, and the header counts")
    func headers() async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        let input = try folder.write((0..<10).map { "{\"a\":\($0),\"b\":\"x\"}\n" }.joined().utf8, to: "in.jsonl")
        _ = try await Self.run(folder, [input], "all.csv", PartLimit(bytes: 12), as: CSV(), workers: 2)
        let files = try Self.outputs(folder)
        let expected = Self.model((0..<10).map { "\($0),x\n" }, PartLimit(bytes: 12), head: "a,b\n")
        #expect(expected.count == 5)
        for (index, text) in expected.enumerated() {
            #expect(files[PartLimit.path(of: "all.csv", part: index + 1)] == Data(text.utf8))
        }
        #expect(files.count == 5)
    }

    @Test("an output without records is one empty file")
    func empty() async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        let report = try await Self.run(folder, [try folder.write([], to: "in.jsonl")], "all.jsonl", PartLimit(records: 5), workers: 2)
        #expect(report.outputs.map(\.file) == [folder.path + "/out/all-00001.jsonl"])
        #expect(try Self.outputs(folder) == ["all-00001.jsonl": Data()])
    }

    @Test("the run fails, and publishes nothing, if a later file would be an input")
    func input() async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        try FileManager.default.createDirectory(atPath: folder.path + "/out", withIntermediateDirectories: true)
        let text = (0..<10).map { "{\"a\":\($0)}\n" }.joined()
        let input = try folder.write(text.utf8, to: "out/all-00003.jsonl")
        let sink = FileSink(PathTemplate(folder.path + "/out/all.jsonl"), part: PartLimit(records: 2))
        let pipeline = RecordPipeline(
            name: "test", definition: "sha256:0", source: SourceSettings(FileSource([input]), format: JSONL()), stages: [],
            sink: SinkSettings(sink), deadLetters: folder.path + "/dead.jsonl")
        let report = try await RecordRun(pipeline, options: RunOptions(workers: 2, state: folder.path + "/state")).run()
        #expect(report.status == .failed)
        #expect(report.error?.contains("also an input") == true)
        #expect(try Self.outputs(folder) == ["all-00003.jsonl": Data(text.utf8)])
        // The first file is known before anything is read.
        let first = FileSink(PathTemplate(folder.path + "/out/all.jsonl"), part: PartLimit(records: 2))
        let other = try folder.write(text.utf8, to: "all-00001.jsonl")
        let files = try RunFiles(
            RecordPipeline(
                name: "test", definition: "sha256:0", source: SourceSettings(FileSource([other]), format: JSONL()), stages: [],
                sink: SinkSettings(FileSink(PathTemplate(folder.path + "/all.jsonl"), part: first.part)), deadLetters: folder.path + "/dead.jsonl"),
            state: folder.path + "/state")
        #expect(try files.conflict()?.message.contains("also an input") == true)
    }

    @Test("says which files of an earlier run are left behind its last one")
    func leftovers() async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        try FileManager.default.createDirectory(atPath: folder.path + "/out", withIntermediateDirectories: true)
        try folder.write("old".utf8, to: "out/all-00003.jsonl")
        let input = try folder.write("{\"a\":1}\n{\"a\":2}\n".utf8, to: "in.jsonl")
        let sink = FileSink(PathTemplate(folder.path + "/out/all.jsonl"), part: PartLimit(records: 1))
        let pipeline = RecordPipeline(
            name: "test", definition: "sha256:0", source: SourceSettings(FileSource([input]), format: JSONL()), stages: [],
            sink: SinkSettings(sink), deadLetters: folder.path + "/dead.jsonl")
        let notices = Locked<[String]>([])
        var options = RunOptions(workers: 1, state: folder.path + "/state")
        options.notice = { notice in notices.withLock { $0.append(notice) } }
        #expect(try await RecordRun(pipeline, options: options).run().status == .complete)
        #expect(notices.withLock { $0 }.filter { $0.contains("all-00003.jsonl") }.count == 1)
    }
}
