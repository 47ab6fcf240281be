import Foundation
import Testing

@testable import SluiceRecords

let libraries = DeflateLibrary.allCases.filter(\.isAvailable)

@Suite("Batch reader")
struct BatchReaderTests {
    @Test(
        "cuts text into records", arguments: [true, false],
        [
            ("", []), ("\n", [""]), ("a", ["a"]), ("a\n", ["a"]), ("a\nb", ["a", "b"]), ("a\n\nb\n", ["a", "", "b"]), ("a\r\nb\r\n", ["a\r", "b\r"]),
            ("\u{FEFF}a\nb\n", ["a", "b"]), ("\u{FEFF}", []), ("\u{FEFF}\n", [""]), ("a\n\u{FEFF}b\n", ["a", "\u{FEFF}b"]), ("\0\n\0", ["\0", "\0"]),
        ] as [(String, [String])])
    func cuts(isPacked: Bool, sample: (text: String, records: [String])) throws {
        for library in libraries {
            let bytes = Array(sample.text.utf8)
            let read = try ReadAll(isPacked ? GzipSamples.member(bytes) : bytes, library: library, name: "test")
            #expect(read.texts == sample.records)
            #expect(read.damage == [])
            #expect(read.summary.members == (isPacked ? 1 : 0))
            #expect(read.summary.textBytes == UInt64(bytes.count))
        }
    }

    @Test("knows where each record begins: member, offset, line", arguments: libraries)
    func positions(library: DeflateLibrary) throws {
        let members = ["one\ntw", "o\nthree\n", "", "four", "\n", "fi", "ve\nsix"]
        let read = try ReadAll(members.flatMap { GzipSamples.member($0) }, library: library)
        #expect(read.texts == ["one", "two", "three", "four", "five", "six"])
        let expected: [(Int, UInt64, UInt64)] = [(0, 0, 1), (0, 4, 2), (1, 8, 3), (3, 14, 4), (5, 19, 5), (6, 24, 6)]
        #expect(read.records.map(\.position) == expected.map { Position(member: $0.0, offset: $0.1, line: $0.2) })
        #expect(read.summary.members == 7)
    }

    @Test("a batch holds the complete records that fit in the target, or a longer one", arguments: libraries)
    func batches(library: DeflateLibrary) throws {
        let target = Batch.targetBytes
        let lengths = [target - 1, 0, target - 2, 1, target, target - 10, 8, 0, 3 * target, 5]
        let text = lengths.flatMap { [UInt8](repeating: 0x61, count: $0) + [0x0A] }
        let read = try ReadAll(GzipSamples.member(text, level: 1), library: library)
        #expect(read.records.map(\.bytes.count) == lengths)
        #expect(read.cuts.map(\.records) == [1, 2, 1, 1, 2, 1, 1, 1])
    }

    @Test("cuts the same batches however the bytes arrive", arguments: libraries, [UInt64](1...4))
    func chunking(library: DeflateLibrary, seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var input: [UInt8] = []
        for _ in 0..<20 {
            let lines = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                String(repeating: "x\(random.next())", count: Int.random(in: 0...(Bool.random(using: &random) ? 4000 : 10), using: &random))
            }
            input += GzipSamples.member(lines.joined(separator: "\n"), level: Int32.random(in: 0...9, using: &random))
        }
        let maxRecord = 60_000
        let expected = try ReadAll(input, library: library, maxRecord: maxRecord)
        #expect(expected.cuts.count > 1)
        #expect(expected.damage == [])
        for (chunk, most) in [(1000, 50_000), (65_536, 1 << 20), (4096, 777), (1 << 20, 65_536)] {
            #expect(try ReadAll(input, library: library, maxRecord: maxRecord, chunk: chunk, most: most) == expected)
        }
        let text = expected.records.count + expected.spilled.count
        #expect(text > 100)
    }
}
