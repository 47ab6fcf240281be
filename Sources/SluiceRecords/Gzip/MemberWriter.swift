/// Writes text as complete gzip members. Keeps its memory between members; one for each worker.
///
/// A member's bytes depend on its text, the level and the library, on nothing else. Its header has no name and no time (OS 255), and an extra
/// field `SL` of four bytes: the member's compressed size, header and trailer included, little endian. So a reader can find the members
/// of a file without inflating them, and any gunzip reads it.
///
/// Unsafe memory: writes behind the count of a ``ByteBuffer``, into room that it has reserved.
package final class MemberWriter {
    private static let header: [UInt8] = [0x1F, 0x8B, 8, 4, 0, 0, 0, 0, 0, 255, 8, 0, UInt8(ascii: "S"), UInt8(ascii: "L"), 4, 0, 0, 0, 0, 0]
    private static let sizeAt = 16

    private let deflater: any Deflater

    package init(level: CompressionLevel = .standard, library: DeflateLibrary = .preferred) {
        deflater = library.makeDeflater(level: level)
    }

    /// Appends one member that holds `text`, which may be empty.
    /// - Precondition: `text` is shorter than 2 GiB.
    package func append(_ text: UnsafeBufferPointer<UInt8>, to buffer: ByteBuffer) {
        precondition(text.count < 1 << 31, "a gzip member of 2 GiB or more")
        let start = buffer.count
        Self.header.withUnsafeBufferPointer { buffer.append($0) }
        deflater.begin(text)
        // Enough for any text, so that how much room was left never shows in the bytes.
        buffer.reserve(text.count + text.count / 8 + 4096)
        while true {
            let room = UnsafeMutableBufferPointer(start: buffer.start + buffer.count, count: buffer.capacity - buffer.count)
            let (produced, isEnded) = deflater.write(into: room)
            buffer.count += produced
            if isEnded { break }
            buffer.reserve(max(4096, buffer.capacity - buffer.count + 1))
        }
        append(deflater.checksum(of: text), to: buffer)
        append(UInt32(text.count), to: buffer)
        let size = UInt32(buffer.count - start)
        for shift in 0..<4 {
            buffer.start[start + Self.sizeAt + shift] = UInt8(truncatingIfNeeded: size >> (8 * UInt32(shift)))
        }
    }

    /// A member without text: all that there is in an archive of nothing.
    var emptyMember: [UInt8] {
        let buffer = ByteBuffer(capacity: 64)
        append(UnsafeBufferPointer(start: nil, count: 0), to: buffer)
        return buffer.withFilled { Array($0) }
    }

    private func append(_ word: UInt32, to buffer: ByteBuffer) {
        for shift in 0..<4 {
            buffer.append(UInt8(truncatingIfNeeded: word >> (8 * UInt32(shift))))
        }
    }
}
