/// Puts blocks together to a gzip file, one after the other. It says what to write; its owner does.
///
/// A file of one member is a header, the blocks, an empty last block and a trailer, whose CRC-32 is
/// combined from the blocks'. The header has no field that a reader may refuse: no name, no time,
/// nothing extra (OS 255). In a file of many members the blocks are the members, and nothing is
/// added. A file without text is an empty member, since no gunzip reads one without any.
///
/// Parts of a text that were written elsewhere, each as a file of one member, become one in the
/// same way: of each its ``Mark/blocks``, as if they were one block, with the checksum of their
/// mark. Nothing is inflated for it.
struct MemberAssembly: Sendable {
    /// A place between two blocks. A file that is cut off there can be gone on with, and becomes
    /// what it would have been.
    struct Mark: Hashable, Sendable {
        /// Bytes of the file.
        var length: UInt64 = 0
        /// Of the text up to here.
        var checksum = TextChecksum()

        /// In a file of one member, where its blocks stand.
        var blocks: Range<UInt64> { min(UInt64(MemberAssembly.header.count), length)..<length }
    }

    private static let header: [UInt8] = MemberHeader.magic + [0, 0, 0, 0, 0, 0, 255]
    /// Of fixed codes, and last.
    private static let emptyBlock: [UInt8] = [3, 0]
    /// A whole file without text.
    static let empty = header + emptyBlock + MemberTrailer(TextChecksum()).bytes

    private let members: GzipMembers
    /// After the last block.
    private(set) var mark: Mark

    init(_ members: GzipMembers = .one, from mark: Mark = Mark()) {
        self.members = members
        self.mark = mark
    }

    /// Takes a block, which is to be written next. A block of no bytes is none.
    ///
    /// - Parameters:
    ///   - byteCount: of the block, compressed.
    ///   - checksum: of its text.
    /// - Returns: what is to be written before it.
    mutating func add(byteCount: Int, _ checksum: TextChecksum) -> [UInt8] {
        guard byteCount > 0 else { return [] }
        let opening = members == .one && mark.length == 0 ? Self.header : []
        mark.length += UInt64(opening.count + byteCount)
        mark.checksum.append(checksum)
        return opening
    }

    /// What is to be written after the last block.
    var ending: [UInt8] {
        if mark.length == 0 { return Self.empty }
        return members == .one ? Self.emptyBlock + MemberTrailer(mark.checksum).bytes : []
    }
}
