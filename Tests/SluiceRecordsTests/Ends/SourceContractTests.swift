import Foundation
import Testing

@testable import SluiceRecords

/// The contract of sources, tested on every source.
@Suite("Every source")
struct SourceContractTests {
    enum Kind: CaseIterable {
        case files, list, memory
    }

    static let contents: KeyValuePairs<String, [UInt8]> = [
        "b.jsonl": Array("{\"n\":1}\n{\"n\":2}\n".utf8), "a.jsonl.gz": GzipSamples.member("{\"n\":3}\n") + GzipSamples.member("{\"n\":4}\n"),
        "empty.jsonl": [], "c.jsonl": Array(repeating: UInt8(ascii: "\n"), count: 100_000),
    ]

    /// Calls `body` with a source of the contents and the names of its inputs.
    private func withSource(_ kind: Kind, _ body: (any RecordSource) async throws -> Void) async throws {
        switch kind {
        case .memory: try await body(MemorySource(Self.contents))
        case .files, .list:
            let folder = NSTemporaryDirectory() + "sluice-source-\(UUID().uuidString)"
            defer { try? FileManager.default.removeItem(atPath: folder) }
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            for (name, bytes) in Self.contents { try Data(bytes).write(to: URL(filePath: folder + "/" + name)) }
            guard kind == .list else {
                return try await body(FileSource(Self.contents.map { InputFile(path: folder + "/" + $0.key, size: UInt64($0.value.count)) }))
            }
            try Data(Self.contents.map { folder + "/" + $0.key + "\n" }.joined().utf8).write(to: URL(filePath: folder + "/list"))
            var checking = Checking(label: "source")
            try await body(try #require(FileListSource(.leaf(Leaf(folder + "/list")), options: Arguments(), &checking)))
            #expect(checking.diagnostics.isEmpty)
        }
    }

    private func bytes(of input: any InputBytes, atATime most: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var memory = [UInt8](repeating: 0, count: most)
        while true {
            let count = memory.withUnsafeMutableBytes { input.read(into: $0) }
            try #require(count >= 0 && count <= most)
            if count == 0 { return bytes }
            bytes += memory[..<count]
        }
    }

    @Test("gives its inputs in order, each with all of its bytes", arguments: Kind.allCases, [1, 7, 1 << 20])
    func whole(kind: Kind, most: Int) async throws {
        try await withSource(kind) { source in
            #expect(source.inputs.map { URL(filePath: $0.path).lastPathComponent } == Self.contents.map(\.key))
            for (input, content) in zip(source.inputs, Self.contents) {
                let opened = try source.open(input, at: 0)
                #expect(opened.size == UInt64(content.value.count))
                #expect(input.size == opened.size)
                #expect(try bytes(of: opened, atATime: most) == content.value)
                #expect(try bytes(of: opened, atATime: most) == [])
                opened.close()
            }
        }
    }

    @Test("opens an input at any offset, at its end, and beyond", arguments: Kind.allCases)
    func offsets(kind: Kind) async throws {
        try await withSource(kind) { source in
            for (input, content) in zip(source.inputs, Self.contents) {
                for offset in [0, 1, 8, 20, content.value.count, content.value.count + 5] {
                    let opened = try source.open(input, at: UInt64(offset))
                    defer { opened.close() }
                    #expect(opened.size == UInt64(content.value.count))
                    #expect(try bytes(of: opened, atATime: 4096) == Array(content.value.dropFirst(offset)))
                }
            }
        }
    }

    @Test("reads an input at any position, whatever was read before", arguments: Kind.allCases)
    func positions(kind: Kind) async throws {
        try await withSource(kind) { source in
            for (input, content) in zip(source.inputs, Self.contents) {
                let opened = try source.open(input, at: 0)
                defer { opened.close() }
                for (offset, count) in [(0, 0), (0, 1), (1, 7), (8, 9), (0, content.value.count), (0, content.value.count + 1), (content.value.count + 1, 0)] {
                    var memory = [UInt8](repeating: 0, count: count)
                    let isRead = memory.withUnsafeMutableBytes { opened.read(at: UInt64(offset), into: $0) }
                    let isThere = offset + count <= content.value.count
                    #expect(isRead == isThere || count == 0, "\(count) bytes at \(offset)")
                    if isRead, isThere { #expect(memory == Array(content.value[offset..<offset + count])) }
                }
                #expect(try bytes(of: opened, atATime: 4096) == content.value)
            }
        }
    }

    @Test("opens an input several times at once", arguments: Kind.allCases)
    func twice(kind: Kind) async throws {
        try await withSource(kind) { source in
            let (first, second) = (try source.open(source.inputs[0], at: 0), try source.open(source.inputs[0], at: 8))
            #expect(try bytes(of: first, atATime: 3) == Self.contents[0].value)
            first.close()
            #expect(try bytes(of: second, atATime: 3) == Array(Self.contents[0].value.dropFirst(8)))
            second.close()
        }
    }

    @Test("says that an input does not exist", arguments: Kind.allCases)
    func missing(kind: Kind) async throws {
        try await withSource(kind) { source in
            let none = InputFile(path: source.inputs[0].path + "x")
            #expect(throws: InputError.missing(path: none.path)) { try source.open(none, at: 0) }
        }
    }

    @Test("distinguishes its files, if it has any", arguments: Kind.allCases)
    func identities(kind: Kind) async throws {
        try await withSource(kind) { source in
            let files = try source.inputs.compactMap { try source.file(of: $0) }
            #expect(Set(files).count == (kind != .memory ? source.inputs.count : 0))
        }
    }

    @Test("is read by a run, plain or compressed", arguments: Kind.allCases)
    func run(kind: Kind) async throws {
        try await withSource(kind) { source in
            let state = NSTemporaryDirectory() + "sluice-source-\(UUID().uuidString)"
            defer { try? FileManager.default.removeItem(atPath: state) }
            let sink = MemorySink(PathTemplate("out"))
            let pipeline = RecordPipeline(
                name: "source", definition: "sha256:0", source: SourceSettings(source, format: JSONL()), stages: [], sink: SinkSettings(sink),
                deadLetters: state + "/dead.jsonl")
            let report = try await RecordRun(pipeline, options: RunOptions(workers: 2, state: state)).run()
            #expect(report.records == .init(read: 100_004, written: 4, filtered: 100_000))
            #expect(report.inputs.map(\.bytes) == Self.contents.map { UInt64($0.value.count) })
            #expect(!report.inputs.contains { !$0.whole })
            #expect(sink["out"].map { String(decoding: $0, as: UTF8.self) } == "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n{\"n\":4}\n")
        }
    }
}
