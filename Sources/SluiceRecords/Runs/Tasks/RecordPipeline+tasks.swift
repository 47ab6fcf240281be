import Sluice

extension RecordPipeline {
    /// Why the work cannot be divided into tasks, as sentences for users; empty if it can.
    package var obstaclesToTasks: [String] {
        var obstacles: [String] = []
        if source.inputs.contains(where: \.isStandardInput) { obstacles.append("standard input can only be read by one process; read files") }
        for input in source.inputs where !input.isStandardInput {
            if case .file(size: _?) = PathKind.of(input.path) { continue }
            obstacles.append("'\(input.path)' is not a regular file")
        }
        if source.newOnly != nil { obstacles.append("'new_only' depends on earlier runs; list the files to read") }
        return obstacles
    }
}

extension RecordPipeline {
    /// What tasks do and what is done where their results come together, as a sentence.
    package var workOfTasks: String {
        let plan = Plan(self)
        guard case .before(let place) = plan.taskCut else { return "tasks read the inputs, run the stages and encode the outputs" }
        let name = place == 0 ? "finding the years" : "'\(plan.places[place].name)'"
        return "tasks read the inputs and run the stages before \(name), which needs all records in order; gathering does the rest"
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
