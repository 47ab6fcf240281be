import Sluice
import Synchronization

/// The end of the way: in the order of the input, batches go to the outputs, their dead letters to the dead-letter file, their counts to the ledger.
///
/// `@unchecked Sendable`: the pipeline calls a sink by one job at a time, and `end` comes after the last of them.
final class RunCommit: Sink, @unchecked Sendable {
    typealias Element = EncodedBatch

    let letters: DeadLetterEncoder
    private let pipeline: RecordPipeline
    private let meter: ProgressMeter
    private let outputs: OutputSet
    private let deadLetters: DeadLetterFile
    private var standardOutput = (records: 0, bytes: UInt64(0), digest: Digest())
    /// Where the outputs are compressed.
    private let gzip: GzipOutputs?
    private(set) var ledger: Ledger

    init(_ pipeline: RecordPipeline, places: Int, meter: ProgressMeter) {
        self.pipeline = pipeline
        self.meter = meter
        letters = DeadLetterEncoder(
            pipeline: pipeline.name, definition: pipeline.definition, inputs: pipeline.source.inputs.map(\.path))
        ledger = Ledger(stages: places, inputs: pipeline.source.inputs.count)
        deadLetters = DeadLetterFile(pipeline.deadLetters, letters: letters)
        let outputs = OutputSet(emptyFile: pipeline.sink.compression == nil ? [] : MemberAssembly.empty)
        self.outputs = outputs
        gzip = pipeline.sink.compression.map { GzipOutputs(outputs, level: $0) }
    }

    func write(_ batch: EncodedBatch) async throws {
        ledger.add(batch)
        for output in batch.outputs { try write(output) }
        for letter in batch.deadLetters { try deadLetters.write(letter, input: batch.input) }
        meter.committed(batch)
        try checkLimit(atEnd: false)
    }

    private func write(_ output: EncodedOutput) throws(OutputError) {
        guard let path = output.path else { return try writeToStandardOutput(output) }
        guard let gzip else { return try outputs.append(output.bytes.filled, records: output.records, to: path) }
        if let checksum = output.block {
            try gzip.append(block: output.bytes, checksum, records: output.records, to: path)
        } else {
            try gzip.append(output.bytes, records: output.records, to: path)
        }
    }

    private func writeToStandardOutput(_ output: EncodedOutput) throws(OutputError) {
        try StandardOutput.write(output.bytes.filled)
        standardOutput.digest.update(output.bytes.filled)
        standardOutput.records += output.records
        standardOutput.bytes += UInt64(output.bytes.count)
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

    /// Publishes everything: outputs appear under their names together with the dead letters. Nothing is there before.
    func publish() throws(RunError) -> [RunReport.Output] {
        try checkLimit(atEnd: true)
        guard ledger.isBalanced else { throw .fault("the ledger does not balance") }
        do throws(OutputError) {
            try gzip?.end()
            try deadLetters.prepare()
            try outputs.prepare()
            let published = try outputs.publish()
            try deadLetters.publish()
            if case .stdout = pipeline.sink.destination {
                return [RunReport.Output(file: "-", records: standardOutput.records, bytes: standardOutput.bytes, sha256: standardOutput.digest.hex)]
            }
            return published.map { RunReport.Output(file: $0.path, records: $0.records, bytes: $0.bytes, sha256: $0.sha256) }
        } catch {
            throw .output(error)
        }
    }

    /// Leaves what stood under the outputs' names.
    func discard() {
        outputs.discard()
        deadLetters.discard()
    }
}
