/// What was read of one input.
package struct InputSummary: Sendable, Equatable, Codable {
    package var file: String
    /// The size of what was read of the file, before decompression.
    package var bytes: UInt64 = 0
    /// The size of the text, including damaged parts that were read.
    package var textBytes: UInt64 = 0
    /// The number of gzip members, zstd frames, or bzip2 or xz streams whose header was read; 0 for
    /// plain text.
    package var members = 0
    /// Records delivered as frames.
    package var records: UInt64 = 0
    /// Records that the reader refused (``SpilledRecord``).
    package var spilled: UInt64 = 0
    /// Records that were delivered although they may differ from what was compressed
    /// (``SuspectRecords``).
    package var suspect: UInt64 = 0
    package var damage: [Damage] = []
    /// Whether the file is plain text although its name suggests compression.
    package var isPlainDespiteName = false
    /// Whether a member that was read has no checksum of its text; `nil`: none.
    package var lacksChecksum: Bool?
    /// `nil` if it is not read as an archive.
    package var archive: ArchiveContents?

    package init(file: String) {
        self.file = file
    }

    /// An oddity that is not damage.
    var note: String? {
        if isPlainDespiteName { return "plain text despite its name; read as such" }
        return lacksChecksum == true ? "without checksums, so that damage may go unnoticed" : nil
    }
}
