import FoundationEssentials
import Glibc
import SluiceCEL

/// How a run is divided into tasks that other processes, perhaps on other machines, can do:
/// `plan.json`.
///
/// The inputs of each task are in a file of their own (``PlanFolder``), since there can be millions
/// and each process needs only its share.
package struct TaskPlan: Codable, Sendable, Equatable {
    static let version = 2

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
    /// Its absolute path.
    package var path: String
    /// Its path as the definition gives it, which dead letters and reports contain.
    package var name: String
    /// In bytes.
    package var size: Int
    /// The modification time, in nanoseconds since 1970.
    package var modified: Int
    /// The SHA-256 of the first and the last 4 KiB.
    package var ends: String

    /// - Throws: ``InputError`` if it is not a readable regular file.
    package init(_ file: InputFile, in folder: String) throws(InputError) {
        guard let stamp = InputStamp(file) else {
            // The reason, if opening fails.
            try InputDescriptor(file).close()
            throw .unreadable(path: file.path, reason: "it is not a regular file")
        }
        path = file.path.hasPrefix("/") ? file.path : "\(folder)/\(file.path)"
        name = file.path
        (size, modified, ends) = (stamp.size, stamp.modified, stamp.ends)
    }

    package var file: InputFile { InputFile(path: name, size: UInt64(size)) }

    /// Checks that the file is as it was when the plan was made.
    ///
    /// - Throws: ``RunError``; one that may pass if the file cannot be read here.
    func check() throws(RunError) {
        guard let now = InputStamp(file) else { throw .plan("'\(name)' cannot be read here", mayPass: true) }
        let change: String? =
            if now.size != size {
                "'\(name)' has \(now.size) bytes instead of \(size)"
            } else if now.modified != modified {
                "'\(name)' was modified"
            } else {
                now.ends == ends ? nil : "the bytes of '\(name)' have changed"
            }
        if let change { throw .plan("\(change) since the plan was made; make a new one ('sluice plan'), in another folder") }
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

    /// The inputs that no task before this one has begun.
    package var inputsBegun: ArraySlice<PlannedInput> { start == nil ? inputs[...] : inputs.dropFirst() }

    /// Before decompression.
    package var bytes: UInt64 {
        let whole = inputs.reduce(0) { $0 + UInt64($1.size) }
        let after = end.flatMap { end in inputs.last.map { UInt64($0.size) - end.position } } ?? 0
        return whole - (start?.position ?? 0) - after
    }

    /// Whether the numbers can be right, as they may not be in a file that was changed.
    var isPossible: Bool {
        guard before >= 0, inputs.allSatisfy({ $0.size >= 0 }) else { return false }
        guard start != nil || end != nil else { return true }
        guard let first = inputs.first, let last = inputs.last else { return false }
        let (from, to) = (start?.position ?? 0, end?.position ?? UInt64(last.size))
        return from <= UInt64(first.size) && to <= UInt64(last.size) && (inputs.count > 1 || from <= to)
    }

    /// Whether this task goes on where another one ends.
    func goesOn(after other: TaskInputs) -> Bool {
        let next = other.before + other.inputs.count
        guard let start else { return before == next && other.end == nil }
        return before == next - 1 && other.end == InputEnd(start)
    }
}
