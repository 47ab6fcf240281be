import FoundationEssentials
import Sluice
import SluiceCEL
import Synchronization

/// A pipeline ready to run: its stages, and how they are bound to the layouts of the records.
final class Plan: Sendable {
    /// The stages of all flows, grouped by flow.
    let stages: [PlannedStage]
    let sinks: [PlannedSink]
    /// A split comes before those of its own routes.
    let splits: [PlannedSplit]
    /// The lines of the books.
    let places: [PlannedPlace]
    let trunk: PlannedFlow
    /// Exchanged once, before the first batch, if its types are inferred.
    private let format: Locked<any Format>
    private let needsHead: Bool
    /// Whether the bytes of every record that is read are one line.
    private let areLines: Bool
    private let inputs: [RecordFields.InputName]
    /// The segment after each stage that gives records new bytes, by the stage's number.
    private let later: [Int: BoundSegment]
    /// One segment for each distinct head; for formats without heads, one for `nil`.
    private let segments = Locked(FirstSegments())

    /// Whether a stage may end the run early.
    let mayHaveEnough: Bool
    /// Whether a step before the sinks has state that depends on the order of the batches.
    var hasOrderedSteps: Bool { years != nil || stages.contains(where: \.isOrdered) }
    let hasOrderedStage: Bool
    /// Whether batches are committed in any order. An ordered stage makes all stages before it
    /// ordered, too.
    let isUnordered: Bool

    /// Finds the years of times without one; `nil` if there are none.
    let years: YearCount?

    /// What closing stages have taken in, by the stage's number.
    private let intakes: [Int: ClosingIntake]
    /// The spill files of the stages.
    let folder: StageFolder
    let deadLetterLimit: DeadLetterLimit?

    /// One for each sink whose outputs begin with their column names, if these are not known yet.
    let outputColumns: [OutputColumns]
    /// One for each sink whose outputs are divided into files.
    let outputParts: [OutputParts]

    /// The sinks whose outputs tasks write as files of their own, by their numbers.
    let sinksOfTasks: Swift.Set<Int>

    /// Those of ``outputParts`` that each task divides by itself, and those that divide what all
    /// tasks have written.
    var outputPartsOfTasks: [OutputParts] { outputParts.filter { sinksOfTasks.contains($0.sink) } }
    var outputPartsOfAll: [OutputParts] { outputParts.filter { !sinksOfTasks.contains($0.sink) } }

    /// Where tasks end and the run that gathers them begins.
    let taskCut: TaskCut

    /// - Parameters:
    ///   - folder: where stages spill what exceeds their memory.
    ///   - isGathering: whether tasks have read the inputs.
    init(_ pipeline: RecordPipeline, folder: String = StageRoom.standard.folder.path, isGathering: Bool = false) {
        self.folder = StageFolder(folder)
        let room = StageRoom(pipeline, folder: self.folder)
        deadLetterLimit = room.deadLetters
        var planning = Planning(pipeline.source, room)
        trunk = planning.plan(pipeline.flow, route: nil)
        stages = planning.stages
        sinks = planning.sinks
        splits = planning.splits.reversed()
        places = planning.places
        years = YearCount(pipeline.source.format)
        taskCut = TaskCut(trunk, hasYears: years != nil)
        sinksOfTasks = taskCut == .encoded ? Swift.Set(trunk.sinksBeforeClosing.filter { $0.settings.sink.hasTaskParts }.map(\.number)) : []
        // There may be a million, and records that are encoded already need none.
        inputs = isGathering && taskCut == .encoded ? [] : pipeline.source.inputs.map { RecordFields.InputName($0.path) }
        format = Locked(pipeline.source.format)
        needsHead = (pipeline.source.format as? any HeadedFormat)?.needsHead == true
        areLines = pipeline.source.framing == .lines
        var later: [Int: BoundSegment] = [:]
        for flow in Self.flows(of: trunk).reversed() {
            for (index, stage) in flow.stages.enumerated().reversed() where stage.givesNewBytes {
                later[stage.number] = BoundSegment(Self.origin(after: stage), flow, from: index + 1, inputs: inputs, later: later)
            }
        }
        self.later = later
        mayHaveEnough = stages.contains(where: \.mayEndRun)
        outputColumns = sinks.filter(\.needsOutputColumns).map { OutputColumns($0) }
        outputParts = sinks.compactMap { OutputParts($0) }
        hasOrderedStage = years != nil || !outputColumns.isEmpty || !outputParts.isEmpty || stages.contains(where: \.isOrdered)
        var intakes: [Int: ClosingIntake] = [:]
        for stage in stages {
            if case .closing(let step) = stage.step { intakes[stage.number] = ClosingIntake(step) }
        }
        self.intakes = intakes
        isUnordered = pipeline.sinks.allSatisfy { $0.order == .any } && !hasOrderedStage
    }

