import CZlib
import SluiceCEL

/// Compressions and archives that are not supported, recognized by their first bytes. They are
/// refused by name, so that none is read as text.
///
/// Text may begin with the letters of a magic number, so each check needs more than letters:
/// control characters, a plausible size, or a checksum.
enum OtherCompression {
    static let tar = Archive.Kind.tar.rawValue

    private static let marks: [(bytes: [UInt8], name: String)] = [
        // Versions of zstd before its format was finalized.
        ([0x27, 0xB5, 0x2F, 0xFD], "zstd 0.7"), ([0x26, 0xB5, 0x2F, 0xFD], "zstd 0.6"), ([0x25, 0xB5, 0x2F, 0xFD], "zstd 0.5"),
        ([0x24, 0xB5, 0x2F, 0xFD], "zstd 0.4"), ([0x23, 0xB5, 0x2F, 0xFD], "zstd 0.3"), ([0x22, 0xB5, 0x2F, 0xFD], "zstd 0.2"),
        ([0x1E, 0xB5, 0x2F, 0xFD], "zstd 0.1"), ([0x4C, 0x5A, 0x49, 0x50, 0x01], "lzip"), ([0x4C, 0x5A, 0x49, 0x50, 0x00], "lzip"),
        ([0x04, 0x22, 0x4D, 0x18], "lz4"), ([0x02, 0x21, 0x4C, 0x18], "lz4"), ([0x89, 0x4C, 0x5A, 0x4F, 0x00, 0x0D, 0x0A], "lzop"),
        ([0x50, 0x4B, 0x03, 0x04], "zip"), ([0x50, 0x4B, 0x05, 0x06], "zip"), ([0x50, 0x4B, 0x07, 0x08], "zip"),
        ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], "7z"), ([0x52, 0x61, 0x72, 0x21, 0x1A, 0x07], "rar"),
        ([0xFF, 0x06, 0x00, 0x00, 0x73, 0x4E, 0x61, 0x50, 0x70, 0x59], "snappy"),
        // The relatives of gzip: compress, pack, and compress -H.
        ([0x1F, 0x9D], "compress (.Z)"), ([0x1F, 0x1E], "pack (.z)"), ([0x1F, 0xA0], "compress -H (.Z)"),
    ]

    /// - Parameter window: must not be empty.
    static func name(in window: InputWindow) -> String? {
        let first = window.available[0]
        for mark in marks where first == mark.bytes[0] && window.begins(with: mark.bytes) { return mark.name }
        switch first {
        case 0x5D: if isLZMA(window) { return "lzma" }
        case 0x50...0x5F: if afterSkippableFrames(window) == .lz4 { return "lz4" }
        default: break
        }
        if ZlibStream.begins(window) { return "zlib" }
        return isTar(window) ? tar : nil
    }

    /// Reads on to the end of a header, but not after a line of text: a pipe may give a line, and
    /// nothing more for a while.
    private static func isTar(_ window: InputWindow) -> Bool {
        var bytes = window.available
        while bytes.count < TarHeader.count, bytes.first(where: { $0 == 0 || $0 == 0x0A }) != 0x0A {
            let more = window.look(ahead: bytes.count + 1)
            if more.count == bytes.count { break }
            bytes = more
        }
        return TarHeader.begins(bytes)
    }

    /// The header of a `.lzma` file with the properties that all programs write: a dictionary of
    /// 2^n or 3 * 2^n bytes, a size that is unknown or below 2^40, and zero as the first byte of
    /// the data.
    private static func isLZMA(_ window: InputWindow) -> Bool {
        guard window.begins(with: [0x5D, 0x00]) else { return false }
        let header = window.look(ahead: 14)
        guard header.count >= 14, header[13] == 0 else { return false }
        let dictionary = (1...4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32(header[$1]) }
        let odd = dictionary >> UInt32(dictionary.trailingZeroBitCount)
        let size = (5...12).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64(header[$1]) }
        return dictionary >= 4096 && (odd == 1 || odd == 3) && (size == .max || size < 1 << 40)
    }

    enum Followed {
        case zstd, lz4
    }

    /// Skips skippable frames, which both zstd and lz4 files may start with, and decides by what
    /// follows.
    static func afterSkippableFrames(_ window: InputWindow) -> Followed? {
        guard window.begins(with: [window.available[0], 0x2A, 0x4D, 0x18]) else { return nil }
        var start = 0
        while true {
            let bytes = window.look(ahead: start + 8)
            guard bytes.count >= start + 8, bytes[start] & 0xF0 == 0x50, bytes[start + 1] == 0x2A, bytes[start + 2] == 0x4D, bytes[start + 3] == 0x18
            else { break }
            let size = (4..<8).reversed().reduce(0) { $0 << 8 | Int(bytes[start + $1]) }
            guard start + 8 + size + 4 <= InputWindow.ahead else { return .zstd }
            start += 8 + size
        }
        let isLZ4 = window.look(ahead: start + 4).dropFirst(start).prefix(4).elementsEqual([0x04, 0x22, 0x4D, 0x18])
        return isLZ4 ? .lz4 : .zstd
    }
}

/// A zlib stream (RFC 1950). It has no magic number, only two bytes that check each other, as those
/// of some texts do (`x^2`), followed by deflate data.
///
/// Unsafe memory: zlib reads the bytes that it is given and writes to a buffer of its own.
enum ZlibStream {
    /// Data that ends is verified by its checksum. Longer data must be valid for this many bytes
    /// and contain a control character, which rules out text.
    private static let enough = 64

    static func begins(_ window: InputWindow) -> Bool {
        let first = window.available[0]
        guard first & 0x0F == 8, first >> 4 <= 7 else { return false }
        let header = window.look(ahead: 2)
        // A stream with a preset dictionary (0x20) is not a file, and `x ` has that header.
        guard header.count > 1, (Int(header[0]) << 8 | Int(header[1])) % 31 == 0, header[1] & 0x20 == 0 else { return false }
        guard inflating(UnsafeBufferPointer(rebasing: window.available.prefix(4096))) != Z_DATA_ERROR else { return false }
        let bytes = UnsafeBufferPointer(rebasing: window.look(ahead: enough).prefix(4096))
        switch inflating(bytes) {
        case Z_STREAM_END: return true
        case Z_OK, Z_BUF_ERROR: return bytes.count >= enough && bytes.contains { $0 < 0x20 && !"\t\n\r\u{C}".utf8.contains($0) }
        default: return false
        }
    }

    private static func inflating(_ bytes: UnsafeBufferPointer<UInt8>) -> Int32 {
        var stream = z_stream()
        guard inflateInit_(&stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { Memory.refused() }
        defer { inflateEnd(&stream) }
        stream.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
        stream.avail_in = uInt(bytes.count)
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16 << 10) { output in
            while true {
                stream.next_out = output.baseAddress
                stream.avail_out = uInt(output.count)
                let result = inflate(&stream, Z_NO_FLUSH)
                // It says nothing about the bytes.
                if result == Z_MEM_ERROR { Memory.refused() }
                guard result == Z_OK, stream.avail_in > 0 else { return result }
            }
        }
    }
}

extension InputWindow {
    /// Whether the next bytes are these. Reads on byte by byte as long as they are.
    func begins(with bytes: [UInt8]) -> Bool {
        for (index, byte) in bytes.enumerated() {
            let next = look(ahead: index + 1)
            guard next.count > index, next[index] == byte else { return false }
        }
        return true
    }
}
