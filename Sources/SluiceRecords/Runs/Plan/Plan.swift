import Sluice
import SluiceCEL
import Synchronization

/// A pipeline ready to run: its stages at work, and how they are bound to the records that come.
final class Plan: Sendable {
    /// Of all flows, each flow's together.
    let stages: [PlannedStage]
    let sinks: [PlannedSink]
    /// Of the flow that divides before those of its routes.
    let splits: [PlannedSplit]
    /// The lines of the books.
    let places: [PlannedPlace]
    private let trunk: PlannedFlow
    private let format: any Format
    private let inputs: [RecordFields.InputName]
    /// For each stage that gives its records new bytes, by its number, where they go on.
    private let later: [Int: BoundSegment]
    /// For each head that was met; one without a head for formats that have none.
    private let segments = Locked(FirstSegments())

    /// Whether a stage may end the run early.
    let mayHaveEnough: Bool
    let hasOrderedStage: Bool

    /// For sinks whose outputs name their columns first, where these are not known.
    let outputColumns: [OutputColumns]

    /// - Parameter folder: for what does not fit into the memory of a stage.
    init(_ pipeline: RecordPipeline, folder: String = StageRoom.standard.folder) {
        var planning = Planning(pipeline.source, StageRoom(pipeline, folder: folder))
        trunk = planning.plan(pipeline.flow, route: nil)
        stages = planning.stages
        sinks = planning.sinks
        splits = planning.splits.reversed()
        places = planning.places
        inputs = pipeline.source.inputs.map { RecordFields.InputName($0.path) }
        format = pipeline.source.format
        var later: [Int: BoundSegment] = [:]
        for flow in Self.flows(of: trunk).reversed() {
            for (index, stage) in flow.stages.enumerated().reversed() where stage.givesNewBytes {
                later[stage.number] = BoundSegment(Self.origin(after: stage), flow, from: index + 1, inputs: inputs, later: later)
            }
        }
        self.later = later
        mayHaveEnough = stages.contains(where: \.mayEndRun)
        outputColumns = sinks.filter(\.needsOutputColumns).map { OutputColumns($0) }
        hasOrderedStage = !outputColumns.isEmpty || stages.contains(where: \.isOrdered)
    }

    /// What a sink's output begins with that no record is written to; nothing where only an input's
    /// head can tell.
    func headOfEmptyOutput(of sink: PlannedSink) -> [UInt8] {
        let isToldByInputs = sink.settings.columns == nil && (format as? any HeadedFormat)?.needsHead == true
        let segment = sink.decoding.map { later[$0] } ?? (isToldByInputs ? nil : segment(for: nil))
        return segment?.stretch.sink(of: sink.flow)?.writer?.head ?? []
    }

    /// How records of a file with this head are laid out at the source.
    func segment(for head: FileHead?) -> BoundSegment {
        segments.withLock { $0.segment(for: head, of: self) }
    }

    fileprivate func bind(to head: FileHead?) -> BoundSegment {
        var format = format
        if let head, let headed = format as? any HeadedFormat { format = headed.completed(by: head) }
        return BoundSegment(.format(format), trunk, from: 0, inputs: inputs, later: later)
    }

    /// Where the records of a closing stage go on.
    func segment(after stage: PlannedStage) -> BoundSegment? { later[stage.number] }

    private static func origin(after stage: PlannedStage) -> BoundSegment.Origin {
        guard case .closing(let step) = stage.step, let fields = step.fields else { return .format(JSONL()) }
        return .rows(fields)
    }

    /// Depth first.
    private static func flows(of flow: PlannedFlow) -> [PlannedFlow] {
        guard case .split(let split) = flow.end else { return [flow] }
        return [flow] + split.branches.flatMap { flows(of: $0.flow) }
    }
}

/// The first stretch of a pipeline, bound to each head that was met.
private struct FirstSegments {
    private var all: [FileHead?: BoundSegment] = [:]

    mutating func segment(for head: FileHead?, of plan: Plan) -> BoundSegment {
        if let segment = all[head] { return segment }
        let segment = plan.bind(to: head)
        all[head] = segment
        return segment
    }
}

/// A stage of a run: what it does, at work, with its settings.
struct PlannedStage: Sendable {
    /// Among the stages of all flows, from 0.
    let number: Int
    /// The number of the flow that it is in.
    let flow: Int
    /// In the books.
    let place: Int
    /// Unique in the run: with the routes that lead to it before the stage's own.
    let name: String
    let settings: RecordStage
    let step: Step

    init(_ settings: RecordStage, _ room: StageRoom, number: Int, flow: Int, place: Int, name: String) {
        var settings = settings
        settings.room = room
        self.number = number
        self.flow = flow
        self.place = place
        self.name = name
        self.settings = settings
        step = settings.verb.makeStep(settings)
    }

    var mentions: [String] { settings.verb.mentions }

    var givesNewBytes: Bool {
        if case .closing = step { return true }
        return settings.verb.givesNewBytes
    }

    var isOrdered: Bool {
        guard case .ordered = step else { return false }
        return true
    }

    /// Only before any routes: other routes may want more records.
    var mayEndRun: Bool {
        guard case .ordered(let step) = step else { return false }
        return step.mayHaveEnough && flow == 0
    }

    var ownWorkers: OwnWorkers? {
        guard case .each(let step) = step else { return nil }
        return step.ownWorkers
    }

    func note(in stage: inout RunReport.Stage) {
        switch step {
        case .each(let step): step.note(in: &stage)
        case .ordered: break
        case .closing(let step): step.note(in: &stage)
        }
    }

    /// How many batches are in the stage at once.
    func batches(threads: Int) -> ClosedRange<Int> {
        switch step {
        case .each(let step): step.batches(settings.pool, threads: threads)
        case .ordered: 1...1
        case .closing: settings.pool.workers ?? 1...threads
        }
    }
}

extension CellProgram {
    package var fieldNames: [String] {
        slots.compactMap { slot in
            guard case .field(let name) = slot else { return nil }
            return name
        }
    }
}
