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

            --dashboard serves a page of the run while it goes on, at an address that it prints: how far the run is, which stage is slow, what was lost. \
            There, the run can be drained, which ends it as SIGTERM does, and stages can be given more or fewer workers. Programs find /status, /samples \
            and /metrics there; see docs/live-page.md.

            EXAMPLES
              sluice run pipelines/access-errors.yaml
              sluice run pipelines/access-errors.yaml --set 'logs=/srv/**/*.gz'
              sluice run pipelines/app-warnings.yaml --progress none | head
              sluice run pipelines/access-errors.yaml --limit 1000 --verbose
              sluice run pipelines/access-errors.yaml --report errors.html
              sluice run pipelines/access-errors.yaml --dashboard
              sluice run pipelines/access-errors.yaml --dashboard 127.0.0.1:9200
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

    @OptionGroup var page: DashboardOptions

    @OptionGroup(title: "More than one machine") var spark: SparkOptions

    @OptionGroup var log: LogOptions

    func validate() throws {
        if spark.on != nil, limit != nil { throw ValidationError("'--limit' and '--on' exclude each other.") }
        if spark.on != nil, page.dashboard != nil { throw ValidationError("'--dashboard' and '--on' exclude each other: Spark has a page of its own.") }
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
        options.notice = { Log.notice($0) }
        // For tests: the number of seconds between checkpoints.
        if let seconds = ProcessInfo.processInfo.environment["SLUICE_CHECKPOINT_SECONDS"].flatMap(Double.init), seconds >= 0 {
            options.checkpointInterval = .seconds(seconds)
        }
        if let workers { options.workers = workers }
        if let newOnly = pipeline.source.newOnly {
            for notice in newOnly.notices { Log.notice(notice) }
            // The outputs and the report of the last run stay.
            if pipeline.source.inputs.isEmpty, newOnly.known > 0 { return Log.notice("no file is new, so there is nothing to do") }
        }
        if verbose { Log.write(RunPreview.text(pipeline, options), as: .debug) }
        let run = RecordRun(pipeline, options: options)
        let interrupts = Interrupts { run.drain() }
        let dashboard = try await Dashboard.begin(page, run) { interrupts.drain(for: "the dashboard") }
        let report: RunReport
        do {
            report = try await SlowGzipNotice(pipeline).watch {
                try await ProgressDisplay(mode: quiet ? .none : progress, stream: .error).show(run) { try await run.run() }
            }
        } catch let error as RunError {
            Log.error("\(error)")
            await dashboard?.close()
            if case .files = error { throw ExitStatus.wrong }
            throw ExitStatus.failed
        }
        dashboard?.end(report, state: state, ExitStatus(report, signal: interrupts.first))
        let status = await finish(report, of: pipeline, state: state, signal: interrupts.first)
        await dashboard?.close()
        throw status
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
        let done: (RunReport, RecordPipeline, Int32?)
        do {
            done = try await gathering.run(showing: quiet ? .none : progress)
        } catch let error as RunError {
            throw plan.reason(of: error)
        }
        let (report, pipeline, signal) = done
        if report.status == .complete || report.status == .losses {
            do {
                try plan.remove()
            } catch {
                // The outputs are published.
                Log.warning("the plan is left: \(error)")
            }
        }
        throw await finish(report, of: pipeline, state: state, signal: signal)
    }

    /// Reports how the run ended.
    private func finish(_ report: RunReport, of pipeline: RecordPipeline, state: String, signal: Int32?) async -> ExitStatus {
        if let file = self.report { ReportOption.write(report, to: file, state: state) }
        // The reader of standard output has what it wanted, so there is no summary, as with any
        // filter.
        if report.outputClosed == true { return .interrupted(signal: Signals.brokenPipe) }
        if quiet, report.status == .complete || report.status == .losses, report.balanced { return ExitStatus(report, signal: signal) }
        let streamed = StreamedRecords(report, of: pipeline)
        let reportFile = "\(state)/report.json"
        let hints = await RunHints(pipeline, report)
        Log.write(
            RunSummary.text(report, reportFile: reportFile, streamed: streamed, width: Terminal.error.lineWidth)
                + hints.text(Paint(isOn: Terminal.error.isColored), width: Terminal.error.lineWidth),
            or: hints.hints.map { LogEntry(.warning, $0) } + RunSummary.entries(report, reportFile: reportFile, streamed: streamed))
        return ExitStatus(report, signal: signal)
    }
}

extension RunSamples {
    /// The longest text of a pipeline file that is kept, in bytes.
    private static let longest = 64 << 10

    /// Those of a run of the file that has not begun.
    init(_ file: PipelineFile) { self.init(file: file.path, text: file.text) }

    /// Those of a run that gathers the results of a plan's tasks.
    init(_ plan: TaskPlan) { self.init(file: plan.file, text: plan.text) }

    private init(file: String, text: String) {
        self.init()
        program = "sluice \(Version.text)"
        self.file = file
        self.text = text.utf8.count <= Self.longest ? text : nil
    }
}

extension ExitStatus {
    init(_ report: RunReport, signal: Int32?) {
        self =
            switch report.status {
            case _ where report.outputClosed == true: .interrupted(signal: Signals.brokenPipe)
            case _ where !report.balanced && report.status != .interrupted: .failed
            case .complete: .complete
            case .losses: .losses
            case .failed: .failed
            case .interrupted: .interrupted(signal: signal ?? Signals.interrupt)
            }
    }
}