    /// The states of all ordered stages. Must not be called while a batch is in one of them.
    func stepStates() throws(RunError) -> [Checkpoint.StepState] {
        var states: [Checkpoint.StepState] = []
        for stage in stages {
            guard case .ordered(let step) = stage.step else { continue }
            states.append(Checkpoint.StepState(stage: stage.name, state: try step.checkpoint()))
        }
        if let years { states.append(Checkpoint.StepState(stage: YearCount.name, state: years.checkpoint)) }
        return states
    }

    /// The states of all closing stages; `nil` once one of them returns its results.
    func closingStates(at cut: Checkpoint.Cut) throws(RunError) -> [Checkpoint.ClosingState]? {
        var states: [Checkpoint.ClosingState] = []
        for stage in stages {
            guard let intake = intakes[stage.number] else { continue }
            guard let (state, ahead) = try intake.checkpoint(at: cut) else { return nil }
            states.append(Checkpoint.ClosingState(step: Checkpoint.StepState(stage: stage.name, state: state), ahead: ahead))
        }
        // Otherwise, a later one may contain results of an earlier one.
        return intakes.values.contains(where: \.isClosed) ? nil : states
    }

    func intake(of stage: PlannedStage) -> ClosingIntake? { intakes[stage.number] }

    /// Must be called before the first batch.
    func restore(_ checkpoint: Checkpoint) throws(RunError) {
        for saved in checkpoint.steps {
            try restore(saved) { (stage, state) throws(CheckpointError) in
                if saved.stage == YearCount.name { try years?.restore(state) }
                if case .ordered(let step) = stage?.step { try step.restore(state) }
            }
        }
        for saved in checkpoint.closing {
            try restore(saved.step) { (stage, state) throws(CheckpointError) in
                try stage.flatMap { intakes[$0.number] }?.restore(state, ahead: saved.ahead)
            }
        }
        for columns in outputColumns { columns.restore(checkpoint.sinks[columns.sink.number].columns) }
        for parts in outputParts { parts.restore(checkpoint.sinks[parts.sink].parts ?? []) }
    }

    private func restore(
        _ saved: Checkpoint.StepState, _ body: (PlannedStage?, StageState) throws(CheckpointError) -> Void
    ) throws(RunError) {
        let state = try saved.opened(in: folder)
        do throws(CheckpointError) {
            try body(stages.first { $0.name.isSame(as: saved.stage) }, state)
        } catch {
            throw .unfinished(reason: "the state of stage '\(saved.stage)' cannot be read: \(error.reason)")
        }
    }

    /// The header of an output that no record is written to; empty if it depends on the head of an
    /// input.
    func headOfEmptyOutput(of sink: PlannedSink) -> [UInt8] {
        let dependsOnInputs = sink.settings.columns == nil && needsHead
        let segment = sink.decoding.map { later[$0] } ?? (dependsOnInputs ? nil : segment(for: nil))
        return segment?.stretch.sink(of: sink.flow)?.writer?.head ?? []
    }

