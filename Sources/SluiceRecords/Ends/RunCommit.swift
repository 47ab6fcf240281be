import Sluice
import SluiceCEL
import Synchronization

/// The end of the way: in the order of the input, batches go to the outputs, their dead letters to
/// the dead-letter file, their counts to the books.
///
/// `@unchecked Sendable`: the pipeline calls a sink by one job at a time, and `publish` comes after
/// the last of them.
final class RunCommit: Sluice.Sink, @unchecked Sendable {
    typealias Element = EncodedBatch

    let letters: DeadLetterEncoder
    private let pipeline: RecordPipeline
    private let meter: ProgressMeter
    private let outputs: any OpenSink
    private let deadLetters: DeadLetterFile
    /// Where the outputs are compressed.
    private let gzip: GzipOutputs?
    /// Outputs that have what they begin with.
    private var begun: Swift.Set<Name> = []
    /// What the one output begins with if no record is written to it.
    private let headOfEmpty: [UInt8]
    private(set) var ledger: Ledger

    init(_ pipeline: RecordPipeline, stages: [String], headOfEmpty: [UInt8], staging: Staging, meter: ProgressMeter) {
        self.pipeline = pipeline
        self.headOfEmpty = headOfEmpty
        self.meter = meter
        letters = DeadLetterEncoder(
            pipeline: pipeline.name, definition: pipeline.definition, inputs: pipeline.source.inputs.map(\.path))
        ledger = Ledger(stages: stages, inputs: pipeline.source.inputs.count)
        deadLetters = DeadLetterFile(
            pipeline.deadLetters, in: pipeline.deadLetterSink ?? FileSink(PathTemplate(pipeline.deadLetters)), letters: letters,
            staging: staging)
        let sink = pipeline.sink.sink
        let outputs = sink.open(empty: sink.compression == nil ? [] : MemberAssembly.empty, staging: staging)
        self.outputs = outputs
        gzip = sink.compression.map { GzipOutputs(outputs, level: $0, members: sink.members) }
    }

    /// Makes the folder of the dead letters.
    func begin() throws(RunError) {
        do throws(OutputError) {
            try deadLetters.begin()
        } catch {
            throw .output(error)
        }
    }

    func write(_ batch: EncodedBatch) async throws {
        ledger.add(batch)
        for output in batch.outputs { try write(output) }
        for letter in batch.deadLetters { try deadLetters.write(letter, input: batch.input) }
        meter.committed(batch)
        try checkLimit(atEnd: false)
    }

    private func write(_ output: EncodedOutput) throws(OutputError) {
        let path = try outputs.name(of: output.path)
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
        guard let gzip else { return try outputs.append(text.filled, records: records, to: path) }
        try gzip.append(text, records: records, to: path)
    }

    /// A share is looked at once 1,000 records were read, and at the end.
    private func checkLimit(atEnd: Bool) throws(RunError) {
        let records = ledger.records
        switch pipeline.limits.deadLetters {
        case .count(let most)? where records.dead > most:
            throw .tooManyDeadLetters(count: records.dead, read: records.read, limit: "\(most)")
        case .share(let share)? where (atEnd || records.read >= 1000) && Double(records.dead) > share * Double(records.read):
            throw .tooManyDeadLetters(count: records.dead, read: records.read, limit: "\(share * 100) %")
        default: break
        }
    }

    /// Publishes everything: outputs appear under their names together with the dead letters.
    /// Nothing is there before.
    func publish() throws(RunError) -> [RunReport.Output] {
        try checkLimit(atEnd: true)
        guard ledger.isBalanced else { throw .fault("the ledger does not balance") }
        do throws(OutputError) {
            try beginConstantOutput()
            try gzip?.end()
            try deadLetters.prepare()
            try outputs.prepare()
            let published = try outputs.publish()
            try deadLetters.publish()
            return published.map { RunReport.Output(file: $0.path, records: $0.records, bytes: $0.bytes, sha256: $0.sha256) }
        } catch {
            throw .output(error)
        }
    }

    /// An output whose name no record makes is there even if nothing was written to it: what stands
    /// under its name is of an earlier run.
    private func beginConstantOutput() throws(OutputError) {
        guard let constant = pipeline.sink.sink.path.constant else { return }
        let path = try outputs.name(of: constant)
        try begin(path, with: headOfEmpty)
        try append(ByteBuffer(capacity: 0), records: 0, to: path)
    }

    /// Leaves what stood under the outputs' names.
    func discard() {
        outputs.discard()
        deadLetters.discard()
    }
}
