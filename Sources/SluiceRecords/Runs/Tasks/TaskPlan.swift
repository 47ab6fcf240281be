import FoundationEssentials
import Glibc
import SluiceCEL

/// How a run is divided into tasks that other processes, perhaps on other machines, can do:
/// `plan.json`.
///
/// The inputs of each task are in a file of their own (``PlanFolder``), since there can be millions
/// and each process needs only its share.
package struct TaskPlan: Codable, Sendable, Equatable {
    static let version = 3

    /// To be increased when the layout or the meaning of a field changes, here or in the results.
    package var version = TaskPlan.version
    /// The digest of the plan with its inputs. Results of another plan are refused.
    package var id = ""
    /// The name of the pipeline.
    package var pipeline: String
    /// The digest of the definition with its parameters.
    package var definition: String
    /// See ``Verb/secretProofs``.
    package var secrets: [String]
    /// The absolute path of the folder where relative paths of the definition start.
    package var folder: String
    /// The path of the pipeline file as it was given.
    package var file: String
    /// The text of the pipeline file.
    package var text: String
    /// The parameters that were set on the command line.
    package var settings: [String: String]
    /// The state folder of the run.
    package var state: String
    /// The libraries that compress the outputs: others would write different bytes.
    package var libraries: RunReport.Libraries
    /// The number of tasks.
    package var tasks: Int
    /// The number of inputs of all tasks.
    package var inputs = 0
    /// Their size before decompression.
    package var bytes: UInt64 = 0
    /// The tables that stages look up records in.
    package var tables: [PlannedInput] = []
    /// The run's first input, if its records give the types of the fields.
    package var first: PlannedInput?

    package init(_ pipeline: RecordPipeline, file: String, text: String, settings: [String: String], state: String, tasks: Int) {
        self.pipeline = pipeline.name
        definition = pipeline.definition
        secrets = pipeline.secretProofs
        folder = FileManager.default.currentDirectoryPath
        (self.file, self.text, self.settings, self.state, self.tasks) = (file, text, settings, state, tasks)
        libraries = RunReport.Libraries(pipeline)
    }

    /// Why this definition, checked once more in another process, is not that of the plan; `nil` if
    /// it is.
    package func difference(from pipeline: RecordPipeline) -> String? {
        if pipeline.definition != definition { return "this version of sluice reads the definition differently" }
        if pipeline.secretProofs != secrets { return "the key of a 'redact' stage is another one here" }
        let libraries = RunReport.Libraries(pipeline)
        if libraries.deflate != self.libraries.deflate {
            return "outputs were to be compressed with \(self.libraries.deflate ?? "nothing"), and would be with \(libraries.deflate ?? "nothing") here"
        }
        return nil
    }
}

/// An input of a plan.
package struct PlannedInput: Codable, Sendable, Equatable {
    /// Its absolute path, or its address.
    package var path: String
    /// Its path as the definition gives it, which dead letters and reports contain.
    package var name: String
    /// In bytes.
    package var size: Int
    /// See ``InputStamp``.
    package var modified: Int
    var ends: DigestText
    package var version: String?

    init(_ file: InputFile, _ stamp: PlannedStamp, in folder: String) {
        path = file.path.hasPrefix("/") || Address.isAddress(file.path) ? file.path : "\(folder)/\(file.path)"
        name = file.path
        (size, modified, ends, version) = (stamp.size, stamp.modified, stamp.ends, stamp.version)
    }

    package var file: InputFile { InputFile(path: name, size: UInt64(size), version: version) }

    /// Checks that the inputs are as they were when the plan was made.
    ///
    /// - Throws: ``RunError``; one that may pass if an input cannot be read here.
    static func check(_ inputs: [PlannedInput]) throws(RunError) {
        let objects = inputs.filter { $0.version != nil }
        let found: [InputFile]
        do throws(InputError) {
            found = try Fetcher.shared.objects(at: objects.map(\.name)).map { (object) throws(InputError) in try object.get() }
        } catch {
            throw .input(error)
        }
        for (input, now) in zip(objects, found) { try input.check(as: now) }
        for input in inputs where input.version == nil { try input.check(as: input.file) }
    }

    private func check(as now: InputFile) throws(RunError) {
        guard let now = InputStamp(now) else { throw .plan("'\(name)' cannot be read here", mayPass: true) }
        guard let change = now.change(since: InputStamp(self)) else { return }
        throw .outdatedPlan(change)
    }
}

