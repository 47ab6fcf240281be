import FoundationEssentials
import Glibc
import Sluice
import SluiceCEL
import Synchronization

/// The results of all tasks of a plan, in the order of the run. They take the place of the inputs
/// in the run that gathers them.
///
/// There may be a hundred thousand, and a million inputs, so each is read once, and only what is
/// needed of it is kept.
package final class GatheredTasks: Sendable {
    /// The batches of a task.
    fileprivate struct Task: Sendable {
        var number: Int
        var inputs: Range<Int>
        var count: Int
        var bytes: Int
        /// See ``TaskResult/starts``.
        var starts: [Int]
        var files: [TaskFile]
    }

    /// What is known of the results once they are read.
    private struct Results: Sendable {
        var tasks: [Task] = []
        var read = GatheredInputs()
        /// By place in the books.
        var stages: [TaskResult.StageWork] = []
        var places: [PlannedPlace] = []
        var sinks = 0
        var types: RunReport.InferredTypes?
    }

    private let plan: TaskPlan
    private let run: PlannedRun
    private let folder: PlanFolder
    /// The folder for second names of the records that were spilled, which writing them removes.
    private let spill: String
    private let spilled = Locked<Swift.Set<String>>([])
    private let results = Locked(Results())

    /// Checks that each task is there.
    package init(_ plan: TaskPlan, _ run: PlannedRun, in folder: PlanFolder) throws(RunError) {
        (self.plan, self.run, self.folder) = (plan, run, folder)
        spill = "\(plan.state)/\(StateFolder.spill)"
        let missing = (0..<plan.tasks).filter { !folder.isCommitted($0) }
        guard missing.isEmpty else { throw .plan(Self.sentence(of: missing, in: plan.tasks)) }
    }

    /// What was read of an input.
    func summary(of input: Int) -> InputSummary { results.withLock { $0.read.summary(of: input, run.inputs[input]) } }

    /// See ``InputStamp/ends``.
    func ends(of input: Int) -> DigestText? { run.ends[input] }

    /// The types that were inferred for all tasks.
    var types: RunReport.InferredTypes? { results.withLock { $0.types } }

    private static func sentence(of missing: [Int], in count: Int) -> String {
        let shown = missing.prefix(5).map(String.init).joined(separator: ", ")
        let rest = missing.count > 5 ? " and \(missing.count - 5) more" : ""
        guard missing.count > 1 else { return "task \(shown) of \(count) is not done; run 'sluice task' for it" }
        return "tasks \(shown)\(rest) of \(count) are not done; run 'sluice task' for them"
    }

    /// Reads the results of all tasks, and merges the states of their closing stages. Must be
    /// called before anything is committed.
    func read(into plan: Plan) throws(RunError) {
        var results = Results()
        results.tasks.reserveCapacity(run.shares.count)
        results.read.reserve(run.inputs.count)
        results.stages = plan.places.map { _ in TaskResult.StageWork() }
        (results.places, results.sinks) = (plan.places, plan.sinks.count)
        for share in run.shares {
            let result = try result(of: share)
            try merge(result, of: share, into: plan)
            results.tasks.append(
                Task(
                    number: share.task, inputs: share.inputs, count: result.batches, bytes: result.bytes, starts: result.starts ?? [],
                    files: result.files ?? []))
            results.read.add(result.summaries, from: share.inputs.lowerBound)
            for (index, stage) in result.stages.enumerated() where index < results.stages.count { results.stages[index].add(stage) }
            results.types = results.types ?? result.types
        }
        self.results.withLock { [results] in $0 = results }
    }

    private func result(of share: TaskShare) throws(RunError) -> TaskResult.Gathered {
        let path = folder.committed(share.task)
        let result: TaskResult.Gathered?
        do {
            result = try StateFile(TaskResult.name, in: path).read(TaskResult.Gathered.self)
        } catch let error as OutputError {
            throw .output(error)
        } catch {
            result = nil
        }
        guard let result, result.isPossible, result.summaries.count == share.inputs.count else {
            throw .plan("the result in '\(path)' cannot be read; remove that folder, and run task \(share.task) again")
        }
        guard result.plan == plan.id, result.task == share.task else {
            throw .plan("'\(path)' is the result of another plan; remove it, and run task \(share.task) again")
        }
        return result
    }

    private func merge(_ result: TaskResult.Gathered, of share: TaskShare, into plan: Plan) throws(RunError) {
        guard !result.closing.isEmpty || !result.digests.isEmpty else { return }
        let path = folder.committed(share.task)
        guard result.closing.map({ $0.state.withBytes { Digest.of($0) } }) == result.digests else {
            throw .plan("'\(path)/\(TaskResult.name)' was changed since it was written; remove that folder, and run task \(share.task) again")
        }
        for saved in result.closing {
            guard let stage = plan.stages.first(where: { $0.name.isSame(as: saved.stage) }), let intake = plan.intake(of: stage) else {
                throw .plan("task \(share.task) has a stage '\(saved.stage)' that the definition has not")
            }
            let state = try saved.opened(in: StageFolder(path))
            do throws(CheckpointError) {
                try intake.restore(state, ahead: [])
            } catch {
                throw .plan("the state of stage '\(saved.stage)' in '\(path)' cannot be read: \(error.reason)")
            }
        }
    }

    /// Adds what the stages did in the tasks, as far as the batches don't say it.
    func add(to stages: inout [RunReport.Stage], of plan: Plan) {
        for (index, work) in results.withLock({ $0.stages }).enumerated() where index < stages.count {
            stages[index].busySeconds += work.busySeconds
            stages[index].retries += work.retries
            if plan.places[index].stage?.ownWorkers != nil { stages[index].timeouts += work.timeouts }
            stages[index].workers.peak = max(stages[index].workers.peak, work.workers.peak)
            if stages[index].table == nil { stages[index].table = work.table }
        }
    }

    /// The records that tasks have taken up to the cut: a part for each input, or each piece of
    /// one.
    func records(of plan: Plan, endingBefore place: Int, _ scratches: ScratchPool, _ source: InputReading) -> Pipeline<RecordBatch> {
        let most = 2 * max(Batch.targetBytes, source.source.maxRecord)
        var parts: [Part<RecordBatch>] = []
        for task in results.withLock({ $0.tasks }) {
            let starts = task.starts
            for index in 0..<task.inputs.count {
                parts.append(
                    Part {
                        guard index + 1 < starts.count, starts[index] >= 0, starts[index] <= starts[index + 1], starts[index + 1] <= task.bytes else {
                            throw self.lacksBatches(task)
                        }
                        let batches = try SpooledBatches(
                            in: self.folder.committed(task.number), bytes: task.bytes, range: starts[index]..<starts[index + 1])
                        return {
                            try batches.next { (reader) throws(CheckpointError) in
                                let scratch = scratches.take()
                                return try reader.recordBatch(of: plan, endingBefore: place, scratch: scratch, inputs: task.inputs, most: most) {
                                    (name) throws(CheckpointError) in
                                    do throws(InputError) {
                                        return try self.copy(name, of: task)
                                    } catch {
                                        throw CheckpointError("\(error)")
                                    }
                                }
                            }
                        }
                    })
            }
        }
        return Pipeline.reading(parts: parts, concurrency: source.readers).weighing { $0.weight }
    }

    /// Removes the second names that are left.
    func removeSpills() {
        for path in spilled.withLock({ $0 }) { unlink(path) }
        rmdir(spill)
    }

    /// Calls `body` with the batches of the task whose last input this is, if it is one, in order.
    func batches(endingAt input: Int, _ body: (EncodedBatch) async throws -> Void) async throws {
        let (places, sinks) = results.withLock { ($0.places, $0.sinks) }
        for task in tasks(with: input) where task.inputs.upperBound == input + 1 && !task.inputs.isEmpty {
            let batches = try SpooledBatches(in: folder.committed(task.number), bytes: task.bytes)
            var count = 0
            var ledger = Ledger(places, inputs: task.inputs.count)
            while var batch = try batches.next() {
                count += 1
                guard batch.isPossible(ofInputs: task.inputs.count, sinks: sinks, places: places.count) else { throw hasOthers(task) }
                ledger.add(batch)
                batch.input = batch.input.map { $0 + task.inputs.lowerBound }
                for index in batch.deadLetters.indices {
                    guard case .spilled(var record, let stage, let failure) = batch.deadLetters[index] else { continue }
                    record.spill = try copy(record.spill, of: task)
                    batch.deadLetters[index] = .spilled(record, stage: stage, failure: failure)
                }
                try await body(batch)
            }
            guard count == task.count else { throw lacksBatches(task) }
            guard ledger.isBalanced else { throw hasOthers(task) }
        }
    }

    /// Gives the files of the tasks to the outputs. Nothing of them is read, unless they are on
    /// another file system and so must be copied.
    ///
    /// - Returns: false if the run was to stop before all were given.
    func giveFiles(to commit: RunCommit, _ plan: Plan, _ files: RunFiles, until stop: ReadingStop) throws(RunError) -> Bool {
        for (place, task) in results.withLock({ $0.tasks }).enumerated() {
            for file in task.files {
                if stop.isStopped { return false }
                let finished = file.finished(in: folder.committed(task.number))
                guard plan.sinksOfTasks.contains(file.sink), case .file(size: let size?) = PathKind.of(finished.path), size == finished.bytes else {
                    throw isChanged(finished, task)
                }
                let sink = plan.sinks[file.sink].settings.sink
                guard let path = TaskParts.path(of: file.output, from: place, of: self.plan.tasks, areLimited: sink.part != nil) else {
                    throw isChanged(finished, task)
                }
                // The first file was checked before anything was read.
                let first = sink.path.constant.map { NameBytes.normalized(sink.first(of: $0)) }
                if first?.isSame(as: path) != true, let reason = files.refusal(of: path, in: file.sink) {
                    throw .output(.failed(path: path, reason: reason))
                }
                try commit.take(finished, as: path, of: file.sink)
            }
        }
        return true
    }

    private func isChanged(_ file: FinishedFile, _ task: Task) -> RunError {
        .plan("'\(file.path)' is not as the task wrote it; remove that task's folder, and run task \(task.number) again")
    }

    private func lacksBatches(_ task: Task) -> RunError {
        .plan("'\(folder.committed(task.number))' lacks batches; remove it, and run task \(task.number) again")
    }

    private func hasOthers(_ task: Task) -> RunError {
        .plan("the batches in '\(folder.committed(task.number))' cannot be those of the task; remove it, and run task \(task.number) again")
    }

    /// The tasks that may contain the input: they are in the order of the inputs.
    private func tasks(with input: Int) -> ArraySlice<Task> {
        let tasks = results.withLock { $0.tasks }
        var (low, high) = (0, tasks.count)
        while low < high {
            let middle = (low + high) / 2
            if tasks[middle].inputs.upperBound <= input { low = middle + 1 } else { high = middle }
        }
        var end = low
        while end < tasks.count, tasks[end].inputs.lowerBound <= input { end += 1 }
        return tasks[low..<end]
    }

    /// A second name for the spill file, or a copy of it on another file system.
    private func copy(_ name: String, of task: Task) throws(InputError) -> String {
        let from = "\(folder.committed(task.number))/\(StateFolder.spill)/\(name)"
        let to = "\(spill)/spilled-\(task.number)-\(name.dropFirst("spilled-".count))"
        if mkdir(spill, 0o777) != 0, errno != EEXIST { throw .spill(path: spill, reason: describe(error: errno)) }
        _ = spilled.withLock { $0.insert(to) }
        unlink(to)
        if link(from, to) == 0 { return to }
        do {
            try FileManager.default.copyItem(atPath: from, toPath: to)
        } catch {
            throw .spill(path: from, reason: "it cannot be copied")
        }
        return to
    }
}

