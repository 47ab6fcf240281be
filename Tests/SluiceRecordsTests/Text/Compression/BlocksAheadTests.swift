import Foundation
import Synchronization
import Testing

@testable import SluiceRecords

@Suite("Blocks that are inflated ahead")
struct BlocksAheadTests {
    /// Runs jobs at once, some of them, or on threads of their own.
    enum Scheduling: CaseIterable {
        case never, atOnce, sometimes, onThreads

        func helpers(_ count: Int = 2, seed: UInt64 = 1) -> BlocksAhead.Helpers {
            let random = Mutex(SeededGenerator(seed: seed))
            return BlocksAhead.Helpers(
                count: { count },
                run: { job in
                    switch self {
                    case .never: break
                    case .atOnce: job()
                    case .sometimes: if random.withLock({ Bool.random(using: &$0) }) { job() }
                    case .onThreads: Thread.detachNewThread(job)
                    }
                }, mostBlocks: 2 * count)
        }
    }

    private static let count = 3_000
    /// Ten blocks of lines, of about 70 KiB each.
    private static let texts = (0..<10).map { Array(GzipSamples.text($0 * count..<($0 + 1) * count).utf8) }
    private static let text = Array(texts.joined())

    private static func member(_ data: [UInt8]) -> [UInt8] {
        GzipSamples.bytes(of: .init()) + data + GzipSamples.trailer(text)
    }

    /// Files with flushes of all kinds, and with other blocks between them.
    private static let sound: [[UInt8]] = {
        let blocks = GzipSamples.blocks(texts).bytes
        // Some flushes keep the dictionary, some don't, and some blocks are too small.
        let mixed = texts.indices.map { index in
            let pieces = [Array(texts[index].prefix(40_000)), Array(texts[index].dropFirst(40_000).prefix(100)), Array(texts[index].dropFirst(40_100))]
            return index == 9 ? GzipSamples.syncFlushed(pieces).data : GzipSamples.flushed(pieces, isFull: { $0 == 2 })
        }
        return [
            blocks, blocks + blocks, GzipSamples.blocks(texts, level: .fast).bytes, GzipSamples.blocks(texts, members: .many).bytes,
            member(GzipSamples.syncFlushed(texts).data), member(Array(mixed.joined())), GzipSamples.member(text), GzipSamples.member(blocks, level: 0),
        ]
    }()

    @Test("a block is given to the reader that is at its first byte, once", arguments: libraries)
    func blocks(library: DeflateLibrary) throws {
        let (bytes, places) = GzipSamples.blocks(Self.texts)
        let source = MemorySource(["a.gz": bytes])
        let ahead = BlocksAhead(try source.open(source.inputs[0], at: 0), library: library, helpers: Scheduling.atOnce.helpers(3))
        ahead.beginMember()
        #expect(ahead.take(from: UInt64(places[0].lowerBound)) == nil, "nobody knew that a block begins there")
        for (place, text) in zip(places, Self.texts).dropFirst() {
            let inflated = try #require(ahead.take(from: UInt64(place.lowerBound)))
            #expect(inflated.text.withFilled(Array.init) == text)
            #expect(inflated.checksum == TextChecksum(crc: GzipSamples.crc(text), count: UInt64(text.count)))
            #expect(inflated.end == UInt64(place.upperBound))
            ahead.giveBack(inflated.text)
            #expect(ahead.take(from: UInt64(place.lowerBound)) == nil)
        }
        #expect(ahead.take(from: UInt64(bytes.count)) == nil)
    }

    @Test("no file reads differently with helpers", arguments: libraries, Scheduling.allCases)
    func sameText(library: DeflateLibrary, scheduling: Scheduling) throws {
        for (index, input) in Self.sound.enumerated() {
            let expected = try ReadAll(input, library: library)
            #expect(expected.damage == [])
            for (chunk, most) in [(256 << 10, 256 << 10), (1_000, 30_000), (100_000, 777)] {
                let read = try ReadAll(input, library: library, chunk: chunk, most: most, helpers: scheduling.helpers(seed: UInt64(index)))
                #expect(read == expected, "file \(index), \(chunk) in, \(most) out")
            }
        }
    }

    @Test("no damaged file reads differently with helpers", arguments: libraries, [Scheduling.atOnce, .sometimes, .onThreads])
    func sameDamage(library: DeflateLibrary, scheduling: Scheduling) throws {
        var random = SeededGenerator(seed: 7)
        for (index, whole) in Self.sound.enumerated() {
            for turn in 0..<12 {
                var input = whole
                switch turn % 4 {
                case 0: input.removeLast(Int.random(in: 1..<input.count, using: &random))
                case 1: input[Int.random(in: input.indices, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 2:
                    let start = Int.random(in: input.indices, using: &random)
                    for place in start..<min(start + 3000, input.count) { input[place] = UInt8.random(in: 0...255, using: &random) }
                default:
                    let start = Int.random(in: input.indices, using: &random)
                    input.removeSubrange(start..<min(start + 5000, input.count))
                }
                let expected = try ReadAll(input, library: library)
                let read = try ReadAll(input, library: library, helpers: scheduling.helpers(seed: UInt64(turn)))
                #expect(read == expected, "file \(index), turn \(turn)")
                #expect(read.spilled.map(\.position) == expected.spilled.map(\.position))
            }
        }
    }

    @Test("a bomb is given up at the same place", arguments: libraries, [Scheduling.atOnce, .sometimes, .onThreads])
    func bombs(library: DeflateLibrary, scheduling: Scheduling) throws {
        let long = (Self.texts + Self.texts).map { text in text.map { $0 == 0x0A ? UInt8(ascii: " ") : $0 } }
        let input = GzipSamples.blocks(Array(Self.texts[..<3]) + long + Array(Self.texts[..<2])).bytes + GzipSamples.blocks(Self.texts).bytes
        let bombs = BombLimit(text: 300_000, ratio: 2)
        let expected = try ReadAll(input, library: library, maxRecord: 1000, bombs: bombs)
        #expect(expected.kinds == [.bomb])
        #expect(try ReadAll(input, library: library, maxRecord: 1000, bombs: bombs, helpers: scheduling.helpers()) == expected)
    }

    @Test("nothing is read once it is stopped")
    func stopped() throws {
        let (bytes, places) = GzipSamples.blocks(Self.texts)
        let jobs = Mutex<[@Sendable () -> Void]>([])
        let helpers = BlocksAhead.Helpers(count: { 2 }, run: { job in jobs.withLock { $0.append(job) } }, mostBlocks: 4)
        let ahead = BlocksAhead(UnreadableBytes(size: UInt64(bytes.count)), library: .zlib, helpers: helpers)
        ahead.beginMember()
        #expect(ahead.take(from: UInt64(places[1].lowerBound)) == nil)
        let called = jobs.withLock { $0 }
        #expect(called.count == 2)
        ahead.stop()
        for job in called { job() }
        #expect(ahead.take(from: UInt64(places[2].lowerBound)) == nil)
        #expect(jobs.withLock { $0.count } == 2)
    }
}

/// Fails the test when it is read.
private final class UnreadableBytes: InputBytes {
    let size: UInt64?

    init(size: UInt64) { self.size = size }

    func read(into memory: UnsafeMutableRawBufferPointer) -> Int {
        Issue.record("read")
        return 0
    }

    func read(at offset: UInt64, into memory: UnsafeMutableRawBufferPointer) -> Bool {
        Issue.record("read at \(offset)")
        return false
    }

    func close() {}
}
