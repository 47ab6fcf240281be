import ArgumentParser
import SluiceDefinition
import SluiceRecords

/// The values of a pipeline file's parameters.
struct SettingOptions: ParsableArguments {
    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp("Set a parameter of the pipeline file; may be repeated.", valueName: "name=value"))
    var settings: [String] = []

    func validate() throws {
        _ = try values()
    }

    func values() throws -> [String: String] {
        var values: [String: String] = [:]
        for setting in settings {
            guard let equals = setting.firstIndex(of: "="), equals != setting.startIndex else {
                throw ValidationError("'--set \(setting)' has no '='; write --set name=value")
            }
            values[String(setting[..<equals])] = String(setting[setting.index(after: equals)...])
        }
        return values
    }

    /// Reads and checks a file, and reports errors on standard error.
    ///
    /// - Throws: `ExitStatus.wrong` if it cannot be run.
    func checked(_ path: String, state: String? = nil, mayLackInputs: Bool = false) throws -> CheckedPipeline {
        try checked(try read(path), state: state, mayLackInputs: mayLackInputs)
    }

    func read(_ path: String) throws -> PipelineFile {
        do {
            return try PipelineFile(readingFrom: path)
        } catch {
            Log.error("\(error)")
            throw ExitStatus.wrong
        }
    }

    func checked(_ file: PipelineFile, state: String?, mayLackInputs: Bool) throws -> CheckedPipeline {
        let checked = file.check(setting: try values(), state: state, mayLackInputs: mayLackInputs)
        Log.write(checked.rendered(colored: Terminal.error.isColored), or: checked.diagnostics.map { LogEntry($0, in: file.path) })
        guard checked.errorCount == 0 else {
            Log.write(checked.errorCount == 1 ? "1 error; nothing was read\n" : "\(checked.errorCount) errors; nothing was read\n", or: [])
            throw ExitStatus.wrong
        }
        return checked
    }
}

/// A pipeline file or a pipeline given by command-line options, and the values of its parameters.
struct PipelineOptions: ParsableArguments {
    @ArgumentParser.Argument(
        help: "The pipeline file; '-' reads it from standard input.", completion: .file(extensions: ["yaml", "yml"]))
    var file: String?

    @OptionGroup(title: "A pipeline without a file") var question: QuestionOptions

    @OptionGroup var settings: SettingOptions

    func validate() throws {
        guard let file else {
            if question.isEmpty { throw ValidationError("Give a pipeline file, or define a pipeline without one: \(QuestionOptions.example)") }
            return try question.validate(isAlone: true)
        }
        guard !question.isEmpty else { return }
        throw ValidationError("--files, --format, --stage and --sink cannot be combined with a pipeline file ('\(file)').")
    }

    /// The name in messages.
    var shownName: String { file ?? PipelineFile.commandLineName }

    /// The pipeline file, which is read.
    ///
    /// - Throws: `ExitStatus.wrong` if it cannot be.
    func pipelineFile() throws -> PipelineFile { try file.map { try settings.read($0) } ?? question.pipelineFile }

    /// Reads and checks the pipeline, and reports errors on standard error.
    ///
    /// - Throws: `ExitStatus.wrong` if it cannot be run.
    func checked(state: String? = nil, mayLackInputs: Bool = false) throws -> CheckedPipeline {
        try settings.checked(try pipelineFile(), state: state, mayLackInputs: mayLackInputs)
    }

    /// The pipeline, its state folder, and the file that it was read from.
    func runnable(state: String?, mayLackInputs: Bool = false) throws -> (pipeline: RecordPipeline, state: String, file: PipelineFile) {
        let file = try pipelineFile()
        guard let pipeline = try settings.checked(file, state: state, mayLackInputs: mayLackInputs).pipeline else { throw ExitStatus.wrong }
        return (pipeline, state ?? PipelineFile.stateFolder(of: pipeline.name), file)
    }
}

/// A pipeline given by command-line options.
struct QuestionOptions: ParsableArguments {
    static let example = "sluice run --files 'logs/*.gz' --format combined --stage 'keep: status >= 500'"

    @Option(parsing: .singleValue, help: ArgumentHelp("A path or pattern to read, or '-' for standard input; may be repeated.", valueName: "pattern"))
    var files: [String] = []

    @Option(help: ArgumentHelp("The format of the files, as in a pipeline file.", valueName: "format"))
    var format: String?

    @Option(parsing: .singleValue, help: ArgumentHelp("A stage, as in a pipeline file; may be repeated.", valueName: "verb: argument"))
    var stage: [String] = []

    @Option(
        help: ArgumentHelp("The file to write. (default: standard output)", valueName: "path"), completion: .file())
    var sink: String?

    var isEmpty: Bool { files.isEmpty && format == nil && stage.isEmpty && sink == nil }

    func validate(isAlone: Bool) throws {
        guard isAlone, files.isEmpty else { return }
        throw ValidationError("A pipeline without a file needs --files: \(Self.example)")
    }

    var pipelineFile: PipelineFile { PipelineFile(reading: files, format: format, stages: stage, writing: sink) }
}
