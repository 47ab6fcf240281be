import ArgumentParser
import FoundationEssentials
import SluiceDefinition
import SluiceRecords

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a pipeline file.",
        discussion: """
            Checks the file, then reads its inputs, takes every record through the stages and writes the outputs. They appear under their names \
            when the run has ended well, or not at all. Records that fail go to the dead-letter file with their own bytes, their place and the reason.

            The summary with the ledger goes to standard error; standard output is for records ('sink: {stdout: true}'). The report is written to the \
            state folder as report.json.

            Without a file, --files, --format, --stage and --sink make the pipeline, for a question that is asked once.

            Ctrl-C, or SIGTERM, stops reading and finishes what is in flight; a second one ends at once. Run the same command again to go on \
            from there, or from the last checkpoint of a run that was killed.

            EXAMPLES
              sluice run pipelines/access-errors.yaml
              sluice run pipelines/access-errors.yaml --set 'logs=/srv/**/*.gz'
              sluice run pipelines/app-warnings.yaml --progress none | head
              sluice run pipelines/access-errors.yaml --limit 1000 --verbose
              sluice run --files 'logs/*.gz' --format combined --stage 'keep: status >= 500' --stage 'select: [time, path]'
              sluice run --files in.csv --format csv --stage 'keep: amount != ""' --sink out.jsonl.gz

            \(ExitStatus.manual)
            """)

    @OptionGroup var pipeline: PipelineOptions

    @Option(help: ArgumentHelp("Threads for all stages together. (default: one for each processor)", valueName: "n"))
    var workers: Int?

    @Option(help: ArgumentHelp("The folder for report.json and dead letters. (default: .sluice/NAME)", valueName: "folder"), completion: .directory)
    var state: String?

    @Flag(help: "Give up an unfinished run and begin anew.")
    var restart = false

    @Option(help: ArgumentHelp("Write the report to this file too; its name ends in .json.", valueName: "file"), completion: .file(extensions: ["json"]))
    var report: String?

    @Option(help: "How to show progress: a line on a terminal (auto), plain lines, or none.")
    var progress = ProgressDisplay.Mode.auto

    @Option(help: ArgumentHelp("Read at most this many records.", valueName: "n"))
    var limit: Int?

    @Flag(help: "Say what will be done before doing it.")
    var verbose = false

    func validate() throws {
        if let workers, !(1...4096).contains(workers) { throw ValidationError("'--workers' must be from 1 to 4096.") }
        if let limit, limit < 1 { throw ValidationError("'--limit' must be at least 1.") }
        guard let report else { return }
        if report.hasSuffix(".html") { throw ValidationError("'--report' cannot write HTML in this version; name a .json file.") }
        if !report.hasSuffix(".json") { throw ValidationError("'--report' needs a name that ends in .json.") }
        let folder = URL(filePath: report).deletingLastPathComponent().path
        guard FileManager.default.isWritableFile(atPath: folder) else { throw ValidationError("'--report': no folder '\(folder)' to write to.") }
    }

    func run() async throws {
        let (pipeline, state) = try pipeline.runnable(state: state)
        var options = RunOptions(state: state, limit: limit)
        options.reportCopy = self.report
        options.restarts = restart
        options.notice = { Terminal.error.write("sluice: \($0)\n") }
        // For tests: the number of seconds between checkpoints.
        if let seconds = ProcessInfo.processInfo.environment["SLUICE_CHECKPOINT_SECONDS"].flatMap(Double.init), seconds >= 0 {
            options.checkpointInterval = .seconds(seconds)
        }
        if let workers { options.workers = workers }
        if verbose { Terminal.error.write(RunPreview.text(pipeline, options)) }
        let report: RunReport
        let interrupts: Interrupts
        do {
            let run = RecordRun(pipeline, options: options)
            interrupts = Interrupts { run.drain() }
            report = try await SlowGzipNotice(pipeline).watch {
                try await ProgressDisplay(mode: progress, stream: .error).show(run) { try await run.run() }
            }
        } catch let error as RunError {
            Terminal.error.write("sluice: \(error)\n")
            if case .files = error { throw ExitStatus.wrong }
            throw ExitStatus.failed
        }
        if let file = self.report { write(report, to: file) }
        // The reader of standard output has what it wanted, so there is no summary, as with any
        // filter.
        if report.outputClosed == true { throw ExitStatus.interrupted(signal: Signals.brokenPipe) }
        Terminal.error.write(RunSummary.text(report, reportFile: "\(state)/report.json"))
        Terminal.error.write(await RunHints(pipeline, report).text(Paint(isOn: Terminal.error.isColored)))
        throw ExitStatus(report, signal: interrupts.first)
    }

    /// The outputs are already published, so a failure to write this report is only mentioned.
    private func write(_ report: RunReport, to file: String) {
        do {
            try report.write(to: file)
        } catch {
            Terminal.error.write("sluice: the report cannot be written: \(error)\n")
        }
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
