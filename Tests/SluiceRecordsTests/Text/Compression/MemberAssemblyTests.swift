import Foundation
import Testing

@testable import SluiceRecords

@Suite("Member assembly")
struct MemberAssemblyTests {
    /// A gzip file made of blocks, and the end offset of each of them.
    private struct File {
        var bytes: [UInt8] = []
        var marks: [MemberAssembly.Mark] = []
        var assembly: MemberAssembly

        init(_ members: GzipMembers = .one) { assembly = MemberAssembly(members) }

        init(_ texts: [[UInt8]], _ members: GzipMembers = .one, level: CompressionLevel = .standard, library: DeflateLibrary = .zlib) {
            self.init(members)
            let writer = BlockWriter(level: level, members: members, library: library)
            for text in texts { add(text, writer) }
            bytes += assembly.ending
        }

        mutating func add(_ text: [UInt8], _ writer: BlockWriter) {
            let block = ByteBuffer(capacity: 64)
            let checksum = text.withUnsafeBufferPointer { writer.append($0, to: block) }
            add(Array(block.filled), checksum)
        }

        mutating func add(_ blocks: [UInt8], _ checksum: TextChecksum) {
            bytes += assembly.add(byteCount: blocks.count, checksum) + blocks
            marks.append(assembly.mark)
        }
    }

    /// Texts in blocks of random sizes, some of them empty.
    private static func texts(_ random: inout SeededGenerator) -> [[UInt8]] {
        let text = Array(GzipSamples.text(0..<3000).utf8)
        var (texts, at) = ([[UInt8]](), 0)
        while at < text.count {
            let most = [0, 1, 2, 100, 70_000].randomElement(using: &random) ?? 0
            let end = min(text.count, at + Int.random(in: 0...most, using: &random))
            texts.append(Array(text[at..<end]))
            at = end
            if texts.count > 60 { break }
        }
        return texts
    }

    @Test("blocks of any sizes form one member, which both libraries read to its last byte", arguments: libraries, BlockWriterTests.levels)
    func oneMember(library: DeflateLibrary, level: String) throws {
        var random = SeededGenerator(seed: 21)
        for _ in 0..<2 {
            let texts = Self.texts(&random)
            let file = File(texts, level: try #require(CompressionLevel(level)), library: library)
            let text = Array(texts.joined())
            for reader in libraries {
                let inflated = GzipSamples.inflated(Array(file.bytes[10...]), library: reader)
                #expect(inflated.text == text)
                #expect(inflated.rest == MemberTrailer.count)
            }
            #expect(file.bytes.suffix(8) == GzipSamples.trailer(text)[...])
            let read = try ReadAll(file.bytes, library: library)
            #expect(read.texts == String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init))
            #expect(read.damage == [])
            #expect(read.summary.members == 1)
        }
    }

    @Test("the header is minimal: no flags, no fields")
    func header() {
        #expect(File([[1]]).bytes.prefix(10) == [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255])
    }

    @Test("a file without text is an empty member", arguments: GzipMembers.allCases, [[], [[], []]] as [[[UInt8]]])
    func empty(members: GzipMembers, texts: [[UInt8]]) throws {
        let file = File(members == .one ? texts : [], members)
        #expect(file.bytes == MemberAssembly.empty)
        let read = try ReadAll(file.bytes)
        #expect(read.records == [])
        #expect(read.damage == [])
        #expect(read.summary.members == 1)
    }

    @Test("many members consist of the blocks only", arguments: libraries)
    func manyMembers(library: DeflateLibrary) throws {
        let texts = [Array(GzipSamples.text(0..<300).utf8), Array(GzipSamples.text(300..<400).utf8)]
        let file = File(texts, .many, library: library)
        #expect(file.assembly.mark.length == UInt64(file.bytes.count))
        let read = try ReadAll(file.bytes, library: library)
        #expect(read.texts == GzipSamples.lines(0..<400))
        #expect(read.summary.members == 2)
    }

    @Test("a file truncated at any mark and continued becomes the same", arguments: libraries)
    func resumed(library: DeflateLibrary) {
        var random = SeededGenerator(seed: 4)
        let texts = Self.texts(&random)
        let whole = File(texts, library: library)
        for (index, mark) in whole.marks.enumerated() {
            var file = File()
            file.bytes = Array(whole.bytes[..<Int(mark.length)])
            file.assembly = MemberAssembly(from: mark)
            let writer = BlockWriter(library: library)
            for text in texts[(index + 1)...] { file.add(text, writer) }
            #expect(file.bytes + file.assembly.ending == whole.bytes)
        }
    }

    @Test("parts that are separate files become one member of all their blocks", arguments: libraries)
    func stitched(library: DeflateLibrary) {
        var random = SeededGenerator(seed: 5)
        let texts = Self.texts(&random)
        let parts = [texts[..<10], [], texts[10..<11], texts[11...]].map { File(Array($0), library: library) }
        var stitched = File()
        for part in parts {
            let mark = part.assembly.mark
            stitched.add(Array(part.bytes[Int(mark.blocks.lowerBound)..<Int(mark.blocks.upperBound)]), mark.checksum)
        }
        #expect(stitched.bytes + stitched.assembly.ending == File(texts, library: library).bytes)
    }

    @Test("checksums of parts give the checksum of the whole, beyond 4 GiB, too")
    func checksums() {
        var random = SeededGenerator(seed: 6)
        let text = (0..<5000).map { _ in UInt8.random(in: 0...255, using: &random) }
        for _ in 0..<100 {
            let cuts = [0, Int.random(in: 0...5000, using: &random), Int.random(in: 0...5000, using: &random), 5000].sorted()
            var sum = TextChecksum()
            for (start, end) in zip(cuts, cuts.dropFirst()) {
                sum.append(TextChecksum(crc: GzipSamples.crc(Array(text[start..<end])), count: UInt64(end - start)))
            }
            #expect(sum == TextChecksum(crc: GzipSamples.crc(text), count: 5000))
        }
        // The CRC of 2^33 zeros, computed with Python's zlib.crc32 in steps of 1 GiB.
        var zeros = TextChecksum(crc: GzipSamples.crc([0]), count: 1)
        for _ in 0..<33 { zeros.append(zeros) }
        #expect(zeros == TextChecksum(crc: 0x41D912FF, count: 1 << 33))
        #expect(MemberTrailer(zeros).count == 0)
    }

    @Test("readers that know one member only read a file of many blocks whole", arguments: libraries)
    func otherReaders(library: DeflateLibrary) async throws {
        let texts = (0..<5).map { Array(GzipSamples.text($0 * 400..<$0 * 400 + 400).utf8) }
        let file = FileManager.default.temporaryDirectory.appending(path: "blocks-\(UUID().uuidString).gz")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(File(texts, library: library).bytes).write(to: file)
        let python = """
            import sys, zlib
            d = zlib.decompressobj(31)
            sys.stdout.buffer.write(d.decompress(open(sys.argv[1], 'rb').read()))
            sys.exit(0 if d.eof and not d.unused_data else 1)
            """
        for command in [["gzip", "-dc", file.path], ["python3", "-c", python, file.path]] where OtherReader.isInstalled(command[0]) {
            let read = try OtherReader.read(command)
            #expect(read.status == 0, "\(command[0])")
            #expect(read.output == Data(texts.joined()), "\(command[0])")
        }
    }
}
