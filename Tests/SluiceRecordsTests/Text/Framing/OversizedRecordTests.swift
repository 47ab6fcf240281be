import Foundation
import Testing

@testable import SluiceRecords

@Suite("Oversized records")
struct OversizedRecordTests {
    private static func inFolder(_ body: (String) throws -> Void) throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("sluice-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        try body(root)
    }

    private static func spilled(_ record: SpilledRecord) throws -> [UInt8] {
        let bytes = try [UInt8](Data(contentsOf: URL(filePath: record.spill)))
        let read = try ReadAll(bytes, maxRecord: 1 << 30)
        #expect(read.damage == [])
        return Array(read.records.map(\.bytes).joined(separator: [0x0A]))
    }

    @Test("a record over the limit is set aside completely, its neighbours are delivered", arguments: libraries, [true, false])
    func setAside(library: DeflateLibrary, isPacked: Bool) throws {
        try Self.inFolder { folder in
            let long = Array("[".utf8) + [UInt8](repeating: 0x78, count: 5 << 20) + Array("]".utf8)
            let text = Array("a\n".utf8) + long + Array("\nb\n".utf8) + long
            let input = isPacked ? GzipSamples.member(Array(text.prefix(1_000_000))) + GzipSamples.member(Array(text.dropFirst(1_000_000))) : text
            for (chunk, most) in [(256 << 10, 256 << 10), (5000, 1 << 20)] {
                let read = try ReadAll(input, library: library, maxRecord: 2 << 20, chunk: chunk, most: most, spillFolder: folder)
                #expect(read.texts == ["a", "b"])
                #expect(read.cuts.map(\.spilled) == [[], [UInt64(long.count)], [], [UInt64(long.count)]])
                let second = UInt64(long.count) + 5
                #expect(read.spilled.map(\.position.offset) == [2, second])
                #expect(read.spilled.map(\.position.line) == [2, 4])
                #expect(read.spilled.map(\.position.member) == [0, isPacked ? 1 : 0])
                #expect(read.records.map(\.position.line) == [1, 3])
                #expect(read.spilled.map(\.isUTF8) == [true, true])
                #expect(try read.spilled.map(Self.spilled) == [long, long])
                #expect(read.spilled.map(\.spill) == [2, second].map { "\(folder)/spilled-3-\($0).gz" })
            }
        }
    }

    @Test("a limit below a batch's size removes records from between others", arguments: libraries)
    func smallLimit(library: DeflateLibrary) throws {
        try Self.inFolder { folder in
            let input = GzipSamples.member("one\nlonger\ntwo\nlongest\u{FF}\n\nthree\n")
            let read = try ReadAll(input, library: library, maxRecord: 5, spillFolder: folder)
            #expect(read.texts == ["one", "two", "", "three"])
            #expect(read.records.map(\.position.line) == [1, 3, 5, 6])
            #expect(read.spilled.map(\.beforeFrame) == [1, 2])
            #expect(read.spilled.map(\.position.offset) == [4, 15])
            #expect(try read.spilled.map(Self.spilled) == ["longer", "longest\u{FF}"].map { Array($0.utf8) })
        }
    }

    @Test("a record of exactly the limit is accepted")
    func edge() throws {
        try Self.inFolder { folder in
            let target = Batch.targetBytes
            for limit in [10, target - 1, target, target + 1, 2 * target + 7] {
                let fits = [UInt8](repeating: 0x61, count: limit)
                let read = try ReadAll(fits + [0x0A] + fits + [0x61, 0x0A] + fits, maxRecord: limit, spillFolder: folder)
                #expect(read.records.map(\.bytes.count) == [limit, limit])
                #expect(read.spilled.map(\.byteCount) == [UInt64(limit) + 1])
            }
        }
    }

    @Test("damage inside an oversized record discards it", arguments: libraries)
    func damaged(library: DeflateLibrary) throws {
        try Self.inFolder { folder in
            let long = [UInt8](repeating: 0x78, count: 3 << 20)
            let input = GzipSamples.member("a\n") + GzipSamples.member(long).dropLast(30) + GzipSamples.member("b\n")
            let read = try ReadAll(input, library: library, maxRecord: 1 << 20, spillFolder: folder)
            #expect(read.spilled.isEmpty)
            #expect(read.texts == ["a", "b"])
            #expect(read.damage.reduce(0) { $0 + $1.lostText } > 1 << 20)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
        }
    }

