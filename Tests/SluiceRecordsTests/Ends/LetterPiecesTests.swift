import Foundation
import Testing

@testable import SluiceRecords

@Suite("Pieces of dead letters")
struct LetterPiecesTests {
    /// Letters of all sizes, as lines that can hardly be compressed.
    private static let letters: [[UInt8]] = {
        var state: UInt64 = 7
        return [10, 200_000, 100_000, 3_000_000, 524_287, 524_288, 524_289, 262_143, 1, 1_100_000, 5].map { count in
            var text: [UInt8] = []
            for _ in 1..<count {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                text.append(UInt8(32 + (state >> 33) % 90))
            }
            return text + [UInt8(ascii: "\n")]
        }
    }()

    private struct Cut: Equatable {
        var bytes: [UInt8]
        var checksum: UInt32?
        var records: Int
    }

    /// - Parameter slice: the number of bytes to add at a time; `nil`: whole letters.
    private static func cut(slice: Int?, compresses: Bool, spool: LetterSpool? = nil) throws -> (cuts: [Cut], stored: Int) {
        let pieces = LetterPieces(compresses ? BlockWriter() : nil, spool)
        for letter in letters {
            try letter.withUnsafeBufferPointer { letter in
                if let slice {
                    for start in stride(from: 0, to: letter.count, by: slice) {
                        pieces.lines.append(UnsafeBufferPointer(rebasing: letter[start..<min(start + slice, letter.count)]))
                        try pieces.cut()
                    }
                } else {
                    try pieces.append(letter)
                }
            }
            try pieces.endLetter()
        }
        try pieces.end()
        var stored = 0
        let cuts = try pieces.done.map { piece in
            switch piece {
            case .lines(let lines): return Cut(bytes: lines.withFilled(Array.init), checksum: nil, records: lines.lineFeedCount)
            case .block(let block, let checksum, let records): return Cut(bytes: block.withFilled(Array.init), checksum: checksum.crc, records: records)
            case .stored(let piece, let checksum, let records):
                stored += 1
                let bytes = try #require(try spool?.take(piece))
                return Cut(bytes: bytes.withFilled(Array.init), checksum: checksum?.crc, records: records)
            case .spilled, .kept: throw CocoaError(.featureUnsupported)
            }
        }
        return (cuts, stored)
    }

    @Test("where they are cut depends on the text alone", arguments: [1_000, 49_152, 262_144, 524_288], [false, true])
    func places(slice: Int, compresses: Bool) throws {
        let whole = try Self.cut(slice: nil, compresses: compresses).cuts
        #expect(try Self.cut(slice: slice, compresses: compresses).cuts == whole)
        #expect(whole.reduce(0) { $0 + $1.records } == Self.letters.count)
        if !compresses { #expect(whole.flatMap(\.bytes) == Self.letters.flatMap(\.self)) }
    }

    @Test("what memory has no room for is kept in a file without a name, and is the same", arguments: [false, true])
    func stored(compresses: Bool) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sluice-letters-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        let spool = LetterSpool(in: folder.path, memory: 16 << 20)
        let whole = try Self.cut(slice: nil, compresses: compresses).cuts
        // Twice, in the places of the pieces that were taken.
        for _ in 1...2 {
            let (cuts, stored) = try Self.cut(slice: 49_152, compresses: compresses, spool: spool)
            #expect(cuts == whole)
            #expect(stored > 2)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
    }

    @Test("a folder that is gone is named")
    func noFolder() throws {
        let spool = LetterSpool(in: "/tmp/sluice-no-such-folder", memory: 16 << 20)
        let text = [UInt8](repeating: 65, count: 100)
        #expect(
            throws: OutputError.failed(
                path: "/tmp/sluice-no-such-folder",
                reason: "dead letters that are too large for the memory cannot be kept there until they are written: No such file or directory")
        ) { try text.withUnsafeBufferPointer { (text) throws in _ = try spool.keep(text) } }
    }
}
