import ArgumentParser
import FoundationEssentials
import SluiceDefinition
import SluiceRecords

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a pipeline file.",
        discussion: """
            Checks the file, reads its inputs, passes every record through the stages and writes the outputs, which appear under their final names \
            after a successful run or not at all. Records that fail go to the dead-letter file, with their original bytes, their position and the reason.

            The summary and the ledger go to standard error; standard output is for records ('sink: {stdout: true}'). The report is written to the \
            state folder as report.json.

            Without a file, --files, --format, --stage and --sink define the pipeline, for one-off queries.

            Ctrl-C, SIGTERM, SIGHUP or SIGQUIT stops reading and finishes what is in flight; a second one exits at once. Run the same command again to resume \
            from there, or from the last checkpoint of a killed run.

            EXAMPLES
              sluice run pipelines/access-errors.yaml
              sluice run pipelines/access-errors.yaml --set 'logs=/srv/**/*.gz'
              sluice run pipelines/app-warnings.yaml --progress none | head
              sluice run pipelines/access-errors.yaml --limit 1000 --verbose
              sluice run pipelines/access-errors.yaml --report errors.html
              sluice run --files 'logs/*.gz' --format combined --stage 'keep: status >= 500' --stage 'select: [time, path]'
              sluice run --files in.csv --format csv --stage 'keep: amount != ""' --sink out.jsonl.gz

            \(ExitStatus.manual)
            """)

    @OptionGroup var pipeline: PipelineOptions

    @Option(help: ArgumentHelp("The number of threads for all stages. (default: one per processor)", valueName: "n"))
    var workers: Int?

    @Option(help: ArgumentHelp("The folder for report.json and dead letters. (default: .sluice/NAME)", valueName: "folder"), completion: .directory)
    var state: String?

    @Flag(help: "Discard an unfinished run and start over.")
    var restart = false

    @Option(
        help: ArgumentHelp("Also write the report to this file: a page for a browser if its name ends in .html, JSON if in .json.", valueName: "file"),
        completion: .file(extensions: ReportOption.extensions))
    var report: String?

    @Option(help: "How to show progress: a line if on a terminal (auto), plain lines, or none.")
    var progress = ProgressDisplay.Mode.auto

    @Option(help: ArgumentHelp("Read at most this many records.", valueName: "n"))
    var limit: Int?

    @Flag(help: "Print what will be done before doing it.")
    var verbose = false

    @Flag(help: "Print neither progress nor a summary, unless the run fails. The exit code tells whether records were lost.")
    var quiet = false

    @OptionGroup(title: "More than one machine") var spark: SparkOptions

    func validate() throws {
        if spark.on != nil, limit != nil { throw ValidationError("'--limit' and '--on' exclude each other.") }
        if spark.on != nil, pipeline.file == "-" { throw ValidationError("A plan needs a pipeline file that can be read again: name one.") }
        if let workers, !(1...4096).contains(workers) { throw ValidationError("'--workers' must be from 1 to 4096.") }
        if let limit, limit < 1 { throw ValidationError("'--limit' must be at least 1.") }
        if let report { try ReportOption.validate(report) }
        if quiet, verbose { throw ValidationError("'--quiet' and '--verbose' exclude each other.") }
    }

    func run() async throws {
        if let master = spark.on { return try await run(on: master) }
        let (pipeline, state, file) = try pipeline.runnable(state: state)
        var options = RunOptions(state: state, limit: limit)
        options.reportCopy = self.report
        options.restarts = restart
        options.samples = RunSamples(file)
        options.notice = { Terminal.error.write("sluice: \($0)\n") }
        // For tests: the number of seconds between checkpoints.
        if let seconds = ProcessInfo.processInfo.environment["SLUICE_CHECKPOINT_SECONDS"].flatMap(Double.init), seconds >= 0 {
            options.checkpointInterval = .seconds(seconds)
        }
        if let workers { options.workers = workers }
        if let newOnly = pipeline.source.newOnly {
            Terminal.error.write(newOnly.notices.map { "sluice: \($0)\n" }.joined())
            // The outputs and the report of the last run stay.
            if pipeline.source.inputs.isEmpty, newOnly.known > 0 { return Terminal.error.write("sluice: no file is new, so there is nothing to do\n") }
        }
        if verbose { Terminal.error.write(RunPreview.text(pipeline, options)) }
        let report: RunReport
        let interrupts: Interrupts
        do {
            let run = RecordRun(pipeline, options: options)
            interrupts = Interrupts { run.drain() }
            report = try await SlowGzipNotice(pipeline).watch {
                try await ProgressDisplay(mode: quiet ? .none : progress, stream: .error).show(run) { try await run.run() }
            }
        } catch let error as RunError {
            Terminal.error.write("sluice: \(error)\n")
            if case .files = error { throw ExitStatus.wrong }
            throw ExitStatus.failed
        }
        try await finish(report, of: pipeline, state: state, signal: interrupts.first)
    }

    private func run(on master: String) async throws {
        let file = try pipeline.pipelineFile()
        guard let checked = try pipeline.settings.checked(file, state: state, mayLackInputs: false).pipeline else { throw ExitStatus.wrong }
        let state = state ?? PipelineFile.stateFolder(of: checked.name)
        let run = SparkRun(
            master: master, options: spark, file: file, settings: try pipeline.settings.values(), pipeline: checked, state: state, restarts: restart,
            isQuiet: quiet || progress == .none)
        guard let plan = try await run.run() else { return }
        var gathering = Gathering(folder: plan)
        (gathering.workers, gathering.restarts, gathering.reportCopy) = (workers, restart, report)
        let (report, pipeline, signal) = try await gathering.run(showing: quiet ? .none : progress)
        if report.status == .complete || report.status == .losses {
            do {
                try plan.remove()
            } catch {
                // The outputs are published.
                Terminal.error.write("sluice: the plan is left: \(error)\n")
            }
        }
        try await finish(report, of: pipeline, state: state, signal: signal)
    }

    /// Reports how the run ended.
    ///
    /// - Throws: the exit status.
    private func finish(_ report: RunReport, of pipeline: RecordPipeline, state: String, signal: Int32?) async throws {
        if let file = self.report { ReportOption.write(report, to: file, state: state) }
        // The reader of standard output has what it wanted, so there is no summary, as with any
        // filter.
        if report.outputClosed == true { throw ExitStatus.interrupted(signal: Signals.brokenPipe) }
        if quiet, report.status == .complete || report.status == .losses, report.balanced { throw ExitStatus(report, signal: signal) }
        let isStreamed = pipeline.sinks.allSatisfy { $0.sink is StandardOutputSink }
        Terminal.error.write(RunSummary.text(report, reportFile: "\(state)/report.json", isStreamed: isStreamed))
        Terminal.error.write(await RunHints(pipeline, report).text(Paint(isOn: Terminal.error.isColored)))
        throw ExitStatus(report, signal: signal)
    }
}

extension RunSamples {
    /// The longest text of a pipeline file that is kept, in bytes.
    private static let longest = 64 << 10

    /// Those of a run of the file that has not begun.
    init(_ file: PipelineFile) {
        self.init()
        program = "sluice \(Version.text)"
        self.file = file.path
        text = file.text.utf8.count <= Self.longest ? file.text : nil
    }
}

extension ExitStatus {
    init(_ report: RunReport, signal: Int32?) {
        self =
            switch report.status {
            case _ where !report.balanced && report.status != .interrupted: .failed
            case .complete: .complete
            case .losses: .losses
            case .failed: .failed
            case .interrupted: .interrupted(signal: signal ?? Signals.interrupt)
            }
    }
}
