import Foundation
import Testing

@testable import SluiceRecords

/// Everything that a reader returned for an input.
struct ReadAll: Equatable {
    struct Record: Equatable {
        var bytes: [UInt8]
        var position: Position
    }

    struct Cut: Equatable {
        var offset: UInt64
        var line: UInt64
        var records: Int
        var damage: [Damage]
        var spilled: [UInt64]
    }

    /// Shared, because allocating fresh memory is slow in a debug build.
    private static let buffers = BufferPool(capacity: Batch.targetBytes, most: 8)

    var records: [Record] = []
    var cuts: [Cut] = []
    var spilled: [SpilledRecord] = []
    /// The text of the spilled records that were torn.
    var torn: [String] = []
    /// The texts of the records that belong to the dead letters.
    var setAside: [String] = []
    /// What is wrong with records, by their offset in the text.
    var faults: [UInt64: String] = [:]
    var summary = InputSummary(file: "")
    /// The header of the last batch.
    var head: FileHead?

    var texts: [String] { records.map { String(decoding: $0.bytes, as: UTF8.self) } }
    var damage: [Damage] { cuts.flatMap(\.damage) }
    var kinds: [Damage.Kind] { damage.map(\.kind) }

    static func == (left: ReadAll, right: ReadAll) -> Bool {
        left.records == right.records && left.cuts == right.cuts && left.summary == right.summary && left.faults == right.faults && left.head == right.head
    }

    /// - Parameters:
    ///   - chunk: the number of bytes that each read returns.
    ///   - most: the maximum number of bytes inflated in a step.
    init(
        _ input: [UInt8], library: DeflateLibrary = .zlib, onDamage: DamagePolicy = .salvage, maxRecord: Int = 16 << 20, chunk: Int = 256 << 10,
        most: Int = 256 << 10, framing: Framing = .lines, name: String = "test.gz", spillFolder: String? = nil, failAt: Int? = nil,
        encoding: TextEncoding = .utf8, unsound: Set<Int> = [], mostRaw: UInt64 = .max, bombs: BombLimit? = nil,
        helpers: BlocksAhead.Helpers? = nil
    ) throws {
        let ownFolder = NSTemporaryDirectory() + "sluice-spill-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: ownFolder) }
        var configuration = BatchReader.Configuration(spillFolder: spillFolder ?? ownFolder)
        configuration.library = library
        configuration.onDamage = onDamage
        configuration.maxRecord = maxRecord
        configuration.framing = framing
        configuration.encoding = encoding
        configuration.mostRaw = mostRaw
        configuration.bombs = bombs
        var at = 0
        let window = InputWindow(chunk: chunk) { memory in
            if let failAt, at >= failAt { return Int(-EIO) }
            let count = min(memory.count, (failAt ?? input.count) - at)
            input[at..<at + count].withUnsafeBytes { memory.copyMemory(from: $0) }
            at += count
            return count
        }
        let file = InputFile(path: name, size: UInt64(input.count))
        let ahead = try helpers.map { helpers in
            let source = MemorySource([name: input])
            return BlocksAhead(try source.open(source.inputs[0], at: 0), library: library, helpers: helpers)
        }
        let reader = try BatchReader(
            file, index: 3, configuration: configuration, buffers: Self.buffers, window: window, bytes: nil, ahead: ahead,
            inflateAtMost: most, unsound: unsound)
        var end: UInt64 = 0
        while let batch = try reader.next() {
            #expect(batch.input == 3)
            #expect(batch.offset >= end, "batches overlap")
            end = batch.offset + UInt64(batch.bytes.count)
            for (index, frame) in batch.frames.enumerated() {
                let bytes = Array(batch.bytes.filled[Int(frame.start)..<Int(frame.start + frame.count)])
                records.append(Record(bytes: bytes, position: batch.position(ofFrame: index)))
            }
            let spilled = batch.spilled.map(\.byteCount)
            cuts.append(Cut(offset: batch.offset, line: batch.line, records: batch.frames.count, damage: batch.damage, spilled: spilled))
            self.spilled += batch.spilled
            for record in batch.spilled where record.reason == .torn {
                torn.append(try SpillReader(record).beginning().withFilled { String(decoding: $0, as: UTF8.self) })
            }
            setAside += batch.setAside.joined().map { texts[texts.count - batch.frames.count + $0] }
            for fault in batch.faults { faults[batch.offset + UInt64(fault.start)] = fault.message }
            head = batch.head
            Self.buffers.give(batch.bytes)
        }
        summary = reader.summary
        #expect(try reader.next() == nil)
        #expect(summary.records == UInt64(records.count))
        #expect(summary.damage == damage)
    }
}
