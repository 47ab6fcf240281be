/// How a gzip file is divided into members. The decompressed text is the same.
public enum GzipMembers: String, CaseIterable, Sendable {
    /// One member for the whole file, for readers that stop after the first member
    /// (docs/readers.md).
    case one
    /// One member for each block of text, mostly of 128 KiB to 1 MiB.
    case many
}

/// Compresses texts to blocks, which a ``MemberAssembly`` combines into a gzip file. Keeps its
/// memory between blocks; each worker has its own.
///
/// A block's bytes depend only on its text, the level and the library. In a file of one member, a
/// block is deflate data that ends with a full flush: on a byte boundary, with 00 00 FF FF, and it
/// refers to nothing before itself. So blocks can be compressed in parallel, and the file can be
/// truncated, continued and read from the end of any block. An empty text gives no bytes.
///
/// In a file of many members, a block is a complete member. Its header has no name and no time (OS
/// 255), and an extra field `SL` of four bytes: the member's compressed size, including header and
/// trailer, little endian. So a reader can find the members without inflating them.
///
/// Unsafe memory: writes after the last byte of a ``ByteBuffer``, within the room that it has
/// reserved.
package final class BlockWriter {
    private static let sizeAt = 16
    private static let sizedHeader: [UInt8] = [0x1F, 0x8B, 8, 4, 0, 0, 0, 0, 0, 255, 8, 0, UInt8(ascii: "S"), UInt8(ascii: "L"), 4, 0, 0, 0, 0, 0]

    private let members: GzipMembers
    private let deflater: any Deflater
    /// For ``block(of:)``.
    private let room = ByteBuffer(capacity: 0)

    package init(level: CompressionLevel = .standard, members: GzipMembers = .one, library: DeflateLibrary = .preferred) {
        self.members = members
        deflater = library.makeDeflater(level: level)
    }

    /// Appends the block of `text`.
    ///
    /// - Precondition: `text` is shorter than 2 GiB.
    func append(_ text: UnsafeBufferPointer<UInt8>, to buffer: ByteBuffer) -> TextChecksum {
        precondition(text.count < 1 << 31, "a gzip block of 2 GiB or more")
        let checksum = TextChecksum(crc: deflater.checksum(of: text), count: UInt64(text.count))
        switch members {
        case .one where text.isEmpty: break
        case .one: deflate(text, end: .fullFlush, to: buffer)
        case .many: appendMember(text, checksum, to: buffer)
        }
        return checksum
    }

    /// The block of `text`, in a buffer of its size: the room that deflating needs is several times
    /// as large, and blocks wait for those before them.
    ///
    /// - Precondition: `text` is shorter than 2 GiB.
    func block(of text: UnsafeBufferPointer<UInt8>) -> (bytes: ByteBuffer, checksum: TextChecksum) {
        // The room for a long text is not kept.
        let buffer = text.count > 4 * Batch.targetBytes ? ByteBuffer(capacity: 0) : room
        buffer.count = 0
        let checksum = append(text, to: buffer)
        guard buffer === room else { return (buffer, checksum) }
        let bytes = ByteBuffer(capacity: buffer.count)
        bytes.append(buffer.filled)
        return (bytes, checksum)
    }

    private func appendMember(_ text: UnsafeBufferPointer<UInt8>, _ checksum: TextChecksum, to buffer: ByteBuffer) {
        let start = buffer.count
        Self.sizedHeader.withUnsafeBufferPointer { buffer.append($0) }
        deflate(text, end: .endOfStream, to: buffer)
        MemberTrailer(checksum).bytes.withUnsafeBufferPointer { buffer.append($0) }
        for (index, byte) in UInt32(buffer.count - start).littleEndianBytes.enumerated() {
            buffer.start[start + Self.sizeAt + index] = byte
        }
    }

    private func deflate(_ text: UnsafeBufferPointer<UInt8>, end: DeflateEnd, to buffer: ByteBuffer) {
        deflater.begin(text, end: end)
        // Enough for any text, so that the bytes never depend on the room that was left.
        buffer.reserve(text.count + text.count / 8 + 4096)
        while true {
            let room = UnsafeMutableBufferPointer(start: buffer.start + buffer.count, count: buffer.capacity - buffer.count)
            let (produced, isEnded) = deflater.write(into: room)
            buffer.count += produced
            if isEnded { break }
            buffer.reserve(max(4096, buffer.capacity - buffer.count + 1))
        }
    }
}
