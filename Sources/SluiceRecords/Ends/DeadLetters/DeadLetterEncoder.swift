import Sluice
import SluiceCEL

/// Encodes dead letters as lines of JSON. docs/dead-letters.md describes the format.
///
/// A dead letter is some twenty times larger than a short record, so the lines of a batch are
/// compressed here, piece by piece, if the file is.
struct DeadLetterEncoder: Sendable {
    /// The size of a piece in bytes: small enough to hold, large enough to compress well.
    private static let pieceBytes = 256 << 10

    /// `"pipeline": …, "definition": …`, the same in all letters.
    private let opening: [UInt8]
    private let inputs: [InputFile]
    /// Set if lines are compressed here.
    private let writers: FreeList<BlockWriter>?

    /// - Parameter codec: the compression of the file, if it is compressed.
    init(pipeline: String, definition: String, inputs: [InputFile], codec: OutputCodec?) {
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
    func encode(_ batch: RecordBatch) -> [EncodedDeadLetter] {
        guard !batch.deadLetters.isEmpty else { return [] }
        var pieces: [EncodedDeadLetter] = []
        var lines = ByteBuffer(capacity: 4096)
        for (record, letter) in Self.inOrder(batch) {
            if let kept = record.kept, record.spilled == nil {
                kept.bytes.withUnsafeBufferPointer { lines.append($0) }
            } else if let spilled = record.spilled {
                if lines.count > 0 { pieces.append(piece(lines)) }
                pieces.append(record.kept == nil ? .spilled(spilled, stage: letter.stage, failure: letter.failure) : .kept(spilled))
                lines = ByteBuffer(capacity: 4096)
            } else {
                write(record, letter, of: batch, to: lines)
            }
            guard lines.count >= Self.pieceBytes else { continue }
            pieces.append(piece(lines))
            lines = ByteBuffer(capacity: 4096)
        }
        if lines.count > 0 { pieces.append(piece(lines)) }
        return pieces
    }

    private func piece(_ lines: ByteBuffer) -> EncodedDeadLetter {
        // DeadLetterFile gathers smaller ones across batches.
        guard let writers, lines.count >= SinkStage.blockBytes else { return .lines(lines) }
        let writer = writers.take() ?? BlockWriter()
        defer { writers.give(writer) }
        let block = ByteBuffer(capacity: lines.count / 8)
        let checksum = writer.append(lines.filled, to: block)
        return .block(block, checksum, records: lines.filled.count { $0 == UInt8(ascii: "\n") })
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
    func write(_ record: RefusedRecord, _ letter: DeadLetter, of batch: RecordBatch, to buffer: ByteBuffer) {
        let source = batch.source
        guard let input = batch.input.map({ source.name?.text ?? inputs[$0].path }) else {
            open(letter.stage, letter.failure, at: nil, to: buffer)
            buffer.append("\"raw\":")
            record.record.withUnsafeBufferPointer { JSONText.write($0, to: buffer) }
            return close(record, to: buffer)
        }
        var failure = letter.failure
        if let replayed = source.replayed { failure.attempts += replayed.records[record.frame].attempts }
        open(letter.stage, failure, at: (input, source.position(ofFrame: record.frame)), to: buffer)
        if record.withholdsRaw {
            buffer.append("\"raw\":null")
            return close(record, to: buffer)
        }
        let frame = source.frames[record.frame]
        let raw = UnsafeBufferPointer(start: source.bytes.start + Int(frame.start), count: Int(frame.count))
        if UTF8Text.isValid(raw) {
            buffer.append("\"raw\":")
            JSONText.write(raw, to: buffer)
        } else {
            buffer.append("\"raw_base64\":")
            JSONText.writeBase64(raw, to: buffer)
        }
        close(record, to: buffer)
    }

    private func close(_ record: RefusedRecord, to buffer: ByteBuffer) {
        if !record.record.isEmpty {
            buffer.append(",\"record\":")
            record.record.withUnsafeBufferPointer { buffer.append($0) }
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
