import Foundation
import Testing

@testable import SluiceRecords

/// Builds tar archives block by block.
enum TarSample {
    enum Format: CaseIterable {
        case v7, ustar, gnu

        var magic: String {
            switch self {
            case .v7: ""
            case .ustar: "ustar\u{0}00"
            case .gnu: "ustar  \u{0}"
            }
        }
    }

    static let end = [UInt8](repeating: 0, count: 1024)

    static func header(
        _ name: [UInt8], size: [UInt8], type: Character = "0", format: Format = .ustar, prefix: String = ""
    ) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ bytes: some Collection<UInt8>, at place: Int) { block.replaceSubrange(place..<place + bytes.count, with: bytes) }
        put(name, at: 0)
        put("0000644\u{0}0000000\u{0}0000000\u{0}".utf8, at: 100)
        put(size, at: 124)
        put("14720000000\u{0}".utf8, at: 136)
        block[156] = format == .v7 && type == "0" ? 0 : type.asciiValue ?? 0
        put(format.magic.utf8, at: 257)
        put(prefix.utf8, at: 345)
        put(checksum(of: block), at: 148)
        return block
    }

    static func checksum(of block: [UInt8]) -> [UInt8] {
        let sum = String((block[..<148] + block[156...]).reduce(8 * 0x20) { $0 + Int($1) }, radix: 8)
        return Array((String(repeating: "0", count: 6 - sum.count) + sum + "\u{0} ").utf8)
    }

    static func octal(_ size: Int) -> [UInt8] {
        let digits = String(size, radix: 8)
        return Array((String(repeating: "0", count: 11 - digits.count) + digits + "\u{0}").utf8)
    }

    static func binary(_ size: UInt64) -> [UInt8] {
        [0x80, 0, 0, 0] + (0..<8).reversed().map { UInt8(truncatingIfNeeded: size >> (8 * $0)) }
    }

    /// A header with its data, filled up to a block.
    static func entry(_ name: String, _ data: [UInt8], type: Character = "0", format: Format = .ustar, prefix: String = "") -> [UInt8] {
        header(Array(name.utf8), size: octal(data.count), type: type, format: format, prefix: prefix) + data + filler(data.count)
    }

    static func file(_ name: String, _ text: String, format: Format = .ustar) -> [UInt8] { entry(name, Array(text.utf8), format: format) }

    static func filler(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: (512 - count % 512) % 512) }

    static func pax(_ records: [(key: String, value: String)], type: Character = "x") -> [UInt8] {
        let text = records.map { key, value -> String in
            let rest = " \(key)=\(value)\n"
            var length = rest.utf8.count + 1
            while "\(length)\(rest)".utf8.count != length { length += 1 }
            return "\(length)\(rest)"
        }.joined()
        return entry("PaxHeaders/x", Array(text.utf8), type: type)
    }
}

/// Everything that a reader returned for an archive.
struct ReadArchive: Equatable {
    struct Record: Equatable {
        var file: String
        var text: String
        var position: Position
    }

    struct Batch: Equatable {
        var file: String?
        var records: Int
        var damage: [Damage]
        var suspect: UInt64
        var place: UInt64
        var number: Int
    }

    var records: [Record] = []
    var batches: [Batch] = []
    var torn: [String] = []
    var setAside: [String] = []
    var heads: [FileHead?] = []
    var summary = InputSummary(file: "")

    var texts: [String] { records.map { "\($0.file): \($0.text)" } }
    var damage: [Damage] { batches.flatMap(\.damage) }
    var kinds: [Damage.Kind] { damage.map(\.kind) }
    var suspect: UInt64 { batches.reduce(0) { $0 + $1.suspect } }
    var contents: ArchiveContents { summary.archive ?? ArchiveContents() }

    static func == (left: ReadArchive, right: ReadArchive) -> Bool {
        left.records == right.records && left.batches == right.batches && left.summary == right.summary && left.torn == right.torn
    }

    private static let buffers = BufferPool(capacity: SluiceRecords.Batch.targetBytes, most: 8)

    /// - Parameters:
    ///   - chunk: the number of bytes that each read returns.
    ///   - skipped: the number of batches to skip.
    init(
        _ bytes: [UInt8], name: String = "a.tar", chunk: Int = 256 << 10, onDamage: DamagePolicy = .salvage, maxRecord: Int = 16 << 20,
        framing: Framing = .lines, excluding: [String] = [], skipping skipped: Int = 0
    ) throws {
        let folder = NSTemporaryDirectory() + "sluice-tar-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var configuration = BatchReader.Configuration(spillFolder: folder)
        configuration.library = .zlib
        configuration.onDamage = onDamage
        configuration.maxRecord = maxRecord
        configuration.framing = framing
        let file = InputFile(path: name, size: UInt64(bytes.count))
        let archive = try Archive(excluding: excluding)
        var unsound = UnsoundMembers()
        if onDamage == .setAside {
            unsound = try configuration.unsoundMembers(of: file, in: SlowBytes(bytes, chunk: chunk), as: archive)
        }
        let reader = try configuration.reader(
            of: file, in: SlowBytes(bytes, chunk: chunk), as: archive, index: 0, buffers: Self.buffers, unsound: unsound)
        try reader.skip(skipped, returningTo: Self.buffers)
        while let batch = try reader.next() {
            let name = batch.name.map { String($0.text) }
            for index in batch.frames.indices {
                let frame = batch.frames[index]
                let text = String(decoding: batch.bytes.filled[Int(frame.start)..<Int(frame.start + frame.count)], as: UTF8.self)
                records.append(Record(file: name ?? "?", text: text, position: batch.position(ofFrame: index)))
            }
            setAside += batch.setAside.joined().map { texts[texts.count - batch.frames.count + $0] }
            for record in batch.spilled {
                #expect(record.file == name)
                torn.append(try SpillReader(record).beginning().withFilled { String(decoding: $0, as: UTF8.self) })
            }
            batches.append(
                Batch(
                    file: name, records: batch.frames.count, damage: batch.damage, suspect: batch.suspect, place: batch.precedingText + batch.offset,
                    number: batch.number))
            heads.append(batch.head)
            Self.buffers.give(batch.bytes)
        }
        summary = reader.summary
        reader.close()
    }
}

/// Bytes in memory that are read in pieces.
final class SlowBytes: InputBytes, @unchecked Sendable {
    private let bytes: [UInt8]
    private let chunk: Int
    private var place = 0

    init(_ bytes: [UInt8], chunk: Int) {
        self.bytes = bytes
        self.chunk = chunk
    }

    var size: UInt64? { UInt64(bytes.count) }

    func read(into memory: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(memory.count, chunk, bytes.count - place)
        bytes[place..<place + count].withUnsafeBytes { memory.copyMemory(from: $0) }
        place += count
        return count
    }

    func close() {}
}
