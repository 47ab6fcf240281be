import SluiceCEL

/// The stages between one decoding and the next, bound to columns for one layout of the records.
///
/// A run has one for each such stretch; for a format whose files have heads, the first stretch has
/// one for each distinct head.
package final class BoundSegment: Sendable {
    let decoding: Decoding
    /// The number of columns that decoding fills; the others are those of the stages.
    let decoded: Int
    let stretch: BoundStretch
    /// The column of times whose years are to be found; `nil` if there are none.
    let timeColumn: Int?

    /// Where the records of the segment come from.
    enum Origin {
        /// - Parameter isLine: whether the bytes of every record are one line.
        case format(any Format, isLine: Bool)
        /// The rows that a closing stage produces.
        case rows([Schema.Field])

        /// The field with times whose years are to be found.
        fileprivate var timeField: String? {
            guard case .format(let format as any DatedFormat, _) = self, format.timeDefaults.year != nil else { return nil }
            return format.timeField
        }
    }

    /// - Parameters:
    ///   - start: the index in the flow of the first stage.
    ///   - later: the segment after each stage that gives records new bytes, by the stage's number.
    init(_ origin: Origin, _ flow: PlannedFlow, from start: Int, inputs: [RecordFields.InputName], later: [Int: BoundSegment]) {
        var names = flow.mentions(from: start)
        let timeField = origin.timeField
        names += timeField.map { [$0] } ?? []
        var binder = StageBinder(origin, names: names, inputs: inputs)
        var stretch = BoundStretch(flow, from: start, &binder, later: later)
        let undecoded = stretch.undecodedFields
        if !undecoded.isEmpty {
            names += undecoded
            binder = StageBinder(origin, names: names, inputs: inputs)
            stretch = BoundStretch(flow, from: start, &binder, later: later)
        }
        self.stretch = stretch
        timeColumn = timeField.flatMap { $0.index(in: binder.decoded) }
        decoded = binder.decoded.count
        let hasSpans = stretch.touchesMembers
        var decoder: (any RecordDecoder)?
        if case .format(let format, _) = origin { decoder = format.makeDecoder(columns: binder.decoded, spans: hasSpans) }
        decoding = Decoding(decoder: decoder, columns: binder.columns, hasSpans: hasSpans)
    }
}

/// The stages of one flow from a decoding, or from the beginning of the flow, up to the next
/// decoding or the end of the flow.
final class BoundStretch: Sendable {
    /// The number of the first stage.
    private let first: Int
    /// The number of the flow.
    let flow: Int
    private let stages: [BoundStage]
    /// The fields after the last stage.
    let fields: RecordFields
    /// The sink, if the flow ends here in one.
    let sink: BoundSink?
    /// The split, if the flow divides here.
    let split: BoundSplit?
    /// Whether the fields of a record are of no use after the last stage, which returns others.
    private let endsInOtherFields: Bool

    init(_ flow: PlannedFlow, from start: Int, _ binder: inout StageBinder, later: [Int: BoundSegment]) {
        let stretch = flow.stretch(from: start)
        let isDecodedAnew = stretch.last?.givesNewBytes == true
        first = stretch.first?.number ?? 0
        self.flow = flow.number
        endsInOtherFields = stretch.last?.returnsOtherFields ?? false
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

    /// The stage with the given number.
    func stage(_ number: Int) -> BoundStage { stages[number - first] }

    /// The sink of `flow`, if that flow, or one that leads to it, is this one.
    func sink(of flow: Int) -> BoundSink? {
        if flow == self.flow { return sink }
        return split?.branches.lazy.compactMap { $0.stretch.sink(of: flow) }.first
    }

    /// The stretches through which records leave: this one, or the last one of every branch.
    private var ends: [BoundStretch] { split.map { $0.branches.flatMap(\.stretch.ends) } ?? [self] }

    /// For records that are not JSON, the fields that are written although no stage mentions them.
    var undecodedFields: [String] {
        ends.flatMap { end in
            let shape = end.fields.shape
            guard !end.endsInOtherFields, shape.base == .other, end.sink?.writesFields ?? true || !shape.isUntouched else { return [String]() }
            return shape.written.filter { $0.column == Shape.undecoded }.map(\.key)
        }
    }

    /// Whether members of JSON records are written differently from how they were read.
    var touchesMembers: Bool { ends.contains { !$0.fields.shape.members.isEmpty } }
}

/// A stage bound to columns.
enum BoundStage: Sendable {
    case each(any EachStage)
    case ordered(any OrderedStage)
    case closing(any ClosingStage)
}

/// Binds stages to columns one after the other, as the shape of the records changes.
package struct StageBinder {
    /// The fields that the decoder fills columns with, in column order.
    let decoded: [String]
    package var shape: Shape
    /// The number of columns allocated so far: the decoder's, then those of the stages.
    private(set) var columns: Int
    /// The segment for records that are given new bytes.
    package internal(set) var next: BoundSegment?
    private let format: (any Format)?
    private let isLine: Bool
    private let complete: RecordFields.CompleteDecoder?
    private let inputs: [RecordFields.InputName]

    /// - Parameter names: the fields that stages or sinks mention. For a format with known fields,
    ///   no others are decoded.
    init(_ origin: BoundSegment.Origin, names: [String], inputs: [RecordFields.InputName]) {
        self.inputs = inputs
        switch origin {
        case .rows(let fields):
            format = nil
            isLine = false
            decoded = fields.map(\.name)
            shape = Shape(fields: fields.enumerated().map { ($1.name, $0) })
            complete = nil
        case .format(let format, let isLine):
            self.isLine = isLine
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

    /// The fields at this point of the flow.
    package var fields: RecordFields { RecordFields(shape: shape, format: format, isLine: isLine, complete: complete, inputs: inputs) }

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

    /// - Returns: the columns to merge in each row, if a record may have both names.
    mutating func rename(_ old: String, to new: String) -> ReshapeStage.Merge? {
        let merged = columns
        guard let merge = shape.rename(old, to: new, merged: merged) else { return nil }
        columns += 1
        return ReshapeStage.Merge(first: merge.first, second: merge.second, into: merged)
    }
}