    @Test("a folder that cannot be created is an error that names it")
    func noFolder() throws {
        let error = #expect(throws: InputError.self) {
            try ReadAll([UInt8](repeating: 0x61, count: 100), maxRecord: 10, name: "x", spillFolder: "/dev/null/spill")
        }
        #expect(try #require(error) == .spill(path: "/dev/null/spill", reason: "Not a directory"))
    }

    @Test("one line across many members, each a small bomb", arguments: libraries)
    func bomb(library: DeflateLibrary) throws {
        try Self.inFolder { folder in
            let zeros = [UInt8](repeating: 0, count: 4 << 20)
            let member = GzipSamples.member(zeros)
            let input = [[UInt8]](repeating: member, count: 8).flatMap { $0 } + GzipSamples.member("\nb\n")
            let read = try ReadAll(input, library: library, maxRecord: 2 << 20, spillFolder: folder)
            #expect(read.spilled.map(\.isUTF8) == [true])
            #expect(read.spilled.map(\.byteCount) == [8 * 4 << 20])
            #expect(read.texts == ["b"])
            #expect(read.records.first?.position == Position(member: 8, offset: 8 * 4 << 20 + 1, line: 2))
        }
    }

    @Test("of a record over a second limit, the first 64 KiB are kept, up to the end of a character")
    func cut() throws {
        try Self.inFolder { folder in
            let text = Array(String(repeating: "€", count: 30_000).utf8)
            for (record, kept, isUTF8) in [(text, (64 << 10) / 3 * 3, true), ([0xFF] + text, 64 << 10, false)] {
                for chunk in [256 << 10, 777] {
                    let read = try ReadAll(
                        Array("a\n".utf8) + record + Array("\nb".utf8), maxRecord: 5_000, chunk: chunk, name: "test", spillFolder: folder,
                        mostRaw: 80_000)
                    #expect(read.texts == ["a", "b"])
                    let spilled = try #require(read.spilled.first)
                    #expect(spilled.byteCount == UInt64(record.count))
                    #expect(spilled.kept == kept)
                    #expect(spilled.isUTF8 == isUTF8)
                    #expect(try SpillReader(spilled).nextBytes()?.withFilled(Array.init) == Array(record.prefix(kept)))
                }
            }
            let edge = try ReadAll(text + [0x0A], maxRecord: 5_000, spillFolder: folder, mostRaw: 90_000)
            #expect(edge.spilled.map(\.kept) == [nil])
            #expect(try edge.spilled.map(Self.spilled) == [text])
        }
    }

    @Test("a record that grows like a bomb is given up; reading goes on at the next member", arguments: libraries)
    func givenUp(library: DeflateLibrary) throws {
        try Self.inFolder { folder in
            let size = 40 << 20
            let bomb = GzipSamples.member("a\n") + GzipSamples.member([UInt8](repeating: 0, count: size) + Array("\nlost\n".utf8))
            let bombs = BombLimit(text: 8 << 20, ratio: 500)
            let input = bomb + GzipSamples.member("b\n")
            for chunk in [256 << 10, 5000] {
                let read = try ReadAll(input, library: library, maxRecord: 1 << 20, chunk: chunk, spillFolder: folder, bombs: bombs)
                #expect(read.texts == ["a", "b"])
                #expect(read.spilled.map(\.reason) == [.bomb])
                #expect(read.spilled.map(\.byteCount) == [16 << 20])
                #expect(read.kinds == [.bomb])
                let damage = try #require(read.damage.first)
                #expect(damage.offset + damage.lostBytes == UInt64(bomb.count))
                #expect(damage.lostText == 0)
                #expect(read.records.last?.position == Position(member: 2, offset: UInt64(16 << 20) + 2, line: 3))
            }
            let alone = try ReadAll(bomb, library: library, maxRecord: 1 << 20, spillFolder: folder, bombs: bombs)
            #expect(alone.texts == ["a"])
            #expect(alone.kinds == [.bomb])
            #expect(alone.summary.bytes == UInt64(bomb.count))
            #expect(throws: InputError.self) {
                try ReadAll(input, library: library, onDamage: .fail, maxRecord: 1 << 20, spillFolder: folder, bombs: bombs)
            }
        }
    }

    @Test("no bomb: a record within the limit, short lines, a long record that compresses less", arguments: libraries)
    func noBomb(library: DeflateLibrary) throws {
        try Self.inFolder { folder in
            let bombs = BombLimit(text: 4 << 20, ratio: 500)
            let zeros = GzipSamples.member([UInt8](repeating: 0, count: 12 << 20))
            #expect(try ReadAll(zeros, library: library, spillFolder: folder, bombs: bombs).records.count == 1)
            let lines = GzipSamples.member([UInt8](repeating: 0x0A, count: 12 << 20))
            #expect(try ReadAll(lines, library: library, maxRecord: 1 << 20, spillFolder: folder, bombs: bombs).summary.records == 12 << 20)
            let repeated = GzipSamples.member((0..<300_000).flatMap { Array("some text that is repeated \($0 % 10), ".utf8) })
            let read = try ReadAll(repeated, library: library, maxRecord: 1 << 20, spillFolder: folder, bombs: bombs)
            #expect(read.spilled.map(\.reason) == [.tooLong])
            #expect(read.damage.isEmpty)
        }
    }

    @Test("a frame of zstd that grows like a bomb is given up, too")
    func frame() throws {
        try Self.inFolder { folder in
            let bomb = FrameSample.zstd([UInt8](repeating: 0, count: 40 << 20))
            // The first frame shows that frames end with lines.
            let input = FrameSample.zstd(Array("a\n".utf8)) + bomb + FrameSample.zstd(Array("b\n".utf8))
            let read = try ReadAll(input, maxRecord: 1 << 20, spillFolder: folder, bombs: BombLimit(text: 8 << 20, ratio: 500))
            #expect(read.texts == ["a", "b"])
            #expect(read.spilled.map(\.reason) == [.bomb])
            #expect(read.kinds == [.bomb])
        }
    }

    @Test("UTF-8 is validated however it is split")
    func utf8() {
        let samples: [([UInt8], Bool)] = [
            (Array("grüß \u{10FFFF} \u{D7FF}\u{E000} plain plain plain".utf8), true), ([0xC0, 0x80], false), ([0xE0, 0x80, 0x80], false),
            ([0xED, 0xA0, 0x80], false), ([0xF4, 0x90, 0x80, 0x80], false), ([0xF5, 0x80, 0x80, 0x80], false), ([0x80], false), ([0xE2, 0x82], false),
            ([], true), ([0xF0, 0x8F, 0xBF, 0xBF], false), (Array("12345678".utf8) + [0xFF], false),
        ]
        for (bytes, isValid) in samples {
            for size in [1, 2, 3, 100] {
                var check = UTF8Check()
                for start in stride(from: 0, to: bytes.count, by: size) {
                    bytes[start..<min(start + size, bytes.count)].withUnsafeBufferPointer { check.take($0) }
                }
                #expect(check.isValid == isValid)
                #expect(isValid == (String(validating: bytes, as: UTF8.self) != nil))
            }
        }
    }
}
