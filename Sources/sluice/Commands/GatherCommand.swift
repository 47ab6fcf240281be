import ArgumentParser
import SluiceDefinition
import SluiceRecords

struct GatherCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gather",
        abstract: "Put the results of a plan's tasks together.",
        discussion: """
            Checks that every task is done, merges what the closing stages have taken in and passes their results through the stages after them, writes \
            the outputs and the dead letters in the order of the inputs, balances the books and publishes everything, as 'sluice run' does: same files, \
            same report, same exit codes. May be repeated, also after a kill. The plan's folder stays; remove it when it is no longer needed.

            EXAMPLES
              sluice gather /shared/plan
              sluice gather /shared/plan --report report.json

            \(ExitStatus.manual)
            """)

    @ArgumentParser.Argument(help: "The folder of the plan.", completion: .directory)
    var plan: String

    @Option(
        help: ArgumentHelp("Also write the report to this file: a page for a browser if its name ends in .html, JSON if in .json.", valueName: "path"),
        completion: .file(extensions: ReportOption.extensions))
    var report: String?

    @Flag(help: "Discard an unfinished run in the state folder.")
    var restart = false

    @Option(help: ArgumentHelp("The number of threads for all stages. (default: one per processor)", valueName: "n"))
    var workers: Int?

    @Option(help: "How to show progress: a line if on a terminal (auto), plain lines, or none.")
    var progress = ProgressDisplay.Mode.auto

    @OptionGroup var log: LogOptions

    func validate() throws {
        if let workers, !(1...4096).contains(workers) { throw ValidationError("'--workers' must be from 1 to 4096.") }
        if let report { try ReportOption.validate(report) }
    }

    func run() async throws {
        let reportCopy = report.map(PlannedPipeline.absolute)
        var gathering = Gathering(folder: PlanFolder(plan))
        (gathering.workers, gathering.restarts, gathering.reportCopy) = (workers, restart, reportCopy)
        let (done, pipeline, signal) = try await gathering.run(showing: progress)
        if let reportCopy { ReportOption.write(done, to: reportCopy, state: gathering.state) }
        if done.outputClosed == true { throw ExitStatus.interrupted(signal: Signals.brokenPipe) }
        let streamed = StreamedRecords(done, of: pipeline)
        let reportFile = "\(gathering.state)/report.json"
        let hints = await RunHints(pipeline, done)
        Log.write(
            RunSummary.text(done, reportFile: reportFile, streamed: streamed, width: Terminal.error.lineWidth)
                + hints.text(Paint(isOn: Terminal.error.isColored), width: Terminal.error.lineWidth),
            or: hints.hints.map { LogEntry(.warning, $0) } + RunSummary.entries(done, reportFile: reportFile, streamed: streamed))
        throw ExitStatus(done, signal: signal)
    }
}

/// Puts the results of a plan's tasks together.
struct Gathering {
    let folder: PlanFolder
    var workers: Int?
    var restarts = false
    /// An absolute path.
    var reportCopy: String?
    /// The state folder of the run, once it is known.
    private(set) var state = ""

    init(folder: PlanFolder) { self.folder = folder }

    /// Enters the folder where the plan was made.
    ///
    /// - Returns: the report, the pipeline, and the signal that interrupted the run.
    mutating func run(showing progress: ProgressDisplay.Mode) async throws -> (RunReport, RecordPipeline, Int32?) {
        let plan = try folder.plan()
        state = plan.state
        let planned = try folder.allInputs(of: plan)
        var pipeline = try PlannedPipeline.checked(plan, reading: planned.inputs)
        pipeline.source = pipeline.source.reading(planned.inputs)
        let gathered = try GatheredTasks(plan, planned, in: folder)
        var options = RunOptions(state: plan.state)
        options.reportCopy = reportCopy
        options.restarts = restarts
        options.samples = RunSamples(plan)
        options.notice = { Log.notice($0) }
        if let workers { options.workers = workers }
        let run = RecordRun(pipeline, options: options, gathering: gathered)
        let interrupts = Interrupts { run.drain() }
        do {
            let report = try await ProgressDisplay(mode: progress, stream: .error).show(run) { try await run.run() }
            return (report, pipeline, interrupts.first)
        } catch RunError.unfinished {
            let fix = "finish it with 'sluice run', or discard it with 'sluice gather --restart'"
            Log.error("the state folder '\(state)' has an unfinished run, which gathering cannot resume; \(fix)")
            throw ExitStatus.failed
        } catch let error as RunError {
            let reason = folder.reason(of: error)
            Log.error("\(reason)")
            if case .files = reason { throw ExitStatus.wrong }
            throw ExitStatus.failed
        }
    }
}
