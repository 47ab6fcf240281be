import SluiceCEL

/// The stages between one decoding and the next, bound to the columns of records that are laid out
/// in one way.
///
/// A run has one for each such stretch; of a format whose files have heads, one of the first
/// stretch for each head.
package final class BoundSegment: Sendable {
    let decoding: Decoding
    /// The number of its first stage in the pipeline, from 0.
    private let first: Int
    /// What goes on with the new records of its last stage.
    let next: BoundSegment?
    private let stages: [BoundStage]
    /// The fields after the last stage.
    let fields: RecordFields
    /// Where the pipeline ends here.
    let sink: BoundSink?

    /// What records of the stretch come from.
    enum Origin {
        case format(any Format)
        /// The rows that a closing stage gives.
        case rows([Schema.Field])
    }

    /// - Parameters:
    ///   - stages: with their numbers in the pipeline.
    ///   - sink: where this is the last stretch.
    ///   - next: what the last stage's new records go on in.
    init(_ origin: Origin, _ stages: ArraySlice<PlannedStage>, inputs: [RecordFields.InputName], sink: PlannedSink?, into next: BoundSegment?) {
        var names = stages.flatMap(\.mentions) + (sink?.mentions ?? [])
        var binder = StageBinder(origin, names: names, inputs: inputs, next: next)
        var bound = stages.map { binder.bind($0) }
        let shape = binder.shape
        let writesFields = sink?.format.writesFields ?? true
        if shape.base == .other, writesFields || !shape.isUntouched {
            names += shape.written.filter { $0.column == Shape.undecoded }.map(\.key)
            binder = StageBinder(origin, names: names, inputs: inputs, next: next)
            bound = stages.map { binder.bind($0) }
        }
        let fields = binder.fields
        first = stages.startIndex
        self.next = next
        self.stages = bound
        self.fields = fields
        self.sink = sink.map { BoundSink($0, fields: fields) }
        var decoder: (any RecordDecoder)?
        if case .format(let format) = origin { decoder = format.makeDecoder(columns: binder.decoded, spans: !shape.members.isEmpty) }
        decoding = Decoding(decoder: decoder, columns: binder.columns, hasSpans: !shape.members.isEmpty)
    }

    /// The stage with this number in the pipeline.
    func stage(_ number: Int) -> BoundStage { stages[number - first] }

    func begins(after number: Int) -> Bool { first == number + 1 }
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
    package let next: BoundSegment?
    private let format: (any Format)?
    private let complete: RecordFields.CompleteDecoder?
    private let inputs: [RecordFields.InputName]

    /// - Parameter names: the fields that stages or the sink mention; of a format with known
    ///   fields, others are not decoded.
    init(_ origin: BoundSegment.Origin, names: [String], inputs: [RecordFields.InputName], next: BoundSegment?) {
        self.inputs = inputs
        self.next = next
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
            index: stage.number + 1, name: stage.settings.name, policy: stage.settings.onError, timeout: stage.settings.pool.timeout,
            fields: fields)
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
