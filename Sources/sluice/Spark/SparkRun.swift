import ArgumentParser
import FoundationEssentials
import Glibc
import SluiceDefinition
import SluiceRecords
import Synchronization

/// `run --on`: the tasks of a plan as a Spark job, and then `gather`.
struct SparkOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Run on Spark: spark://HOST:PORT, local[N], yarn, k8s://…", valueName: "master"))
    var on: String?

    @Option(help: ArgumentHelp("With --on: the number of tasks. (default: one for 256 MiB of input)", valueName: "n"))
    var tasks: Int?

    @Option(help: ArgumentHelp("With --on: divide larger files into pieces of about this size, \(Splitting.help)", valueName: "size"))
    var split: String?

    @Option(
        help: ArgumentHelp("With --on: a folder that all machines see, for the plan and its results. (default: plan in the state folder)", valueName: "folder"),
        completion: .directory)
    var plan: String?

    @Option(
        name: .customLong("conf"), parsing: .singleValue,
        help: ArgumentHelp("With --on: a setting of Spark, as spark.executor.memory=1g; may be repeated.", valueName: "name=value"))
    var settings: [String] = []

    @Flag(help: "With --on: make the plan, and print the command that submits it.")
    var printSubmit = false

    func validate() throws {
        if let tasks, !(1...1_000_000).contains(tasks) { throw ValidationError("'--tasks' must be from 1 to 1000000.") }
        if on == nil, tasks != nil || split != nil || plan != nil || !settings.isEmpty || printSubmit {
            throw ValidationError("'--tasks', '--split', '--plan', '--conf' and '--print-submit' need '--on'.")
        }
        if Splitting(split) == nil { throw ValidationError(Splitting.problem) }
        for setting in settings where !setting.contains("=") { throw ValidationError("'--conf \(setting)' has no '='; write --conf name=value") }
    }

    /// The number of tasks for inputs of these sizes. A task should take ten seconds or more: Spark
    /// needs some milliseconds for each.
    fileprivate func tasks(for sizes: [UInt64]) -> Int {
        let bytesPerTask: UInt64 = 256 << 20
        let wanted = Int((sizes.reduce(0, +) + bytesPerTask - 1) / bytesPerTask)
        return tasks ?? max(1, min(Splitting(split)?.pieces(sizes) ?? sizes.count, wanted))
    }
}

struct SparkRun {
    let master: String
    let options: SparkOptions
    let file: PipelineFile
    let settings: [String: String]
    let pipeline: RecordPipeline
    let state: String
    let restarts: Bool
    let isQuiet: Bool

    /// Makes the plan, submits its tasks that are not done yet, and waits for them.
    ///
    /// - Returns: the plan, with all tasks done; `nil` if the command was only printed.
    func run() async throws -> PlanFolder? {
        let tasks = options.tasks(for: pipeline.source.inputs.map { $0.size ?? 0 })
        try pipeline.checkDivision(into: tasks, state: state)
        let folder = PlanFolder(options.plan ?? "\(state)/plan", ifThereIsAnother: "--restart discards it, with what its tasks have done")
        if restarts { try folder.remove() }
        let plan = TaskPlan(pipeline, file: file.path, text: file.text, settings: settings, state: state, tasks: tasks)
        let (made, _, creation) = try folder.create(plan, of: pipeline.source.inputs, tables: pipeline.tables, typesFromFirst: pipeline.infersTypes) {
            (input) throws(InputError) in
            try Splitting(options.split)?.cuts(of: input, in: pipeline) ?? []
        }
        let submit = SparkSubmit(master: master, plan: folder, settings: options.settings, isQuiet: isQuiet)
        do throws(RunError) {
            try submit.prepare()
        } catch {
            throw folder.reason(of: error)
        }
        if options.printSubmit {
            Terminal.output.write("\(submit.text)\n")
            Log.notice("when it has ended: sluice gather \(SparkSubmit.quoted(options.plan ?? "\(state)/plan"))")
            return nil
        }
        guard let program = SparkSubmit.program() else {
            throw RunError.plan(
                "there is no spark-submit: set SPARK_HOME, put it into PATH, or activate a Python environment with pyspark; "
                    + "--print-submit prints the command")
        }
        let done = creation == .existed ? folder.committedTasks(of: made) : 0
        if !isQuiet {
            let reused = done > 0 ? ", \(Figures.count(done)) of them done by an earlier run" : ""
            Log.notice("\(Figures.count(made.tasks, "task")) on \(master)\(reused)")
        }
        try wait(for: submit, program)
        let missing = made.tasks - folder.committedTasks(of: made)
        guard missing == 0 else {
            guard folder.isThere else { throw folder.wasRemoved }
            if let outdated = try folder.change(since: made) {
                throw RunError.plan("\(missing) of \(made.tasks) tasks are not done: \(outdated.cause); the same command with --restart makes a new one")
            }
            let kept = made.tasks - missing
            throw RunError.plan("\(missing) of \(made.tasks) tasks are not done; \(kept > 0 ? "the others are kept: " : "")run the same command again to go on")
        }
        return folder
    }

    private func wait(for submit: SparkSubmit, _ program: String) throws {
        let running = RunningProcess()
        let interrupts = Interrupts { running.signal(SIGTERM) }
        let code = try submit.run(program) { running.begin($0) }
        running.end()
        if let signal = interrupts.first { throw ExitStatus.interrupted(signal: signal) }
        // 3: tasks have failed for good, and the runner has said which.
        if code != 0, code != 3, code != 4 { Log.error("spark-submit ended with exit code \(code)") }
    }
}

/// The process to be ended by a signal, if it runs.
private final class RunningProcess: Sendable {
    private let process = Mutex<pid_t?>(nil)

    func begin(_ number: pid_t) { process.withLock { $0 = number } }
    func end() { process.withLock { $0 = nil } }

    func signal(_ number: Int32) {
        process.withLock { process in
            if let process { kill(process, number) }
        }
    }
}
