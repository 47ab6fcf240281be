import SluiceCEL

/// A flow of a plan: its stages and its end, each with its place in the books.
struct PlannedFlow: Sendable {
    indirect enum End: Sendable {
        case sink(PlannedSink)
        case split(PlannedSplit)
    }

    /// The index among all flows, depth first; the trunk is 0.
    let number: Int
    let stages: [PlannedStage]
    let end: End

    /// Its places in the books, including those of the flows that it divides into.
    var places: ClosedRange<Int> {
        switch end {
        case .sink(let sink): (stages.first?.place ?? sink.place)...sink.place
        case .split(let split): (stages.first?.place ?? split.place)...(split.branches.last?.flow.places.upperBound ?? split.place)
        }
    }

    /// The stages from `start` up to and including the first that gives records new bytes.
    func stretch(from start: Int) -> ArraySlice<PlannedStage> {
        let rest = stages[start...]
        return rest.firstIndex(where: \.givesNewBytes).map { rest[...$0] } ?? rest
    }

    /// The sinks that get records before the end of the inputs.
    var sinksBeforeClosing: [PlannedSink] {
        guard !stages.contains(where: \.isClosing) else { return [] }
        switch end {
        case .sink(let sink): return [sink]
        case .split(let split): return split.branches.flatMap(\.flow.sinksBeforeClosing)
        }
    }

    /// Every field that is mentioned from `start` up to the next decoding, in this flow and in
    /// those that it divides into.
    func mentions(from start: Int) -> [String] {
        let stretch = stretch(from: start)
        let names = stretch.flatMap(\.mentions)
        if let last = stretch.last, last.givesNewBytes {
            // Fields that pass through it keep their types, so they must be decoded before it.
            return last.settings.verb.passesFields ? names + mentions(from: stretch.endIndex) : names
        }
        switch end {
        case .sink(let sink): return names + sink.mentions
        case .split(let split): return split.branches.reduce(names) { $0 + ($1.condition?.fieldNames ?? []) + $1.flow.mentions(from: 0) }
        }
    }
}

/// A place where a flow divides.
struct PlannedSplit: Sendable {
    struct Branch: Sendable {
        /// `nil`: takes every record.
        var condition: CellProgram?
        var flow: PlannedFlow
    }

    /// Its place in the books.
    let place: Int
    let name: String
    let match: Routes.Match
    let branches: [Branch]
    /// The number of the flow that divides.
    let flow: Int
}

/// A line of the books.
struct PlannedPlace: Sendable {
    /// Unique in the run.
    var name: String
    /// The verb shown in the report.
    var verb: String
    /// The names of the routes that lead to it, joined by `/`; `nil` outside of routes.
    var route: String?
    /// The place that its records come from; `nil` for the source.
    var before: Int?
    /// The stage at this place, if there is one.
    var stage: PlannedStage?
}

/// Numbers the parts of a pipeline and assigns them places in the books, depth first.
struct Planning {
    private(set) var places: [PlannedPlace]
    private(set) var stages: [PlannedStage] = []
    private(set) var sinks: [PlannedSink] = []
    private(set) var splits: [PlannedSplit] = []
    private var flows = 0
    private let room: StageRoom

    /// - Parameter room: the memory and folder for stages that hold much state.
    init(_ source: SourceSettings, _ room: StageRoom) {
        self.room = room
        places = [PlannedPlace(name: SourceStage.name, verb: source.format.name)]
    }

    /// - Parameters:
    ///   - route: the names of the routes that lead to the flow, joined by `/`.
    ///   - copy: the index, from 1, among several sinks of one flow.
    ///   - before: the place that the records come from.
    ///   - decoding: the number of the last stage before this flow that gave records new bytes.
    mutating func plan(_ flow: RecordFlow, route: String?, copy: Int = 1, before: Int = 0, decoding: Int? = nil) -> PlannedFlow {
        let number = flows
        flows += 1
        let prefix = route.map { $0 + "/" } ?? ""
        var (before, decoding) = (before, decoding)
        var planned: [PlannedStage] = []
        for settings in flow.stages {
            let stage = PlannedStage(settings, room, number: stages.count, flow: number, place: places.count, name: prefix + settings.name)
            places.append(PlannedPlace(name: stage.name, verb: settings.verb.name, route: route, before: before, stage: stage))
            before = stage.place
            if stage.givesNewBytes { decoding = stage.number }
            stages.append(stage)
            planned.append(stage)
        }
        switch flow.end {
        case .sink(let settings):
            let name = prefix + SinkStage.name + (copy == 1 ? "" : "/\(copy)")
            let sink = PlannedSink(settings, number: sinks.count, place: places.count, name: name, flow: number, decoding: decoding)
            sinks.append(sink)
            places.append(PlannedPlace(name: name, verb: "write", route: route, before: before))
            return PlannedFlow(number: number, stages: planned, end: .sink(sink))
        case .routes(let routes):
            let place = places.count
            let areCopies = routes.all.allSatisfy { $0.name == nil }
            let name = areCopies ? Self.copies : Self.routes
            places.append(PlannedPlace(name: prefix + name, verb: name, route: route, before: before))
            var branches: [PlannedSplit.Branch] = []
            for (index, branch) in routes.all.enumerated() {
                let flow = plan(
                    branch.flow, route: branch.name.map { prefix + $0 } ?? route, copy: areCopies ? index + 1 : 1, before: place, decoding: decoding)
                branches.append(PlannedSplit.Branch(condition: branch.condition, flow: flow))
            }
            let split = PlannedSplit(place: place, name: prefix + name, match: routes.match, branches: branches, flow: number)
            splits.append(split)
            return PlannedFlow(number: number, stages: planned, end: .split(split))
        }
    }

    /// The names of the places where a flow divides.
    static let routes = "routes"
    static let copies = "copies"
}
