import SluiceCEL

/// Dead letters to lines of JSON. docs/dead-letters.md describes them.
struct DeadLetterEncoder: Sendable {
    /// `"pipeline": …, "definition": …`, the same for all.
    private let opening: [UInt8]
    private let inputs: [String]

    init(pipeline: String, definition: String, inputs: [String]) {
        let buffer = ByteBuffer(capacity: 256)
        buffer.append("{\"pipeline\":")
        JSONText.write(pipeline, to: buffer)
        buffer.append(",\"definition\":")
        JSONText.write(definition, to: buffer)
        opening = buffer.withFilled(Array.init)
        self.inputs = inputs
    }

    /// The batch's dead letters in the order of the input.
    func encode(_ batch: RecordBatch) -> [EncodedDeadLetter] {
        guard !batch.deadLetters.isEmpty else { return [] }
        var pieces: [EncodedDeadLetter] = []
        var lines = ByteBuffer(capacity: 4096)
        // Stable: an oversized record comes before the frame that it stands before.
        let letters = batch.deadLetters.enumerated().sorted { left, right in
            (left.element.frame, left.element.oversized == nil ? 1 : 0, left.offset)
                < (right.element.frame, right.element.oversized == nil ? 1 : 0, right.offset)
        }
        for (_, letter) in letters {
            if let oversized = letter.oversized {
                if lines.count > 0 { pieces.append(.lines(lines)) }
                pieces.append(.oversized(oversized, stage: letter.stage, failure: letter.failure))
                lines = ByteBuffer(capacity: 4096)
            } else {
                write(letter, of: batch.source, to: lines)
            }
        }
        if lines.count > 0 { pieces.append(.lines(lines)) }
        return pieces
    }

    private func write(_ letter: DeadLetter, of source: Batch, to buffer: ByteBuffer) {
        open(letter.stage, letter.failure, input: source.input, at: source.position(ofFrame: letter.frame), to: buffer)
        let frame = source.frames[letter.frame]
        let raw = UnsafeBufferPointer(start: source.bytes.start + Int(frame.start), count: Int(frame.count))
        if UTF8Text.isValid(raw) {
            buffer.append("\"raw\":")
            JSONText.write(raw, to: buffer)
        } else {
            buffer.append("\"raw_base64\":")
            JSONText.writeBase64(raw, to: buffer)
        }
        if !letter.record.isEmpty {
            buffer.append(",\"record\":")
            letter.record.withUnsafeBufferPointer { buffer.append($0) }
        }
        buffer.append("}\n")
    }

    /// A dead letter up to its `raw`.
    func open(_ stage: String, _ failure: RecordFailure, input: Int, at position: Position, to buffer: ByteBuffer) {
        opening.withUnsafeBufferPointer { buffer.append($0) }
        buffer.append(",\"stage\":")
        JSONText.write(stage, to: buffer)
        buffer.append(",\"error\":{\"code\":")
        JSONText.write(failure.code, to: buffer)
        buffer.append(",\"message\":")
        JSONText.write(failure.message, to: buffer)
        buffer.append("},\"attempts\":")
        JSONText.write(failure.attempts, to: buffer)
        buffer.append(",\"source\":{\"file\":")
        JSONText.write(inputs[input], to: buffer)
        buffer.append(",\"member\":")
        JSONText.write(position.member, to: buffer)
        buffer.append(",\"offset\":")
        JSONText.write(Int(position.offset), to: buffer)
        buffer.append(",\"line\":")
        JSONText.write(Int(position.line), to: buffer)
        buffer.append("},")
    }
}
