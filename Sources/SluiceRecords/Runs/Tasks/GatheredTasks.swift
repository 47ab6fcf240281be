import FoundationEssentials
import Glibc
import Sluice
import SluiceCEL
import Synchronization

/// The results of all tasks of a plan, in the order of the run. They take the place of the inputs in
/// the run that gathers them.
package final class GatheredTasks: Sendable {
    fileprivate struct Task: Sendable {
        var folder: String
        var result: TaskResult
        var inputs: Range<Int>
    }

    private let tasks: [Task]
    /// The folder for second names of the records that were spilled, which writing them removes.
    private let spill: String
    private let spilled = Locked<Swift.Set<String>>([])
    /// For each input, what was read.
    let summaries: [InputSummary]
    /// For each input, see ``InputStamp/ends``.
    let ends: [String]
    let types: RunReport.InferredTypes?

    /// Checks that each task is there once.
    ///
    /// - Parameter all: in the order of the run.
    package init(_ plan: TaskPlan, _ all: [TaskInputs], in folder: PlanFolder) throws(RunError) {
        spill = "\(plan.state)/\(StateFolder.spill)"
        let missing = all.map(\.task).filter { !folder.isCommitted($0) }.sorted()
        guard missing.isEmpty else { throw .plan(Self.sentence(of: missing, in: plan.tasks)) }
        var tasks: [Task] = []
        for inputs in all {
            let path = folder.committed(inputs.task)
            let result: TaskResult?
            do {
                result = try StateFile(TaskResult.name, in: path).read(TaskResult.self)
            } catch {
                result = nil
            }
            guard let result, result.summaries.count == inputs.inputs.count else {
                throw .plan("the result in '\(path)' cannot be read; remove that folder, and run task \(inputs.task) again")
            }
            guard result.plan == plan.id, result.task == inputs.task else {
                throw .plan("'\(path)' is the result of another plan; remove it, and run task \(inputs.task) again")
            }
            tasks.append(Task(folder: path, result: result, inputs: inputs.before..<inputs.before + inputs.inputs.count))
        }
        self.tasks = tasks
        var summaries: [InputSummary] = []
        var ends: [String] = []
        for (task, inputs) in zip(tasks, all) {
            // The summary of a piece contains what was read before it.
            if inputs.start != nil { summaries.removeLast() }
            summaries += task.result.summaries
            ends += inputs.inputsBegun.map(\.ends)
        }
        (self.summaries, self.ends) = (summaries, ends)
        types = tasks.first { $0.result.types != nil }?.result.types
    }

    private static func sentence(of missing: [Int], in count: Int) -> String {
        let shown = missing.prefix(5).map(String.init).joined(separator: ", ")
        let rest = missing.count > 5 ? " and \(missing.count - 5) more" : ""
        guard missing.count > 1 else { return "task \(shown) of \(count) is not done; run 'sluice task' for it" }
        return "tasks \(shown)\(rest) of \(count) are not done; run 'sluice task' for them"
    }

    /// Merges the states of the closing stages. Must be called before anything is committed.
    func merge(into plan: Plan) throws(RunError) {
        for task in tasks {
            let folder = StageFolder(task.folder)
            guard task.result.closing.map({ $0.state.withBytes { Digest.of($0) } }) == task.result.digests else {
                throw .plan("'\(task.folder)/\(TaskResult.name)' was changed since it was written; remove that folder, and run task \(task.result.task) again")
            }
            for saved in task.result.closing {
                guard let stage = plan.stages.first(where: { $0.name.isSame(as: saved.stage) }), let intake = plan.intake(of: stage) else {
                    throw .plan("task \(task.result.task) has a stage '\(saved.stage)' that the definition has not")
                }
                let state = try saved.opened(in: folder)
                do throws(CheckpointError) {
                    try intake.restore(state, ahead: [])
                } catch {
                    throw .plan("the state of stage '\(saved.stage)' in '\(task.folder)' cannot be read: \(error.reason)")
                }
            }
        }
    }

    /// Adds what the stages did in the tasks, as far as the batches don't say it.
    func add(to stages: inout [RunReport.Stage], of plan: Plan) {
        for task in tasks {
            for (index, stage) in task.result.stages.enumerated() where index < stages.count {
                stages[index].busySeconds += stage.busySeconds
                stages[index].retries += stage.retries
                if plan.places[index].stage?.ownWorkers != nil { stages[index].timeouts += stage.timeouts }
                stages[index].workers.peak = max(stages[index].workers.peak, stage.workers.peak)
                if stages[index].table == nil { stages[index].table = stage.table }
            }
        }
    }

    /// The records that tasks have taken up to the cut: a part for each input, or each piece of one.
    func records(of plan: Plan, _ scratches: FreeList<Scratch>, _ source: InputReading) -> Pipeline<RecordBatch> {
        var parts: [Part<RecordBatch>] = []
        for task in tasks {
            let starts = task.result.starts ?? []
            for input in task.inputs.indices {
                let index = input - task.inputs.lowerBound
                parts.append(
                    Part {
                        guard index + 1 < starts.count, starts[index] >= 0, starts[index] <= starts[index + 1], starts[index + 1] <= task.result.bytes else {
                            throw RunError.plan("'\(task.folder)' lacks batches; remove it, and run task \(task.result.task) again")
                        }
                        let batches = try SpooledBatches(in: task.folder, bytes: task.result.bytes, range: starts[index]..<starts[index + 1])
                        return {
                            try batches.next { (reader) throws(CheckpointError) in
                                let scratch = scratches.take() ?? Scratch(reader: JSONReader())
                                return try reader.recordBatch(of: plan, scratch: scratch, inputsBefore: task.inputs.lowerBound) {
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
        for task in tasks[Self.range(of: input, in: tasks)] where task.inputs.upperBound == input + 1 && !task.inputs.isEmpty {
            let batches = try SpooledBatches(in: task.folder, bytes: task.result.bytes)
            var count = 0
            while var batch = try batches.next() {
                count += 1
                batch.input = batch.input.map { $0 + task.inputs.lowerBound }
                for index in batch.deadLetters.indices {
                    guard case .spilled(var record, let stage, let failure) = batch.deadLetters[index] else { continue }
                    record.spill = try copy(record.spill, of: task)
                    batch.deadLetters[index] = .spilled(record, stage: stage, failure: failure)
                }
                try await body(batch)
            }
            guard count == task.result.batches else {
                throw RunError.plan("'\(task.folder)' lacks batches; remove it, and run task \(task.result.task) again")
            }
        }
    }

    /// The tasks that may contain the input: they are in the order of the inputs.
    private static func range(of input: Int, in tasks: [Task]) -> Range<Int> {
        var (low, high) = (0, tasks.count)
        while low < high {
            let middle = (low + high) / 2
            if tasks[middle].inputs.upperBound <= input { low = middle + 1 } else { high = middle }
        }
        var end = low
        while end < tasks.count, tasks[end].inputs.lowerBound <= input { end += 1 }
        return low..<end
    }

    /// A second name for the spill file, or a copy of it on another file system.
    private func copy(_ name: String, of task: Task) throws(InputError) -> String {
        let from = "\(task.folder)/\(StateFolder.spill)/\(name)"
        let to = "\(spill)/spilled-\(task.result.task)-\(name.dropFirst("spilled-".count))"
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
    private let plan: Plan
    private let encode: SinkStage
    private let files: RunFiles
    /// For each sink, whether its records name its outputs.
    private let namesOutputs: [Bool]

    init(_ commit: RunCommit, _ gathered: GatheredTasks, _ plan: Plan, _ encode: SinkStage, _ files: RunFiles) {
        (self.commit, self.gathered, self.plan, self.encode, self.files) = (commit, gathered, plan, encode, files)
        namesOutputs = plan.sinks.map { $0.settings.sink.path.constant == nil }
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
            if !plan.outputParts.isEmpty {
                for parts in plan.outputParts { try parts.divide(&batch, files) }
                batch = encode.compressParts(of: batch)
            }
            try await commit.write(batch)
        }
    }
}
