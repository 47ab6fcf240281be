import Foundation
import Synchronization
import Testing

@testable import SluiceRecords

@Suite("Access points")
struct AccessPointTests {
    /// Lines of about 1,000 bytes, 6 MiB in all, in pieces of about 100 KiB.
    private static let pieces: [[UInt8]] = {
        var random = SeededGenerator(seed: 3)
        return (0..<60).map { _ in
            (0..<100).flatMap { _ in
                let words = (0..<Int.random(in: 60...80, using: &random)).map { _ in String(random.next(), radix: 36) }
                return Array("{\"w\":\"\(words.joined(separator: " "))\"}\n".utf8)
            }
        }
    }()
    private static let text = Array(pieces.joined())

    private static let buffers = BufferPool(capacity: Batch.targetBytes, most: 4)

    private static func member(_ data: [UInt8]) -> [UInt8] { GzipSamples.bytes(of: .init()) + data + GzipSamples.trailer(text) }

    struct Sample: CustomTestStringConvertible, Sendable {
        var name: String
        var bytes: [UInt8]
        /// Whether the file can be entered in its middle.
        var hasPoints = true

        var testDescription: String { name }
    }

    /// Files of all kinds; those with members also with members that begin inside lines.
    static let samples: [Sample] = [
        Sample(name: "plain.jsonl", bytes: text),
        Sample(name: "blocks.gz", bytes: GzipSamples.blocks(pieces).bytes),
        Sample(name: "many.gz", bytes: GzipSamples.blocks(pieces, members: .many).bytes),
        Sample(name: "bgzf.gz", bytes: GzipSamples.bgzf(text)),
        Sample(name: "joined.gz", bytes: GzipSamples.blocks(Array(pieces[..<30])).bytes + GzipSamples.bgzf(Array(pieces[30...].joined()))),
        Sample(name: "sync.gz", bytes: member(GzipSamples.syncFlushed(pieces).data)),
        Sample(name: "single.gz", bytes: GzipSamples.member(text), hasPoints: false),
        Sample(name: "frames.zst", bytes: pieces.flatMap { FrameSample.zstd.frame($0) }),
        Sample(name: "frames.bz2", bytes: pieces.flatMap { FrameSample.bzip2.frame($0) }),
        Sample(name: "frames.xz", bytes: pieces.flatMap { FrameSample.xz.frame($0) }),
    ]

    /// What a reader returned, and where it was after each batch.
    private struct Reading: Equatable {
        struct Read: Equatable {
            var number: Int
            var bytes: [UInt8]
            var frames: Int
            var positions: [Position]
            var members: [MemberRun]
            var damage: [Damage]
            var spilled: [Position]
            var suspect: UInt64
            var setAside: [Range<Int>]
            var head: FileHead?
            var end: Position
        }

        var batches: [Read] = []
        var summary = InputSummary(file: "")
        /// The number of bytes of the input that were read at the end of each batch.
        var positions: [UInt64] = []
        var states: [ReaderState?] = []

        static func == (left: Self, right: Self) -> Bool { left.batches == right.batches && left.summary == right.summary }

        init(_ reader: any InputReader) throws {
            while let batch = try reader.next() {
                batches.append(
                    Read(
                        number: batch.number, bytes: batch.bytes.withFilled(Array.init), frames: batch.frames.count,
                        positions: [0, batch.frames.count - 1].filter { batch.frames.indices.contains($0) }.map(batch.position(ofFrame:)),
                        members: batch.members, damage: batch.damage, spilled: batch.spilled.map(\.position), suspect: batch.suspect,
                        setAside: batch.setAside, head: batch.head, end: batch.end))
                positions.append(batch.compressedBytesRead)
                states.append(batch.readerState)
                for record in batch.spilled { unlink(record.spill) }
            }
            summary = reader.summary
            reader.close()
        }

        /// What comes after the first batches.
        func after(_ count: Int) -> Reading {
            var rest = self
            rest.batches = Array(batches[count...])
            return rest
        }
    }

    private static func configuration(_ library: DeflateLibrary, _ framing: Framing = .lines) -> BatchReader.Configuration {
        var configuration = BatchReader.Configuration(spillFolder: NSTemporaryDirectory() + "sluice-spill-\(UUID().uuidString)")
        configuration.library = library
        configuration.framing = framing
        configuration.maxRecord = 20_000
        return configuration
    }