/// Commits the batches of the tasks, each task's once the last of its inputs is due, and then those
/// of the run itself: the results of its closing stages.
final class GatheringCommit: Sluice.Sink {
    typealias Element = EncodedBatch

    private let commit: RunCommit
    private let gathered: GatheredTasks
    /// Those that tasks have not divided.
    private let parts: [OutputParts]
    private let encode: SinkStage
    private let files: RunFiles
    /// For each sink, whether its records name its outputs, and batches have these.
    private let namesOutputs: [Bool]

    init(_ commit: RunCommit, _ gathered: GatheredTasks, _ plan: Plan, _ encode: SinkStage, _ files: RunFiles) {
        (self.commit, self.gathered, self.encode, self.files) = (commit, gathered, encode, files)
        parts = plan.outputPartsOfAll
        namesOutputs = plan.sinks.map { $0.settings.sink.path.constant == nil && !plan.sinksOfTasks.contains($0.number) }
    }

    func write(_ batch: EncodedBatch) async throws { try await commit.write(batch) }

    func partEnded(_ part: Int) async throws {
        try await gathered.batches(endingAt: part) { batch in
            var batch = batch
            // A task knows only its own inputs, so it may have let a record name another one.
            for output in batch.outputs where namesOutputs[output.sink] {
                guard let reason = files.refusal(ofFirst: output.path, in: output.sink) else { continue }
                throw OutputError.failed(path: output.path, reason: reason)
            }
            if !parts.isEmpty {
                for parts in parts { try parts.divide(&batch, files) }
                batch = encode.compressParts(of: batch)
            }
            try await commit.write(batch)
        }
    }
}
