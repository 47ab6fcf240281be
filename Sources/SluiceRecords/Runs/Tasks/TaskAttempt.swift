import FoundationEssentials
import Glibc
import Sluice

/// One attempt at a task: a folder of its own, which becomes the task's by being renamed. Of several
/// attempts, the first to end wins.
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
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw .output(.failed(path, "cannot be created", errno))
        }
    }

    /// Checks that the inputs are those of the plan, before they are read and after.
    func checkInputs() throws(RunError) {
        for input in inputs.inputs + (plan.first.map { [$0] } ?? []) {
            if let change = input.change { throw .plan("\(change) since the plan was made; make a new one ('sluice plan'), in another folder") }
        }
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
    private let meter: ProgressMeter
    private(set) var ledger: Ledger
    /// The spill files that dead letters refer to.
    private(set) var spills: Swift.Set<String> = []

    init(_ plan: Plan, inputs: Int, in folder: String, _ meter: ProgressMeter) throws(OutputError) {
        spool = try BatchSpool(in: folder)
        ledger = Ledger(plan.places, inputs: inputs)
        self.meter = meter
    }

    var batches: Int { spool.batches }
    var bytes: Int { spool.bytes }

    func write(_ batch: EncodedBatch) async throws {
        ledger.add(batch)
        for case .spilled(let record, _, _) in batch.deadLetters { spills.insert(record.spill) }
        try spool.append(batch)
        meter.committed(batch)
    }

    func sync() throws(OutputError) { try spool.sync() }
}
