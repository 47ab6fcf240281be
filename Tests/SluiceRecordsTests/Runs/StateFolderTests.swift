import Foundation
import Synchronization
import Testing

@testable import SluiceRecords

@Suite("State folder")
struct StateFolderTests {
    private static func inFolder(_ body: (String) throws -> Void) throws {
        let root = NSTemporaryDirectory() + "sluice-state-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        try body(root)
    }

    private static func append(_ text: String, to path: String, of set: OutputSet) throws {
        try Array(text.utf8).withUnsafeBufferPointer { try set.append($0, records: 1, to: path) }
    }

    private static func names(in folder: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: folder).sorted()
    }

    /// Creates what a run leaves that is killed after writing to these outputs.
    private static func kill(_ state: String, pipeline: String = "t", writing outputs: [String]) throws {
        let list = state + "/unfinished.jsonl"
        let folder = try StateFolder(state, pipeline: pipeline)
        let set = OutputSet(staging: folder.staging)
        for output in outputs { try append("x", to: output, of: set) }
        let lines = try Data(contentsOf: URL(filePath: list))
        // The outputs at the time of the kill: a regular end, and a rolled back one.
        let files = try outputs.map { try (folder.staging.path(of: $0), Data(contentsOf: URL(filePath: folder.staging.path(of: $0)))) }
        set.discard()
        folder.end()
        for (path, data) in files {
            try FileManager.default.createDirectory(atPath: OutputFolders.folder(of: path), withIntermediateDirectories: true)
            try data.write(to: URL(filePath: path))
        }
        try lines.write(to: URL(filePath: list))
    }

    @Test("the next run removes what a killed run left, with the folders it created, wherever it writes itself")
    func sweeps() throws {
        try Self.inFolder { root in
            try FileManager.default.createDirectory(atPath: root + "/out/there", withIntermediateDirectories: true)
            try Self.kill(root + "/state", writing: ["a", "h=1/b", "h=2/deep/c", "there/d"].map { root + "/out/" + $0 })
            try Data().write(to: URL(filePath: root + "/out/h=1/kept"))
            let left = try Self.names(in: root + "/out").filter { $0.hasSuffix(".part") }
            #expect(left.count == 4)
            let state = try StateFolder(root + "/state", pipeline: "t")
            #expect(try Self.names(in: root + "/out") == ["h=1", "h=1/kept", "there"])
            state.end()
            #expect(try Self.names(in: root + "/state") == [])
        }
    }

    @Test("files of other runs, other pipelines and other names are kept")
    func keeps() throws {
        try Self.inFolder { root in
            try Self.kill(root + "/state", pipeline: "other", writing: [root + "/out/other"])
            try Self.kill(root + "/elsewhere", writing: [root + "/out/elsewhere"])
            let others = try Self.names(in: root + "/out")
            #expect(others.count == 2)
            for name in [".sluice-x.part", ".sluice-0000000000000000-1.part", "kept"] { try Data().write(to: URL(filePath: "\(root)/out/\(name)")) }
            let living = try StateFolder(root + "/living", pipeline: "t")
            let set = OutputSet(staging: living.staging)
            try Self.append("x", to: root + "/out/living", of: set)
            try Self.kill(root + "/state", writing: [root + "/out/own"])
            try StateFolder(root + "/state", pipeline: "t").end()
            _ = try set.publish()
            living.end()
            #expect(try Self.names(in: root + "/out") == (others + [".sluice-0000000000000000-1.part", ".sluice-x.part", "kept", "living"]).sorted())
            try StateFolder(root + "/state", pipeline: "other").end()
            #expect(try Self.names(in: root + "/out").filter { $0.hasSuffix(".part") }.count == 3)
            #expect(try Self.names(in: root + "/state") == [])
        }
    }

    @Test("a copy of a state folder leaves the files of the other one, while that is there")
    func copies() throws {
        try Self.inFolder { root in
            try Self.kill(root + "/state", writing: [root + "/out/a"])
            try FileManager.default.copyItem(atPath: root + "/state", toPath: root + "/copy")
            try FileManager.default.copyItem(atPath: root + "/state", toPath: root + "/moved")
            try StateFolder(root + "/copy", pipeline: "t").end()
            #expect(try Self.names(in: root + "/out").count == 1)
            try FileManager.default.removeItem(atPath: root + "/state")
            try StateFolder(root + "/moved", pipeline: "t").end()
            #expect(!FileManager.default.fileExists(atPath: root + "/out"))
        }
    }

    @Test("records that were set aside are removed, too")
    func spill() throws {
        try Self.inFolder { root in
            try FileManager.default.createDirectory(atPath: root + "/spill", withIntermediateDirectories: true)
            for name in [SpillFile.name(input: 3, offset: 7), "kept"] { try Data().write(to: URL(filePath: root + "/spill/" + name)) }
            try StateFolder(root, pipeline: "t").end()
            #expect(try Self.names(in: root) == ["spill", "spill/kept"])
        }
    }

    @Test("one run at a time can use it; the next can once that has ended or died")
    func locks() throws {
        try Self.inFolder { root in
            let first = try StateFolder(root, pipeline: "t")
            for pipeline in ["t", "other"] {
                #expect(throws: RunError.busy(state: root, process: getpid())) { try StateFolder(root, pipeline: pipeline) }
            }
            first.end()
            first.end()
            let second = try StateFolder(root, pipeline: "t")
            second.end()
            // The remains of a killed run, truncated in the middle of a line.
            let list = "{\"pipeline\":\"t\",\"process\":\(getpid()),\"run\":\"1\"}\n{\"pipeline\":\"t\",\"fol"
            try Data(list.utf8).write(to: URL(filePath: root + "/unfinished.jsonl"))
            try StateFolder(root, pipeline: "t").end()
            #expect(try Self.names(in: root) == [])
        }
    }

    private final class Holders: Sendable {
        let count = Atomic(0)
    }

    @Test("concurrent runs have it one after the other")
    func storm() async throws {
        let root = NSTemporaryDirectory() + "sluice-state-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        let holders = Holders()
        let turns = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var turns = 0
                    for _ in 0..<50 {
                        guard let state = try? StateFolder(root, pipeline: "t") else { continue }
                        #expect(holders.count.add(1, ordering: .relaxed).newValue == 1)
                        holders.count.subtract(1, ordering: .relaxed)
                        state.end()
                        turns += 1
                    }
                    return turns
                }
            }
            return await group.reduce(0, +)
        }
        #expect(turns > 0)
    }

    @Test("a path that is a file, a link or a folder without permission is reported")
    func failures() throws {
        try Self.inFolder { root in
            try Data().write(to: URL(filePath: root + "/file"))
            #expect(throws: RunError.self) { try StateFolder(root + "/file", pipeline: "t") }
            try FileManager.default.createSymbolicLink(atPath: root + "/unfinished.jsonl", withDestinationPath: "file")
            #expect(throws: RunError.report(path: root + "/unfinished.jsonl", reason: "cannot be opened: Too many levels of symbolic links")) {
                try StateFolder(root, pipeline: "t")
            }
        }
    }

    @Test("outputs of an earlier run that can never be published keep the folder until they are discarded")
    func lost() throws {
        try Self.inFolder { root in
            let state = root + "/state"
            try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
            let moves = [Journal.Move(staged: root + "/out/.sluice-0-1.part", path: root + "/out/a")]
            let report = RunReport(
                pipeline: "t", definition: "", status: .complete, balanced: true, elapsedSeconds: 0, records: RunReport.Records(), inputs: [], stages: [],
                outputs: [], deadLetters: RunReport.DeadLetters(file: "dead", records: 0, byCode: [:]))
            try StateFile(Journal.name, in: state).write(Journal(folder: root, moves: moves, report: ReportText(report), reportFile: "", read: nil))
            let failure = PublishingFailure(
                error: .failed(path: root + "/out", reason: "cannot be opened: No such file or directory"), done: 0, of: 1, isLost: true)
            for _ in 0..<2 { #expect(throws: RunError.unpublishedBefore(failure)) { try StateFolder(state, pipeline: "t") } }
            #expect(RunError.unpublishedBefore(failure).description.hasSuffix("none of 1 file is in place; --restart discards the rest and starts over"))
            let folder = try StateFolder(state, pipeline: "t", restarts: true)
            #expect(folder.discarded == "the outputs of an earlier run that were not in place yet are lost: \(failure.text)")
            folder.end()
            #expect(try Self.names(in: state) == [])
        }
    }

    @Test("a damaged list of outputs to publish is said in one sentence, and can be discarded")
    func damagedJournal() throws {
        try Self.inFolder { root in
            for text in ["zzz\n", "{}\n", ""] {
                try text.write(toFile: "\(root)/\(Journal.name)", atomically: false, encoding: .utf8)
                let error = #expect(throws: RunError.self) { try StateFolder(root, pipeline: "t") }
                #expect(error?.description.contains("is damaged or from another version of sluice; --restart discards it") == true)
                let folder = try StateFolder(root, pipeline: "t", restarts: true)
                #expect(folder.discarded?.hasSuffix("publish.json is damaged or from another version of sluice") == true)
                folder.end()
                #expect(try Self.names(in: root) == [])
            }
        }
    }

    @Test("an output's hidden name is the same throughout a run, and differs for every name")
    func names() {
        let (staging, other) = (Staging(), Staging())
        #expect(staging.path(of: "out/a") == staging.path(of: "out/a"))
        #expect(Set(["out/a", "out/b", "out/\u{E9}", "out/e\u{301}", "a"].map { Array(staging.path(of: $0).utf8) }).count == 5)
        #expect(staging.path(of: "out/a") != other.path(of: "out/a"))
        #expect(staging.path(of: "/a").hasPrefix("/.sluice-") || staging.path(of: "/a").hasPrefix("//.sluice-"))
        #expect(Staging.isStaged(String(staging.path(of: "a").dropFirst(2)), by: staging.run))
        #expect(!Staging.isStaged(String(staging.path(of: "a").dropFirst(2)), by: other.run))
    }
}

extension StateFolder {
    /// A state folder for a pipeline that cannot be resumed.
    fileprivate convenience init(_ path: String, pipeline: String, restarts: Bool = false) throws(RunError) {
        let settings = RecordPipeline(
            name: pipeline, definition: "sha256:0", source: SourceSettings(MemorySource([:]), format: JSONL()), stages: [],
            sink: SinkSettings(MemorySink(PathTemplate("out"))), deadLetters: "dead")
        try self.init(path, settings, restarts: restarts, canResume: false)
    }
}
