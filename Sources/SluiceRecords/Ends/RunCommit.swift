import Sluice
import SluiceCEL
import Synchronization

/// The last step of a run: commits batches in the order of the input, their text to the outputs,
/// their dead letters to the dead-letter file, their counts to the books.
///
/// `@unchecked Sendable`: the pipeline calls a sink from one job at a time, and `publish` after the
/// last call.
final class RunCommit: Sluice.Sink, @unchecked Sendable {
    typealias Element = EncodedBatch

    let letters: DeadLetterEncoder
    private let pipeline: RecordPipeline
    private let meter: ProgressMeter
    private let deadLetters: DeadLetterFile
    /// One for each of the run's sinks.
    private let sinks: [SinkOutputs]
    /// If there are several sinks, the sink that owns each directory entry.
    private var owners: [FilePlace: Int] = [:]
    /// For each sink, the outputs that it has claimed.
    private var claimed: [Swift.Set<Name>]
    private(set) var ledger: Ledger

    init(_ pipeline: RecordPipeline, _ plan: Plan, staging: Staging, meter: ProgressMeter) {
        self.pipeline = pipeline
        self.meter = meter
        letters = DeadLetterEncoder(
            pipeline: pipeline.name, definition: pipeline.definition, inputs: pipeline.source.inputs.map(\.path))
        ledger = Ledger(plan.places, inputs: pipeline.source.inputs.count)
        deadLetters = DeadLetterFile(
            pipeline.deadLetters, in: pipeline.deadLetterSink ?? FileSink(PathTemplate(pipeline.deadLetters)), letters: letters,
            staging: staging)
        claimed = plan.sinks.map { _ in [] }
        sinks = plan.sinks.map { SinkOutputs($0, headOfEmpty: plan.headOfEmptyOutput(of: $0), staging: staging) }
    }

    /// Creates the folder of the dead letters.
    func begin() throws(RunError) {
        do throws(OutputError) {
            try deadLetters.begin()
        } catch {
            throw .output(error)
        }
    }

    func write(_ batch: EncodedBatch) async throws {
        ledger.add(batch)
        for output in batch.outputs {
            let sink = sinks[output.sink]
            let path = try sink.name(of: output.path)
            if sinks.count > 1, claimed[output.sink].insert(Name(path)).inserted { try claim(path, for: output.sink) }
            try sink.write(output, to: path)
        }
        for letter in batch.deadLetters { try deadLetters.write(letter, input: batch.input) }
        meter.committed(batch)
        try checkLimit(atEnd: false)
    }

    /// Ensures that no two sinks write to one file. Names made from records are checked here, where
    /// batches come in order, so that the result depends on the input alone.
    private func claim(_ path: String, for sink: Int) throws(RunError) {
        do throws(InputError) {
            guard let place = try pipeline.sinks[sink].sink.place(of: path) else { return }
            guard owners.updateValue(sink, forKey: place) ?? sink == sink else {
                throw InputError.unreadable(path: path, reason: "two sinks would write to it; give each outputs of its own")
            }
        } catch {
            guard case .unreadable(let path, let reason) = error else { throw .input(error) }
            throw .output(.failed(path: path, reason: reason))
        }
    }

    /// Checks the limit of dead letters. A share is checked from 1,000 records on, and at the end.
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

    /// Publishes everything: the outputs, then the dead letters. Nothing appears earlier.
    func publish() throws(RunError) -> [RunReport.Output] {
        try checkLimit(atEnd: true)
        guard ledger.isBalanced else { throw .fault("the ledger does not balance") }
        do throws(OutputError) {
            for sink in sinks { try sink.end() }
            try deadLetters.prepare()
            for sink in sinks { try sink.prepare() }
            var published: [RunReport.Output] = []
            for sink in sinks { published += try sink.publish(alone: sinks.count == 1) }
            try deadLetters.publish()
            return sinks.count == 1 ? published : published.sorted { Name($0.file) < Name($1.file) }
        } catch {
            throw .output(error)
        }
    }

    /// Discards everything; existing files under the outputs' names stay.
    func discard() {
        for sink in sinks { sink.discard() }
        deadLetters.discard()
    }
}
