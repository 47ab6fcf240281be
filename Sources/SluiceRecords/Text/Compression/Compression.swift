/// The compression of an input, detected from its first bytes, not from its name alone.
enum Compression: Equatable {
    case none, gzip
    /// Recognized but not supported.
    case unsupported(String)
    /// An empty file whose name ends in `.gz`; a gzip file has at least 18 bytes.
    case emptyGzip

    /// Detects the compression. Reads no further ahead than needed, because more bytes may be slow
    /// to arrive.
    static func detect(in window: InputWindow, name: String) -> Compression {
        let first = window.look(ahead: 1)
        if first.isEmpty { return name.hasSuffix(".gz") ? .emptyGzip : .none }
        // A single byte 1F is a truncated gzip file rather than text.
        if first[0] == 0x1F, window.look(ahead: 2).count < 2 || window.available[1] == 0x8B { return .gzip }
        return OtherCompression.name(in: window).map(Compression.unsupported) ?? .none
    }
}
