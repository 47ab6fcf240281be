import Sluice
import SluiceCEL

/// The sink of a pipeline with what the plan must know of it.
struct PlannedSink: Sendable {
    let settings: SinkSettings

    init(_ settings: SinkSettings) {
        self.settings = settings
    }

    var format: any WritableFormat { settings.format }

    /// Whether an output must name its columns first, and only its records tell them.
    var needsOutputColumns: Bool { format.needsColumns && settings.columns == nil }

    /// Every field that writing a record needs decoded.
    var mentions: [String] { settings.sink.path.mentions + settings.format.mentions }
}

/// A sink bound to the columns of records that are laid out in one way.
struct BoundSink: Sendable {
    enum Piece: Sendable {
        case text(String)
        case value(BoundProgram)
    }

    /// `nil` where each output has columns of its own.
    let writer: (any RecordWriter)?
    private let format: any WritableFormat
    private let fields: RecordFields
    let pieces: [Piece]
    /// The path, where no expression is in it.
    let constant: String?

    init(_ sink: PlannedSink, fields: RecordFields) {
        format = sink.format
        self.fields = fields
        writer = sink.needsOutputColumns ? nil : format.makeWriter(for: fields, columns: sink.settings.columns)
        let path = sink.settings.sink.path
        constant = path.constant
        pieces = path.pieces.map { piece in
            switch piece {
            case .text(let text): .text(text)
            case .value(let program): .value(BoundProgram(program, in: fields))
            }
        }
    }

    func makeWriter(_ columns: [String]) -> any RecordWriter { format.makeWriter(for: fields, columns: columns) }
}

extension StageSite {
    init(sinkAt index: Int, _ fields: RecordFields) {
        self.init(index: index, name: SinkStage.name, policy: .deadLetter, timeout: nil, fields: fields)
    }
}

/// The last stage: records to bytes of their outputs, compressed where that is wanted. Changes nothing outside; ``RunCommit`` does that in order.
final class SinkStage: Sendable {
    private let index: Int
    private let compression: CompressionLevel?
    private let letters: DeadLetterEncoder
    private let members = FreeList<MemberWriter>(most: 64)
    /// For text on its way to a member.
    private let texts = BufferPool(capacity: Batch.targetBytes, most: 8)

    static let name = "sink"
    /// Text of this size and more is a gzip member of its own, made here, in parallel. Less is gathered by ``RunCommit``, from batch to batch.
    static let memberBytes = 128 << 10

    /// - Parameter index: its place in the books.
    init(_ sink: any RecordSink, index: Int, letters: DeadLetterEncoder) {
        self.index = index
        self.letters = letters
        compression = sink.compression
    }

    func encode(_ batch: RecordBatch) throws -> EncodedBatch {
        var outputs: [EncodedOutput] = []
        if let sink = batch.segment.sink {
            let site = StageSite(sinkAt: index, batch.segment.fields)
            if let routing = batch.routing {
                outputs = try routed(batch, routing, sink, site)
            } else if let writer = sink.writer {
                outputs = try sink.constant.map { [try single(batch, writer, site, $0)] } ?? partitioned(batch, sink, writer, site)
            }
        }
        let source = batch.source
        return EncodedBatch(
            input: batch.input, end: batch.input.map { _ in source.end }, outputs: outputs.map(compressed), deadLetters: letters.encode(batch),
            counts: batch.counts, timeouts: batch.timeouts,
            codes: Dictionary(batch.deadLetters.map { ($0.code, 1) }, uniquingKeysWith: +), damage: source.damage,
            textBytes: UInt64(source.bytes.count), compressedBytes: source.compressedBytesRead)
    }

    private func single(_ batch: RecordBatch, _ writer: any RecordWriter, _ site: StageSite, _ path: String) throws -> EncodedOutput {
        let buffer = texts.take()
        if writer.copiesRecords {
            copy(batch, dropsReturns: writer.dropsReturns, to: buffer)
        } else {
            try site.sift(batch) { (row) throws(RecordFailure) in
                try writer.write(row, of: batch, to: buffer)
                return true
            }
        }
        return EncodedOutput(path: path, head: writer.head, bytes: buffer, isMember: false, records: batch.rows.count)
    }

