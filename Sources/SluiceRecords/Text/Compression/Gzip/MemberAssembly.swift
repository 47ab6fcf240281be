/// Combines blocks into a gzip file. It says what to write; the caller writes it.
///
/// A file of one member is a header, the blocks, an empty last block and a trailer, whose CRC-32 is
/// combined from those of the blocks. The header has no field that a reader may reject: no name, no
/// time, no extra field (OS 255). In a file of many members, the blocks are the members, and
/// nothing is added. A file without text is an empty member, since gunzip rejects a file without
/// any.
///
/// Parts of a text that were written separately, each as a file of one member, are combined in the
/// same way: the ``Mark/blocks`` of each part count as one block, with the checksum of its mark.
/// Nothing is inflated.
struct MemberAssembly: Sendable {
    /// A place between two blocks. A file truncated there can be continued, with the same final
    /// bytes.
    struct Mark: Hashable, Sendable {
        /// The length of the file in bytes.
        var length: UInt64 = 0
        /// The checksum of the text up to here.
        var checksum = TextChecksum()

        /// In a file of one member, the range of its blocks.
        var blocks: Range<UInt64> { min(UInt64(MemberAssembly.header.count), length)..<length }
    }

    private static let header: [UInt8] = MemberHeader.magic + [0, 0, 0, 0, 0, 0, 255]
    /// A last block with fixed codes.
    private static let emptyBlock: [UInt8] = [3, 0]
    /// A complete file without text.
    static let empty = header + emptyBlock + MemberTrailer(TextChecksum()).bytes

    private let members: GzipMembers
    /// The end of the last block.
    private(set) var mark: Mark

    init(_ members: GzipMembers = .one, from mark: Mark = Mark()) {
        self.members = members
        self.mark = mark
    }

    /// Adds a block, which the caller writes next. An empty block is ignored.
    ///
    /// - Parameters:
    ///   - byteCount: the compressed size of the block.
    ///   - checksum: the checksum of its text.
    /// - Returns: the bytes to write before the block.
    mutating func add(byteCount: Int, _ checksum: TextChecksum) -> [UInt8] {
        guard byteCount > 0 else { return [] }
        let opening = members == .one && mark.length == 0 ? Self.header : []
        mark.length += UInt64(opening.count + byteCount)
        mark.checksum.append(checksum)
        return opening
    }

    /// The bytes to write after the last block.
    var ending: [UInt8] {
        if mark.length == 0 { return Self.empty }
        return members == .one ? Self.emptyBlock + MemberTrailer(mark.checksum).bytes : []
    }
}
