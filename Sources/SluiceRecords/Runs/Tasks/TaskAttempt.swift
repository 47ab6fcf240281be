import FoundationEssentials
import Glibc
import Sluice

/// One attempt at a task: a folder of its own, which becomes the task's by being renamed. Of
/// several attempts, the first to end wins.
package final class TaskAttempt: Sendable {
    package enum Outcome: Sendable {
        case committed
        /// Another attempt was first.
        case late
    }

    let plan: TaskPlan
    let inputs: TaskInputs
    private let folder: PlanFolder
    /// The attempt's folder, which is also the state folder of its run.
    package let path: String

    /// Creates the folder.
    package init(_ inputs: TaskInputs, of plan: TaskPlan, in folder: PlanFolder) throws(RunError) {
        (self.plan, self.inputs, self.folder) = (plan, inputs, folder)
        path = "\(folder.attempts)/\(PlanFolder.name(of: inputs.task))-\(String(UInt64.random(in: .min ... .max), radix: 16))"
        // Not the folders above: the plan may just have been removed.
        guard mkdir(path, 0o777) == 0 else { throw .output(.failed(path, "cannot be created", errno)) }
    }

    /// Checks that the inputs are those of the plan, before they are read and after.
    func checkInputs() throws(RunError) {
        try PlannedInput.check(inputs.inputs + plan.tables + (plan.first.map { [$0] } ?? []))
    }

    /// Makes the files durable and renames the folder.
    func commit(_ result: TaskResult) throws(RunError) -> Outcome {
        do throws(OutputError) {
            try StateFile(TaskResult.name, in: path).write(result)
        } catch {
            throw .output(error)
        }
        let final = folder.committed(inputs.task)
        if rename(path, final) == 0 {
            StateFile.sync(folder: OutputFolders.folder(of: final))
            return .committed
        }
        let reason = errno
        guard folder.isCommitted(inputs.task) || access(final, F_OK) != 0 else {
            throw .plan("'\(final)' is there, but has no result of a task; remove it, and run the task again")
        }
        guard folder.isCommitted(inputs.task) else { throw .output(.failed(final, "cannot be renamed into place", reason)) }
        discard()
        return .late
    }

    /// Removes the folder with everything in it.
    package func discard() {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            // What stays costs only space, until the plan is removed.
        }
    }
}

/// Takes in the batches of a task, as ``RunCommit`` does those of a whole run.
///
/// `@unchecked Sendable`: the pipeline calls a sink from one job at a time; the rest is read after
/// the last call.
final class TaskCommit: Sluice.Sink, @unchecked Sendable {
    typealias Element = EncodedBatch

    private let spool: BatchSpool
    /// Those whose outputs the task keeps as files of its own, by their numbers.
    private let sinks: [Int: SinkOutputs]
    private let meter: ProgressMeter
    private(set) var ledger: Ledger
    /// The spill files that dead letters refer to.
    private(set) var spills: Swift.Set<String> = []
    /// Where the batches of each input that has ended end.
    private(set) var ends: [Int] = []

    init(_ plan: Plan, inputs: Int, in folder: String, _ meter: ProgressMeter) throws(OutputError) {
        spool = try BatchSpool(in: folder)
        let mostPending = BlockGatherer.mostPending(for: plan.sinks)
        var sinks: [Int: SinkOutputs] = [:]
        for sink in plan.sinks where plan.sinksOfTasks.contains(sink.number) {
            sinks[sink.number] = SinkOutputs(
                sink, headOfEmpty: plan.headOfEmptyOutput(of: sink), mostPending: mostPending, staging: Staging(), task: folder)
        }
        self.sinks = sinks
        ledger = Ledger(plan.places, inputs: inputs)
        self.meter = meter
    }

    var batches: Int { spool.batches }
    var bytes: Int { spool.bytes }

    func write(_ batch: EncodedBatch) async throws {
        count(batch)
        for case .spilled(let record, _, _) in batch.deadLetters { spills.insert(record.spill) }
        try spool.append(sinks.isEmpty ? batch : keepOutputs(of: batch))
    }

    /// Writes outputs to the task's own files, and leaves of them in the batch only the number of
    /// their records.
    private func keepOutputs(of batch: EncodedBatch) throws(OutputError) -> EncodedBatch {
        var batch = batch
        var kept: [Int: Int] = [:]
        for output in batch.outputs {
            guard let sink = sinks[output.sink] else { continue }
            try sink.write(output, to: sink.name(of: output.path))
            kept[output.sink, default: 0] += output.records
        }
        batch.outputs.removeAll { sinks[$0.sink] != nil }
        for (sink, records) in kept.sorted(by: { $0.key < $1.key }) {
            batch.outputs.append(EncodedOutput(sink: sink, path: "", head: [], bytes: ByteBuffer(capacity: 0), block: nil, records: records))
        }
        return batch
    }

    /// Completes the files of the task.
    func endFiles() throws(OutputError) -> [TaskFile] {
        var files: [TaskFile] = []
        for (number, sink) in sinks.sorted(by: { $0.key < $1.key }) {
            try sink.end()
            try sink.prepare()
            for (index, output) in sink.described(alone: true).enumerated() {
                files.append(
                    TaskFile(
                        sink: number, number: index, output: output.file, records: output.records, bytes: output.bytes,
                        sha256: DigestText(output.sha256)))
            }
            try sink.published()
        }
        return files
    }

    fileprivate func write(_ batch: RecordBatch, of plan: Plan, _ letters: DeadLetterEncoder) throws(OutputError) {
        let source = batch.source
        count(
            EncodedBatch(
                input: source.input, end: source.end, outputs: [], deadLetters: [], counts: batch.counts, timeouts: batch.timeouts,
                codes: Dictionary(batch.deadLetters.map { ($0.code, 1) }, uniquingKeysWith: +), damage: source.damage, suspect: source.suspect,
                textBytes: UInt64(source.bytes.count), compressedBytes: source.compressedBytesRead))
        spills.formUnion(source.spilled.map(\.spill))
        try spool.append(batch, of: plan, letters)
    }

    private func count(_ batch: EncodedBatch) {
        ledger.add(batch)
        meter.committed(batch)
    }

    func partEnded(_ part: Int) async throws { ends.append(spool.bytes) }

    func sync() throws(OutputError) { try spool.sync() }
}

/// As ``TaskCommit``, where tasks leave records.
final class RecordsCommit: Sluice.Sink {
    typealias Element = RecordBatch

    private let commit: TaskCommit
    private let plan: Plan
    private let letters: DeadLetterEncoder
    private let release: @Sendable (RecordBatch) -> Void

    init(_ commit: TaskCommit, _ plan: Plan, _ letters: DeadLetterEncoder, release: @escaping @Sendable (RecordBatch) -> Void) {
        (self.commit, self.plan, self.letters, self.release) = (commit, plan, letters, release)
    }

    func write(_ batch: RecordBatch) async throws {
        try commit.write(batch, of: plan, letters)
        release(batch)
    }

    func partEnded(_ part: Int) async throws { try await commit.partEnded(part) }
}
