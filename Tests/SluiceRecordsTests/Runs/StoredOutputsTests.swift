import Foundation
import Testing

@testable import SluiceRecords

/// What state files say of outputs, as bytes after their JSON.
@Suite("Outputs in state files")
struct StoredOutputsTests {
    private struct Value: Codable {
        var mark: SinkMark
        var gzip: GzipCheckpoint
        var moves: Journal.Moves
        var text: String
    }

    private let folder: RunFolder

    init() throws { folder = try RunFolder() }

    /// - Parameter count: of outputs. Every third has waiting text, every fourth no limit of links.
    private static func value(_ count: Int) -> Value {
        let paths = (0..<count).map { "out/k=\($0)/\(String(repeating: "é", count: $0 % 70)).jsonl.gz" }
        return Value(
            mark: SinkMark(
                outputs: paths.enumerated().map {
                    SinkMark.Output(path: $1, bytes: UInt64($0) << ($0 % 40), records: $0, sha256: $0 % 2 == 0 ? Digest.of($1) : nil)
                }),
            gzip: GzipCheckpoint(
                files: paths.enumerated().map { .init(path: $1, length: UInt64($0), crc: UInt32.max - UInt32($0), textBytes: UInt64($0) << 33) },
                pending: paths.enumerated().filter { $0.offset % 3 == 0 }.map {
                    .init(path: $0.element, text: StoredBytes(Data("text of \($0.offset)\n".utf8)))
                }),
            moves: Journal.Moves(all: paths.enumerated().map { .init(staged: $1 + ".part", path: $1, within: $0 % 4 == 0 ? nil : "out") }), text: "after")
    }

    @Test("are read as they were written", arguments: [0, 1, 2, 200, 20_000])
    func roundTrip(count: Int) throws {
        defer { folder.remove() }
        let file = StateFile("value.json", in: folder.path)
        let value = Self.value(count)
        try file.write(value)
        let read = try #require(try file.read(Value.self))
        #expect(read.mark == value.mark)
        #expect(read.gzip.files.map(\.path) == value.gzip.files.map(\.path))
        #expect(read.gzip.files.map(\.crc) == value.gzip.files.map(\.crc))
        #expect(read.gzip.files.map { [$0.length, $0.textBytes] } == value.gzip.files.map { [$0.length, $0.textBytes] })
        #expect(read.gzip.pending.map(\.path) == value.gzip.pending.map(\.path))
        #expect(read.gzip.pending.map { $0.text.withBytes(Array.init) } == value.gzip.pending.map { $0.text.withBytes(Array.init) })
        #expect(read.moves.all.map { [$0.staged, $0.path, $0.within] } == value.moves.all.map { [$0.staged, $0.path, $0.within] })
        #expect(read.text == "after")
    }

    @Test("are refused if bytes are missing, wherever the file ends")
    func truncated() throws {
        defer { folder.remove() }
        let file = StateFile("value.json", in: folder.path)
        try file.write(Self.value(7))
        let bytes = try Data(contentsOf: URL(filePath: file.path))
        for count in 0..<bytes.count {
            try bytes.prefix(count).write(to: URL(filePath: file.path))
            #expect(throws: (any Error).self, "\(count) of \(bytes.count) bytes") { try file.read(Value.self) }
        }
    }
}
