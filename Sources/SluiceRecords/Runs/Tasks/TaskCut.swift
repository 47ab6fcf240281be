/// Where the path of the data is divided between the tasks and the run that gathers them.
enum TaskCut: Sendable, Equatable {
    /// After the sinks: tasks leave the bytes of the outputs.
    case encoded
    /// Before a place in the books, from which on the order of all records matters: tasks leave the
    /// records.
    case before(Int)

    init(_ trunk: PlannedFlow, hasYears: Bool) {
        // Years are found right after decoding.
        self = hasYears ? .before(0) : Self.firstOrdered(in: trunk, isAfterClosing: false).map { .before($0) } ?? .encoded
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

extension Plan {
    /// The stage at a cut, if tasks can filter some of the records that it filters. A run that may
    /// end early counts only the records before its end, so all of them are left.
    func stageAhead(of place: Int) -> PlannedStage? {
        guard !mayHaveEnough, let stage = places[place].stage, case .ordered(let step) = stage.step, step.worksAhead else { return nil }
        return stage
    }
}
