import Sluice
import SluiceCEL

/// The outputs of one sink during a run. Called by one job at a time.
final class SinkOutputs {
    private let settings: SinkSettings
    private let outputs: any OpenSink
    /// Whether a task keeps the outputs, which get their names when they are gathered.
    private let isOfTask: Bool
    /// Set if the outputs are compressed.
    private let gzip: GzipOutputs?
    private let zstd: ZstdOutputs?
    /// Outputs whose header is written.
    private var begun: Swift.Set<Name> = []
    /// The header of the one output, in case no record is written to it.
    private let headOfEmpty: [UInt8]

    /// - Parameters:
    ///   - mostPending: see ``BlockGatherer``.
    ///   - task: the folder of the task that keeps the outputs, if one does.
    init(_ planned: PlannedSink, headOfEmpty: [UInt8], mostPending: Int, staging: Staging, task: String? = nil) {
        settings = planned.settings
        self.headOfEmpty = headOfEmpty
        let sink = planned.settings.sink
        let codec = sink.compression == nil ? nil : sink.codec
        let empty = codec?.empty ?? []
        let outputs = task.map { TaskFiles(in: $0, sink: planned.number, empty: empty) as any OpenSink } ?? sink.open(empty: empty, staging: staging)
        self.outputs = outputs
        isOfTask = task != nil
        let level = sink.compression ?? .standard
        gzip = codec == .gzip ? GzipOutputs(outputs, level: level, members: sink.members, mostPending: mostPending) : nil
        zstd = codec == .zstd ? ZstdOutputs(outputs, level: level, mostPending: mostPending) : nil
    }

    /// The canonical name of an output that several names may lead to.
    ///
    /// - Parameter output: with its number if it is a part of limited size.
    func name(of output: String) throws(OutputError) -> String {
        try outputs.name(of: settings.sink.hasTaskParts && settings.sink.part == nil && !isOfTask ? settings.sink.first(of: output) : output)
    }

    func write(_ output: EncodedOutput, to path: String) throws(OutputError) {
        try begin(path, with: output.head)
        if let gzip, let checksum = output.block {
            try gzip.append(block: output.bytes, checksum, records: output.records, to: path)
        } else {
            try append(output.bytes, records: output.records, to: path)
        }
    }

    private func begin(_ path: String, with bytes: [UInt8]) throws(OutputError) {
        guard !bytes.isEmpty, begun.insert(Name(path)).inserted else { return }
        let head = ByteBuffer(capacity: bytes.count)
        bytes.withUnsafeBufferPointer { head.append($0) }
        try append(head, records: 0, to: path)
    }

    private func append(_ text: ByteBuffer, records: Int, to path: String) throws(OutputError) {
        if let zstd { return try zstd.append(text, records: records, to: path) }
        guard let gzip else { return try outputs.append(text.filled, records: records, to: path) }
        try gzip.append(text, records: records, to: path)
    }

    /// Ends every output.
    ///
    /// - Parameter writesEmpty: whether an output with a constant name is written even if it has no
    ///   records, to replace the one of an earlier run.
    func end(writesEmpty: Bool = true) throws(OutputError) {
        if writesEmpty, let constant = settings.sink.path.constant {
            let path = try outputs.name(of: first(of: constant))
            try begin(path, with: headOfEmpty)
            try append(ByteBuffer(capacity: 0), records: 0, to: path)
        }
        try gzip?.end()
        try zstd?.end()
    }

    private func first(of output: String) -> String {
        guard isOfTask else { return settings.sink.first(of: output) }
        return settings.sink.part == nil ? output : TaskParts.path(of: output, part: 1)
    }

    /// Takes a file of a task as an output.
    func take(_ file: FinishedFile, as path: String) throws(OutputError) { try outputs.take(file, as: path) }

    func prepare() throws(OutputError) { try outputs.prepare() }

    /// What is there of earlier runs that looks like parts from tasks of this one.
    var leftovers: [String] {
        guard settings.sink.hasTaskParts else { return [] }
        return TaskParts.leftovers(beside: outputs.described.map(\.path), areLimited: settings.sink.part != nil)
    }

    /// - Parameter alone: whether this is the only sink, so that the report gives the framing once
    ///   for all outputs.
    func described(alone: Bool) -> [RunReport.Output] {
        let framing = alone ? nil : RunReport.Fields(settings.format.writtenFraming)
        return outputs.described.map {
            RunReport.Output(
                file: $0.path, records: $0.records, bytes: $0.bytes, sha256: $0.sha256, table: settings.sink.table, framing: framing)
        }
    }

    var moves: [Journal.Move] { outputs.moves }

    func published() throws(OutputError) { try outputs.published() }

    /// - Parameters:
    ///   - columns: the columns of outputs that took them from their first records.
    ///   - parts: the files that divided outputs have reached.
    func checkpoint(columns: [SinkCheckpoint.Columns], parts: [SinkCheckpoint.Part]?) throws(OutputError) -> SinkCheckpoint {
        SinkCheckpoint(
            mark: try outputs.checkpoint(), begun: begun.sorted().map(\.text), gzip: gzip?.checkpoint ?? zstd?.checkpoint, columns: columns,
            parts: parts)
    }

    /// Must be called before anything is written.
    func restore(_ checkpoint: SinkCheckpoint) throws(OutputError) {
        try outputs.restore(to: checkpoint.mark)
        begun = Swift.Set(checkpoint.begun.map { Name($0) })
        if let state = checkpoint.gzip {
            gzip?.restore(state)
            zstd?.restore(state)
        }
    }

    func discard() { outputs.discard() }
    func leave() { outputs.leave() }
}
