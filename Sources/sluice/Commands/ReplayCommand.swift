import ArgumentParser
import FoundationEssentials
import SluiceDefinition
import SluiceRecords

struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Feed dead letters in again.",
        discussion: """
            Reads the records of a dead-letter file and runs them through the pipeline again, usually after its file was mended. What succeeds now is \
            written to new files beside the outputs ('out/errors.replay-1.jsonl.gz'), what fails again to new dead letters \
            ('dead-letter.replay-1.jsonl.gz'), with the attempts added up. No file is replaced, and the inputs are not read again.

            A dead letter that was dealt with is passed over when it is replayed again, so nothing is added twice. Dead letters that cannot be replayed \
            are named with the reason, and are in the new dead letters as they were.

            EXAMPLES
              sluice replay .sluice/access-errors/dead-letter.jsonl.gz --with pipelines/access-errors.yaml
              sluice replay dead.jsonl --with errors.yaml --set out=/srv/out --workers 2

            \(ExitStatus.manual)
            """)

    @ArgumentParser.Argument(help: "A dead-letter file.", completion: .file())
    var letters: String

    @Option(name: .customLong("with"), help: ArgumentHelp("The pipeline file.", valueName: "pipeline"), completion: .file(extensions: ["yaml", "yml"]))
    var file: String

    @OptionGroup var settings: SettingOptions

    @Option(help: ArgumentHelp("The number of threads for all stages. (default: one per processor)", valueName: "n"))
    var workers: Int?

    @Option(help: ArgumentHelp("The state folder of the pipeline. (default: .sluice/NAME)", valueName: "folder"), completion: .directory)
    var state: String?

    @Option(
        help: ArgumentHelp("Also write the report to this file: a page for a browser if its name ends in .html, JSON if in .json.", valueName: "path"),
        completion: .file(extensions: ReportOption.extensions))
    var report: String?

    @Option(help: "How to show progress: a line if on a terminal (auto), plain lines, or none.")
    var progress = ProgressDisplay.Mode.auto

    @Flag(help: "Replay all dead letters, even those that earlier replays have dealt with.")
    var again = false

    @Flag(help: "Discard outputs that an unfinished replay could not publish.")
    var restart = false

    @OptionGroup var log: LogOptions

    func validate() throws {
        if let workers, !(1...4096).contains(workers) { throw ValidationError("'--workers' must be from 1 to 4096.") }
        if letters == "-" { throw ValidationError("Dead letters are read twice, so standard input cannot be replayed: name a file.") }
        if file == "-" { throw ValidationError("'--with' needs a file.") }
        if let report { try ReportOption.validate(report) }
    }

    func run() async throws {
        let file = try settings.read(self.file)
        guard let pipeline = try settings.checked(file, state: state, mayLackInputs: true).pipeline else { throw ExitStatus.wrong }
        let state = state ?? PipelineFile.stateFolder(of: pipeline.name)
        let replay = try prepare(pipeline, state: state)
        var options = RunOptions(state: RecordPipeline.replayFolder(in: state))
        options.reportCopy = report
        options.restarts = restart
        options.samples = RunSamples(file)
        options.notice = { Log.notice($0) }
        if let workers { options.workers = workers }
        let done: RunReport
        let interrupts: Interrupts
        do {
            let run = RecordRun(replay, options: options)
            interrupts = Interrupts { run.drain() }
            done = try await ProgressDisplay(mode: progress, stream: .error).show(run) { try await run.run() }
        } catch let error as RunError {
            Log.error("\(error)")
            if case .files = error { throw ExitStatus.wrong }
            throw ExitStatus.failed
        }
        if let report { ReportOption.write(done, to: report, state: options.state) }
        if done.outputClosed == true { throw ExitStatus.interrupted(signal: Signals.brokenPipe) }
        let reportFile = "\(options.state)/report.json"
        Log.write(RunSummary.text(done, reportFile: reportFile, width: Terminal.error.lineWidth), or: RunSummary.entries(done, reportFile: reportFile))
        throw ExitStatus(done, signal: interrupts.first)
    }

    /// Reads the dead letters once, so that whatever is wrong with them is known before anything is
    /// processed.
    private func prepare(_ pipeline: RecordPipeline, state: String) throws -> RecordPipeline {
        let replaying: RecordPipeline
        let preview: RunReport.Replay
        do {
            let file = try Replay.letters(at: letters)
            replaying = try pipeline.replaying(file, state: state, repeats: again)
            preview = try replaying.replayPreview(of: file)
        } catch {
            Log.error("\(error)")
            throw ExitStatus.wrong
        }
        if let notice = ReplaySummary.notice(preview, definition: self.file) { Log.write(notice, as: .warning) }
        // The outputs of the replay that has dealt with the letters may not all be in place.
        guard preview.isIdle, !StateInspection.isPublishing(RecordPipeline.replayFolder(in: state)) else { return replaying }
        Log.write(ReplaySummary.idle(preview, letters), as: preview.kept == 0 ? .info : .error)
        throw preview.kept == 0 ? ExitStatus.complete : ExitStatus.failed
    }
}
