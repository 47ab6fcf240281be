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
package struct PlanFolder: Sendable {
    /// Absolute, since a task changes the current folder.
    package let path: String

    package init(_ path: String) {
        self.path = path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
    }

    private var planFile: StateFile { StateFile("plan.json", in: path) }
    private var linesPath: String { "\(path)/inputs.jsonl" }
    private var indexPath: String { "\(path)/inputs.index" }

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
    /// - Returns: the plan with its inputs.
    package func create(
        _ plan: TaskPlan, of inputs: [InputFile], tables: [InputFile], typesFromFirst: Bool,
        cuts: (InputFile) throws(InputError) -> [InputCut] = { _ in [] }
    ) throws(RunError) -> (TaskPlan, [TaskInputs], Creation) {
        var plan = plan
        var planned: [PlannedInput] = []
        var places: [[InputCut]] = []
        // Before large inputs are read to divide them.
        try refuseOthers(than: plan)
        do throws(InputError) {
            for input in inputs + tables { planned.append(try PlannedInput(input, in: plan.folder)) }
            for input in planned.prefix(inputs.count) { places.append(try cuts(input.file)) }
        } catch {
            throw .input(error)
        }
        if typesFromFirst { plan.first = planned.first }
        plan.tables = planned.suffix(tables.count)
        planned.removeLast(tables.count)
        (plan.inputs, plan.bytes) = (planned.count, planned.reduce(0) { $0 + UInt64($1.size) })
        let tasks = Self.tasks(planned, cut: places, plan.tasks)
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            var lines = Data()
            var offsets: [UInt64] = [0]
            for task in tasks {
                lines += try encoder.encode(task) + [UInt8(ascii: "\n")]
                offsets.append(UInt64(lines.count))
            }
            plan.id = try Self.digest(of: plan, lines)
            if let found = try planFile.read(TaskPlan.self) {
                guard found.id == plan.id else { throw isOther }
                guard FileManager.default.contents(atPath: linesPath) == lines else { throw unreadable }
                return (plan, tasks, .existed)
            }
            try makeFolders()
            try write(lines, to: linesPath)
            try write(Data(offsets.flatMap(Self.bytes)), to: indexPath)
            // Last: with it, the plan is complete.
            try planFile.write(plan)
        } catch let error as RunError {
            throw error
        } catch let error as OutputError {
            throw .output(error)
        } catch {
            throw isOfOtherVersion
        }
        return (plan, tasks, .created)
    }

    /// An input, or a piece of one.
    private struct Piece {
        var input: Int
        var start: InputCut?
        var end: InputCut?
    }

    /// The largest task first.
    ///
    /// - Parameter cuts: for each input, the places at which it may be divided.
    static func tasks(_ inputs: [PlannedInput], cut cuts: [[InputCut]], _ count: Int) -> [TaskInputs] {
        var pieces: [Piece] = []
        for index in inputs.indices {
            let places = cuts[index].map(Optional.some)
            for (start, end) in zip([nil] + places, places + [nil]) { pieces.append(Piece(input: index, start: start, end: end)) }
        }
        let sizes = pieces.map { piece in (piece.end?.position ?? UInt64(inputs[piece.input].size)) - (piece.start?.position ?? 0) }
        let all = InputDivision.ranges(sizes, into: count).map { range in
            guard let first = pieces[range].first, let last = pieces[range].last else { return TaskInputs(task: 0, before: inputs.count, inputs: []) }
            return TaskInputs(
                task: 0, before: first.input, inputs: Array(inputs[first.input...last.input]), start: first.start, end: last.end.map { InputEnd($0) })
        }
        let sorted = all.enumerated().sorted { left, right in
            let (one, other) = (left.element, right.element)
            return (one.inputs.isEmpty ? 1 : 0, other.bytes, left.offset) < (other.inputs.isEmpty ? 1 : 0, one.bytes, right.offset)
        }.map(\.element)
        return sorted.enumerated().map { index, task in
            var task = task
            task.task = index
            return task
        }
    }

    /// - Throws: ``RunError/plan(_:mayPass:)`` if there is no plan, or one of another version.
    package func plan() throws(RunError) -> TaskPlan {
        let plan: TaskPlan?
        do {
            plan = try planFile.read(TaskPlan.self)
        } catch {
            throw .plan("\(planFile.path) cannot be read, so that it is no plan of this version of sluice")
        }
        guard let plan else { throw .plan("there is no plan in '\(path)'; 'sluice plan' makes one", mayPass: true) }
        guard plan.version == TaskPlan.version else { throw .plan("the plan in '\(path)' was made by another version of sluice") }
        guard plan.tasks > 0, plan.inputs >= 0 else { throw unreadable }
        return plan
    }

    /// The inputs of one task.
    package func inputs(of task: Int, in plan: TaskPlan) throws(RunError) -> TaskInputs {
        guard (0..<plan.tasks).contains(task) else {
            throw .plan("there is no task \(task): the plan has \(plan.tasks), from 0 to \(plan.tasks - 1)")
        }
        do {
            let places = try read(indexPath, at: task * 8, count: 16)
            let (start, end) = (Self.number(places[..<8]), Self.number(places[8...]))
            guard start <= end, end <= UInt64(Int.max) else { throw unreadable }
            let line = try read(linesPath, at: Int(start), count: Int(end - start))
            let inputs = try JSONDecoder().decode(TaskInputs.self, from: Data(line))
            guard inputs.task == task, inputs.isPossible else { throw unreadable }
            return inputs
        } catch {
            throw unreadable
        }
    }

    /// The inputs of all tasks, in the order of the run.
    package func allInputs(of plan: TaskPlan) throws(RunError) -> [TaskInputs] {
        guard let lines = FileManager.default.contents(atPath: linesPath) else { throw unreadable }
        let decoder = JSONDecoder()
        var all: [TaskInputs] = []
        do {
            guard try Self.digest(of: plan, lines) == plan.id else { throw unreadable }
            for line in lines.split(separator: UInt8(ascii: "\n")) { all.append(try decoder.decode(TaskInputs.self, from: line)) }
        } catch {
            throw unreadable
        }
        let ordered = all.sorted { one, other in
            (one.before, one.start?.batches ?? 0, one.inputs.count, one.task) < (other.before, other.start?.batches ?? 0, other.inputs.count, other.task)
        }
        var last = TaskInputs(task: 0, before: 0, inputs: [])
        for task in ordered {
            guard task.isPossible, task.inputs.isEmpty || task.goesOn(after: last) else { throw unreadable }
            if !task.inputs.isEmpty { last = task }
        }
        guard all.count == plan.tasks, last.before + last.inputs.count == plan.inputs, last.end == nil else { throw unreadable }
        return ordered
    }

    /// Of the plan without its identifier, and of its inputs.
    private static func digest(of plan: TaskPlan, _ lines: Data) throws -> String {
        var plan = plan
        plan.id = ""
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let digest = Digest()
        for part in [try encoder.encode(plan), lines] { part.withUnsafeBytes { digest.update($0.bindMemory(to: UInt8.self)) } }
        return digest.hex
    }

    /// A plan gets a folder of its own, since it is removed in the end.
    private var isOther: RunError {
        .plan("'\(path)' has another plan: its definition, parameters, inputs or number of tasks differ; use another folder, or remove it")
    }

    private var isOfOtherVersion: RunError { .plan("\(planFile.path) cannot be read, so that it is no plan of this version of sluice") }

    /// Refuses a folder with something else than a plan, or with one that cannot be this.
    private func refuseOthers(than plan: TaskPlan) throws(RunError) {
        guard access(path, F_OK) == 0 else { return }
        let found: TaskPlan?
        do {
            found = try planFile.read(TaskPlan.self)
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
        guard names.allSatisfy({ $0 == "lost+found" }) else { throw .plan("'\(path)' is not empty, and has no plan; use a new folder") }
    }

    /// What a plan consists of, the plan itself last.
    private static let parts = ["tasks", "attempts", "inputs.jsonl", "inputs.index", "spark-runner.py", "spark-log4j2.properties", "sluice", "plan.json"]

    /// Removes the plan with all results, if there is one, and the folder, if nothing else is in it.
    ///
    /// - Throws: if the folder is not a plan's, or a part cannot be removed.
    package func remove() throws(RunError) {
        guard access(planFile.path, F_OK) == 0 else { return }
        _ = try plan()
        for part in Self.parts where access("\(path)/\(part)", F_OK) == 0 {
            do {
                try FileManager.default.removeItem(atPath: "\(path)/\(part)")
            } catch {
                throw .plan("'\(path)/\(part)' cannot be removed")
            }
        }
        // It may be the root of a file system.
        rmdir(path)
    }

    private var unreadable: RunError { .plan("the inputs of the plan in '\(path)' cannot be read; make the plan again") }

    private func makeFolders() throws(OutputError) {
        for folder in [path, attempts, "\(path)/tasks"] {
            do {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            } catch {
                throw .failed(folder, "cannot be created", errno)
            }
        }
    }

    private func write(_ data: Data, to path: String) throws(OutputError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .failed(path, "cannot be created", errno) }
        defer { close(descriptor) }
        var failure = data.withUnsafeBytes { writeAll($0.bindMemory(to: UInt8.self), to: descriptor) }
        if failure == nil, fsync(descriptor) != 0 { failure = errno }
        if let failure { throw .failed(path, "cannot be written", failure) }
    }

    private func read(_ path: String, at place: Int, count: Int) throws(RunError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let step = bytes.withUnsafeMutableBytes { bytes in
                let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[done...])
                return pread(descriptor, rest.baseAddress, rest.count, off_t(place + done))
            }
            guard step > 0 else { throw unreadable }
            done += step
        }
        return bytes
    }

    private static func bytes(_ number: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) } }
    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
}
