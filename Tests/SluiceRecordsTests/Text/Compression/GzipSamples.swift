import CZlib
import Foundation
@testable import SluiceRecords

/// Gzip files that are assembled byte by byte.
enum GzipSamples {
    struct Header {
        var flags: UInt8 = 0
        var extra: [UInt8]?
        var name: String?
        var comment: String?
        var hasChecksum = false
    }

    static func member(_ text: [UInt8], level: Int32 = 6, header: Header = Header()) -> [UInt8] {
        bytes(of: header) + deflated(text, level: level) + trailer(text)
    }

    static func member(_ text: String, level: Int32 = 6, header: Header = Header()) -> [UInt8] {
        member(Array(text.utf8), level: level, header: header)
    }

    static func bytes(of header: Header) -> [UInt8] {
        var flags = header.flags
        var rest: [UInt8] = []
        if let extra = header.extra {
            flags |= 4
            rest += little(UInt64(extra.count), 2) + extra
        }
        if let name = header.name {
            flags |= 8
            rest += Array(name.utf8) + [0]
        }
        if let comment = header.comment {
            flags |= 16
            rest += Array(comment.utf8) + [0]
        }
        if header.hasChecksum { flags |= 2 }
        var bytes: [UInt8] = [0x1F, 0x8B, 8, flags, 1, 2, 3, 4, 0, 3] + rest
        if header.hasChecksum { bytes += little(UInt64(crc(bytes) & 0xFFFF), 2) }
        return bytes
    }

    static func deflated(_ text: [UInt8], level: Int32 = 6) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: text.count + text.count / 8 + 64)
        let deflater = ZlibDeflater(level: level)
        return text.withUnsafeBufferPointer { text in
            deflater.begin(text, end: .endOfStream)
            let (count, _) = output.withUnsafeMutableBufferPointer { deflater.write(into: $0) }
            return Array(output[..<count])
        }
    }

    /// Raw deflate data of the texts, each but the last ended by a flush that keeps the dictionary,
    /// and the offset of each.
    static func syncFlushed(_ texts: [[UInt8]]) -> (data: [UInt8], places: [Range<Int>]) {
        deflated(texts) { $0 == texts.count - 1 ? Z_FINISH : Z_SYNC_FLUSH }
    }

    /// Raw deflate data of the texts, each ended by a flush.
    ///
    /// - Parameter isFull: whether the flush of a text forgets the dictionary.
    static func flushed(_ texts: [[UInt8]], isFull: (Int) -> Bool) -> [UInt8] {
        deflated(texts) { isFull($0) ? Z_FULL_FLUSH : Z_SYNC_FLUSH }.data
    }

    private static func deflated(_ texts: [[UInt8]], flush: (Int) -> Int32) -> (data: [UInt8], places: [Range<Int>]) {
        var (stream, data, places) = (z_stream(), [UInt8](), [Range<Int>]())
        deflateInit2_(&stream, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        defer { deflateEnd(&stream) }
        for (index, text) in texts.enumerated() {
            var (text, output) = (text, [UInt8](repeating: 0, count: text.count + text.count / 8 + 64))
            let count = text.withUnsafeMutableBufferPointer { text in
                output.withUnsafeMutableBufferPointer { output in
                    (stream.next_in, stream.avail_in) = (text.baseAddress, uInt(text.count))
                    (stream.next_out, stream.avail_out) = (output.baseAddress, uInt(output.count))
                    deflate(&stream, flush(index))
                    return output.count - Int(stream.avail_out)
                }
            }
            places.append(data.count..<data.count + count)
            data += output[..<count]
        }
        return (data, places)
    }

    /// The text of a raw deflate stream, and the number of bytes after it.
    static func inflated(_ data: [UInt8], library: DeflateLibrary) -> (text: [UInt8], rest: Int) {
        let inflater = library.makeInflater()
        var (text, at) = ([UInt8](), 0)
        var output = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let step = data.withUnsafeBufferPointer { data in
                output.withUnsafeMutableBufferPointer { inflater.inflate(UnsafeBufferPointer(rebasing: data[at...]), into: $0) }
            }
            text += output[..<step.produced]
            at += step.consumed
            if step.state != .outputFull { return (text, data.count - at) }
        }
    }

    static func trailer(_ text: [UInt8]) -> [UInt8] { little(UInt64(crc(text)), 4) + little(UInt64(text.count) & 0xFFFF_FFFF, 4) }

    static func crc(_ bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBufferPointer { ZlibInflater().checksum(0, of: $0) } }

    static func little(_ value: UInt64, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) } }

    /// A file as bgzip writes it: members of at most `block` bytes of text, each with its size, and
    /// an empty member at the end.
    static func bgzf(_ text: [UInt8], block: Int = 65280) -> [UInt8] {
        let pieces = stride(from: 0, to: text.count, by: block).map { Array(text[$0..<min($0 + block, text.count)]) } + [[]]
        return pieces.flatMap { piece in
            let data = deflated(piece)
            let size = 18 + data.count + 8
            return bytes(of: Header(extra: [0x42, 0x43, 2, 0] + little(UInt64(size - 1), 2))) + data + trailer(piece)
        }
    }

    /// A file of one block per text, and the offset of each block.
    static func blocks(
        _ texts: [[UInt8]], members: GzipMembers = .one, level: CompressionLevel = .standard, library: DeflateLibrary = .zlib
    ) -> (bytes: [UInt8], places: [Range<Int>]) {
        let writer = BlockWriter(level: level, members: members, library: library)
        var assembly = MemberAssembly(members)
        var (bytes, places) = ([UInt8](), [Range<Int>]())
        for text in texts {
            let block = ByteBuffer(capacity: 64)
            let checksum = text.withUnsafeBufferPointer { writer.append($0, to: block) }
            bytes += assembly.add(byteCount: block.count, checksum)
            places.append(bytes.count..<bytes.count + block.count)
            bytes += block.withFilled(Array.init)
        }
        return (bytes + assembly.ending, places)
    }

    /// Distinct lines that compress to a few kilobytes.
    static func lines(_ range: Range<Int>) -> [String] {
        range.map { index in
            let noise = UInt64(truncatingIfNeeded: index) &* 0x9E37_79B9_7F4A_7C15
            return "{\"id\": \(index), \"noise\": \"\(String(noise, radix: 16))\", \"text\": \"the quick brown fox\"}"
        }
    }

    static func text(_ range: Range<Int>) -> String { lines(range).map { $0 + "\n" }.joined() }
}

/// A reproducible stream of numbers (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
