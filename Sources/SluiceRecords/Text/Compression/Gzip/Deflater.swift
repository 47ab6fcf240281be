import CISAL
import CZlib
import SluiceCEL

/// Compresses one text at a time to raw deflate data. Keeps its memory between texts, but no other
/// state. One owner at a time.
protocol Deflater: AnyObject {
    /// Begins to compress `text`, which must stay valid until ``write(into:)`` has ended.
    ///
    /// - Precondition: for a ``DeflateEnd/fullFlush``, `text` is not empty.
    func begin(_ text: UnsafeBufferPointer<UInt8>, end: DeflateEnd)
    /// Writes as much of the data as fits into `output`, which must have room for at least 16
    /// bytes. `isEnded` is true once everything is written.
    func write(into output: UnsafeMutableBufferPointer<UInt8>) -> (produced: Int, isEnded: Bool)
    func checksum(of text: UnsafeBufferPointer<UInt8>) -> UInt32
}

/// How deflate data ends.
enum DeflateEnd {
    /// The stream continues. The data ends on a byte boundary, with 00 00 FF FF, and what follows
    /// does not refer to what is before.
    case fullFlush
    case endOfStream
}

extension DeflateLibrary {
    /// The library and its own level to compress with, if this library is preferred.
    func deflating(at level: CompressionLevel) -> (library: DeflateLibrary, level: Int32) {
        if self == .isal, let number = level.isal { return (.isal, number) }
        return (.zlib, level.zlib)
    }

    func makeDeflater(level: CompressionLevel) -> any Deflater {
        switch deflating(at: level) {
        case (.isal, let number): ISALDeflater(level: number)
        case (.zlib, let number): ZlibDeflater(level: number)
        }
    }
}

/// Unsafe memory: the handle belongs to this object from `init` to `deinit`.
final class ISALDeflater: Deflater {
    private let handle: OpaquePointer

    init(level: Int32) {
        guard let handle = cisal_deflater_new(level) else { Memory.refused() }
        self.handle = handle
    }

    deinit {
        cisal_deflater_free(handle)
    }

    func begin(_ text: UnsafeBufferPointer<UInt8>, end: DeflateEnd) {
        cisal_deflater_begin(handle, text.baseAddress, text.count, end == .endOfStream ? 1 : 0)
    }

    func write(into output: UnsafeMutableBufferPointer<UInt8>) -> (produced: Int, isEnded: Bool) {
        var produced = 0
        let result = UInt32(cisal_deflate(handle, output.baseAddress, output.count, &produced))
        guard result != CISAL_CORRUPT.rawValue else { fatalError("ISA-L refused to deflate") }
        return (produced, result == CISAL_ENDED.rawValue)
    }

    func checksum(of text: UnsafeBufferPointer<UInt8>) -> UInt32 {
        cisal_crc32(0, text.baseAddress, text.count)
    }
}

/// Unsafe memory: the stream belongs to this object and does not move, as zlib requires.
final class ZlibDeflater: Deflater {
    private let stream: UnsafeMutablePointer<z_stream>
    private var end = DeflateEnd.endOfStream

    init(level: Int32) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let result = deflateInit2_(
            stream, level, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        if result == Z_MEM_ERROR { Memory.refused() }
        precondition(result == Z_OK, "zlib failed to start: \(result)")
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    func begin(_ text: UnsafeBufferPointer<UInt8>, end: DeflateEnd) {
        self.end = end
        deflateReset(stream)
        stream.pointee.next_in = UnsafeMutablePointer(mutating: text.baseAddress)
        stream.pointee.avail_in = uInt(text.count)
    }

    func write(into output: UnsafeMutableBufferPointer<UInt8>) -> (produced: Int, isEnded: Bool) {
        stream.pointee.next_out = output.baseAddress
        stream.pointee.avail_out = uInt(output.count)
        let result = deflate(stream, end == .endOfStream ? Z_FINISH : Z_FULL_FLUSH)
        let isEnded = end == .endOfStream ? result == Z_STREAM_END : stream.pointee.avail_out > 0
        return (output.count - Int(stream.pointee.avail_out), isEnded)
    }

    func checksum(of text: UnsafeBufferPointer<UInt8>) -> UInt32 {
        UInt32(truncatingIfNeeded: crc32_z(0, text.baseAddress, text.count))
    }
}
