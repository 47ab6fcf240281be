import Glibc
import Testing

@testable import SluiceRecords

@Suite("Block writer")
struct BlockWriterTests {
    static let levels = ["fast", "default", "best"] + (0...9).map(String.init)
    private static let flush: [UInt8] = [0, 0, 0xFF, 0xFF]

    private static func block(_ text: [UInt8], _ writer: BlockWriter, after junk: Int = 0) -> [UInt8] {
        let buffer = ByteBuffer(capacity: junk)
        for _ in 0..<junk { buffer.append(7) }
        let checksum = text.withUnsafeBufferPointer { writer.append($0, to: buffer) }
        #expect(checksum == TextChecksum(crc: GzipSamples.crc(text), count: UInt64(text.count)))
        return Array(buffer.filled[junk...])
    }

    static func texts() -> [[UInt8]] {
        var random = SeededGenerator(seed: 3)
        let noise = (0..<100_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        return [[], [0x0A], Array(GzipSamples.text(0..<4000).utf8), noise, [UInt8](repeating: 0x61, count: 600_000)]
    }

    @Test("a block ends with a full flush on a byte boundary, and can be read on its own", arguments: libraries, levels)
    func block(library: DeflateLibrary, level: String) throws {
        let writer = BlockWriter(level: try #require(CompressionLevel(level)), library: library)
        for text in Self.texts() {
            let block = Self.block(text, writer)
            if text.isEmpty {
                #expect(block == [])
                continue
            }
            #expect(block.suffix(4) == Self.flush)
            for reader in libraries {
                let inflated = GzipSamples.inflated(block + [3, 0], library: reader)
                #expect(inflated.text == text)
                #expect(inflated.rest == 0)
            }
        }
    }

    /// ISA-L's matches depend on where its stream lies; `StreamMemory.h` says why. Two short
    /// records with the same end show it at once.
    @Test("the bytes don't depend on where the deflater lies in memory", arguments: libraries, ["1", "2", "3"])
    func bytesAtManyPlaces(library: DeflateLibrary, level: String) throws {
        let level = try #require(CompressionLevel(level))
        let writers = (0..<24).map { _ in BlockWriter(level: level, library: library) }
        for number in 0..<500 {
            let record = "\(number * 7919),GET,/index.html\n"
            let text = Array((record + record).utf8)
            let blocks = Set(writers.map { Self.block(text, $0) })
            #expect(blocks.count == 1, "\(record)")
        }
    }

    @Test("a deflater finds its place beside terabytes of other memory, such as the address sanitizer's", arguments: libraries)
    func besideMuchMemory(library: DeflateLibrary) throws {
        let (size, hole) = (3 << 40, 16 << 20)
        let memory = try #require(mmap(nil, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))
        try #require(memory != MAP_FAILED)
        // The kernel gives the highest place that is free, which may now be right above the rest.
        munmap(memory + (size - hole), hole)
        defer { munmap(memory, size - hole) }
        let text = Self.texts()[2]
        #expect(Self.block(text, BlockWriter(level: .fast, library: library)) == Self.block(text, BlockWriter(level: .fast, library: library)))
    }

    @Test("deflate data has the same text however little room there is at a time", arguments: libraries, ["fast", "2", "6"])
    func littleRoom(library: DeflateLibrary, level: String) throws {
        let deflater = library.makeDeflater(level: try #require(CompressionLevel(level)))
        var output = [UInt8](repeating: 0, count: 16)
        for text in Self.texts()[1..<3] {
            var block: [UInt8] = []
            text.withUnsafeBufferPointer { text in
                deflater.begin(text, end: .fullFlush)
                var isEnded = false
                while !isEnded {
                    let step = output.withUnsafeMutableBufferPointer { deflater.write(into: $0) }
                    block += output[..<step.produced]
                    isEnded = step.isEnded
                }
            }
            #expect(block.suffix(4) == Self.flush)
            #expect(GzipSamples.inflated(block + [3, 0], library: library).text == text)
        }
    }

    @Test("with many members, each block is one, with its size in the header", arguments: libraries, ["fast", "default", "best", "0", "3"])
    func member(library: DeflateLibrary, level: String) throws {
        let writer = BlockWriter(level: try #require(CompressionLevel(level)), members: .many, library: library)
        for text in Self.texts() {
            let member = Self.block(text, writer)
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

    @Test(
        "a text has the same bytes whatever was written before, and wherever they go", arguments: libraries,
        [("fast", GzipMembers.one), ("default", .one), ("default", .many), ("best", .one), ("0", .one), ("2", .one), ("3", .many), ("4", .one)])
    func sameBytes(library: DeflateLibrary, kind: (level: String, members: GzipMembers)) throws {
        let level = try #require(CompressionLevel(kind.level))
        let used = BlockWriter(level: level, members: kind.members, library: library)
        let texts = Self.texts()
        for text in texts { _ = Self.block(text, used) }
        for (index, text) in texts.enumerated().reversed() {
            let unused = BlockWriter(level: level, members: kind.members, library: library)
            #expect(Self.block(text, used, after: index * 1000) == Self.block(text, unused))
        }
    }

    @Test("levels have names and numbers", arguments: ["", "10", "-1", "fastest", "٣", "1 "])
    func refusesLevels(text: String) {
        #expect(CompressionLevel(text) == nil)
        #expect(CompressionLevel("9") == .best)
        #expect(CompressionLevel("1") == .fast)
    }
}
