/// How an input is compressed, by its first bytes, never by its name alone.
enum Compression: Equatable {
    case none, gzip
    /// Known, and not read.
    case unsupported(String)
    /// Nothing at all in a file that is called a gzip file, which has at least 18 bytes.
    case emptyGzip

    private static let magics: [(bytes: [UInt8], compression: Compression)] = [
        ([0x1F, 0x8B], .gzip),
        ([0x28, 0xB5, 0x2F, 0xFD], .unsupported("zstd")),
        ([0x42, 0x5A, 0x68], .unsupported("bzip2")),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], .unsupported("xz")),
        ([0x04, 0x22, 0x4D, 0x18], .unsupported("lz4")),
        ([0x50, 0x4B, 0x03, 0x04], .unsupported("zip")),
    ]
    /// Behind `BZh` and a digit: the first block, or none. Text may well begin with `BZh`.
    private static let bzip2Blocks: [[UInt8]] = [[0x31, 0x41, 0x59, 0x26, 0x53, 0x59], [0x17, 0x72, 0x45, 0x38, 0x50, 0x90]]

    /// Looks no further ahead than it must, because more bytes may be long in coming.
    static func detect(in window: InputWindow, name: String) -> Compression {
        let first = window.look(ahead: 1)
        if first.isEmpty { return name.hasSuffix(".gz") ? .emptyGzip : .none }
        for (magic, compression) in magics where first[0] == magic[0] {
            let bytes = window.look(ahead: magic.count)
            // A single byte 1F is the beginning of a gzip file rather than a text.
            guard zip(bytes, magic).allSatisfy(==), bytes.count >= magic.count || compression == .gzip else { continue }
            guard compression == .unsupported("bzip2") else { return compression }
            let block = window.look(ahead: 10).dropFirst(4).prefix(6)
            if bzip2Blocks.contains(where: { $0.elementsEqual(block) }) { return compression }
        }
        return .none
    }
}
