import Foundation
import SluiceCEL
import Testing

@testable import SluiceRecords

/// The contract of sinks, tested on every sink.
@Suite("Every sink")
struct SinkContractTests {
    enum Kind: CaseIterable {
        case files, filesInTurn, standardOutput, memory

        /// Whether outputs have names and can be truncated to an earlier length.
        var publishes: Bool { self != .standardOutput }
    }

    /// An open sink in a temporary folder, with access to its outputs.
    private struct Subject {
        let open: any OpenSink
        /// Converts the tests' name of an output, such as `a`, to the sink's.
        let path: (String) -> String
        /// The existing outputs, keyed by the tests' names.
        let visible: () throws -> [String: String]
    }

    private static let empty = Array("empty".utf8)

    private func with(_ kind: Kind, _ body: (Subject) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "sluice-sink-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        switch kind {
        case .files, .filesInTurn:
            let sink = FileSink(PathTemplate(folder + "/a"))
            let open = kind == .files ? sink.open(empty: Self.empty, staging: Staging()) : OutputSet(mostOpen: 1, emptyFile: Self.empty)
            try body(Subject(open: open, path: { folder + "/" + $0 }, visible: { try files(in: folder) }))
        case .memory:
            let sink = MemorySink(PathTemplate("a"))
            try body(
                Subject(
                    open: sink.open(empty: Self.empty, staging: Staging()), path: \.self,
                    visible: { Dictionary(uniqueKeysWithValues: sink.names.map { ($0, text(sink[$0] ?? [])) }) }))
        case .standardOutput:
            let descriptor = Glibc.open(folder + "/stdout", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            defer { close(descriptor) }
            let sink = StandardOutputSink(descriptor: descriptor)
            try body(
                Subject(open: sink.open(empty: Self.empty, staging: Staging()), path: { _ in "-" }, visible: { ["-": try files(in: folder)["stdout"] ?? ""] }))
        }
    }

