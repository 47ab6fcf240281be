/// How an input is compressed, by its first bytes, never by its name alone.
enum Compression: Equatable {
    case none, gzip
    /// Known, and not read.
    case unsupported(String)
    /// Nothing at all in a file that is called a gzip file, which has at least 18 bytes.
    case emptyGzip

    /// Looks no further ahead than it must, because more bytes may be long in coming.
    static func detect(in window: InputWindow, name: String) -> Compression {
        let first = window.look(ahead: 1)
        if first.isEmpty { return name.hasSuffix(".gz") ? .emptyGzip : .none }
        // A single byte 1F is the beginning of a gzip file rather than a text.
        if first[0] == 0x1F, window.look(ahead: 2).count < 2 || window.available[1] == 0x8B { return .gzip }
        return OtherCompression.name(in: window).map(Compression.unsupported) ?? .none
    }
}
