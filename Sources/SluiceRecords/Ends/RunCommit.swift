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
    /// The dead letters that a replay deals with.
    private let settled: SettledFile?
    /// In a replay, the outputs that are known to be new.
    private var fresh: Swift.Set<Name> = []
    /// If there are several sinks, the sink that owns each directory entry.
    private var owners: [FilePlace: Int] = [:]
    /// For each sink, the outputs that it has claimed.
    private var claimed: [Swift.Set<Name>]
    /// The sinks whose outputs are files of tasks.
    private let sinksOfTasks: Swift.Set<Int>
    /// The number of records in the files of tasks that are still to be taken.
    private var awaited = 0
    private let isGathering: Bool
    private(set) var ledger: Ledger
    /// The position after the last committed batch.
    private var last: Checkpoint.Cut?
    /// Where the reader of its input was there.
    private var reader: ReaderState?
    private let checkpointing: Checkpointing?
    private let events: RunEvents?
    private let plan: Plan
    /// Returns the summaries of the inputs read so far.
    private let summaries: @Sendable () -> [InputSummary?]

    /// - Parameters:
    ///   - folder: the state folder.
    ///   - checkpointing: `nil` if the run cannot be resumed.
    ///   - isGathering: whether tasks have read the inputs.
    ///   - summaries: returns the summaries of the inputs read so far.
    init(
        _ pipeline: RecordPipeline, _ plan: Plan, in folder: String, staging: Staging, meter: ProgressMeter, checkpointing: Checkpointing?,
        events: RunEvents? = nil, isGathering: Bool = false, summaries: @escaping @Sendable () -> [InputSummary?]
    ) {
        self.pipeline = pipeline
        self.plan = plan
        self.checkpointing = checkpointing
        self.events = events
        self.summaries = summaries
        self.meter = meter
        letters = DeadLetterEncoder(
            pipeline: pipeline.name, definition: pipeline.definition, inputs: pipeline.source.inputs,
            codec: FileName(pipeline.deadLetters).codec, spool: LetterSpool(in: folder, memory: pipeline.limits.memory))
        ledger = Ledger(plan.places, inputs: pipeline.source.inputs.count)
        deadLetters = DeadLetterFile(
            pipeline.deadLetters, in: pipeline.deadLetterSink ?? FileSink(PathTemplate(pipeline.deadLetters)), letters: letters,
            staging: staging)
        settled = pipeline.source.replay.map { SettledFile($0, staging) }
        claimed = plan.sinks.map { _ in [] }
        self.isGathering = isGathering
        sinksOfTasks = isGathering ? plan.sinksOfTasks : []
        let mostPending = BlockGatherer.mostPending(for: plan.sinks)
        sinks = plan.sinks.map {
            SinkOutputs($0, headOfEmpty: plan.headOfEmptyOutput(of: $0), mostPending: mostPending, staging: staging)
        }
    }

    /// Creates the folder of the dead letters.
    func begin() throws(RunError) {
        do throws(OutputError) {
            if pipeline.source.replay != nil { try refuseExisting(pipeline.deadLetters) }
            try deadLetters.begin()
            try settled?.add([])
        } catch {
            throw .output(error)
        }
    }

    func write(_ batch: EncodedBatch) async throws {
        if let events, !batch.firsts.isEmpty || !batch.damage.isEmpty { log(batch, events) }
        // In a replay, no output exists without records.
        for output in batch.outputs where output.records > 0 || pipeline.source.replay == nil {
            let sink = sinks[output.sink]
            if sinksOfTasks.contains(output.sink) {
                awaited += output.records
                continue
            }
            let path = try sink.name(of: output.path)
            if pipeline.source.replay != nil { try refuseExisting(path) }
            if sinks.count > 1, claimed[output.sink].insert(Name(path)).inserted { try claim(path, for: output.sink) }
            try sink.write(output, to: path)
        }
        for letter in batch.deadLetters { try deadLetters.write(letter, input: batch.input) }
        if let outcome = batch.replayed { try settle(outcome) }
        // Only now, since what a sink has refused is not written.
        ledger.add(batch)
        meter.committed(batch)
        try checkLimit(atEnd: false)
        guard let checkpointing, let input = batch.input else { return }
        last = Checkpoint.Cut(input: input, batches: batch.number + 1)
        reader = batch.readerState
        if batch.takesCheckpoint || checkpointing.wantsCommitted() {
            let isTaken = try checkpoint(steps: batch.steps, columns: batch.columns, parts: batch.parts)
            if isTaken { events?.tookCheckpoint(records: ledger.records.read) }
        }
    }

    /// Logs what the run has not met before: the first failure of a code, the first damage of an
    /// input.
    private func log(_ batch: EncodedBatch, _ events: RunEvents) {
        let path = batch.input.map { pipeline.source.inputs[$0].path }
        for (code, failure) in batch.firsts where ledger.firsts[code] == nil {
            events.failed(
                code, RunReport.Failure(stage: failure.stage, message: failure.message, file: failure.file ?? path, line: failure.line))
        }
        if let input = batch.input, let path, let damage = batch.damage.first, ledger.inputs[input].damage.isEmpty { events.damaged(path, damage) }
    }

    /// Takes a file of a task as an output of a sink.
    func take(_ file: FinishedFile, as path: String, of sink: Int) throws(RunError) {
        do throws(OutputError) {
            try sinks[sink].take(file, as: path)
        } catch {
            throw .output(error)
        }
        awaited -= file.records
        if sinks.count > 1, claimed[sink].insert(Name(path)).inserted { try claim(path, for: sink) }
    }

    private func settle(_ outcome: ReplayOutcome) throws(OutputError) {
        try settled?.add(outcome.settled)
        pipeline.source.replay?.count { counts in
            counts.resolved += outcome.resolved
            counts.filtered += outcome.filtered
            counts.dead += outcome.dead
        }
    }

    /// A replay adds files and replaces none.
    private func refuseExisting(_ path: String) throws(OutputError) {
        guard fresh.insert(Name(path)).inserted, case .file(size: _?) = PathKind.of(path) else { return }
        throw .failed(path: path, reason: "exists already, and a replay replaces no file; move it away")
    }

    /// Takes a checkpoint after the last committed batch.
    ///
    /// - Parameters:
    ///   - steps: the states of the ordered stages at that position.
    ///   - columns: the columns of each sink's outputs at that position, by the sink's number.
    ///   - parts: the files that divided outputs have reached there, by the sink's number.
    /// - Returns: false if none was taken: nothing is committed yet, or a closing stage returns its
    ///   results.
    @discardableResult
    func checkpoint(
        steps: [Checkpoint.StepState], columns: [Int: [SinkCheckpoint.Columns]], parts: [Int: [SinkCheckpoint.Part]]
    ) throws(RunError) -> Bool {
        guard let checkpointing, let last else { return false }
        let known = summaries().prefix(last.input).compactMap(\.self)
        return try checkpointing.write(at: last, reader, summaries: known, ledger: ledger.state, steps: steps) { () throws(RunError) in
            try plan.closingStates(at: last)
        } _: { () throws(OutputError) in
            var states: [SinkCheckpoint] = []
            for (number, sink) in sinks.enumerated() { states.append(try sink.checkpoint(columns: columns[number] ?? [], parts: parts[number])) }
            return (states, try deadLetters.checkpoint())
        }
    }

    /// Restores a checkpoint of an earlier process. Must be called before anything is written.
    func restore(_ checkpoint: Checkpoint) throws(RunError) {
        guard checkpoint.sinks.count == sinks.count else { throw .unfinished(reason: "its sinks were different") }
        try ledger.restore(checkpoint.ledger)
        last = checkpoint.cut
        reader = checkpoint.reader
        do throws(OutputError) {
            for (number, sink) in sinks.enumerated() { try sink.restore(checkpoint.sinks[number]) }
            try deadLetters.restore(checkpoint.deadLetters)
        } catch {
            throw .output(error)
        }
        if sinks.count > 1 {
            for (number, state) in checkpoint.sinks.enumerated() {
                for output in state.mark.outputs where claimed[number].insert(Name(output.path)).inserted { try claim(output.path, for: number) }
            }
        }
        plan.deadLetterLimit?.restore(read: ledger.records.read, failed: ledger.records.dead)
        meter.restore(ledger, inputs: pipeline.source.inputs.count, summaries: checkpoint.summaries)
    }

    /// Ensures that no two sinks write to one file. Names made from records are checked here, where
    /// batches come in order, so that the result depends on the input alone.
    private func claim(_ path: String, for sink: Int) throws(RunError) {
        do throws(InputError) {
            guard let place = try pipeline.sinks[sink].sink.place(of: path) else { return }
            guard owners.updateValue(sink, forKey: place) ?? sink == sink else {
                throw InputError.unreadable(path: path, reason: "two sinks would write to it; give each its own outputs")
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
        case .share(let share)? where (atEnd || records.read >= Limits.recordsForShare) && Double(records.dead) > share * Double(records.read):
            throw .tooManyDeadLetters(count: records.dead, read: records.read, limit: "\(share * 100) %")
        case nil where atEnd && records.read >= Self.lostAtLeast && records.dead == records.read:
            throw .allDead(count: records.dead)
        default: break
        }
    }

    /// If all records of a run are lost, and there are at least this many, its definition or its
    /// inputs are probably wrong.
    private static let lostAtLeast = 100

    /// Completes all files and syncs them to disk. None of them is published yet.
    ///
    /// - Returns: the outputs as they will be published.
    func prepare() throws(RunError) -> [RunReport.Output] {
        try checkLimit(atEnd: true)
        guard ledger.isBalanced else {
            throw isGathering ? .plan("the results of the tasks do not add up; remove the plan, and make it again") : .fault("the ledger does not balance")
        }
        guard awaited == 0 else { throw .fault("the files of the tasks do not hold the records that were written to them") }
        guard pipeline.source.replay?.report.isBalanced ?? true else { throw .fault("the dead letters of the replay do not add up") }
        do throws(OutputError) {
            for (number, sink) in sinks.enumerated() { try sink.end(writesEmpty: pipeline.source.replay == nil && !sinksOfTasks.contains(number)) }
            try deadLetters.prepare()
            try settled?.prepare()
            for sink in sinks { try sink.prepare() }
        } catch {
            throw .output(error)
        }
        let outputs = sinks.flatMap { $0.described(alone: sinks.count == 1) }
        return sinks.count == 1 ? outputs : outputs.sorted { Name($0.file) < Name($1.file) }
    }

    /// Parts from tasks of earlier runs that are there beside the outputs, once these are prepared.
    var leftovers: [String] {
        let found = sinks.flatMap(\.leftovers)
        if found.isEmpty { return [] }
        let written = Swift.Set(moves.map { Name($0.path) })
        return found.filter { !written.contains(Name($0)) }
    }

    /// The size and the digest of the dead letters, once they are prepared.
    var deadLettersWritten: (bytes: UInt64?, sha256: String?) { deadLetters.described.map { ($0.bytes, $0.sha256) } ?? (nil, nil) }

    /// The renames that publish the outputs and the dead letters.
    var moves: [Journal.Move] { sinks.flatMap(\.moves) + deadLetters.moves + (settled?.moves ?? []) }

    /// Publishes the outputs and the dead letters, which must be prepared.
    func publish() throws(PublishingFailure) {
        let moves = moves
        try Publication(moves).run()
        do throws(OutputError) {
            for sink in sinks { try sink.published() }
            try deadLetters.published()
            try settled?.published()
        } catch {
            throw PublishingFailure(error: error, done: moves.count, of: moves.count)
        }
    }

    /// Keeps all files for the next process of the run.
    func leave() {
        for sink in sinks { sink.leave() }
        deadLetters.leave()
        settled?.leave()
    }

    /// Discards everything; existing files under the outputs' names stay.
    func discard() {
        for sink in sinks { sink.discard() }
        deadLetters.discard()
        settled?.discard()
    }
}