/// What identifies the contents of an input of a plan; see ``InputStamp``.
struct PlannedStamp: Sendable {
    var size: Int
    var modified: Int
    var ends: DigestText
    var version: String?
}

extension PlannedStamp {
    /// - Throws: ``InputError`` if the input is not a readable regular file.
    init(_ file: InputFile) throws(InputError) {
        guard let stamp = InputStamp(file) else {
            // The reason, if opening fails.
            try InputDescriptor(file).close()
            throw .unreadable(path: file.path, reason: "it is not a regular file")
        }
        self.init(size: stamp.size, modified: stamp.modified, ends: DigestText(stamp.ends), version: stamp.version)
    }
}

/// Where a task leaves an input.
struct InputEnd: Codable, Sendable, Equatable {
    /// In bytes of the input.
    var position: UInt64
    /// The number of the input's batches before it.
    var batches: Int

    init(_ cut: InputCut) { (position, batches) = (cut.position, cut.batches) }
}

/// The inputs of one task. They follow one another in the order of the run.
package struct TaskInputs: Codable, Sendable, Equatable {
    /// The task's index, from 0. Larger tasks have lower indexes, so that a scheduler begins with
    /// them.
    package var task: Int
    /// The number of the run's inputs before these.
    package var before: Int
    package var inputs: [PlannedInput]
    /// Where the task begins in its first input; `nil`: at its beginning.
    var start: InputCut?
    /// Where it ends in its last input; `nil`: at its end.
    var end: InputEnd?

    /// Before decompression.
    package var bytes: UInt64 {
        let whole = inputs.reduce(0) { $0 + UInt64($1.size) }
        let after = end.flatMap { end in inputs.last.map { UInt64($0.size) - end.position } } ?? 0
        return whole - (start?.position ?? 0) - after
    }

    /// More than a file has, so that sums have room.
    private static let mostBytes = 1 << 48

    /// Whether the numbers can be right, as they may not be in a file that was changed.
    var isPossible: Bool {
        guard before >= 0, inputs.allSatisfy({ (0...Self.mostBytes).contains($0.size) }) else { return false }
        guard start != nil || end != nil else { return true }
        guard let first = inputs.first, let last = inputs.last else { return false }
        let (from, to) = (start?.position ?? 0, end?.position ?? UInt64(last.size))
        return from <= UInt64(first.size) && to <= UInt64(last.size) && (inputs.count > 1 || from <= to)
    }
}

/// What of a run's inputs a task reads.
struct TaskShare: Sendable {
    var task: Int
    /// By their numbers in the run.
    var inputs: Range<Int>
    /// Where another task leaves the first of them, and this one the last; `nil`: at its beginning,
    /// and at its end.
    var start: InputEnd?
    var end: InputEnd?

    /// - Returns: `nil` if the task has inputs that the run has not.
    init?(_ task: TaskInputs, ofInputs count: Int) {
        guard task.isPossible, task.before <= count, task.inputs.count <= count - task.before else { return nil }
        self.task = task.task
        inputs = task.before..<task.before + task.inputs.count
        (start, end) = (task.start.map { InputEnd($0) }, task.end)
    }

    /// Whether these follow one another, without gaps, from the first input of the run to the last.
    static func areWhole(_ shares: [TaskShare], ofInputs count: Int) -> Bool {
        var (next, end) = (0, InputEnd?.none)
        for share in shares where !share.inputs.isEmpty {
            guard share.start == end, share.inputs.lowerBound == (end == nil ? next : next - 1) else { return false }
            (next, end) = (share.inputs.upperBound, share.end)
        }
        return next == count && end == nil
    }
}

/// The inputs of a run, with the tasks that read them.
package struct PlannedRun: Sendable {
    /// In the order of the run.
    let shares: [TaskShare]
    package let inputs: [InputFile]
    /// For each input, see ``InputStamp/ends``; `nil` of an object behind an address.
    let ends: [DigestText?]
}