    /// The contents of the existing files, hidden ones excepted.
    private func files(in folder: String) throws -> [String: String] {
        var found: [String: String] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder) where !name.split(separator: "/").contains(where: { $0.hasPrefix(".") }) {
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: folder + "/" + name, isDirectory: &isFolder)
            found[name] = isFolder.boolValue ? "folder" : try String(contentsOfFile: folder + "/" + name, encoding: .utf8)
        }
        return found
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private func append(_ text: String, records: Int = 1, to output: String, of subject: Subject) throws {
        try Array(text.utf8).withUnsafeBufferPointer { try subject.open.append($0, records: records, to: subject.path(output)) }
    }

    /// The results that publishing must return for these texts, in the order of the names.
    private func expectPublished(_ texts: [(name: String, records: Int, text: String)], by subject: Subject) throws {
        try subject.open.prepare()
        let published = try subject.open.publish()
        #expect(
            published
                == texts.map {
                    PublishedOutput(path: subject.path($0.name), records: $0.records, bytes: UInt64($0.text.utf8.count), sha256: Digest.of($0.text))
                })
    }

    @Test("shows nothing before it publishes, then all of it", arguments: Kind.allCases.filter(\.publishes))
    func publishes(kind: Kind) throws {
        try with(kind) { subject in
            try append("b1", to: "b", of: subject)
            try append("a1", records: 2, to: "a", of: subject)
            try append("b2", to: "b", of: subject)
            try append("", records: 0, to: "none", of: subject)
            _ = try subject.open.checkpoint()
            #expect(try subject.visible() == [:])
            try subject.open.prepare()
            #expect(try subject.visible() == [:])
            try expectPublished([("a", 2, "a1"), ("b", 2, "b1b2"), ("none", 0, "empty")], by: subject)
            #expect(try subject.visible() == ["a": "a1", "b": "b1b2", "none": "empty"])
        }
    }

    @Test("writes to standard output immediately")
    func streams() throws {
        try with(.standardOutput) { subject in
            try append("one", to: "-", of: subject)
            #expect(try subject.visible() == ["-": "one"])
            let mark = try subject.open.checkpoint()
            #expect(mark == SinkMark(outputs: [SinkMark.Output(path: "-", bytes: 3, records: 1)]))
            try subject.open.restore(to: mark)
            try append("two", to: "-", of: subject)
            #expect(throws: OutputError.self) { try subject.open.restore(to: mark) }
            try expectPublished([("-", 2, "onetwo")], by: subject)
            #expect(try subject.visible() == ["-": "onetwo"])
        }
    }

    @Test("keeps existing files until it publishes, and when it discards", arguments: Kind.allCases.filter(\.publishes))
    func replaces(kind: Kind) throws {
        try with(kind) { subject in
            try append("old", to: "a", of: subject)
            try append("kept", to: "b", of: subject)
            _ = try subject.open.publish()
            try append("given up", to: "a", of: subject)
            try append("given up", to: "c", of: subject)
            #expect(try subject.visible() == ["a": "old", "b": "kept"])
            subject.open.discard()
            #expect(try subject.visible() == ["a": "old", "b": "kept"])
            try append("new", to: "a", of: subject)
            try expectPublished([("a", 1, "new")], by: subject)
            #expect(try subject.visible() == ["a": "new", "b": "kept"])
        }
    }

    @Test("discards everything, checkpoints or not", arguments: Kind.allCases)
    func discards(kind: Kind) throws {
        try with(kind) { subject in
            try append("x", to: "a", of: subject)
            _ = try subject.open.checkpoint()
            try append("x", to: kind.publishes ? "deep/down/b" : "-", of: subject)
            try subject.open.prepare()
            subject.open.discard()
            #expect(try subject.visible() == (kind.publishes ? [:] : ["-": "xx"]))
        }
    }

    @Test("leaves nothing in a folder after discarding, hidden or not", arguments: [Kind.files, .filesInTurn])
    func leavesNothing(kind: Kind) throws {
        try with(kind) { subject in
            for name in ["a", "b", "deep/down/c"] { try append("x", to: name, of: subject) }
            subject.open.discard()
            #expect(try FileManager.default.subpathsOfDirectory(atPath: subject.path("")) == [])
        }
    }

    @Test("rolls back to any mark, and publishes the contents at that mark", arguments: Kind.allCases.filter(\.publishes))
    func restores(kind: Kind) throws {
        /// Outputs that are created, appended to, and created empty.
        let steps: [[(name: String, text: String)]] = [
            [], [("a", "a1"), ("b", "b1")], [("a", "a2")], [("b", ""), ("none", "")], [("deep/c", "c1"), ("a", String(repeating: "x", count: 100_000))],
        ]
        for wanted in steps.indices {
            try with(kind) { subject in
                var marks: [SinkMark] = []
                for step in steps {
                    for (name, text) in step { try append(text, to: name, of: subject) }
                    marks.append(try subject.open.checkpoint())
                }
                var texts: [String: (records: Int, text: String)] = [:]
                for (name, text) in steps[...wanted].joined() {
                    texts[name, default: (0, "")].records += 1
                    texts[name, default: (0, "")].text += text
                }
                // Through an output that is created later, and twice to the same one.
                if wanted < 3 { try subject.open.restore(to: marks[3]) }
                try subject.open.restore(to: marks[wanted])
                #expect(try subject.open.checkpoint() == marks[wanted])
                try append("lost", to: "a", of: subject)
                try append("lost", to: "lost", of: subject)
                try subject.open.restore(to: marks[wanted])
                for name in ["a", "new"] {
                    try append("after", to: name, of: subject)
                    texts[name, default: (0, "")].records += 1
                    texts[name, default: (0, "")].text += "after"
                }
                let sorted = texts.sorted { $0.key < $1.key }.map { ($0.key, $0.value.records, $0.value.text.isEmpty ? "empty" : $0.value.text) }
                try expectPublished(sorted, by: subject)
                let outputs = try subject.visible().filter { $0.value != "folder" }
                #expect(outputs == Dictionary(uniqueKeysWithValues: sorted.map { ($0.0, $0.2) }))
            }
        }
    }

    @Test("rolls back to a mark after it prepared, and from an empty one", arguments: Kind.allCases.filter(\.publishes))
    func restoresPrepared(kind: Kind) throws {
        try with(kind) { subject in
            try append("", records: 0, to: "a", of: subject)
            let mark = try subject.open.checkpoint()
            try subject.open.prepare()
            try subject.open.restore(to: mark)
            try append("x", to: "a", of: subject)
            try expectPublished([("a", 1, "x")], by: subject)
        }
    }

    @Test("refuses a mark beyond what was written", arguments: Kind.allCases)
    func foreignMark(kind: Kind) throws {
        try with(kind) { subject in
            try append("x", to: "a", of: subject)
            let mark = SinkMark(outputs: [SinkMark.Output(path: subject.path("a"), bytes: 2, records: 1)])
            #expect(throws: OutputError.self) { try subject.open.restore(to: mark) }
        }
    }

    @Test("names an output by the first of its aliases, and creates it", arguments: Kind.allCases)
    func names(kind: Kind) throws {
        try with(kind) { subject in
            #expect(try subject.open.name(of: subject.path("a")) == subject.path("a"))
            #expect(try subject.open.name(of: subject.path("\u{E9}")) == subject.path("\u{E9}"))
            let names = try subject.open.checkpoint().outputs.map(\.path)
            #expect(names.map { Name($0) } == (kind.publishes ? ["a", "\u{E9}"] : ["a"]).map { Name(subject.path($0)) })
        }
    }

    @Test("says whether an output is a file, and which", arguments: Kind.allCases)
    func identities(kind: Kind) throws {
        let folder = NSTemporaryDirectory() + "sluice-sink-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let descriptor = Glibc.open(folder + "/a", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(descriptor) }
        let sink: any RecordSink =
            switch kind {
            case .files, .filesInTurn: FileSink(PathTemplate(folder + "/a"))
            case .memory: MemorySink(PathTemplate(folder + "/a"))
            case .standardOutput: StandardOutputSink(descriptor: descriptor)
            }
        let path = try #require(sink.path.constant)
        let file = try FileIdentity(folder + "/a")
        #expect(try sink.file(of: path) == (kind == .memory ? nil : file))
        #expect(try sink.place(of: path) == (kind == .files || kind == .filesInTurn ? FilePlace(folder + "/a") : nil))
    }
}
