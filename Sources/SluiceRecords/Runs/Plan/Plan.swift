import Sluice
import SluiceCEL
import Synchronization

/// A pipeline ready to run: its stages at work, and how they are bound to the records that come.
final class Plan: Sendable {
    let stages: [PlannedStage]
    private let format: any Format
    private let inputs: [RecordFields.InputName]
    /// The stages up to the first that gives its records new bytes, and what goes on after them.
    private let firstStretch: ArraySlice<PlannedStage>
    private let rest: BoundSegment?
    private let sink: PlannedSink
    /// For each head that was met; one without a head for formats that have none.
    private let segments = Locked(FirstSegments())

    /// Places in the books: the source, the stages, the sink.
    var places: Int { stages.count + 2 }

    /// Of the places in the books.
    var names: [String] { [SourceStage.name] + stages.map(\.settings.name) + [SinkStage.name] }

    /// Whether a stage may end the run early.
    let mayHaveEnough: Bool
    let hasOrderedStage: Bool

    /// For sinks whose outputs name their columns first; `nil` where these are known, or nothing
    /// must be known.
    let outputColumns: OutputColumns?

    init(_ pipeline: RecordPipeline) {
        let stages = pipeline.stages.enumerated().map { PlannedStage($1, number: $0) }
        let inputs = pipeline.source.inputs.map { RecordFields.InputName($0.path) }
        let sink = PlannedSink(pipeline.sink)
        var stretches = Self.stretches(stages)
        var next: BoundSegment?
        while stretches.count > 1 {
            let stretch = stretches.removeLast()
            next = BoundSegment(
                Self.origin(after: stages[stretch.startIndex - 1]), stretch, inputs: inputs, sink: next == nil ? sink : nil, into: next)
        }
        self.stages = stages
        self.inputs = inputs
        self.sink = sink
        format = pipeline.source.format
        firstStretch = stretches[0]
        rest = next
        mayHaveEnough = stages.contains(where: \.mayHaveEnough)
        outputColumns = sink.needsOutputColumns ? OutputColumns(index: stages.count + 1) : nil
        hasOrderedStage = outputColumns != nil || stages.contains(where: \.isOrdered)
    }

    /// What an output begins with that no record is written to; nothing where only an input's head
    /// can tell.
    var headOfEmptyOutput: [UInt8] {
        let isToldByInputs = rest == nil && sink.settings.columns == nil && (format as? any HeadedFormat)?.needsHead == true
        var segment = isToldByInputs ? nil : rest ?? self.segment(for: nil)
        while let next = segment?.next { segment = next }
        return segment?.sink?.writer?.head ?? []
    }

    /// How records of a file with this head are laid out at the source.
    func segment(for head: FileHead?) -> BoundSegment {
        segments.withLock { $0.segment(for: head, of: self) }
    }

    fileprivate func bind(to head: FileHead?) -> BoundSegment {
        var format = format
        if let head, let headed = format as? any HeadedFormat { format = headed.completed(by: head) }
        return BoundSegment(.format(format), firstStretch, inputs: inputs, sink: rest == nil ? sink : nil, into: rest)
    }

    /// Where the records of a closing stage go on.
    func segment(after stage: PlannedStage) -> BoundSegment? {
        var segment = rest
        while let here = segment, !here.begins(after: stage.number) { segment = here.next }
        return segment
    }

    private static func origin(after stage: PlannedStage) -> BoundSegment.Origin {
        guard case .closing(let step) = stage.step else { return .format(JSONL()) }
        return .rows(step.fields)
    }

    /// The stages, cut after each one that gives records new bytes.
    private static func stretches(_ stages: [PlannedStage]) -> [ArraySlice<PlannedStage>] {
        var stretches: [ArraySlice<PlannedStage>] = []
        var first = 0
        for stage in stages where stage.givesNewBytes {
            stretches.append(stages[first...stage.number])
            first = stage.number + 1
        }
        return stretches + [stages[first...]]
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
    /// In the pipeline, from 0.
    let number: Int
    let settings: RecordStage
    let step: Step

    init(_ settings: RecordStage, number: Int) {
        self.number = number
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

    var mayHaveEnough: Bool {
        guard case .ordered(let step) = step else { return false }
        return step.mayHaveEnough
    }

    var ownWorkers: OwnWorkers? {
        guard case .each(let step) = step else { return nil }
        return step.ownWorkers
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
