import Sluice
import SluiceCEL
import Synchronization

/// A sink of a pipeline and its place in the plan.
struct PlannedSink: Sendable {
    let settings: SinkSettings
    /// The index among the sinks of the run.
    let number: Int
    /// Its place in the books.
    let place: Int
    /// Unique in the run.
    let name: String
    /// The number of the flow that ends here.
    let flow: Int
    /// The number of the last stage before the sink that gave records new bytes.
    let decoding: Int?

    init(_ settings: SinkSettings, number: Int, place: Int, name: String, flow: Int, decoding: Int?) {
        self.settings = settings
        self.number = number
        self.place = place
        self.name = name
        self.flow = flow
        self.decoding = decoding
    }

    var format: any WritableFormat { settings.format }

    /// Whether outputs must begin with their column names, and only the records determine these.
    var needsOutputColumns: Bool { format.needsColumns && settings.columns == nil }

    /// Every field that must be decoded to write a record.
    var mentions: [String] { settings.sink.path.mentions + settings.format.mentions }
}

/// A sink bound to the columns of one layout of the records.
struct BoundSink: Sendable {
    enum Piece: Sendable {
        case text(String)
        case value(BoundProgram)
    }

    /// `nil` if each output has its own columns.
    let writer: (any RecordWriter)?
    /// The index among the sinks of the run.
    let number: Int
    let site: StageSite
    /// Whether the written text depends on the fields.
    let writesFields: Bool
    private let format: any WritableFormat
    private let fields: RecordFields
    let pieces: [Piece]
    /// The path, if it has no expressions.
    let constant: String?

