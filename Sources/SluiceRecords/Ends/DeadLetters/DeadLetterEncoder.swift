import Sluice
import SluiceCEL

/// Encodes dead letters as lines of JSON. docs/dead-letters.md describes the format.
///
/// A dead letter is some twenty times larger than a short record, and one of a long record has it
/// twice, so the lines of a batch are compressed here, piece by piece, if the file is.
struct DeadLetterEncoder: Sendable {
    /// `"pipeline": …, "definition": …`, the same in all letters.
    private let opening: [UInt8]
    private let inputs: [InputFile]
    /// Set if lines are compressed here.
    private let writers: FreeList<BlockWriter>?
    /// Where pieces are that a batch may not hold in memory; `nil`: it holds all.
    let spool: LetterSpool?

    /// - Parameter codec: the compression of the file, if it is compressed.
    init(pipeline: String, definition: String, inputs: [InputFile], codec: OutputCodec?, spool: LetterSpool? = nil) {
        self.spool = spool
        writers = codec == .gzip ? FreeList(most: 64) : nil
        let buffer = ByteBuffer(capacity: 256)
        buffer.append("{\"pipeline\":")
        JSONText.write(pipeline, to: buffer)
        buffer.append(",\"definition\":")
        JSONText.write(definition, to: buffer)
        opening = buffer.withFilled(Array.init)
        self.inputs = inputs
    }

    /// Encodes the batch's dead letters in the order of the input.
    func encode(_ batch: RecordBatch) throws(OutputError) -> [EncodedDeadLetter] {
        guard !batch.deadLetters.isEmpty else { return [] }
        let writer = writers.map { $0.take() ?? BlockWriter() }
        defer { if let writer { writers?.give(writer) } }
        let pieces = LetterPieces(writer, spool)
        for (record, letter) in Self.inOrder(batch) {
            if let spilled = record.spilled {
                try pieces.add(record.kept == nil ? .spilled(spilled, stage: letter.stage, failure: letter.failure) : .kept(spilled))
                continue
            }
            if let kept = record.kept {
                try kept.bytes.withUnsafeBufferPointer { (bytes) throws(OutputError) in try pieces.append(bytes) }
            } else {
                try write(record, letter, of: batch, to: pieces.lines) { () throws(OutputError) in try pieces.cut() }
            }
            try pieces.endLetter()
        }
        try pieces.end()
        return pieces.done
    }

    /// The batch's dead letters in the order of the input.
    static func inOrder(_ batch: RecordBatch) -> [(record: RefusedRecord, letter: DeadLetter)] {
        // `offset` keeps the sort stable. An oversized record comes before the frame with its
        // number.
        let letters = batch.deadLetters.enumerated().compactMap { offset, letter in
            (letter.element as? RefusedRecord).map { (record: $0, letter: letter, offset: offset) }
        }
        return letters.sorted { left, right in
            (left.record.frame, left.record.isFrame ? 1 : 0, left.offset) < (right.record.frame, right.record.isFrame ? 1 : 0, right.offset)
        }.map { ($0.record, $0.letter) }
    }

    /// Encodes a dead letter whose record is in the batch.
    ///
    /// - Parameter passOn: called after each 48 KiB of the record. It may take text out of the
    ///   buffer.
    func write(
        _ record: RefusedRecord, _ letter: DeadLetter, of batch: RecordBatch, to buffer: ByteBuffer, passOn: () throws(OutputError) -> Void = {}
    ) throws(OutputError) {
        let source = batch.source
        guard let input = batch.input.map({ source.name?.text ?? inputs[$0].path }) else {
            open(letter.stage, letter.failure, at: nil, to: buffer)
            try write(raw: record.record?.filled ?? UnsafeBufferPointer(start: nil, count: 0), to: buffer, passOn)
            return try close(record, to: buffer, passOn)
        }
        var failure = letter.failure
        if let replayed = source.replayed { failure.attempts += replayed.records[record.frame].attempts }
        open(letter.stage, failure, at: (input, source.position(ofFrame: record.frame)), to: buffer)
        if record.withholdsRaw {
            buffer.append("\"raw\":null")
        } else {
            let frame = source.frames[record.frame]
            try write(raw: UnsafeBufferPointer(start: source.bytes.start + Int(frame.start), count: Int(frame.count)), to: buffer, passOn)
        }
        try close(record, to: buffer, passOn)
    }

    private func write(raw: UnsafeBufferPointer<UInt8>, to buffer: ByteBuffer, _ passOn: () throws(OutputError) -> Void) throws(OutputError) {
        let isUTF8 = UTF8Text.isValid(raw)
        buffer.append(isUTF8 ? "\"raw\":\"" : "\"raw_base64\":\"")
        var rest = raw[...]
        while !rest.isEmpty {
            // Whole groups of base64, and whole characters.
            var end = min(rest.startIndex + LetterPieces.sliceBytes, raw.endIndex)
            while isUTF8, end < raw.endIndex, raw[end] & 0xC0 == 0x80 { end -= 1 }
            let slice = UnsafeBufferPointer(rebasing: rest[..<end])
            if isUTF8 { JSONText.writeEscaped(slice, to: buffer) } else { JSONText.writeBase64Digits(slice, to: buffer) }
            rest = rest[end...]
            try passOn()
        }
        buffer.append(UInt8(ascii: "\""))
    }

    private func close(_ record: RefusedRecord, to buffer: ByteBuffer, _ passOn: () throws(OutputError) -> Void) throws(OutputError) {
        if let text = record.record {
            buffer.append(",\"record\":")
            var rest = text.filled[...]
            while !rest.isEmpty {
                buffer.append(UnsafeBufferPointer(rebasing: rest.prefix(LetterPieces.sliceBytes)))
                rest = rest.dropFirst(LetterPieces.sliceBytes)
                try passOn()
            }
        }
        buffer.append("}\n")
    }

    /// The path of an input.
    func name(of input: Int) -> String { inputs[input].path }

    /// Writes a dead letter up to its `raw`.
    ///
    /// - Parameter place: where the record begins; `nil` after a closing stage, where records
    ///   belong to no input.
    func open(_ stage: String, _ failure: RecordFailure, at place: (input: String, position: Position)?, to buffer: ByteBuffer) {
        opening.withUnsafeBufferPointer { buffer.append($0) }
        buffer.append(",\"stage\":")
        JSONText.write(stage, to: buffer)
        buffer.append(",\"error\":{\"code\":")
        JSONText.write(failure.code, to: buffer)
        buffer.append(",\"message\":")
        JSONText.write(failure.message, to: buffer)
        buffer.append("},\"attempts\":")
        JSONText.write(failure.attempts, to: buffer)
        guard let (input, position) = place else { return buffer.append(",\"source\":null,") }
        buffer.append(",\"source\":{\"file\":")
        JSONText.write(input, to: buffer)
        buffer.append(",\"member\":")
        JSONText.write(position.member, to: buffer)
        buffer.append(",\"offset\":")
        JSONText.write(Int(position.offset), to: buffer)
        buffer.append(",\"line\":")
        JSONText.write(Int(position.line), to: buffer)
        buffer.append("},")
    }
}
