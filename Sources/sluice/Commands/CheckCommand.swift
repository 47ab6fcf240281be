import ArgumentParser
import SluiceDefinition
import SluiceRecords

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Report all errors in a pipeline file.",
        discussion: """
            Reads no records and writes no files. Each message gives the file, line and column, \
            shows the line with the error underlined, and suggests a fix.

            With --sample, also reads the first records of the inputs and passes them through the stages before the first that calls another program. \
            It shows their fields and types, and warns of fields that no record has, of conditions that no record meets and of routes that no record takes.

            EXAMPLES
              sluice check pipelines/access-errors.yaml
              sluice check pipelines/access-errors.yaml --set out=/srv/errors
              sluice check pipelines/access-errors.yaml --no-inputs
              sluice check pipelines/access-errors.yaml --sample 1000

            EXIT CODES
              0  the file is valid
              2  it is not
            """)

    @OptionGroup var pipeline: PipelineOptions

    @Flag(help: "Allow missing inputs, for machines without the data.")
    var noInputs = false

    @Option(help: ArgumentHelp("Also read the first n records of the inputs.", valueName: "n"))
    var sample: Int?

    @Option(help: ArgumentHelp("Also say what keeps the run from being divided among machines, and what they cannot do.", valueName: "master"))
    var on: String?

    @OptionGroup var log: LogOptions

    func validate() throws {
        if let sample, !(1...1_000_000).contains(sample) { throw ValidationError("'--sample' must be from 1 to 1000000.") }
    }

    func run() async throws {
        let checked = try pipeline.checked(mayLackInputs: noInputs)
        Terminal.output.write("\(pipeline.shownName): ok\n")
        if on != nil, let pipeline = checked.pipeline {
            let obstacles = pipeline.obstaclesToTasks.map { "this run cannot be divided into tasks: \($0)" }
            let all = obstacles.isEmpty ? [pipeline.workOfTasks, Self.divisionOfInputs(of: pipeline)] : obstacles
            Terminal.output.write(all.map { "  \($0)\n" }.joined())
            if !obstacles.isEmpty { throw ExitStatus.wrong }
        }
        guard let sample, let pipeline = checked.pipeline else { return }
        do {
            let texts = try SampleTexts.of(pipeline.source)
            let found = try await withTemporaryFolder { state in
                try await PipelineSample(of: pipeline, texts: texts, limit: sample, state: state)
            }
            Terminal.output.write(SampleReport.text(found, Paint(isOn: Terminal.output.isColored), width: Terminal.output.lineWidth))
        } catch {
            Log.error("\(error)")
            throw ExitStatus.failed
        }
    }
}

extension CheckCommand {
    private static func divisionOfInputs(of pipeline: RecordPipeline) -> String {
        let obstacle = pipeline.obstacleToCuts.map { ", also with --split: \($0)" }
        return "each input is read by one task" + (obstacle ?? "; --split divides large ones where decompression can begin")
    }
}

/// Reads the beginnings of a pipeline's inputs.
enum SampleTexts {
    /// The maximum number of inputs to read.
    private static let most = 8
    private static let bytes = 1 << 20

    /// Excludes standard input, which can only be read once.
    ///
    /// - Parameter total: the maximum number of bytes of all texts.
    /// - Throws: ``InputError``, also for a pipe.
    static func of(_ source: SourceSettings, total: Int? = nil) throws(InputError) -> [(name: String, text: [UInt8])] {
        var texts: [(name: String, text: [UInt8])] = []
        let inputs = source.inputs.filter { !$0.isStandardInput }.prefix(most)
        let bytes = total.map { $0 / max(1, inputs.count) } ?? bytes
        for input in inputs {
            try input.checkIsRegular()
            let text = try InputBeginning.text(
                of: input, from: source.source, as: source.archive, encoding: source.encoding, bytes: bytes, format: source.format)
            texts.append((input.path, text))
        }
        return texts
    }
}
