import Sluice

extension RecordPipeline {
    /// Why the work cannot be divided into tasks, as sentences for users; empty if it can.
    package var obstaclesToTasks: [String] {
        var obstacles: [String] = []
        if source.inputs.contains(where: \.isStandardInput) { obstacles.append("standard input can only be read by one process; read files") }
        for input in source.inputs where !input.isStandardInput && !Address.isAddress(input.path) {
            if case .file(size: _?) = PathKind.of(input.path) { continue }
            obstacles.append("'\(input.path)' is not a regular file")
        }
        if source.newOnly != nil { obstacles.append("'new_only' depends on earlier runs; list the files to read") }
        return obstacles
    }
}

extension RecordPipeline {
    /// A part of an output, of those that so many tasks would write, that is another file of the
    /// run, as far as that is known before records name their outputs.
    ///
    /// - Parameter state: the run's state folder.
    package func conflict(ofPartsFrom tasks: Int, state: String) throws(InputError) -> FileConflict? {
        let sinks = Plan(self).sinksOfTasks
        return sinks.isEmpty ? nil : try RunFiles(self, state: state).conflict(ofParts: sinks, from: tasks)
    }

    /// What tasks do and what is done where their results come together, as a sentence.
    package var workOfTasks: String {
        let plan = Plan(self)
        let parts = plan.sinks.filter { $0.settings.sink.hasTaskParts }
        let own = Self.paths(of: parts.filter { plan.sinksOfTasks.contains($0.number) })
        let others = Self.paths(of: parts.filter { !plan.sinksOfTasks.contains($0.number) })
        let end = (own.map { "; each writes a part of \($0)" } ?? "") + (others.map { "; gathering writes, as one task, \($0)" } ?? "")
        guard case .before(let place) = plan.taskCut else { return "tasks read the inputs, run the stages and encode the outputs" + end }
        let name = place == 0 ? "finding the years" : "'\(plan.places[place].name)'"
        let ahead = plan.stageAhead(of: place).map { "; of the records that \($0.settings.verb.name) sees, they leave those that are the first in their task" }
        return "tasks read the inputs and run the stages before \(name), which needs all records in order\(ahead ?? ""); gathering does the rest"
            + end
    }

    private static func paths(of sinks: [PlannedSink]) -> String? {
        sinks.isEmpty ? nil : sinks.map { "'\($0.settings.sink.path.text)'" }.joined(separator: ", ")
    }

    /// Whether the types of fields are inferred from the first records.
    package var infersTypes: Bool { (source.format as? any InferringFormat)?.infersTypes == true }

    /// The tables that stages look up records in.
    package var tables: [InputFile] { flow.allStages.flatMap(\.verb.files).map { InputFile(path: $0) } }

    /// The pipeline of one task.
    package func reading(_ task: TaskInputs, of plan: TaskPlan) -> RecordPipeline {
        var pipeline = self
        pipeline.source = source.reading(task.inputs.map(\.file))
        pipeline.source.inputsBefore = task.before
        (pipeline.source.start, pipeline.source.end) = (task.start, task.end?.batches)
        pipeline.source.firstInput = plan.first?.file
        return pipeline
    }
}