    private func copy(_ batch: RecordBatch, dropsReturns: Bool, to buffer: ByteBuffer) {
        batch.counts[index].in += batch.rows.count
        batch.counts[index].out += batch.rows.count
        var bytes = batch.rows.count
        for row in batch.rows { bytes += Int(batch.frames[Int(row)].count) }
        buffer.reserve(bytes)
        for row in batch.rows {
            buffer.append(dropsReturns ? batch.text(Int(row)).withoutReturn : batch.text(Int(row)))
            buffer.append(UInt8(ascii: "\n"))
        }
    }

    private func partitioned(
        _ batch: RecordBatch, _ sink: BoundSink, _ writer: any RecordWriter, _ site: StageSite
    ) throws -> [EncodedOutput] {
        let path = PathEvaluation(sink, over: batch)
        var outputs: [EncodedOutput] = []
        var places: [Name: Int] = [:]
        try site.sift(batch) { (row) throws(RecordFailure) in
            let name = try path.path(of: row)
            let place = places[name] ?? outputs.count
            if place == outputs.count {
                outputs.append(EncodedOutput(path: name.text, head: writer.head, bytes: texts.take(), isMember: false, records: 0))
                places[name] = place
            }
            try writer.write(row, of: batch, to: outputs[place].bytes)
            outputs[place].records += 1
            return true
        }
        return outputs
    }

    /// Records whose outputs are known already, in each with its columns.
    private func routed(_ batch: RecordBatch, _ routing: Routing, _ sink: BoundSink, _ site: StageSite) throws -> [EncodedOutput] {
        let writers = routing.outputs.map { $0.columns.map(sink.makeWriter) }
        var outputs = zip(routing.outputs, writers).map { output, writer in
            EncodedOutput(path: output.path, head: writer?.head ?? [], bytes: texts.take(), isMember: false, records: 0)
        }
        var index = 0
        try site.keep(in: batch) { (row) throws(RecordFailure) in
            let place = routing.place(of: index)
            index += 1
            guard let writer = writers[place] else { throw .noColumns }
            try writer.write(row, of: batch, to: outputs[place].bytes)
            outputs[place].records += 1
            return true
        }
        batch.counts[self.index].out += batch.rows.count
        return outputs
    }

    /// The output as it waits for its commit: as a member where that is worth it, else in no more memory than its text takes.
    private func compressed(_ output: EncodedOutput) -> EncodedOutput {
        defer { texts.give(output.bytes) }
        var output = output
        let text = output.bytes
        guard let compression, text.count >= Self.memberBytes else {
            output.bytes = ByteBuffer(capacity: text.count)
            output.bytes.append(text.filled)
            return output
        }
        let writer = members.take() ?? MemberWriter(level: compression)
        defer { members.give(writer) }
        output.bytes = ByteBuffer(capacity: text.count / 3)
        writer.append(text.filled, to: output.bytes)
        output.isMember = true
        return output
    }
}

/// The path of a sink at work on one batch.
struct PathEvaluation {
    private let batch: RecordBatch
    private let pieces: [(text: String, evaluate: BoundProgram.Evaluation?, bound: BoundProgram?)]

    init(_ sink: BoundSink, over batch: RecordBatch) {
        self.batch = batch
        pieces = sink.pieces.map { piece in
            switch piece {
            case .text(let text): (text, nil, nil)
            case .value(let bound): ("", bound.evaluation(over: batch), bound)
            }
        }
    }

    /// The path that the row's values make.
    func path(of row: Int) throws(RecordFailure) -> Name {
        var path = ""
        for (text, evaluate, bound) in pieces {
            guard let evaluate, let bound else {
                path += text
                continue
            }
            let value = evaluate(row)
            guard value.kind != .error else { throw bound.failure(row, of: batch) }
            guard let part = PathValue.of(value, batch.scratch) else {
                let message = "'\(bound.program.text)' in the path is of type \(value.kind), not text, a number or a time"
                throw RecordFailure(code: "sink.path", message: message)
            }
            path += PartitionPath.component(part)
        }
        return Name(path)
    }
}
