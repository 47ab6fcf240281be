import ArgumentParser
import SluiceDefinition
import SluiceRecords

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Divide a run into tasks for other processes or machines.",
        discussion: """
            Divides the inputs into tasks of about the same compressed size, and writes a plan into a folder that all machines see. Then 'sluice task' \
            does one task, on any machine and in any order, and 'sluice gather' puts their results together: its outputs, dead letters and report are \
            those of 'sluice run'. The folder needs about as much space as the outputs.

            Each task reads whole files. With --split, large files are divided, too, if decompression can begin in their middle: plain text, BGZF and \
            other files of many members or frames, outputs of sluice and pigz. The plan then reads these files once to find the places. Making the same \
            plan again changes nothing.

            EXAMPLES
              sluice plan pipelines/access-errors.yaml --tasks 16 --plan /shared/plan
              sluice plan pipelines/access-errors.yaml --tasks 64 --split 256MiB --plan /shared/plan
              seq 0 15 | parallel sluice task /shared/plan --index {}
              sluice gather /shared/plan

            EXIT CODES
              0  there is a plan
              1  the inputs cannot be read, or the plan cannot be written
              2  the pipeline file or the command line is invalid, or the pipeline cannot be divided
            """)

    @OptionGroup var pipeline: PipelineOptions

    @Option(help: ArgumentHelp("The number of tasks.", valueName: "n"))
    var tasks: Int

    @Option(help: ArgumentHelp("Divide larger files into pieces of about this size, \(Splitting.help)", valueName: "size"))
    var split: String?

    @Option(help: ArgumentHelp("The folder for the plan and the results of its tasks.", valueName: "folder"), completion: .directory)
    var plan: String

    @Option(help: ArgumentHelp("The folder for report.json and dead letters. (default: .sluice/NAME)", valueName: "folder"), completion: .directory)
    var state: String?

    @OptionGroup var log: LogOptions

    func validate() throws {
        if !(1...1_000_000).contains(tasks) { throw ValidationError("'--tasks' must be from 1 to 1000000.") }
        if Splitting(split) == nil { throw ValidationError(Splitting.problem) }
        if pipeline.file == "-" { throw ValidationError("A plan needs a pipeline file that can be read again: name one.") }
    }

    func run() throws {
        let file = try pipeline.pipelineFile()
        guard let checked = try pipeline.settings.checked(file, state: state, mayLackInputs: false).pipeline else { throw ExitStatus.wrong }
        let state = state ?? PipelineFile.stateFolder(of: checked.name)
        try checked.checkDivision(into: tasks, state: state)
        let wanted = TaskPlan(checked, file: file.path, text: file.text, settings: try pipeline.settings.values(), state: state, tasks: tasks)
        let folder = PlanFolder(plan)
        let (made, largest, creation) = try folder.create(wanted, of: checked.source.inputs, tables: checked.tables, typesFromFirst: checked.infersTypes) {
            (input) throws(InputError) in
            try Splitting(split)?.cuts(of: input, in: checked) ?? []
        }
        let done = creation == .existed ? folder.committedTasks(of: made) : 0
        let shown = SparkSubmit.quoted(plan)
        let indexes = tasks == 1 ? "0" : "I, for I from 0 to \(tasks - 1)"
        Log.write(
            """
            sluice: \(creation == .existed ? "the plan is there already" : "planned"): \(Figures.count(made.tasks, "task")) for \
            \(Figures.count(made.inputs, "input")) with \(Figures.bytes(made.bytes)), the largest with \(Figures.bytes(largest))\(done > 0 ? "; \(Figures.count(done, "task")) \(done == 1 ? "is" : "are") done" : "")
            next: sluice task \(shown) --index \(indexes); then: sluice gather \(shown)

            """, as: .info)
    }
}
