import SluiceCEL

/// The stages between one decoding and the next, bound to the columns of records that are laid out
/// in one way.
///
/// A run has one for each such stretch; of a format whose files have heads, one of the first
/// stretch for each head.
package final class BoundSegment: Sendable {
    let decoding: Decoding
    let stretch: BoundStretch

    /// What records of the segment come from.
    enum Origin {
        case format(any Format)
        /// The rows that a closing stage gives.
        case rows([Schema.Field])
    }

    /// - Parameters:
    ///   - start: the first of the flow's stages.
    ///   - later: for each stage that gives new bytes, by its number, what its records go on in.
    init(_ origin: Origin, _ flow: PlannedFlow, from start: Int, inputs: [RecordFields.InputName], later: [Int: BoundSegment]) {
        var names = flow.mentions(from: start)
        var binder = StageBinder(origin, names: names, inputs: inputs)
        var stretch = BoundStretch(flow, from: start, &binder, later: later)
        let undecoded = stretch.undecodedFields
        if !undecoded.isEmpty {
            names += undecoded
            binder = StageBinder(origin, names: names, inputs: inputs)
            stretch = BoundStretch(flow, from: start, &binder, later: later)
        }
        self.stretch = stretch
        let hasSpans = stretch.touchesMembers
        var decoder: (any RecordDecoder)?
        if case .format(let format) = origin { decoder = format.makeDecoder(columns: binder.decoded, spans: hasSpans) }
        decoding = Decoding(decoder: decoder, columns: binder.columns, hasSpans: hasSpans)
    }
}

/// The stages of one flow from a decoding, or from where the flow begins, to its end or to the next
/// decoding.
final class BoundStretch: Sendable {
    /// The number of its first stage.
    private let first: Int
    /// The number of its flow.
    let flow: Int
    private let stages: [BoundStage]
    /// The fields after the last stage.
    let fields: RecordFields
    /// Where the flow ends here in a sink.
    let sink: BoundSink?
    /// Where the flow divides here.
    let split: BoundSplit?

    init(_ flow: PlannedFlow, from start: Int, _ binder: inout StageBinder, later: [Int: BoundSegment]) {
        let stretch = flow.stretch(from: start)
        let isDecodedAnew = stretch.last?.givesNewBytes == true
        first = stretch.first?.number ?? 0
        self.flow = flow.number
        binder.next = stretch.last.flatMap { isDecodedAnew ? later[$0.number] : nil }
        stages = stretch.map { binder.bind($0) }
        let fields = binder.fields
        self.fields = fields
        switch flow.end {
        case _ where isDecodedAnew: (sink, split) = (nil, nil)
        case .sink(let sink): (self.sink, split) = (BoundSink(sink, fields: fields), nil)
        case .split(let split): (sink, self.split) = (nil, BoundSplit(split, &binder, later: later))
        }
    }

    /// The stage with this number.
    func stage(_ number: Int) -> BoundStage { stages[number - first] }

    /// Where this flow, or one that it divides into, ends in a sink.
    func sink(of flow: Int) -> BoundSink? {
        if flow == self.flow { return sink }
        return split?.branches.lazy.compactMap { $0.stretch.sink(of: flow) }.first
    }

    /// Where the records of the stretch leave it.
    private var ends: [BoundStretch] { split.map { $0.branches.flatMap(\.stretch.ends) } ?? [self] }

    /// Of records that are not JSON, fields that are written and that no stage mentions.
    var undecodedFields: [String] {
        ends.flatMap { end in
            let shape = end.fields.shape
            guard shape.base == .other, end.sink?.writesFields ?? true || !shape.isUntouched else { return [String]() }
            return shape.written.filter { $0.column == Shape.undecoded }.map(\.key)
        }
    }

    /// Whether members of JSON records are written otherwise than they came.
    var touchesMembers: Bool { ends.contains { !$0.fields.shape.members.isEmpty } }
}

/// A stage at its place.
enum BoundStage: Sendable {
    case each(any EachStage)
    case ordered(any OrderedStage)
    case closing(any ClosingStage)
}

/// Binds stages to columns, one after the other, as the shape of the records changes.
package struct StageBinder {
    /// The names that the decoder fills columns with, in the order of the columns.
    let decoded: [String]
    package var shape: Shape
    /// Columns given out so far: the decoder's, then the stages'.
    private(set) var columns: Int
    /// What goes on with records that are given new bytes.
    package internal(set) var next: BoundSegment?
    private let format: (any Format)?
    private let complete: RecordFields.CompleteDecoder?
    private let inputs: [RecordFields.InputName]

    /// - Parameter names: the fields that stages or sinks mention; of a format with known fields,
    ///   others are not decoded.
    init(_ origin: BoundSegment.Origin, names: [String], inputs: [RecordFields.InputName]) {
        self.inputs = inputs
        switch origin {
        case .rows(let fields):
            format = nil
            decoded = fields.map(\.name)
            shape = Shape(fields: fields.enumerated().map { ($1.name, $0) })
            complete = nil
        case .format(let format):
            self.format = format
            switch format.schema {
            case .open:
                decoded = Swift.Set(names.map { Name($0) }).sorted().map(\.text)
                shape = Shape(json: decoded.enumerated().map { ($1, $0) })
                complete = nil
            case .known(let known):
                let wanted = Swift.Set(names.map { Name($0) })
                let decoded = known.map(\.name).filter { wanted.contains(Name($0)) }
                self.decoded = decoded
                let columns = Dictionary(decoded.enumerated().map { (Name($1), $0) }) { first, _ in first }
                shape = Shape(fields: known.map { ($0.name, columns[Name($0.name)] ?? Shape.undecoded) })
                let all = known.map(\.name)
                complete = RecordFields.CompleteDecoder(decoder: format.makeDecoder(columns: all, spans: false), names: all)
            }
        }
        columns = decoded.count
    }

    /// The fields as they are here.
    package var fields: RecordFields { RecordFields(shape: shape, format: format, complete: complete, inputs: inputs) }

    mutating func bind(_ stage: PlannedStage) -> BoundStage {
        let site = StageSite(
            index: stage.place, name: stage.name, policy: stage.settings.onError, timeout: stage.settings.pool.timeout, fields: fields,
            mayEndRun: stage.mayEndRun)
        switch stage.step {
        case .each(let step): return .each(step.bind(site, &self))
        case .ordered(let step): return .ordered(step.bind(site, &self))
        case .closing(let step): return .closing(step.bind(site, &self))
        }
    }

    package mutating func newColumn() -> Int {
        defer { columns += 1 }
        return columns
    }

    /// - Returns: the columns that must be merged in each row, where both names may exist.
    mutating func rename(_ old: String, to new: String) -> ReshapeStage.Merge? {
        let merged = columns
        guard let merge = shape.rename(old, to: new, merged: merged) else { return nil }
        columns += 1
        return ReshapeStage.Merge(first: merge.first, second: merge.second, into: merged)
    }
}
