import Foundation
import Testing

@testable import SluiceRecords

@Suite("Gzip outputs")
struct GzipOutputsTests {
    private struct Piece {
        var path: String
        var text: String
        /// Compressed in advance, as by a worker.
        var isBlock: Bool
    }

    /// The files that result from adding the pieces in order.
    private static func files(_ pieces: [Piece], _ members: GzipMembers, touching names: [String] = []) throws -> [String: [UInt8]] {
        let root = FileManager.default.temporaryDirectory.appending(path: "sluice-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        let outputs = OutputSet(mostOpen: 2, emptyFile: MemberAssembly.empty)
        let gzip = GzipOutputs(outputs, level: .fast, members: members)
        for name in names { try gzip.append(ByteBuffer(capacity: 1), records: 0, to: root + "/" + name) }
        for piece in pieces {
            let text = ByteBuffer(capacity: piece.text.utf8.count)
            Array(piece.text.utf8).withUnsafeBufferPointer { text.append($0) }
            if piece.isBlock {
                let block = ByteBuffer(capacity: 64)
                let checksum = BlockWriter(level: .fast, members: members).append(text.filled, to: block)
                try gzip.append(block: block, checksum, records: 1, to: root + "/" + piece.path)
            } else {
                try gzip.append(text, records: 1, to: root + "/" + piece.path)
            }
        }
        try gzip.end()
        return try Dictionary(uniqueKeysWithValues: outputs.publish().map { ($0.path, [UInt8](try Data(contentsOf: URL(filePath: $0.path)))) })
            .reduce(into: [:]) { $0[String($1.key.dropFirst(root.count + 1))] = $1.value }
    }

    @Test("each output is one member of its own pieces in their order, whatever comes in between", arguments: GzipMembers.allCases)
    func pieces(members: GzipMembers) throws {
        var random = SeededGenerator(seed: 8)
        let names = ["a.gz", "b.gz", "x/c.gz", "./a.gz", "d.gz"]
        let pieces = (0..<200).map { index in
            Piece(
                path: names[Int.random(in: 0..<names.count, using: &random)], text: GzipSamples.text(index * 10..<index * 10 + 10),
                isBlock: Bool.random(using: &random))
        }
        let files = try Self.files(pieces, members)
        #expect(files.keys.sorted() == ["a.gz", "b.gz", "d.gz", "x/c.gz"])
        for (name, bytes) in files {
            let expected = pieces.filter { $0.path == name || $0.path == "./" + name }
            let read = try ReadAll(bytes)
            #expect(read.texts == expected.flatMap { $0.text.split(separator: "\n").map(String.init) })
            #expect(read.damage == [])
            #expect((read.summary.members == 1) == (members == .one))
        }
    }

    @Test("an output without text is an empty member", arguments: GzipMembers.allCases)
    func empty(members: GzipMembers) throws {
        #expect(try Self.files([], members, touching: ["none.gz"]) == ["none.gz": MemberAssembly.empty])
    }
}
