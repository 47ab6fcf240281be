/// Gzip files among the outputs of a run: blocks and small texts are added to them in order, and
/// each is ended once.
///
/// Small texts are gathered into blocks, which are compressed here. What comes out depends on what
/// was added in what order alone. Not for use by two threads at once.
final class GzipOutputs {
    private let outputs: any OpenSink
    private let members: GzipMembers
    private let writer: BlockWriter
    private var gatherer = BlockGatherer()
    /// By the bytes of the paths.
    private var assemblies: [[UInt8]: MemberAssembly] = [:]

    /// - Parameter outputs: made with ``MemberAssembly/empty`` for files without text.
    init(_ outputs: any OpenSink, level: CompressionLevel, members: GzipMembers = .one) {
        self.outputs = outputs
        self.members = members
        writer = BlockWriter(level: level, members: members)
    }

    /// Adds text, perhaps none, to an output.
    func append(_ text: ByteBuffer, records: Int, to path: String) throws(OutputError) {
        let path = try begin(path, records: records)
        if text.count > 0 { try compress(gatherer.add(text, to: path)) }
    }

    /// Adds a block that a ``BlockWriter`` for as many members has made of a text, with the
    /// checksum that it gave.
    func append(block: ByteBuffer, _ checksum: TextChecksum, records: Int, to path: String) throws(OutputError) {
        let path = try begin(path, records: records)
        try compress(gatherer.take(path))
        try write(block, checksum, to: path)
    }

    /// Writes what waits, and the end of every file.
    func end() throws(OutputError) {
        try compress(gatherer.takeAll())
        for (path, assembly) in assemblies.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            try write(assembly.ending, to: String(decoding: path, as: UTF8.self))
        }
        assemblies = [:]
    }

    /// An output begins with its first record, though its text may wait.
    ///
    /// - Returns: the path as it is known: several that lead to one output are one.
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
