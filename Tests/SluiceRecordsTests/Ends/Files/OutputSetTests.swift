import Foundation
import Testing

@testable import SluiceRecords

@Suite("Output set")
struct OutputSetTests {
    /// Creates a temporary folder for the duration of a test.
    private static func inFolder(_ body: (String) throws -> Void) throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("sluice-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        try body(root)
    }

    private static func append(_ text: String, records: Int = 1, to path: String, of set: OutputSet) throws {
        try Array(text.utf8).withUnsafeBufferPointer { try set.append($0, records: records, to: path) }
    }

    private static func names(in folder: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: folder).sorted()
    }

    private static func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    @Test("final names do not exist before publishing, and are complete after it")
    func publish() throws {
        try Self.inFolder { root in
            try "old".write(toFile: root + "/a", atomically: true, encoding: .utf8)
            let set = OutputSet()
            try Self.append("one\n", to: root + "/a", of: set)
            try Self.append("deep\n", to: root + "/x/y/b", of: set)
            try Self.append("two\n", to: root + "/./a", of: set)
            try Self.append("", records: 0, to: root + "/empty", of: set)
            #expect(try Self.names(in: root).filter { !$0.contains(".sluice-") } == ["a", "x", "x/y"])
            #expect(try Self.text(root + "/a") == "old")
            let published = try set.publish()
            #expect(try Self.names(in: root) == ["a", "empty", "x", "x/y", "x/y/b"])
            #expect(try Self.text(root + "/a") == "one\ntwo\n")
            #expect(published.map(\.path) == ["a", "empty", "x/y/b"].map { root + "/" + $0 })
            #expect(published.map(\.records) == [2, 0, 1])
            #expect(published.map(\.bytes) == [8, 0, 5])
            #expect(published[0].sha256 == "c3f9c8c283a2b1f2f1896f27a01cbe3cddc0c9d93f752e4639035a0f5b36f6e8")
            #expect(published[1].sha256 == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
            #expect(try published.map(\.sha256) == published.map { try Digest.ofFile($0.path) })
        }
    }

    @Test("discarding leaves existing files, and nothing else")
    func discard() throws {
        try Self.inFolder { root in
            try "old".write(toFile: root + "/a", atomically: true, encoding: .utf8)
            do {
                let set = OutputSet()
                try Self.append("new", to: root + "/a", of: set)
                try Self.append("new", to: root + "/p/q/b", of: set)
                set.discard()
                #expect(try Self.names(in: root) == ["a"])
                try Self.append("again", to: root + "/p/b", of: set)
            }
            #expect(try Self.names(in: root) == ["a"])
            #expect(try Self.text(root + "/a") == "old")
        }
    }

    @Test("a thousand outputs share a few open files")
    func manyOutputs() throws {
        try Self.inFolder { root in
            let set = OutputSet(mostOpen: 3)
            for round in 0..<3 {
                for index in 0..<300 { try Self.append("\(round)-\(index)\n", to: "\(root)/part=\(index % 100)/f", of: set) }
                let own = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").filter {
                    // One of the descriptors was closed by then: the folder that was read to list
                    // them.
                    let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + $0)
                    return target?.hasPrefix(root) == true
                }
                #expect(own.count <= 3)
            }
            #expect(try set.publish().map(\.records) == Array(repeating: 9, count: 100))
            #expect(try Self.text("\(root)/part=7/f") == (0..<3).map { "\($0)-7\n\($0)-107\n\($0)-207\n" }.joined())
        }
    }

    @Test("a full disk, a folder in the way and a file in the way are errors that name the output")
    func failures() throws {
        try Self.inFolder { root in
            let full = OutputSet()
            #expect(throws: OutputError.failed(path: "/dev/full", reason: "cannot be written: No space left on device")) {
                try Self.append("x", to: "/dev/full", of: full)
            }
            try FileManager.default.createDirectory(atPath: root + "/d", withIntermediateDirectories: true)
            #expect(throws: OutputError.failed(path: root + "/d", reason: "is a folder")) { try Self.append("x", to: root + "/d", of: full) }
            try "x".write(toFile: root + "/f", atomically: true, encoding: .utf8)
            #expect(throws: OutputError.failed(path: root + "/f/g", reason: "cannot be created: \(root)/f is a file")) {
                try Self.append("x", to: root + "/f/g/h", of: full)
            }
            try FileManager.default.createSymbolicLink(atPath: root + "/l", withDestinationPath: "nothing")
            #expect(throws: OutputError.failed(path: root + "/l", reason: "is a broken link")) { try Self.append("x", to: root + "/l/x", of: full) }
            let long = root + "/" + String(repeating: "x", count: 300)
            #expect(throws: OutputError.self) { try Self.append("x", to: long, of: full) }
            full.discard()
            #expect(try Self.names(in: root) == ["d", "f", "l"])
        }
    }

    @Test("paths to the same name in the same folder are one output, whatever links or similar names lead there")
    func places() throws {
        try Self.inFolder { root in
            try FileManager.default.createSymbolicLink(atPath: root + "/l", withDestinationPath: "d")
            let set = OutputSet()
            try Self.append("1", to: root + "/d/x", of: set)
            try Self.append("2", to: root + "/l/x", of: set)
            try Self.append("3", to: root + "/d/../l//x", of: set)
            try Self.append("4", to: root + "/\u{E9}", of: set)
            try Self.append("5", to: root + "/e\u{301}", of: set)
            let mark = try set.checkpoint()
            try Self.append("6", to: root + "/l/x", of: set)
            try set.restore(to: mark)
            #expect(try set.name(of: root + "/l/x") == root + "/d/x")
            #expect(try set.publish().map(\.bytes) == [3, 1, 1])
            #expect(try Self.text(root + "/d/x") == "123")
        }
    }

    @Test("outside changes to the unfinished file are detected")
    func changed() throws {
        try Self.inFolder { root in
            let set = OutputSet(mostOpen: 1)
            try Self.append("one", to: root + "/a", of: set)
            try Self.append("two", to: root + "/b", of: set)
            let temporary = try #require(FileManager.default.contentsOfDirectory(atPath: root).sorted().first)
            try "".write(toFile: "\(root)/\(temporary)", atomically: false, encoding: .utf8)
            #expect(throws: OutputError.self) {
                try Self.append("more", to: root + "/a", of: set)
                try Self.append("more", to: root + "/b", of: set)
            }
        }
    }

    @Test("a device is written to directly and never replaced")
    func device() throws {
        let set = OutputSet()
        try Self.append("gone", to: "/dev/null", of: set)
        #expect(try set.publish() == [PublishedOutput(path: "/dev/null", records: 1, bytes: 4, sha256: Digest.of("gone"))])
        #expect(FileManager.default.fileExists(atPath: "/dev/null"))
        #expect((try FileManager.default.attributesOfItem(atPath: "/dev/null")[.type] as? FileAttributeType) == .typeCharacterSpecial)
    }
}

