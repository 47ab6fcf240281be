import ArgumentParser
import CProcess
import FoundationEssentials
import Glibc
import SluiceDefinition
import SluiceRecords

struct TaskCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "task",
        abstract: "Do one task of a plan.",
        discussion: """
            Reads the inputs of the task, passes their records through the stages, and leaves the result in the plan's folder, whole or not at all. If the \
            task is done already, nothing happens; of two attempts at once, the first to end counts. So a scheduler may repeat tasks as it likes.

            Without --index, the index is that of a Kubernetes Indexed Job (JOB_COMPLETION_INDEX), a Slurm array (SLURM_ARRAY_TASK_ID) or an AWS Batch \
            array (AWS_BATCH_JOB_ARRAY_INDEX).

            EXAMPLES
              sluice task /shared/plan --index 3
              seq 0 15 | parallel sluice task /shared/plan --index {}

            EXIT CODES
              0        the task is done; records may have failed: 'sluice gather' says so
              1        failed: the task is not done
              2        there is no such task
              130, 143 interrupted: the task is not done (129, 131 by SIGHUP, SIGQUIT)
            """)

    @ArgumentParser.Argument(help: "The folder of the plan.", completion: .directory)
    var plan: String

    @Option(help: ArgumentHelp("The task's index, from 0.", valueName: "i"))
    var index: Int?

    @Option(help: ArgumentHelp("The number of threads for all stages. (default: one per processor)", valueName: "n"))
    var workers: Int?

    @Option(help: "How to show progress: a line if on a terminal (auto), plain lines, or none.")
    var progress = ProgressDisplay.Mode.auto

    @Flag(help: "Print the result, or why there is none, as a line of JSON on standard output.")
    var json = false

    @Option(help: .hidden)
    var withParent: Int32?

    private static let variables = ["JOB_COMPLETION_INDEX", "SLURM_ARRAY_TASK_ID", "AWS_BATCH_JOB_ARRAY_INDEX"]

    @OptionGroup var log: LogOptions

    func validate() throws {
        if let workers, !(1...4096).contains(workers) { throw ValidationError("'--workers' must be from 1 to 4096.") }
        _ = try chosen()
        try stayWithParent()
    }

    private func chosen() throws -> Int {
        if let index { return index }
        for name in Self.variables {
            guard let text = ProcessInfo.processInfo.environment[name] else { continue }
            guard let index = Int(text) else { throw ValidationError("\(name) is '\(text)', not the index of a task.") }
            return index
        }
        throw ValidationError("Give the index of the task: --index I.")
    }

    func run() async throws {
        let index = try chosen()
        do {
            try await run(index)
        } catch let error as RunError {
            if json { Self.print(TaskMessage(task: index, status: .failed, error: error.cause, permanent: error.isPermanent)) }
            throw error
        } catch ExitStatus.wrong {
            if json { Self.print(TaskMessage(task: index, status: .failed, error: "there is no such task", permanent: true)) }
            throw ExitStatus.wrong
        }
    }

    /// Ends with the process that started this one: what is started by a program that is killed
    /// would otherwise go on.
    ///
    /// Called from the main thread, before anything is awaited: Linux forgets the signal when the
    /// thread that asked for it ends, and threads of the pool end when they are idle.
    private func stayWithParent() throws {
        guard let withParent else { return }
        _ = cprocess_signal_on_death_of_parent(SIGKILL)
        // It may be dead already.
        if getppid() != withParent { throw ExitStatus.failed }
    }

    private func run(_ index: Int) async throws {
        let folder = PlanFolder(plan)
        let plan = try folder.plan()
        guard (0..<plan.tasks).contains(index) else {
            Log.error("there is no task \(index): the plan has \(plan.tasks), from 0 to \(plan.tasks - 1)")
            throw ExitStatus.wrong
        }
        if folder.isCommitted(index) {
            if json { Self.print(TaskMessage(task: index, status: .done)) }
            return Log.notice("task \(index) is done already")
        }
        let inputs = try folder.inputs(of: index, in: plan)
        let pipeline = try PlannedPipeline.checked(plan, reading: inputs.inputs.map(\.file)).reading(inputs, of: plan)
        let attempt = try TaskAttempt(inputs, of: plan, in: folder)
        var options = RunOptions(state: attempt.path)
        options.notice = { Log.notice($0) }
        if let workers { options.workers = workers }
        let run = RecordRun(pipeline, options: options)
        let interrupts = Interrupts { run.drain() }
        let done: (result: TaskResult, outcome: TaskAttempt.Outcome)?
        do {
            done = try await SlowGzipNotice(pipeline).watch {
                try await ProgressDisplay(mode: json ? .none : progress, stream: .error).show(run) { try await run.run(attempt) }
            }
        } catch {
            attempt.discard()
            throw error
        }
        guard let done else {
            attempt.discard()
            Log.warning("task \(index) was interrupted, and is not done")
            throw ExitStatus.interrupted(signal: interrupts.first ?? Signals.interrupt)
        }
        if json { Self.print(TaskMessage(task: index, status: .done, result: done.result)) }
        if done.outcome == .late { return Log.notice("task \(index) was done by another process meanwhile") }
        if !json { Log.write(Self.summary(done.result, index, inputs), or: [Self.entry(done.result, index, inputs)]) }
    }

    private static func print(_ message: TaskMessage) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            Terminal.output.write(String(decoding: try encoder.encode(message), as: UTF8.self) + "\n")
        } catch {
            preconditionFailure("a message of texts and numbers can be encoded")
        }
    }

    private static func entry(_ result: TaskResult, _ index: Int, _ inputs: TaskInputs) -> LogEntry {
        LogEntry(
            result.records.dead > 0 || result.damagedInputs > 0 ? .warning : .info, "task \(index) is done",
            [
                "sluice.task": .integer(index), "sluice.inputs": .integer(inputs.inputs.count), "sluice.read": .integer(result.records.read),
                "sluice.dead": .integer(result.records.dead), "sluice.damaged_inputs": .integer(result.damagedInputs),
                "sluice.seconds": .number(result.elapsedSeconds),
            ])
    }

    private static func summary(_ result: TaskResult, _ index: Int, _ inputs: TaskInputs) -> String {
        let dead = result.records.dead > 0 ? ", \(Figures.count(result.records.dead, "dead letter"))" : ""
        let damaged = result.damagedInputs > 0 ? ", damage in \(Figures.count(result.damagedInputs, "input"))" : ""
        let records = "\(Figures.count(result.records.read, "record"))\(dead)\(damaged)"
        return "sluice: task \(index) is done: \(Figures.count(inputs.inputs.count, "input")), \(records), \(Figures.seconds(result.elapsedSeconds))\n"
    }
}

/// What `task --json` prints.
private struct TaskMessage: Encodable {
    enum Status: String, Encodable { case done, failed }

    var task: Int
    var status: Status
    var records: Int?
    var dead: Int?
    var damaged: Int?
    var seconds: Double?
    var error: String?
    /// Whether another attempt would fail again.
    var permanent: Bool?

    init(task: Int, status: Status, result: TaskResult? = nil, error: String? = nil, permanent: Bool? = nil) {
        (self.task, self.status, self.error, self.permanent) = (task, status, error, permanent)
        (records, dead, damaged, seconds) = (result?.records.read, result?.records.dead, result?.damagedInputs, result?.elapsedSeconds)
    }
}
