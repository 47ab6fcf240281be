import Sluice
import SluiceCEL
import Synchronization

/// The end of the way: in the order of the input, batches go to the outputs, their dead letters to the dead-letter file, their counts to the books.
///
/// `@unchecked Sendable`: the pipeline calls a sink by one job at a time, and `publish` comes after the last of them.
final class RunCommit: Sluice.Sink, @unchecked Sendable {
    typealias Element = EncodedBatch

    let letters: DeadLetterEncoder
    private let pipeline: RecordPipeline
    private let meter: ProgressMeter
    private let outputs: any OpenSink
    private let deadLetters: DeadLetterFile
    private var gatherer = MemberGatherer()
    private let members: MemberWriter?
    /// Outputs that have what they begin with.
    private var begun: Swift.Set<Name> = []
    private(set) var ledger: Ledger

    init(_ pipeline: RecordPipeline, stages: [String], meter: ProgressMeter) {
        self.pipeline = pipeline
        self.meter = meter
        letters = DeadLetterEncoder(
            pipeline: pipeline.name, definition: pipeline.definition, inputs: pipeline.source.inputs.map(\.path))
        ledger = Ledger(stages: stages, inputs: pipeline.source.inputs.count)
        deadLetters = DeadLetterFile(pipeline.deadLetters, letters: letters)
        members = pipeline.sink.sink.compression.map { MemberWriter(level: $0) }
        outputs = pipeline.sink.sink.open(empty: members?.emptyMember ?? [])
    }

    func write(_ batch: EncodedBatch) async throws {
        ledger.add(batch)
        for output in batch.outputs { try write(output) }
        for letter in batch.deadLetters { try deadLetters.write(letter, input: batch.input) }
        meter.committed(batch)
        try checkLimit(atEnd: false)
    }

    private func write(_ output: EncodedOutput) throws(OutputError) {
        if !output.head.isEmpty, begun.insert(Name(output.path)).inserted {
            let head = ByteBuffer(capacity: output.head.count)
            output.head.withUnsafeBufferPointer { head.append($0) }
            try append(head, isMember: false, records: 0, to: output.path)
        }
        try append(output.bytes, isMember: output.isMember, records: output.records, to: output.path)
    }

    private func append(_ bytes: ByteBuffer, isMember: Bool, records: Int, to path: String) throws(OutputError) {
        guard members != nil else { return try outputs.append(bytes.filled, records: records, to: path) }
        try outputs.append(UnsafeBufferPointer(start: nil, count: 0), records: records, to: path)
        if isMember {
            try compress(gatherer.take(path))
            try outputs.append(bytes.filled, records: 0, to: path)
        } else if bytes.count > 0 {
            try compress(gatherer.add(bytes, to: path))
        }
    }

    private func compress(_ texts: [(path: String, text: ByteBuffer)]) throws(OutputError) {
        guard let members else { return }
        for (path, text) in texts {
            let member = ByteBuffer(capacity: text.count / 3 + 1024)
            members.append(text.filled, to: member)
            try outputs.append(member.filled, records: 0, to: path)
        }
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
            try beginConstantOutput()
            try compress(gatherer.takeAll())
            try deadLetters.prepare()
            try outputs.prepare()
            let published = try outputs.publish()
            try deadLetters.publish()
            return published.map { RunReport.Output(file: $0.path, records: $0.records, bytes: $0.bytes, sha256: $0.sha256) }
        } catch {
            throw .output(error)
        }
    }

    /// An output whose name no record makes is there even if nothing was written to it: what stands under its name is of an earlier run.
    private func beginConstantOutput() throws(OutputError) {
        guard let path = pipeline.sink.sink.path.constant else { return }
        let head = pipeline.sink.format.head(of: pipeline.sink.columns ?? [])
        try write(EncodedOutput(path: path, head: head, bytes: ByteBuffer(capacity: 0), isMember: false, records: 0))
    }

    /// Leaves what stood under the outputs' names.
    func discard() {
        outputs.discard()
        deadLetters.discard()
    }
}
