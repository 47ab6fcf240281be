import Foundation
import Testing

@testable import SluiceRecords

/// Links below the folder that the definition names, which appear at any moment: after the check of
/// a name, after its file was created, before it is published, before a killed run is swept.
@Suite("Confinement of outputs")
struct ConfinementTests {
    /// A folder `out`, and a folder `elsewhere` that nothing may be written to.
    private struct Place {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("sluice-\(UUID().uuidString)").path
        var out: String { root + "/out" }

        init() throws {
            for folder in ["/out", "/elsewhere/deep"] {
                try FileManager.default.createDirectory(atPath: root + folder, withIntermediateDirectories: true)
            }
        }

        func remove() { try? FileManager.default.removeItem(atPath: root) }

        /// Puts a link in the place of a folder.
        func replace(_ name: String) {
            rename("\(out)/\(name)", "\(out)/\(name).moved")
            #expect(symlink(root + "/elsewhere", "\(out)/\(name)") == 0)
        }

        func set(_ staging: Staging = Staging()) -> OutputSet { OutputSet(mostOpen: 1, staging: staging, within: out) }

        /// The names outside of `out`, hidden or not.
        var elsewhere: [String] {
            get throws { try FileManager.default.subpathsOfDirectory(atPath: root + "/elsewhere").sorted() }
        }
    }

    private static func append(_ text: String, to path: String, of set: OutputSet) throws {
        try Array(text.utf8).withUnsafeBufferPointer { try set.append($0, records: 1, to: path) }
    }

    private static func error(_ path: String, in place: Place, link: String) -> OutputError {
        .failed(path: path, reason: "'\(place.out)/\(link)' is a link, and links below '\(place.out)' are not followed")
    }

    @Test("a link that appears between the check of a name and its use is not followed", arguments: ["a/x.jsonl", "a/deep/x.jsonl", "a/new/x.jsonl"])
    func afterTheCheck(name: String) throws {
        let place = try Place()
        defer { place.remove() }
        let output = "\(place.out)/\(name)"
        #expect(OutputFolder(of: output, within: place.out).linkRefusal == nil)
        place.replace("a")
        let folder = OutputFolders.folder(of: output)
        #expect(OutputFolder(of: output, within: place.out).linkRefusal?.contains("/a' is a link") == true)
        let set = place.set()
        #expect(throws: Self.error(name == "a/x.jsonl" ? folder : place.out + "/a", in: place, link: "a")) {
            try Self.append("x", to: output, of: set)
        }
        set.discard()
        #expect(try place.elsewhere == ["deep"])
    }

    @Test("a link that takes the place of a folder that is in use ends the run, and nothing leaves the folder", arguments: 0..<4)
    func inUse(step: Int) throws {
        let place = try Place()
        defer { place.remove() }
        let set = place.set()
        let (one, two) = (place.out + "/a/b/x", place.out + "/c/x")
        try Self.append("1", to: one, of: set)
        let mark = try set.checkpoint()
        // Closes the first file.
        try Self.append("2", to: two, of: set)
        if step == 3 { try set.prepare() }
        place.replace("a")
        #expect(throws: Self.error(place.out + "/a/b", in: place, link: "a")) {
            switch step {
            case 0: try Self.append("3", to: one, of: set)
            case 1: _ = try set.publish()
            case 2: try set.restore(to: mark)
            default: _ = try set.publish()
            }
        }
        set.discard()
        #expect(try place.elsewhere == ["deep"])
        #expect(FileManager.default.fileExists(atPath: place.out + "/a"))
    }

    @Test("the next process of the run, and of the journal, does not follow links either")
    func nextProcess() throws {
        let place = try Place()
        defer { place.remove() }
        let (staging, output) = (Staging(), place.out + "/a/deep/x")
        let set = place.set(staging)
        try Self.append("1", to: output, of: set)
        let mark = try set.checkpoint()
        try set.prepare()
        let moves = set.moves
        #expect(moves.map(\.within) == [place.out])
        set.leave()
        place.replace("a")
        // A file of the staged name, as if it were ours.
        let strange = "\(place.root)/elsewhere/deep/\(staging.name(of: output))"
        try Data("1".utf8).write(to: URL(filePath: strange))
        let refused = Self.error(place.out + "/a/deep", in: place, link: "a")
        #expect(throws: PublishingFailure(error: refused, done: 0, of: 1)) { try Journal.finish(moves, in: "/") }
        #expect(throws: Self.error(place.out + "/a", in: place, link: "a")) { try place.set(staging).restore(to: mark) }
        #expect(try place.elsewhere == ["deep", "deep/\(staging.name(of: output))"])
    }

    @Test("what a killed run has left is not removed through a link")
    func sweeping() throws {
        let place = try Place()
        defer { place.remove() }
        let settings = RecordPipeline(
            name: "t", definition: "sha256:0", source: SourceSettings(MemorySource([:]), format: JSONL()), stages: [],
            sink: SinkSettings(MemorySink(PathTemplate("out"))), deadLetters: "dead")
        let (state, list) = (place.root + "/state", place.root + "/state/unfinished.jsonl")
        let folder = try StateFolder(state, settings, restarts: false, canResume: false)
        let set = place.set(folder.staging)
        try Self.append("1", to: place.out + "/a/deep/x", of: set)
        try Self.append("1", to: place.out + "/b/deep/x", of: set)
        let lines = try Data(contentsOf: URL(filePath: list))
        set.leave()
        folder.end()
        try lines.write(to: URL(filePath: list))
        place.replace("a")
        let name = folder.staging.name(of: "x")
        try Data("1".utf8).write(to: URL(filePath: "\(place.root)/elsewhere/deep/\(name)"))
        try FileManager.default.createDirectory(atPath: place.root + "/elsewhere/empty", withIntermediateDirectories: true)
        try StateFolder(state, settings, restarts: false, canResume: false).end()
        #expect(try place.elsewhere == ["deep", "deep/\(name)", "empty"])
        #expect(!FileManager.default.fileExists(atPath: place.out + "/b"))
    }

    @Test("a value's folder is found whatever the spelling of the fixed part", arguments: ["./", ".//", ""])
    func spellings(prefix: String) throws {
        let place = try Place()
        defer { place.remove() }
        let here = FileManager.default.currentDirectoryPath
        let up = String(repeating: "../", count: here.split(separator: "/").count)
        let fixed = "\(prefix)\(up)\(place.out.dropFirst())"
        let set = OutputSet(within: fixed)
        try Self.append("1", to: "\(fixed)/.//a/x", of: set)
        _ = try set.publish()
        #expect(try String(contentsOfFile: place.out + "/a/x", encoding: .utf8) == "1")
        place.replace("b")
        #expect(throws: OutputError.self) { try Self.append("1", to: "\(fixed)/b/x", of: set) }
        #expect(try place.elsewhere == ["deep"])
    }
}
