import Sluice

extension RecordPipeline {
    /// Why the work cannot be divided into tasks, as sentences for users; empty if it can.
    ///
    /// What depends on the order of all records can only be done where they come together: after a
    /// closing stage.
    package var obstaclesToTasks: [String] {
        var obstacles: [String] = []
        if source.inputs.contains(where: \.isStandardInput) { obstacles.append("standard input can only be read by one process; read files") }
        for input in source.inputs where !input.isStandardInput {
            if case .file(size: _?) = PathKind.of(input.path) { continue }
            obstacles.append("'\(input.path)' is not a regular file")
        }
        if source.newOnly != nil { obstacles.append("'new_only' depends on earlier runs; list the files to read") }
        if YearCount(source.format) != nil { obstacles.append("times without a year are dated in the order of all records") }
        return obstacles + Self.obstacles(in: flow, isAfterClosing: false)
    }

    private static func obstacles(in flow: RecordFlow, isAfterClosing: Bool) -> [String] {
        var isAfterClosing = isAfterClosing
        var obstacles: [String] = []
        for stage in flow.stages {
            switch stage.verb.makeStep(stage) {
            case .each: break
            case .closing: isAfterClosing = true
            case .ordered where isAfterClosing: break
            case .ordered:
                obstacles.append("stage '\(stage.name)' (\(stage.verb.name)) needs all records in their order")
            }
        }
        switch flow.end {
        case .sink(let sink):
            if !isAfterClosing, sink.format.needsColumns, sink.columns == nil {
                let name = sink.sink.path.constant.map { "'\($0)'" } ?? "an output"
                obstacles.append("the columns of \(name) follow from its first records; name them with 'columns:' or a 'select' stage")
            }
        case .routes(let routes):
            for route in routes.all { obstacles += Self.obstacles(in: route.flow, isAfterClosing: isAfterClosing) }
        }
        return obstacles
    }
}

extension RecordPipeline {
    /// Whether the types of fields are inferred from the first records.
    package var infersTypes: Bool { (source.format as? any InferringFormat)?.infersTypes == true }

    /// The pipeline of one task.
    package func reading(_ task: TaskInputs, of plan: TaskPlan) -> RecordPipeline {
        var pipeline = self
        pipeline.source = source.reading(task.inputs.map(\.file))
        pipeline.source.inputsBefore = task.before
        pipeline.source.firstInput = plan.first?.file
        return pipeline
    }
}