    init(_ sink: PlannedSink, fields: RecordFields) {
        format = sink.format
        writesFields = sink.format.writesFields
        number = sink.number
        site = StageSite(index: sink.place, name: sink.name, policy: .deadLetter, timeout: nil, fields: fields)
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

/// The last stage: encodes records as bytes of their outputs and compresses them. It has no side
/// effects; ``RunCommit`` writes the bytes, in order.
final class SinkStage: Sendable {
    private struct Compressing: Sendable {
        let level: CompressionLevel
        let members: GzipMembers
        let writers = FreeList<BlockWriter>(most: 64)
    }

    /// For each sink, whether its outputs are divided into files.
    private let areDivided: [Bool]
    /// For each sink; `nil` if its outputs are not compressed.
    private let compressing: [Compressing?]
    private let letters: DeadLetterEncoder
    private let files: RunFiles
    /// The time spent on each sink's records.
    private let busy: Locked<[Duration]>
    /// Buffers for text before compression, for the first outputs of a batch.
    private let texts = BufferPool(capacity: Batch.targetBytes, most: 8)
    /// The number of outputs of a batch with a buffer of that size. The others begin with small
    /// ones, since a batch may have thousands of outputs.
    private static let fewOutputs = 8

    static let name = "sink"
    /// Text of at least this size, in bytes, becomes a compressed block of its own, made here, in
    /// parallel. ``GzipOutputs`` gathers smaller pieces across batches.
    private let blockBytes: Int

    /// - Parameter memory: that of the run.
    init(_ sinks: [PlannedSink], letters: DeadLetterEncoder, files: RunFiles, memory: Int) {
        blockBytes = min(128 << 10, Batch.targetBytes(within: memory) / 2)
        self.letters = letters
        self.files = files
        areDivided = sinks.map { $0.settings.sink.part != nil }
        compressing = sinks.map { sink in
            guard sink.settings.sink.codec == .gzip else { return nil }
            return sink.settings.sink.compression.map { Compressing(level: $0, members: sink.settings.sink.members) }
        }
        busy = Locked(Array(repeating: .zero, count: sinks.count))
    }

    /// The time spent on each sink's records.
    var busyTimes: [Duration] { busy.withLock { $0 } }

    func encode(_ batch: RecordBatch) throws -> EncodedBatch {
        var outputs: [EncodedOutput] = []
        var records: [Int: [Record]] = [:]
        try encode(batch, to: &outputs, &records)
        let source = batch.source
        return EncodedBatch(
            input: batch.input, end: batch.input.map { _ in source.end }, number: source.number, outputs: outputs, deadLetters: try letters.encode(batch),
            counts: batch.counts, timeouts: batch.timeouts,
            codes: Dictionary(batch.deadLetters.map { ($0.code, 1) }, uniquingKeysWith: +), firsts: Self.firsts(of: batch), damage: source.damage,
            suspect: source.suspect, textBytes: UInt64(source.bytes.count), compressedBytes: source.compressedBytesRead,
            readerState: source.readerState, takesCheckpoint: batch.takesCheckpoint, steps: batch.steps, columns: batch.columns, records: records,
            room: source.room, replayed: source.replayed?.outcome(of: batch))
    }

    private func encode(_ batch: RecordBatch, to outputs: inout [EncodedOutput], _ records: inout [Int: [Record]]) throws {
        for part in batch.parts { try encode(part, to: &outputs, &records) }
        guard let sink = batch.stretch.sink else { return }
        let start = ContinuousClock.now
        if let routing = batch.routing {
            outputs += try routed(batch, routing, sink, sink.site).map { finished($0) }
        } else if let writer = sink.writer {
            outputs += try (sink.constant.map { [try single(batch, writer, sink, $0)] } ?? partitioned(batch, sink, writer)).map { finished($0) }
        }
        if !batch.records.isEmpty { records[sink.number] = batch.records }
        let elapsed = ContinuousClock.now - start
        busy.withLock { $0[sink.number] += elapsed }
    }

    /// For each code, the first failure in input order.
    private static func firsts(of batch: RecordBatch) -> [String: FirstFailure] {
        var firsts: [String: (frame: Int, letter: DeadLetter)] = [:]
        for letter in batch.deadLetters {
            guard let record = letter.element as? RefusedRecord else { continue }
            if let first = firsts[letter.code], first.frame <= record.frame { continue }
            firsts[letter.code] = (record.frame, letter)
        }
        return firsts.mapValues { first in
            let record = first.letter.element as? RefusedRecord
            var failure = FirstFailure(message: first.letter.failure.message, stage: first.letter.stage)
            if let kept = record?.kept {
                (failure.file, failure.line) = (kept.file, kept.line)
            } else {
                failure.file = batch.source.name?.text
                failure.line = batch.input.map { _ in record?.spilled?.position.line ?? batch.source.position(ofFrame: first.frame).line }
            }
            return failure
        }
    }

    private func single(_ batch: RecordBatch, _ writer: any RecordWriter, _ sink: BoundSink, _ path: String) throws -> EncodedOutput {
        let isDivided = areDivided[sink.number]
        var ends: [Int] = []
        let buffer = texts.take()
        if writer.copiesRecords, !isDivided, writer.canCopy(batch) {
            copy(batch, at: sink.site.index, dropsReturns: writer.dropsReturns, to: buffer)
        } else {
            try sink.site.sift(batch) { (row) throws(RecordFailure) in
                try writer.write(row, of: batch, to: buffer)
                if isDivided { ends.append(buffer.count) }
                return true
            }
        }
        return EncodedOutput(
            sink: sink.number, path: path, head: writer.head, bytes: buffer, block: nil, records: batch.rows.count, ends: ends)
    }

    private func copy(_ batch: RecordBatch, at index: Int, dropsReturns: Bool, to buffer: ByteBuffer) {
        batch.counts[index].in += batch.rows.count
        batch.counts[index].out += batch.rows.count
        let (frames, base, outcomes) = (batch.frames, batch.base, batch.table.outcomes)
        buffer.reserve(batch.rows.reduce(batch.rows.count) { $0 + Int(frames[Int($1)].count) })
        for row in batch.rows {
            let frame = frames[Int(row)]
            let text = UnsafeBufferPointer(start: base + Int(frame.start), count: Int(frame.count))
            if outcomes[Int(row)] == .duplicated {
                JSONMembers.writeUnique(text, to: buffer)
            } else {
                buffer.append(dropsReturns ? LineText.withoutEnd(text) : text)
            }
            buffer.append(UInt8(ascii: "\n"))
        }
    }

    private func partitioned(_ batch: RecordBatch, _ sink: BoundSink, _ writer: any RecordWriter) throws -> [EncodedOutput] {
        let paths = OutputPaths(sink, over: batch, files)
        let isDivided = areDivided[sink.number]
        var outputs: [EncodedOutput] = []
        try sink.site.sift(batch) { (row) throws(RecordFailure) in
            let place = try paths.place(of: row) { path in
                outputs.append(EncodedOutput(sink: sink.number, path: path, head: writer.head, bytes: buffer(outputs.count), block: nil, records: 0))
            }
            try writer.write(row, of: batch, to: outputs[place].bytes)
            outputs[place].records += 1
            if isDivided { outputs[place].ends.append(outputs[place].bytes.count) }
            return true
        }
        return outputs
    }

    /// Encodes records whose outputs are determined already, with the columns of each.
    private func routed(_ batch: RecordBatch, _ routing: Routing, _ sink: BoundSink, _ site: StageSite) throws -> [EncodedOutput] {
        let isDivided = areDivided[sink.number]
        let writers = routing.outputs.map { $0.columns.map(sink.makeWriter) }
        var outputs = zip(routing.outputs, writers).enumerated().map { index, output in
            let (output, writer) = output
            return EncodedOutput(sink: sink.number, path: output.path, head: writer?.head ?? [], bytes: buffer(index), block: nil, records: 0)
        }
        var index = 0
        try site.keep(in: batch) { (row) throws(RecordFailure) in
            let place = routing.place(of: index)
            index += 1
            guard let writer = writers[place] else { throw .noColumns }
            try writer.write(row, of: batch, to: outputs[place].bytes)
            outputs[place].records += 1
            if isDivided { outputs[place].ends.append(outputs[place].bytes.count) }
            return true
        }
        batch.counts[site.index].out += batch.rows.count
        return outputs
    }

    /// An output that is to be divided is compressed afterwards, by ``compressParts(of:)``.
    private func finished(_ output: EncodedOutput) -> EncodedOutput { areDivided[output.sink] ? output : compressed(output) }

    /// Replaces each divided output with one for each of its files.
    func compressParts(of batch: EncodedBatch) -> EncodedBatch {
        var batch = batch
        batch.outputs = batch.outputs.flatMap { output in
            guard !output.cuts.isEmpty else { return [output] }
            let start = ContinuousClock.now
            let parts = parts(of: output)
            let elapsed = ContinuousClock.now - start
            busy.withLock { $0[output.sink] += elapsed }
            return parts
        }
        return batch
    }

    private func parts(of output: EncodedOutput) -> [EncodedOutput] {
        defer { if output.cuts.count > 1 { texts.give(output.bytes) } }
        return output.cuts.map { cut in
            var part = output
            (part.ends, part.cuts) = ([], [])
            part.path = cut.path
            part.records = cut.records
            if output.cuts.count > 1 {
                part.bytes = texts.take()
                part.bytes.append(UnsafeBufferPointer(rebasing: output.bytes.filled[cut.bytes]))
            }
            return compressed(part)
        }
    }

    /// An empty buffer for the output with this index in its batch.
    private func buffer(_ index: Int) -> ByteBuffer { index < Self.fewOutputs ? texts.take() : ByteBuffer(capacity: 1 << 10) }

    /// The output as it waits to be committed: compressed to a block if it is large enough, else
    /// in a buffer of about the size of its text.
    private func compressed(_ output: EncodedOutput) -> EncodedOutput {
        var output = output
        let text = output.bytes
        if text.capacity <= 1 << 10 { return output }
        let compressing = compressing[output.sink]
        // A long record would be held twice.
        if compressing == nil, text.count > 4 * Batch.targetBytes { return output }
        defer { texts.give(text) }
        guard let compressing, text.count >= blockBytes else {
            output.bytes = ByteBuffer(capacity: text.count)
            output.bytes.append(text.filled)
            return output
        }
        let writer = compressing.writers.take() ?? BlockWriter(level: compressing.level, members: compressing.members)
        defer { compressing.writers.give(writer) }
        (output.bytes, output.block) = writer.block(of: text.filled)
        return output
    }
}

/// The outputs of the records of one batch, numbered in the order of first occurrence.
final class OutputPaths {
    private let path: PathEvaluation
    private let files: RunFiles
    private let sink: Int
    private var places: [Name: Int] = [:]
    private var refused: [Name: RecordFailure] = [:]

    init(_ sink: BoundSink, over batch: RecordBatch, _ files: RunFiles) {
        path = PathEvaluation(sink, over: batch)
        self.sink = sink.number
        self.files = files
    }

    /// The number of the row's output.
    ///
    /// - Parameter begin: called with the path of each new output.
    /// - Throws: if the path cannot be evaluated, or the output is refused.
    func place(of row: Int, begin: (String) -> Void) throws(RecordFailure) -> Int {
        let name = try path.path(of: row)
        if let place = places[name] { return place }
        if let failure = refused[name] { throw failure }
        if let reason = files.refusal(ofFirst: name.text, in: sink) {
            let failure = RecordFailure(code: "sink.path", message: reason)
            refused[name] = failure
            throw failure
        }
        begin(name.text)
        places[name] = places.count
        return places.count - 1
    }
}

/// The path of a sink, bound to one batch.
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

    /// The path made from the row's values.
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