@Suite("Publication")
struct PublicationTests {
    private let root: String

    init() throws {
        root = FileManager.default.temporaryDirectory.appendingPathComponent("sluice-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    private func remove() { try? FileManager.default.removeItem(atPath: root) }

    /// Complete files `a`, `b` and `k/c`, the first over an older one.
    private func prepared() throws -> [Journal.Move] {
        try "old".write(toFile: root + "/a", atomically: false, encoding: .utf8)
        let set = OutputSet()
        for name in ["a", "b", "k/c"] {
            try Array("new \(name)".utf8).withUnsafeBufferPointer { try set.append($0, records: 1, to: "\(root)/\(name)") }
        }
        try set.prepare()
        let moves = set.moves
        set.leave()
        return moves
    }

    /// The files that are not hidden, with their text.
    private func visible() throws -> [String: String] {
        var files: [String: String] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: root) where !name.contains(".sluice-") {
            if let text = try? String(contentsOfFile: "\(root)/\(name)", encoding: .utf8) { files[name] = text }
        }
        return files
    }

    private func hidden() throws -> Int {
        try FileManager.default.subpathsOfDirectory(atPath: root).count { $0.contains(".sluice-") }
    }

    private static let all = ["a": "new a", "b": "new b", "k/c": "new k/c"]

    @Test("replaces what stood there, and leaves no other names")
    func publishes() throws {
        defer { remove() }
        try Publication(prepared()).run()
        #expect(try visible() == Self.all)
        #expect(try hidden() == 0)
    }

    @Test("a folder that takes the place of the last file is found before the first rename")
    func folderInTheWay() throws {
        defer { remove() }
        let moves = try prepared()
        try FileManager.default.createDirectory(atPath: root + "/k/c", withIntermediateDirectories: false)
        let failure = PublishingFailure(error: .failed(path: root + "/k/c", reason: "is a folder"), done: 0, of: 3)
        #expect(throws: failure) { try Publication(moves).run() }
        #expect(try visible() == ["a": "old"])
        try FileManager.default.removeItem(atPath: root + "/k/c")
        try Publication(moves, isAgain: true).run()
        #expect(try visible() == Self.all)
        #expect(try hidden() == 0)
    }

    @Test("a rename that fails takes back those before it")
    func takenBack() throws {
        defer { remove() }
        let moves = try prepared()
        // The complete file of the last move is gone once the first is done.
        let impossible = moves + [Journal.Move(staged: moves[0].staged, path: root + "/d")]
        let failure = PublishingFailure(
            error: .failed(path: root + "/d", reason: "cannot be renamed into place: No such file or directory"), done: 0, of: 4)
        #expect(throws: failure) { try Publication(impossible).run() }
        #expect(try visible() == ["a": "old"])
        #expect(try hidden() == 3)
        try Publication(moves).run()
        #expect(try visible() == Self.all)
        #expect(try hidden() == 0)
    }

    @Test("what a process that died has renamed is counted, and finished")
    func again() throws {
        defer { remove() }
        let moves = try prepared()
        let kept = "\(root)/\(Staging.keptName(of: NameBytes.lastName(of: moves[0].staged)))"
        try FileManager.default.linkItem(atPath: root + "/a", toPath: kept)
        try Publication([moves[1]]).run()
        try FileManager.default.createDirectory(atPath: root + "/k/c", withIntermediateDirectories: false)
        let failure = PublishingFailure(error: .failed(path: root + "/k/c", reason: "is a folder"), done: 1, of: 3)
        #expect(throws: failure) { try Journal.finish(moves, in: "/") }
        #expect(failure.text == "\(root)/k/c: is a folder; 1 of 3 files is in place")
        #expect(try visible() == ["a": "old", "b": "new b"])
        try FileManager.default.removeItem(atPath: root + "/k/c")
        try Journal.finish(moves, in: "/")
        #expect(try visible() == Self.all)
        #expect(try hidden() == 0)
    }

    @Test("a complete file that is gone is said to be lost, and nothing is renamed")
    func lost() throws {
        defer { remove() }
        let moves = try prepared()
        try FileManager.default.removeItem(atPath: root + "/k")
        let failure = PublishingFailure(
            error: .failed(path: root + "/k", reason: "cannot be opened: No such file or directory"), done: 0, of: 3, isLost: true)
        #expect(throws: failure) { try Publication(moves).run() }
        #expect(throws: failure) { try Journal.finish(moves, in: "/") }
        #expect(try visible() == ["a": "old"])
    }
}

@Suite("Partition path")
struct PartitionPathTests {
    @Test(
        "a value stays within its name",
        arguments: [
            ("2025-10-10", "2025-10-10"), ("grün ü", "grün ü"), ("", "%empty"), (".", "%2E"), ("..", "%2E."), (".hidden", "%2Ehidden"), ("a.b", "a.b"),
            ("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"), ("/", "%2F"), ("%2F", "%252F"), ("a\0b\n\u{7F}", "a%00b%0A%7F"), ("\\", "\\"),
            ("%empty", "%25empty"), ("/..", "%2F.."),
        ])
    func encodes(value: String, name: String) {
        #expect(PartitionPath.component(value) == name)
    }

    @Test("long values are truncated and distinguished by their digest")
    func long() {
        let (one, two) = (String(repeating: "ü", count: 150) + "1", String(repeating: "ü", count: 150) + "2")
        let names = [one, two].map(PartitionPath.component)
        #expect(names[0] != names[1])
        #expect(names.allSatisfy { $0.utf8.count < 200 && $0.hasPrefix(String(repeating: "ü", count: 60) + "%~") })
        #expect(PartitionPath.component(String(repeating: "x", count: 200)) == String(repeating: "x", count: 200))
    }

    @Test("no two values share a name, and none leaves its folder", arguments: [UInt64](1...3))
    func apart(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var values: [String: String] = [:]
        for _ in 0..<3000 {
            let value = String((0..<Int.random(in: 0...4, using: &random)).map { _ in Array("./%2F25E\0a~empty").randomElement(using: &random) ?? "." })
            let name = PartitionPath.component(value)
            #expect(values[name, default: value] == value)
            #expect(!name.isEmpty && name.first != "." && !name.utf8.contains(UInt8(ascii: "/")) && !name.utf8.contains(0))
            values[name] = value
        }
    }
}
