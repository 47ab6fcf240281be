import FoundationEssentials
import Glibc
import SluiceCEL

/// The folder of a plan:
///
/// | name | contents |
/// | --- | --- |
/// | `plan.json` | the ``TaskPlan`` |
/// | `inputs.jsonl` | a line for each task: ``TaskInputs`` |
/// | `inputs.index` | where each of these lines begins, and where the last ends: 8 bytes each, little endian |
/// | `attempts/TASK-RANDOM/` | the files of an attempt at a task |
/// | `tasks/TASK/` | those of the attempt that ended first, renamed |
/// | `spark-…`, `sluice` | what the command gives to `spark-submit`, if it does |
/// | `plan.json.removed` | what was `plan.json`, while the rest is removed |
package struct PlanFolder: Sendable {
    /// Absolute, since a task changes the current folder.
    package let path: String
    /// What to do if there is another plan in the folder, as part of a sentence.
    private let remedy: String

    package init(_ path: String, ifThereIsAnother remedy: String = "use another folder, or remove it") {
        self.path = path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
        self.remedy = remedy
    }

    var planFile: StateFile { StateFile("plan.json", in: path) }
    var linesPath: String { "\(path)/inputs.jsonl" }
    var indexPath: String { "\(path)/inputs.index" }

    package var attempts: String { "\(path)/attempts" }
    /// The folder of a committed task.
    package func committed(_ task: Int) -> String { "\(path)/tasks/\(Self.name(of: task))" }
    package static func name(of task: Int) -> String {
        let digits = String(task)
        return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }

    package func isCommitted(_ task: Int) -> Bool { access("\(committed(task))/\(TaskResult.name)", F_OK) == 0 }

    package enum Creation: Sendable, Equatable {
        case created
        /// The same plan is there already.
        case existed
    }

    /// Divides the inputs among the tasks and writes the plan.
    ///
    /// - Parameter cuts: returns the places at which an input may be divided.
    /// - Throws: ``RunError`` if there is another plan in the folder, or an input cannot be read.
    /// - Returns: the plan, and the size of the largest task before decompression.
    package func create(
        _ plan: TaskPlan, of inputs: [InputFile], tables: [InputFile], typesFromFirst: Bool,
        cuts: (InputFile) throws(InputError) -> [InputCut] = { _ in [] }
    ) throws(RunError) -> (TaskPlan, largest: UInt64, Creation) {
        var plan = plan
        var stamps: [PlannedStamp] = []
        var places: [Int: [InputCut]] = [:]
        // Before large inputs are read to divide them.
        try refuseOthers(than: plan)
        stamps.reserveCapacity(inputs.count)
        do throws(InputError) {
            for input in inputs { stamps.append(try PlannedStamp(input)) }
            plan.tables = []
            for table in tables { plan.tables.append(PlannedInput(table, try PlannedStamp(table), in: plan.folder)) }
            for (index, input) in inputs.enumerated() {
                let found = try cuts(InputFile(path: input.path, size: UInt64(stamps[index].size), version: stamps[index].version))
                if !found.isEmpty { places[index] = found }
            }
        } catch {
            throw .input(error)
        }
        if typesFromFirst, let first = inputs.first { plan.first = PlannedInput(first, stamps[0], in: plan.folder) }
        (plan.inputs, plan.bytes) = (inputs.count, stamps.reduce(0) { $0 + UInt64($1.size) })
        let division = TaskDivision(inputs, stamps, cut: places, into: plan.tasks, folder: plan.folder)
        do {
            let digest = try Self.digest(of: plan)
            division.forEachLine { digest.update($0) }
            plan.id = digest.hex
            if let found = try planFile.read(TaskPlan.self) {
                guard found.id == plan.id else { throw isOther }
                // Something may have removed a part of it.
                try makeFolders()
                if try !hasInputs(of: plan) || access(indexPath, F_OK) != 0 { try write(division) }
                return (plan, division.largest, .existed)
            }
            try finishRemoval()
            try makeFolders()
            try write(division)
            // Last: with it, the plan is complete.
            let beside = StateFile(NameBytes.lastName(of: Self.name(beside: planFile.path)), in: path)
            try beside.write(plan)
            guard rename(beside.path, planFile.path) == 0 else { throw OutputError.failed(planFile.path, "cannot be written", errno) }
            StateFile.sync(folder: path)
        } catch let error as RunError {
            throw error
        } catch let error as OutputError {
            throw .output(error)
        } catch {
            throw isOfOtherVersion
        }
        return (plan, division.largest, .created)
    }

    private func write(_ division: TaskDivision) throws(OutputError) {
        let lines = try PlanPart(linesPath)
        let offsets = try PlanPart(indexPath)
        try offsets.write(0)
        try division.forEachLine { (line) throws(OutputError) in
            try lines.write(line)
            try offsets.write(UInt64(lines.byteCount))
        }
        try lines.finish()
        try offsets.finish()
    }

    /// The number of tasks that are done.
    package func committedTasks(of plan: TaskPlan) -> Int { (0..<plan.tasks).count { isCommitted($0) } }

    /// - Throws: ``RunError/plan(_:mayPass:)`` if there is no plan, or one of another version.
    package func plan() throws(RunError) -> TaskPlan {
        let plan: TaskPlan?
        do {
            plan = try planFile.read(TaskPlan.self)
        } catch let error as OutputError {
            throw .output(error)
        } catch {
            throw .plan("\(planFile.path) cannot be read, so that it is no plan of this version of sluice")
        }
        guard let plan else { throw .plan("there is no plan in '\(path)'; 'sluice plan' makes one", mayPass: true) }
        guard plan.version == TaskPlan.version else { throw .plan("the plan in '\(path)' was made by another version of sluice") }
        guard plan.tasks > 0, plan.inputs >= 0 else { throw unreadable }
        return plan
    }

    /// Looks for an input or a table that is no longer as it was when the plan was made. Asks the
    /// file system, or the service, for each.
    ///
    /// - Returns: the first that was found, as an error; `nil` also if one cannot be read here.
    package func change(since plan: TaskPlan) throws(RunError) -> RunError? {
        let lines = try PlanLines(self)
        guard lines.count == plan.tasks else { throw unreadable }
        var next = plan.tables
        for task in 0...plan.tasks {
            do throws(RunError) {
                try PlannedInput.check(next)
            } catch {
                if case .outdatedPlan = error { return error }
                return nil
            }
            if task < plan.tasks { next = lines[task]?.inputs ?? [] }
        }
        return nil
    }

    /// The inputs of one task.
    package func inputs(of task: Int, in plan: TaskPlan) throws(RunError) -> TaskInputs {
        guard (0..<plan.tasks).contains(task) else {
            throw .plan("there is no task \(task): the plan has \(plan.tasks), from 0 to \(plan.tasks - 1)")
        }
        let lines = try PlanLines(self)
        guard let inputs = lines[task] else { throw unreadable }
        return inputs
    }

    /// The inputs of all tasks.
    package func allInputs(of plan: TaskPlan) throws(RunError) -> PlannedRun {
        do {
            guard try hasInputs(of: plan) else { throw unreadable }
        } catch {
            throw unreadable
        }
        let lines = try PlanLines(self)
        guard lines.count == plan.tasks, plan.inputs <= lines.byteCount else { throw unreadable }
        var inputs = [InputFile](repeating: InputFile(path: ""), count: plan.inputs)
        var ends = [DigestText?](repeating: nil, count: plan.inputs)
        var shares: [TaskShare] = []
        shares.reserveCapacity(plan.tasks)
        for number in 0..<plan.tasks {
            guard let task = lines[number], let share = TaskShare(task, ofInputs: plan.inputs) else { throw unreadable }
            for (index, input) in zip(share.inputs, task.inputs) {
                (inputs[index], ends[index]) = (input.file, input.version == nil ? input.ends : nil)
            }
            shares.append(share)
        }
        shares.sort { one, other in
            let (left, right) = (one.inputs, other.inputs)
            return (left.lowerBound, one.start?.batches ?? 0, left.count, one.task) < (right.lowerBound, other.start?.batches ?? 0, right.count, other.task)
        }
        guard TaskShare.areWhole(shares, ofInputs: plan.inputs) else { throw unreadable }
        return PlannedRun(shares: shares, inputs: inputs, ends: ends)
    }

    /// Whether the file of the inputs is the one that the plan was made with.
    private func hasInputs(of plan: TaskPlan) throws -> Bool {
        let digest = try Self.digest(of: plan)
        let descriptor = open(linesPath, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return digest.update(fromFile: descriptor) && digest.hex == plan.id
    }

    /// Of the plan without its identifier; the lines of its inputs are to follow.
    static func digest(of plan: TaskPlan) throws -> Digest {
        var plan = plan
        plan.id = ""
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let digest = Digest()
        try encoder.encode(plan).withUnsafeBytes { digest.update($0.bindMemory(to: UInt8.self)) }
        return digest
    }

    /// A plan gets a folder of its own, since it is removed in the end.
    private var isOther: RunError {
        .plan("'\(path)' has another plan: its definition, parameters, inputs or number of tasks differ; \(remedy)")
    }

    private var isOfOtherVersion: RunError { .plan("\(planFile.path) cannot be read, so that it is no plan of this version of sluice") }

    /// Refuses a folder with something else than a plan, or with one that cannot be this.
    private func refuseOthers(than plan: TaskPlan) throws(RunError) {
        guard access(path, F_OK) == 0 else { return }
        let found: TaskPlan?
        do {
            found = try planFile.read(TaskPlan.self)
        } catch let error as OutputError {
            throw .output(error)
        } catch {
            throw isOfOtherVersion
        }
        if let found {
            guard found.definition == plan.definition, found.tasks == plan.tasks else { throw isOther }
            return
        }
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path)
        } catch {
            throw .plan("'\(path)' is no folder that can be read")
        }
        let isBeingRemoved = names.contains(Self.removedName)
        // Another process may have made the plan since.
        guard
            names.allSatisfy({ $0 == "lost+found" || mayBeOfUnfinishedPlan($0) || isBeingRemoved && Self.isPart($0) })
                || access(planFile.path, F_OK) == 0
        else {
            throw .plan("'\(path)' is not empty, and has no plan; use a new folder")
        }
    }

    /// Whether it is what a process that makes a plan, or was killed meanwhile, has in the folder.
    private func mayBeOfUnfinishedPlan(_ name: String) -> Bool {
        switch name {
        case "tasks", "attempts": OpenFolder.at("\(path)/\(name)")?.names.allSatisfy { $0 == "." || $0 == ".." } ?? false
        default: Self.isPartBeingWritten(name) || Self.filesOfPlan.contains(name)
        }
    }

    private static let filesOfPlan = ["inputs.jsonl", "inputs.index", "plan.json"]

    /// A name that no other process uses.
    static func name(beside path: String) -> String { "\(path).\(String(UInt64.random(in: .min ... .max), radix: 16))" }

    static let filesForSpark = ["spark-runner.py", "spark-log4j2.properties"]

    static func isPartBeingWritten(_ name: String) -> Bool { (filesOfPlan + filesForSpark).contains { name.hasPrefix($0 + ".") } }

    /// Writes a file for Spark under a temporary name that is known to be the plan's, and replaces
    /// the file at once, since another run may be reading it.
    package func write(_ contents: [UInt8], to name: String) throws {
        let file = "\(path)/\(name)"
        let beside = Self.name(beside: file)
        try Data(contents).write(to: URL(filePath: beside))
        guard rename(beside, file) == 0 else { throw OutputError.failed(file, "cannot be written", errno) }
    }

    var unreadable: RunError { .plan("the inputs of the plan in '\(path)' cannot be read; make the plan again") }

    private func makeFolders() throws(OutputError) {
        for folder in [path, attempts, "\(path)/tasks"] {
            do {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            } catch {
                throw .failed(folder, "cannot be created", errno)
            }
        }
    }
}