    private static func file(_ sample: Sample) -> InputFile { InputFile(path: sample.name, size: UInt64(sample.bytes.count)) }

    private static func whole(_ sample: Sample, _ configuration: BatchReader.Configuration, unsound: Set<Int> = []) throws -> Reading {
        let bytes = CountedBytes(sample.bytes, at: 0)
        return try Reading(BatchReader(file(sample), of: bytes, index: 0, configuration: configuration, buffers: Self.buffers, unsound: unsound))
    }

    /// - Returns: also the number of bytes that were read one after another.
    private static func rest(_ sample: Sample, _ configuration: BatchReader.Configuration, after state: ReaderState?) throws -> (Reading, UInt64) {
        let state = try #require(state)
        let bytes = CountedBytes(sample.bytes, at: state.point.windowStart)
        let stored = try stored(state)
        let reader = try #require(BatchReader(file(sample), of: bytes, index: 0, configuration: configuration, buffers: Self.buffers, after: stored))
        return (try Reading(reader), bytes.count)
    }

    /// The state, written to a file and read back.
    private static func stored(_ state: ReaderState) throws -> ReaderState {
        let folder = NSTemporaryDirectory() + "sluice-state-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = StateFile("state", in: folder)
        try file.write(state)
        return try #require(try file.read(ReaderState.self))
    }

