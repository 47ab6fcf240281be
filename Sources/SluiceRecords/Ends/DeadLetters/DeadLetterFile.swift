/// The dead-letter file of a run: lines of JSON in input order, compressed if the name ends in
/// `.gz` or `.zst`.
///
/// Written to a staged file and published with the outputs. Not for concurrent use.
final class DeadLetterFile {
    private let path: String
    private let letters: DeadLetterEncoder
    private let output: any OpenSink
    /// Set if the file is compressed.
    private let gzip: GzipOutputs?
    private let zstd: ZstdOutputs?

    /// - Parameter sink: the sink that the file is an output of.
    init(_ path: String, in sink: any RecordSink, letters: DeadLetterEncoder, staging: Staging) {
        self.path = path
        self.letters = letters
        let codec = FileName(path).codec
        let output = sink.open(empty: codec?.empty ?? [], staging: staging)
        self.output = output
        gzip = codec == .gzip ? GzipOutputs(output, level: .standard) : nil
        zstd = codec == .zstd ? ZstdOutputs(output, level: .standard) : nil
    }

    /// Creates the file's folder and the staged file.
    func begin() throws(OutputError) {
        try append(ByteBuffer(capacity: 1), records: 0)
    }

    /// - Throws: ``OutputError``; ``InputError`` if a record's spill file cannot be read.
    func write(_ letter: EncodedDeadLetter, input: Int?) throws {
        switch letter {
        case .lines(let lines):
            try append(lines, records: letter.letters)
        case .block(let block, let checksum, let records):
            try append(block: block, checksum, records: records)
        case .stored(let piece, let checksum, let records):
            guard let bytes = try letters.spool?.take(piece) else { preconditionFailure("dead letters are kept where there is no place for them") }
            if let checksum {
                try append(block: bytes, checksum, records: records)
            } else {
                try append(bytes, records: records)
            }
        case .spilled(let record, let stage, let failure):
            try write(record, stage, failure, input: input ?? 0)
        case .kept(let record):
            let spill = try SpillReader(record)
            while let text = try spill.nextBytes() { try append(text, records: 0) }
            spill.remove()
            let end = ByteBuffer(capacity: 1)
            end.append("\n")
            try append(end, records: 1)
        }
    }

    /// Copies the record from its spill file into the letter, piece by piece.
    private func write(_ record: SpilledRecord, _ stage: String, _ failure: RecordFailure, input: Int) throws {
        let opening = ByteBuffer(capacity: 1024)
        letters.open(stage, failure, at: (record.file ?? letters.name(of: input), record.position), to: opening)
        opening.append(record.isUTF8 ? "\"raw\":\"" : "\"raw_base64\":\"")
        try append(opening, records: 1)
        let spill = try SpillReader(record)
        while let text = try spill.next() { try append(text, records: 0) }
        spill.remove()
        let closing = ByteBuffer(capacity: 128)
        closing.append("\"")
        if let kept = record.kept {
            closing.append(",\"raw_cut\":{\"kept\":")
            JSONText.write(kept, to: closing)
            closing.append(",\"of\":")
            JSONText.write(Int(clamping: record.byteCount), to: closing)
            closing.append("}")
        }
        closing.append("}\n")
        try append(closing, records: 0)
    }

    private func append(block: ByteBuffer, _ checksum: TextChecksum, records: Int) throws(OutputError) {
        guard let gzip else { throw .failed(path: path, reason: "dead letters were compressed as gzip, which this file is not") }
        try gzip.append(block: block, checksum, records: records, to: path)
    }

    private func append(_ text: ByteBuffer, records: Int) throws(OutputError) {
        if let zstd { return try zstd.append(text, records: records, to: path) }
        guard let gzip else { return try output.append(text.filled, records: records, to: path) }
        try gzip.append(text, records: records, to: path)
    }

    /// Syncs the file to disk, before any output is published. An empty file is written, too, to
    /// replace the one of an earlier run.
    func prepare() throws(OutputError) {
        try append(ByteBuffer(capacity: 1), records: 0)
        try gzip?.end()
        try zstd?.end()
        try output.prepare()
    }

    /// The file as it will be published; `nil` until it is prepared.
    var described: PublishedOutput? { output.described.first }

    /// The rename that publishes the file.
    var moves: [Journal.Move] { output.moves }

    func published() throws(OutputError) { try output.published() }

    func checkpoint() throws(OutputError) -> SinkCheckpoint {
        SinkCheckpoint(mark: try output.checkpoint(), begun: [], gzip: gzip?.checkpoint ?? zstd?.checkpoint)
    }

    /// Must be called before anything is written.
    func restore(_ checkpoint: SinkCheckpoint) throws(OutputError) {
        try output.restore(to: checkpoint.mark)
        if let state = checkpoint.gzip {
            gzip?.restore(state)
            zstd?.restore(state)
        }
    }

    func discard() { output.discard() }
    func leave() { output.leave() }
}