    /// Reads records in another format. Must be called before the first batch.
    func read(as other: any Format) { format.withLock { $0 = other } }

    /// The segment at the source for records of a file with this head.
    func segment(for head: FileHead?) -> BoundSegment {
        segments.withLock { $0.segment(for: head, of: self) }
    }

    fileprivate func bind(to head: FileHead?) -> BoundSegment {
        var format = self.format.withLock { $0 }
        if let head, let headed = format as? any HeadedFormat { format = headed.completed(by: head) }
        return BoundSegment(.format(format, isLine: areLines), trunk, from: 0, inputs: inputs, later: later)
    }

    /// The stage that gave the records of a segment their bytes; `nil` if the source did.
    func stage(before segment: BoundSegment) -> PlannedStage? { stages.first { later[$0.number] === segment } }

    /// The segment after a stage that gives records new bytes.
    func segment(after stage: PlannedStage) -> BoundSegment? { later[stage.number] }

    private static func origin(after stage: PlannedStage) -> BoundSegment.Origin {
        guard case .closing(let step) = stage.step, let fields = step.fields else { return .format(JSONL(), isLine: true) }
        return .rows(fields)
    }

    /// All flows, depth first.
    private static func flows(of flow: PlannedFlow) -> [PlannedFlow] {
        guard case .split(let split) = flow.end else { return [flow] }
        return [flow] + split.branches.flatMap { flows(of: $0.flow) }
    }
}

/// The first segment of a pipeline for each head seen so far.
private struct FirstSegments {
    private var all: [FileHead?: BoundSegment] = [:]
    /// More heads than archives have; a file can be made of heads alone.
    private static let most = 1024

    mutating func segment(for head: FileHead?, of plan: Plan) -> BoundSegment {
        if let segment = all[head] { return segment }
        if all.count == Self.most { all = [:] }
        let segment = plan.bind(to: head)
        all[head] = segment
        return segment
    }
}

/// A stage of a run: its settings and the step made from them.
struct PlannedStage: Sendable {
    /// The index among the stages of all flows.
    let number: Int
    /// The number of the flow that contains it.
    let flow: Int
    /// Its place in the books.
    let place: Int
    /// Unique in the run: the stage's own name, prefixed with the routes that lead to it.
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
        step = settings.isPassed ? .each(PassedStep()) : settings.verb.makeStep(settings)
    }

    var mentions: [String] { settings.verb.mentions }

    var givesNewBytes: Bool {
        if case .closing = step { return true }
        return settings.verb.givesNewBytes
    }

    /// Whether the records that it returns have fields of their own, and none of those it receives.
    var returnsOtherFields: Bool {
        guard case .closing(let step) = step else { return false }
        return step.fields != nil
    }

    var isOrdered: Bool {
        guard case .ordered = step else { return false }
        return true
    }

    var isClosing: Bool {
        guard case .closing = step else { return false }
        return true
    }

    /// Only before any routes, since other routes may need more records.
    var mayEndRun: Bool {
        guard case .ordered(let step) = step else { return false }
        return step.mayHaveEnough && flow == 0
    }

    var ownWorkers: OwnWorkers? {
        guard case .each(let step) = step else { return nil }
        return step.ownWorkers
    }

    /// How many of its own workers it can be given; `nil` if it has none, or their number is fixed.
    var allowedWorkers: ClosedRange<Int>? {
        guard case .each(let step) = step else { return nil }
        return step.allowedWorkers
    }

    /// Sets the number of its own workers, within ``allowedWorkers``.
    func resize(to workers: Int) {
        if case .each(let step) = step { step.resize(to: workers) }
    }

    func note(in stage: inout RunReport.Stage) {
        switch step {
        case .each(let step): step.note(in: &stage)
        case .ordered: break
        case .closing(let step): step.note(in: &stage)
        }
    }

    /// How many batches the stage may work on at once.
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