    @Test("a state that was changed is refused, or gives something else, but does not end the process", arguments: samples, libraries)
    func changedState(sample: Sample, library: DeflateLibrary) throws {
        let configuration = Self.configuration(library)
        let state = try #require(try Self.whole(sample, configuration).states.dropFirst(2).first ?? nil)
        func reader(_ state: ReaderState) -> BatchReader? {
            let bytes = CountedBytes(sample.bytes, at: min(state.point.windowStart, UInt64(sample.bytes.count)))
            return BatchReader(Self.file(sample), of: bytes, index: 0, configuration: configuration, buffers: Self.buffers, after: state)
        }
        var none = state
        none.members = try JSONDecoder().decode(MemberPlaces.self, from: Data(#"{"places":[]}"#.utf8))
        #expect(reader(none) == nil)
        var far = state
        far.point.position = UInt64.max - 5
        #expect(reader(far) == nil)
        var late = state
        late.point.text = state.offset + 1
        #expect(reader(late) == nil)
        var short = state
        short.textCount = state.offset - 1
        #expect(reader(short) == nil)
        guard case .gzip(var gzip) = state.point.state, var inside = gzip.inside else { return }
        inside.flushes = FlushMarks(from: state.point.position + 1)
        gzip.inside = inside
        var marks = state
        marks.point.state = .gzip(gzip)
        #expect(reader(marks) == nil)
    }

    @Test("reading goes on after every batch as if it had not been left, without what is before the last place", arguments: samples, libraries)
    func everyBatch(sample: Sample, library: DeflateLibrary) throws {
        var configuration = Self.configuration(library)
        configuration.mostRecords = 700
        let whole = try Self.whole(sample, configuration)
        #expect(whole.summary.damage == [])
        #expect(whole.batches.count > 8)
        for (index, state) in whole.states.enumerated() {
            let state = try #require(state)
            let (rest, read) = try Self.rest(sample, configuration, after: state)
            #expect(rest == whole.after(index + 1), "after batch \(index)")
            // A run that ends early says how much it has read.
            #expect(rest.positions == Array(whole.positions[(index + 1)...]), "after batch \(index)")
            #expect(read == UInt64(sample.bytes.count) - state.point.windowStart)
            let end = whole.batches[index].end.offset
            // A member without flushes is read from its beginning.
            guard sample.hasPoints else {
                #expect(state.point.position == 0)
                continue
            }
            #expect(state.point.text <= end)
            #expect(end - state.point.text < 3 << 20, "after batch \(index)")
        }
    }

    @Test("reading goes on with helpers", arguments: samples.filter { $0.name.hasSuffix(".gz") }, [BlocksAheadTests.Scheduling.atOnce, .onThreads])
    func helpers(sample: Sample, scheduling: BlocksAheadTests.Scheduling) throws {
        for library in libraries {
            let plain = Self.configuration(library)
            var helped = plain
            helped.helpers = scheduling.helpers()
            let whole = try Self.whole(sample, plain)
            let helpedStates = try Self.whole(sample, helped)
            #expect(helpedStates == whole)
            for (index, states) in zip(whole.states, helpedStates.states).enumerated() {
                #expect(try Self.rest(sample, helped, after: states.0).0 == whole.after(index + 1), "after batch \(index)")
                #expect(try Self.rest(sample, plain, after: states.1).0 == whole.after(index + 1), "after batch \(index)")
            }
        }
    }

    @Test("damage before and after the place is the same", arguments: samples, libraries)
    func damage(sample: Sample, library: DeflateLibrary) throws {
        // Only gzip is inflated by these libraries.
        guard library == .zlib || sample.name.hasSuffix(".gz") else { return }
        var random = SeededGenerator(seed: UInt64(sample.bytes.count))
        var configuration = Self.configuration(library)
        configuration.mostRecords = 2_000
        var (met, goneOn) = (0, 0)
        for turn in 0..<8 {
            var damaged = sample
            for _ in 0...turn % 3 {
                let place = Int.random(in: damaged.bytes.indices, using: &random)
                switch turn % 4 {
                case 0: damaged.bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 1: for index in place..<min(place + 3000, damaged.bytes.count) { damaged.bytes[index] = UInt8.random(in: 0...255, using: &random) }
                case 2: damaged.bytes.removeSubrange(place..<min(place + 5000, damaged.bytes.count))
                default: damaged.bytes.removeLast(Int.random(in: 1..<damaged.bytes.count / 4, using: &random))
                }
            }
            let whole = try Self.whole(damaged, configuration)
            met += whole.summary.damage.count
            for (index, state) in whole.states.enumerated() where index % 4 == turn % 4 {
                let (rest, _) = try Self.rest(damaged, configuration, after: state)
                #expect(rest == whole.after(index + 1), "turn \(turn), after batch \(index)")
                goneOn += 1
            }
        }
        #expect(goneOn >= 8)
        #expect(met > 0 || sample.name.hasPrefix("plain"))
    }

    @Test("a trailer that is wrong is found, though most of its member was not read again", arguments: libraries)
    func trailer(library: DeflateLibrary) throws {
        let configuration = Self.configuration(library)
        var sample = Sample(name: "a.gz", bytes: GzipSamples.blocks(Self.pieces).bytes)
        let place = sample.bytes.count - MemberTrailer.count
        sample.bytes[place] ^= 1
        let whole = try Self.whole(sample, configuration)
        #expect(whole.summary.damage.map(\.kind) == [.crc])
        let state = try #require(whole.states[9])
        #expect(state.point.text > 2 << 20)
        let (rest, read) = try Self.rest(sample, configuration, after: state)
        #expect(read < UInt64(sample.bytes.count * 2 / 3))
        #expect(rest.batches.last?.damage.map(\.kind) == [.crc])
        // All records of the member are suspect, those of the first batches, too.
        #expect(rest.summary.suspect == 6_000)
        #expect(rest == whole.after(10))
    }

    @Test("members that were found to be unsound stay so", arguments: libraries)
    func unsound(library: DeflateLibrary) throws {
        let configuration = Self.configuration(library)
        let sample = Sample(name: "a.gz", bytes: GzipSamples.blocks(Self.pieces, members: .many).bytes)
        let whole = try Self.whole(sample, configuration, unsound: [3, 58])
        #expect(whole.batches.flatMap(\.setAside).reduce(0) { $0 + $1.count } == 200)
        for (index, state) in whole.states.enumerated() {
            #expect(try Self.rest(sample, configuration, after: state).0 == whole.after(index + 1))
        }
    }

    @Test("headers, directives and quoted line feeds are the same", arguments: libraries)
    func heads(library: DeflateLibrary) throws {
        var random = SeededGenerator(seed: 5)
        let rows = (0..<40_000).map { _ in "\(random.next()),\"\(Bool.random(using: &random) ? "a\nb" : "a")\",\(random.next() % 100)\n" }
        var logs = "#Fields: a b\n"
        for index in 0..<60_000 {
            if index % 9_000 == 8_999 { logs += index % 2 == 0 ? "#Fields: a b\n" : "#Fields: b a c\n" }
            logs += "\(random.next()) \(random.next() % 1000) x\n"
        }
        let csv = Quoting(separator: UInt8(ascii: ","), quote: UInt8(ascii: "\""))
        var tsv = Quoting(separator: 0x09, quote: nil)
        tsv.hasDirectives = true
        for (text, quoting) in [("n,t,k\n" + rows.joined(), csv), (logs, tsv)] {
            var quoting = quoting
            quoting.hasHead = true
            let pieces = stride(from: 0, to: text.utf8.count, by: 70_000).map { Array(text.utf8.dropFirst($0).prefix(70_000)) }
            let sample = Sample(name: "a.gz", bytes: GzipSamples.blocks(pieces).bytes)
            var configuration = Self.configuration(library, .quoted(quoting))
            configuration.mostRecords = 5_000
            let whole = try Self.whole(sample, configuration)
            #expect(whole.batches.last?.head != nil)
            for (index, state) in whole.states.enumerated() {
                #expect(try Self.rest(sample, configuration, after: state).0 == whole.after(index + 1))
            }
        }
    }

    @Test("reading goes on among the records after a quote that is never closed", arguments: libraries)
    func openQuote(library: DeflateLibrary) throws {
        let rows = (0..<100_000).map { "\($0),\($0 &* 2_654_435_761 % 1_000_003)\n" }
        let text = Array(("n,k\n" + rows[..<30_000].joined() + "x,\"open\n" + rows[30_000...].joined()).utf8)
        let pieces = stride(from: 0, to: text.count, by: 70_000).map { Array(text[$0..<min($0 + 70_000, text.count)]) }
        for bytes in [text, GzipSamples.blocks(pieces).bytes] {
            let sample = Sample(name: "a.csv", bytes: bytes)
            var configuration = Self.configuration(library, .quoted(Quoting(hasHead: true)))
            configuration.mostRecords = 10_000
            configuration.maxRecord = 400 << 10
            let whole = try Self.whole(sample, configuration)
            #expect(whole.batches.reduce(0) { $0 + $1.frames } == 100_001)
            #expect(whole.batches.allSatisfy { $0.frames <= 10_000 })
            for (index, state) in whole.states.enumerated() {
                #expect(try Self.rest(sample, configuration, after: state).0 == whole.after(index + 1), "after batch \(index)")
            }
        }
    }

    @Test("there is none where what follows depends on what is before", arguments: [Framing.documents(path: [])])
    func none(framing: Framing) throws {
        let sample = Self.samples[1]
        #expect(try Self.whole(sample, Self.configuration(.zlib, framing)).states.allSatisfy { $0 == nil })
        var configuration = Self.configuration(.zlib)
        configuration.encoding = .latin1
        #expect(try Self.whole(sample, configuration).states.allSatisfy { $0 == nil })
    }

    @Test("an input that is not the same is not gone on with")
    func another() throws {
        let configuration = Self.configuration(.zlib)
        let sample = Self.samples[1]
        let state = try #require(try Self.whole(sample, configuration).states[4])
        let cut = CountedBytes(Array(sample.bytes.prefix(Int(state.point.position) - 5)), at: state.point.windowStart)
        let ofCut = BatchReader(Self.file(sample), of: cut, index: 0, configuration: configuration, buffers: Self.buffers, after: state)
        #expect(ofCut == nil)
        let short = CountedBytes(Array(sample.bytes.prefix(Int(state.point.position) + 5)), at: state.point.windowStart)
        let ofShort = BatchReader(Self.file(sample), of: short, index: 0, configuration: configuration, buffers: Self.buffers, after: state)
        #expect(ofShort == nil)
    }
}

/// Counts the bytes that are read one after another.
///
/// `@unchecked Sendable`: the reader calls it from one job at a time, but for ``read(at:into:)``,
/// which changes nothing.
private final class CountedBytes: InputBytes, @unchecked Sendable {
    private let bytes: [UInt8]
    private var at: Int
    private(set) var count: UInt64 = 0

    init(_ bytes: [UInt8], at offset: UInt64) {
        self.bytes = bytes
        at = Int(offset)
    }

    var size: UInt64? { UInt64(bytes.count) }

    func read(into memory: UnsafeMutableRawBufferPointer) -> Int {
        let piece = bytes[min(at, bytes.count)...].prefix(memory.count)
        memory.copyBytes(from: piece)
        at += piece.count
        count += UInt64(piece.count)
        return piece.count
    }

    func read(at offset: UInt64, into memory: UnsafeMutableRawBufferPointer) -> Bool {
        guard offset <= UInt64(bytes.count), memory.count <= bytes.count - Int(offset) else { return false }
        memory.copyBytes(from: bytes[Int(offset)..<Int(offset) + memory.count])
        return true
    }

    func close() {}
}
