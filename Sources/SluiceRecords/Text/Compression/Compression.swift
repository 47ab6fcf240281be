/// The compression of an input, detected by its first bytes; its name only decides doubtful cases.
enum Compression: Equatable {
    case none
    /// Plain text whose name suggests compression.
    case plainDespiteName
    case gzip, zstd, bzip2, xz
    /// A recognized format that is not supported.
    case unsupported(String)

    /// Detects the compression. Reads no further ahead than needed, because more bytes may be slow
    /// to arrive.
    ///
    /// - Parameters:
    ///   - encoding: that of plain text.
    ///   - readsArchives: whether tar archives are supported.
    static func detect(in window: InputWindow, name: String, encoding: TextEncoding = .utf8, readsArchives: Bool = false) -> Compression {
        let first = window.look(ahead: 1)
        // An empty file is an empty input, whatever its name.
        if first.isEmpty { return .none }
        // A single byte 1F is more likely a truncated gzip file than text.
        if first[0] == 0x1F, window.look(ahead: 2).count < 2 || window.available[1] == 0x8B { return .gzip }
        if let frames = Self.frames(in: window) { return frames }
        if let other = OtherCompression.name(in: window) { return readsArchives && other == OtherCompression.tar ? .none : .unsupported(other) }
        guard let named = named(name) else { return .none }
        return TextBeginning.isText(window, encoding) && !isCutMark(window, of: named) ? .plainDespiteName : named
    }

    var isNone: Bool { self == .none || self == .plainDespiteName }

    /// The decompressed text.
    ///
    /// - Parameters:
    ///   - size: the size of the whole input in bytes, if known.
    ///   - most: the number of bytes to decompress at a time.
    ///   - ahead: reads the same file.
    func text(
        of file: InputFile, in window: InputWindow, library: DeflateLibrary, size: UInt64?, most: Int = 256 << 10, ahead: BlocksAhead? = nil
    ) throws(InputError) -> any TextSource {
        switch self {
        case .none, .plainDespiteName: PlainText(window: window, size: size)
        case .gzip: GzipText(window: window, library: library, size: size, most: most, ahead: ahead)
        case .zstd: FramedText(window: window, codec: ZstdCodec(), size: size, most: most)
        case .bzip2: FramedText(window: window, codec: Bzip2Codec(), size: size, most: most)
        case .xz: FramedText(window: window, codec: XZCodec(), size: size, most: most)
        case .unsupported(let name): throw .unsupported(path: file.path, compression: name)
        }
    }

    private static func frames(in window: InputWindow) -> Compression? {
        switch window.available[0] {
        case 0x28 where window.begins(with: ZstdHeader.magic):
            if case .refused(let name) = ZstdHeader.parse(window.look(ahead: ZstdHeader.most)) { return .unsupported(name) }
            return .zstd
        case 0x50...0x5F: return OtherCompression.afterSkippableFrames(window) == .zstd ? .zstd : nil
        case 0x42: return Bzip2Codec.begins(window) ? .bzip2 : nil
        case 0xFD: return window.begins(with: XZCodec.mark) ? .xz : nil
        default: return nil
        }
    }

    /// The compression that the name suggests.
    private static func named(_ path: String) -> Compression? {
        let name = path.lowercased()
        func ends(_ endings: String...) -> Bool { endings.contains { name.hasSuffix($0) } }
        if ends(".gz", ".tgz") { return .gzip }
        if ends(".zst", ".tzst") { return .zstd }
        if ends(".bz2", ".tbz2", ".tbz") { return .bzip2 }
        return ends(".xz", ".txz") ? .xz : nil
    }

    /// Whether the whole input is a prefix of the magic number, which may consist of letters.
    private static func isCutMark(_ window: InputWindow, of named: Compression) -> Bool {
        let mark: [UInt8]
        switch named {
        case .bzip2:
            let bytes = window.look(ahead: Bzip2Codec.headerCount)
            return bytes.count < Bzip2Codec.headerCount && Bzip2Codec.start(bytes) == .incomplete
        case .zstd: mark = ZstdHeader.magic
        case .xz: mark = XZCodec.mark
        default: return false
        }
        let bytes = window.look(ahead: mark.count)
        return bytes.count < mark.count && bytes.elementsEqual(mark.prefix(bytes.count))
    }
}
