import ArgumentParser
import SluiceDefinition
import SluiceRecords

/// The pipeline file and the values of its parameters.
struct PipelineOptions: ParsableArguments {
    @ArgumentParser.Argument(help: "The pipeline file.", completion: .file(extensions: ["yaml", "yml"]))
    var file: String

    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp("Give a parameter of the file a value; may be repeated.", valueName: "name=value"))
    var settings: [String] = []

    /// Reads and checks the file, and reports errors on standard error.
    ///
    /// - Throws: `ExitStatus.wrong` if the file cannot be run.
    func checked(state: String? = nil) throws -> CheckedPipeline {
        let values = try values()
        let file: PipelineFile
        do {
            file = try PipelineFile(readingFrom: self.file)
        } catch {
            Terminal.error.write("sluice: \(error)\n")
            throw ExitStatus.wrong
        }
        let checked = file.check(setting: values, state: state)
        Terminal.error.write(checked.rendered(colored: Terminal.error.isColored))
        guard checked.errorCount == 0 else {
            Terminal.error.write(checked.errorCount == 1 ? "1 error; nothing was read\n" : "\(checked.errorCount) errors; nothing was read\n")
            throw ExitStatus.wrong
        }
        return checked
    }

    /// The pipeline and its state folder.
    func runnable(state: String?) throws -> (pipeline: RecordPipeline, state: String) {
        guard let pipeline = try checked(state: state).pipeline else { throw ExitStatus.wrong }
        return (pipeline, state ?? PipelineFile.stateFolder(of: pipeline.name))
    }

    private func values() throws -> [String: String] {
        var values: [String: String] = [:]
        for setting in settings {
            guard let equals = setting.firstIndex(of: "="), equals != setting.startIndex else {
                throw ValidationError("'--set \(setting)' has no '='; write --set name=value")
            }
            values[String(setting[..<equals])] = String(setting[setting.index(after: equals)...])
        }
        return values
    }
}
