import Testing

@testable import SluiceRecords

@Suite("Member writer")
struct MemberWriterTests {
    private static let levels = ["fast", "default", "best", "0", "1", "2", "3", "4", "6"]

    private static func member(_ text: [UInt8], _ writer: MemberWriter, behind junk: Int = 0) -> [UInt8] {
        let buffer = ByteBuffer(capacity: junk)
        for _ in 0..<junk { buffer.append(7) }
        text.withUnsafeBufferPointer { writer.append($0, to: buffer) }
        return Array(buffer.filled[junk...])
    }

    private static func texts() -> [[UInt8]] {
        var random = SeededGenerator(seed: 3)
        let noise = (0..<300_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        return [[], [0x0A], Array(GzipSamples.text(0..<4000).utf8), noise, [UInt8](repeating: 0x61, count: 3_000_000)]
    }

    @Test("what it writes is read back, by both libraries, with the member's size in the header", arguments: libraries, levels)
    func roundTrip(library: DeflateLibrary, level: String) throws {
        let writer = MemberWriter(level: try #require(CompressionLevel(level)), library: library)
        let texts = Self.texts()
        let members = texts.map { Self.member($0, writer) }
        for (text, member) in zip(texts, members) {
            let header = member.withUnsafeBufferPointer { MemberHeader.parse($0) { _ in 0 } }
            guard case .header(let header) = header else {
                Issue.record("no header")
                continue
            }
            #expect(header.memberSize == UInt64(member.count))
            for reader in libraries {
                let read = try ReadAll(member, library: reader, maxRecord: 4 << 20)
                #expect(Array(read.records.map { $0.bytes }.joined(separator: [0x0A])) == (text.last == 0x0A ? text.dropLast() : text))
                #expect(read.damage == [])
            }
        }
    }

    @Test("a text has the same bytes whatever was written before, and wherever they go", arguments: libraries, levels)
    func sameBytes(library: DeflateLibrary, level: String) throws {
        let level = try #require(CompressionLevel(level))
        let used = MemberWriter(level: level, library: library)
        let texts = Self.texts()
        for text in texts { _ = Self.member(text, used) }
        for (index, text) in texts.enumerated().reversed() {
            #expect(Self.member(text, used, behind: index * 1000) == Self.member(text, MemberWriter(level: level, library: library)))
        }
    }

    @Test("levels have names and numbers", arguments: ["", "10", "-1", "fastest", "٣", "1 "])
    func refusesLevels(text: String) {
        #expect(CompressionLevel(text) == nil)
        #expect(CompressionLevel("9") == .best)
        #expect(CompressionLevel("1") == .fast)
    }
}
