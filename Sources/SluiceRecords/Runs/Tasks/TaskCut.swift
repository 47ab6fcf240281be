/// Where the path of the data is divided between the tasks and the run that gathers them.
enum TaskCut: Sendable, Equatable {
    /// After the sinks: tasks leave the bytes of the outputs.
    case encoded
    /// Before a place in the books, from which on the order of all records matters: tasks leave the
    /// records.
    case before(Int)
}

extension Plan {
    var taskCut: TaskCut {
        // Years are found right after decoding.
        if years != nil { return .before(0) }
        return Self.firstOrdered(in: trunk, isAfterClosing: false).map { .before($0) } ?? .encoded
    }

    /// The first place whose work depends on the order of the records that the source reads. A
    /// closing stage absorbs those, and returns others when all tasks are done.
    private static func firstOrdered(in flow: PlannedFlow, isAfterClosing: Bool) -> Int? {
        var isAfterClosing = isAfterClosing
        for stage in flow.stages {
            if stage.isOrdered, !isAfterClosing { return stage.place }
            if stage.isClosing { isAfterClosing = true }
        }
        guard !isAfterClosing else { return nil }
        switch flow.end {
        case .sink(let sink): return sink.needsOutputColumns ? sink.place : nil
        case .split(let split): return split.branches.contains { firstOrdered(in: $0.flow, isAfterClosing: false) != nil } ? split.place : nil
        }
    }
}
