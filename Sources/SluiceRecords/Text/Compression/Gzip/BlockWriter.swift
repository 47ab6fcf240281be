/// How many members a gzip file has. Its text is the same.
package enum GzipMembers: String, CaseIterable, Sendable {
    /// One for the whole file: what readers that stop after the first member need
    /// (docs/readers.md).
    case one
    /// One for each block: about 1 MiB of text.
    case many
}

/// Compresses texts to blocks, which a ``MemberAssembly`` puts together to a gzip file. Keeps its
/// memory between blocks; one for each worker.
///
/// A block's bytes depend on its text, the level and the library, on nothing else. In a file of one
/// member it is deflate data that a full flush closes: it ends on a byte, with 00 00 FF FF, and
/// refers to nothing before itself. So blocks can be compressed at the same time, and the file can
/// be cut, gone on with and read from the end of each. No text is no block: no bytes.
///
/// In a file of many members a block is one of them, whole. Its header has no name and no time (OS
/// 255), and an extra field `SL` of four bytes: the member's compressed size, header and trailer
/// included, little endian. So a reader can find the members without inflating them.
///
/// Unsafe memory: writes after the last byte of a ``ByteBuffer``, into room that it has reserved.
package final class BlockWriter {
    private static let sizeAt = 16
    private static let sizedHeader: [UInt8] = [0x1F, 0x8B, 8, 4, 0, 0, 0, 0, 0, 255, 8, 0, UInt8(ascii: "S"), UInt8(ascii: "L"), 4, 0, 0, 0, 0, 0]

    private let members: GzipMembers
    private let deflater: any Deflater

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
        // Enough for any text, so that how much room was left never shows in the bytes.
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
