/// The state of ``GzipOutputs`` between two additions.
struct GzipCheckpoint: Sendable {
    struct File: Sendable {
        var path: String
        var length: UInt64
        var crc: UInt32
        var textBytes: UInt64
    }

    struct Text: Sendable {
        var path: String
        var text: StoredBytes
    }

    var files: [File]
    /// Text that waits to become a block, the longest waiting first.
    var pending: [Text]
}

/// The gzip files among a sink's outputs. Blocks and small texts are appended in order, and each
/// file is ended once.
///
/// Small texts are gathered into blocks, which are compressed here. The bytes depend only on what
/// was appended, and in which order. Not for concurrent use.
final class GzipOutputs {
    private let outputs: any OpenSink
    private let members: GzipMembers
    private let writer: BlockWriter
    private let mostPending: Int
    private var gatherer: BlockGatherer
    /// By the bytes of the paths.
    private var assemblies: [[UInt8]: MemberAssembly] = [:]

    /// - Parameters:
    ///   - outputs: opened with ``MemberAssembly/empty`` as the contents of empty files.
    ///   - mostPending: see ``BlockGatherer``.
    init(
        _ outputs: any OpenSink, level: CompressionLevel, members: GzipMembers = .one, mostPending: Int = BlockGatherer.mostPending(sinks: 1)
    ) {
        self.mostPending = mostPending
        gatherer = BlockGatherer(mostPending: mostPending)
        self.outputs = outputs
        self.members = members
        writer = BlockWriter(level: level, members: members)
    }

    /// Appends text, possibly none, to an output.
    func append(_ text: ByteBuffer, records: Int, to path: String) throws(OutputError) {
        let path = try begin(path, records: records)
        if text.count > 0 { try compress(gatherer.add(text, to: path)) }
    }

    /// Appends a block that a ``BlockWriter`` with the same `members` has made, with its checksum.
    func append(block: ByteBuffer, _ checksum: TextChecksum, records: Int, to path: String) throws(OutputError) {
        let path = try begin(path, records: records)
        try compress(gatherer.take(path))
        try write(block, checksum, to: path)
    }

    /// The state needed to continue from here, besides the bytes already written.
    var checkpoint: GzipCheckpoint {
        let files = assemblies.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { path, assembly in
            GzipCheckpoint.File(
                path: String(decoding: path, as: UTF8.self), length: assembly.mark.length, crc: assembly.mark.checksum.crc,
                textBytes: assembly.mark.checksum.count)
        }
        return GzipCheckpoint(files: files, pending: gatherer.waiting)
    }

    /// Must be called before anything is appended.
    func restore(_ checkpoint: GzipCheckpoint) {
        for file in checkpoint.files {
            let checksum = TextChecksum(crc: file.crc, count: file.textBytes)
            assemblies[Array(file.path.utf8)] = MemberAssembly(members, from: MemberAssembly.Mark(length: file.length, checksum: checksum))
        }
        gatherer = BlockGatherer(checkpoint.pending, mostPending: mostPending)
    }

    /// Writes pending text and the end of every file.
    func end() throws(OutputError) {
        try compress(gatherer.takeAll())
        for (path, assembly) in assemblies.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            try write(assembly.ending, to: String(decoding: path, as: UTF8.self))
        }
        assemblies = [:]
    }

    /// Creates the output, even if its first text is gathered and written later.
    ///
    /// - Returns: the canonical path of the output.
    private func begin(_ path: String, records: Int) throws(OutputError) -> String {
        let name = try outputs.name(of: path)
        try outputs.append(UnsafeBufferPointer(start: nil, count: 0), records: records, to: name)
        return name
    }

    private func compress(_ texts: [(path: String, text: ByteBuffer)]) throws(OutputError) {
        for (path, text) in texts {
            let block = ByteBuffer(capacity: text.count / 3 + 1024)
            let checksum = writer.append(text.filled, to: block)
            try write(block, checksum, to: path)
        }
    }

    private func write(_ block: ByteBuffer, _ checksum: TextChecksum, to path: String) throws(OutputError) {
        let opening = assemblies[Array(path.utf8), default: MemberAssembly(members)].add(byteCount: block.count, checksum)
        try write(opening, to: path)
        try outputs.append(block.filled, records: 0, to: path)
    }

    private func write(_ bytes: [UInt8], to path: String) throws(OutputError) {
        try bytes.withUnsafeBufferPointer { (bytes) throws(OutputError) in try outputs.append(bytes, records: 0, to: path) }
    }
}
