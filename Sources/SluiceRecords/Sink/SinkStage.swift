import SluiceCEL

/// The last stage: records to bytes of their output files, compressed where that is wanted. Changes nothing outside; ``RunCommit`` does that in order.
final class SinkStage: Sendable {
    let site: StageSite
    private let path: [Plan.PathPiece]
    private let encoding: RecordSink.Encoding
    private let compression: CompressionLevel?
    private let letters: DeadLetterEncoder
    /// Whether records are written as the bytes they came in.
    private let writesOwnBytes: Bool
    private let writers = FreeList<BlockWriter>(most: 64)
    /// For text on its way to a block.
    private let texts = BufferPool(capacity: Batch.targetBytes, most: 8)

    /// Text of this size and more is a compressed block of its own, made here, in parallel. Less is
    /// gathered by ``GzipOutputs``, from batch to batch.
    static let blockBytes = 128 << 10

    init(site: StageSite, sink: RecordSink, path: [Plan.PathPiece], letters: DeadLetterEncoder) {
        self.site = site
        self.path = path
        self.letters = letters
        encoding = sink.encoding
        compression = sink.compression
        let shape = site.fields.shape
        writesOwnBytes = shape.isUntouched && (sink.encoding == .lines || shape.base == .json)
    }

    func encode(_ batch: RecordBatch) throws -> EncodedBatch {
        let outputs = try path.contains(where: \.isValue) ? partitioned(batch) : single(batch)
        let source = batch.source
        return EncodedBatch(
            input: source.input, outputs: outputs.map(compressed), deadLetters: letters.encode(batch), counts: batch.counts,
            codes: Dictionary(batch.deadLetters.map { ($0.failure.code, 1) }, uniquingKeysWith: +), damage: source.damage,
            textBytes: UInt64(source.bytes.count), compressedBytes: source.compressedBytesRead)
    }

    private func single(_ batch: RecordBatch) throws -> [EncodedOutput] {
        let buffer = texts.take()
        let name: String? = path.isEmpty ? nil : path.map(\.text).joined()
        if writesOwnBytes {
            copyOwnBytes(batch, to: buffer)
        } else {
            try site.sift(batch) { (row) throws(RecordFailure) in
                try write(row, of: batch, to: buffer)
                return true
            }
        }
        return [EncodedOutput(path: name, bytes: buffer, block: nil, records: batch.rows.count)]
    }

    private func copyOwnBytes(_ batch: RecordBatch, to buffer: ByteBuffer) {
        batch.counts[site.index].received += batch.rows.count
        batch.counts[site.index].passed += batch.rows.count
        var bytes = batch.rows.count
        for row in batch.rows { bytes += Int(batch.frames[Int(row)].count) }
        buffer.reserve(bytes)
        for row in batch.rows {
            buffer.append(batch.text(Int(row)))
            buffer.append(UInt8(ascii: "\n"))
        }
    }

    private func partitioned(_ batch: RecordBatch) throws -> [EncodedOutput] {
        let evaluations = path.map { piece -> (text: String, evaluate: BoundProgram.Evaluation?, bound: BoundProgram?) in
            switch piece {
            case .text(let text): (text, nil, nil)
            case .value(let bound): ("", bound.evaluation(over: batch), bound)
            }
        }
        var outputs: [EncodedOutput] = []
        var places: [String: Int] = [:]
        try site.sift(batch) { (row) throws(RecordFailure) in
            var name = ""
            for (text, evaluate, bound) in evaluations {
                guard let evaluate, let bound else {
                    name += text
                    continue
                }
                let value = evaluate(row)
                guard value.kind != .error else { throw bound.failure(row, of: batch) }
                guard let part = PathText.of(value, batch.scratch) else {
                    let message = "'\(bound.program.text)' in the path is of type \(value.kind), not text, a number or a time"
                    throw RecordFailure(code: "sink.path", message: message)
                }
                name += PartitionPath.component(part)
            }
            let place = places[name] ?? outputs.count
            if place == outputs.count {
                outputs.append(EncodedOutput(path: name, bytes: texts.take(), block: nil, records: 0))
                places[name] = place
            }
            try write(row, of: batch, to: outputs[place].bytes)
            outputs[place].records += 1
            return true
        }
        return outputs
    }

    private func write(_ row: Int, of batch: RecordBatch, to buffer: ByteBuffer) throws(RecordFailure) {
        if writesOwnBytes {
            buffer.append(batch.text(row))
        } else if encoding == .jsonl {
            site.fields.write(row, of: batch, to: buffer)
        } else {
            buffer.append(try line(row, of: batch))
        }
        buffer.append(UInt8(ascii: "\n"))
    }

    private func line(_ row: Int, of batch: RecordBatch) throws(RecordFailure) -> UnsafeBufferPointer<UInt8> {
        let cell = site.fields.shape.column(of: "line").map { batch.table.row(row)[$0] } ?? .absent
        guard cell.kind == .string || cell.kind == .bytes else {
            throw RecordFailure(code: "sink.line", message: "the record has no text field 'line' to write")
        }
        guard !cell.textBytes.contains(UInt8(ascii: "\n")) else {
            throw RecordFailure(code: "sink.line", message: "field 'line' holds a line feed, so that it would be more than one line")
        }
        return cell.textBytes
    }

    /// The output as it waits for its commit: as a block where that is worth it, else in no more
    /// memory than its text takes.
    private func compressed(_ output: EncodedOutput) -> EncodedOutput {
        defer { texts.give(output.bytes) }
        guard let compression, output.bytes.count >= Self.blockBytes else {
            let text = ByteBuffer(capacity: output.bytes.count)
            text.append(output.bytes.filled)
            return EncodedOutput(path: output.path, bytes: text, block: nil, records: output.records)
        }
        let writer = writers.take() ?? BlockWriter(level: compression)
        defer { writers.give(writer) }
        let block = ByteBuffer(capacity: output.bytes.count / 3)
        let checksum = writer.append(output.bytes.filled, to: block)
        return EncodedOutput(path: output.path, bytes: block, block: checksum, records: output.records)
    }
}

extension Plan.PathPiece {
    var isValue: Bool {
        guard case .value = self else { return false }
        return true
    }

    /// The piece's text; empty for an expression.
    var text: String {
        guard case .text(let text) = self else { return "" }
        return text
    }
}
