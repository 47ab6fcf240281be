import SluiceCEL

/// The plan of the stages between one decoding and the next.
struct SegmentPlan {
    typealias NumberedStage = (offset: Int, element: RecordStage)

    let decoding: Decoding
    let stages: [any BatchStage]
    /// The fields behind the last stage.
    let fields: RecordFields
    let path: [Plan.PathPiece]

    /// - Parameters:
    ///   - template: the sink's path, where this is the last segment.
    ///   - writesFields: whether records are written field by field behind it, rather than as their own bytes.
    ///   - next: what the last stage's new bytes are decoded with.
    init(
        _ stages: ArraySlice<NumberedStage>, format: Format, inputs: [RecordFields.InputName], template: [PathTemplate.Piece],
        writesFields: Bool, into next: Decoding?
    ) {
        var names = stages.flatMap(\.element.verb.mentions)
        for case .value(let program) in template { names += program.fieldNames }
        var binder = StageBinder(format, names: names, inputs: inputs)
        var bound = stages.map { binder.bind($0.element, index: $0.offset + 1, into: next) }
        let shape = binder.shape
        if shape.base == .other, writesFields || !shape.isUntouched {
            names += shape.written.filter { $0.column == Shape.undecoded }.map(\.key)
            binder = StageBinder(format, names: names, inputs: inputs)
            bound = stages.map { binder.bind($0.element, index: $0.offset + 1, into: next) }
        }
        let fields = binder.fields
        self.stages = bound
        self.fields = fields
        path = template.map { piece in
            switch piece {
            case .text(let text): .text(text)
            case .value(let program): .value(BoundProgram(program, in: fields))
            }
        }
        decoding = Decoding(
            decoder: format.makeDecoder(columns: binder.decoded, spans: !shape.members.isEmpty), columns: binder.columns,
            hasSpans: !shape.members.isEmpty)
    }
}

/// Binds stages to columns, one after the other, as the shape of the records changes.
struct StageBinder {
    /// The names that the decoder fills columns with, in the order of the columns.
    let decoded: [String]
    private(set) var shape: Shape
    /// Columns given out so far: the decoder's, then the stages'.
    private(set) var columns: Int
    private let complete: RecordFields.CompleteDecoder?
    private let inputs: [RecordFields.InputName]

    /// - Parameter names: the fields that stages or the sink mention; of a format with known fields, others are not decoded.
    init(_ format: Format, names: [String], inputs: [RecordFields.InputName]) {
        self.inputs = inputs
        switch format.schema {
        case .open:
            decoded = Array(Set(names)).sorted()
            let places = Dictionary(uniqueKeysWithValues: decoded.enumerated().map { ($1, $0) })
            shape = Shape(json: places)
            complete = nil
        case .known(let known):
            let wanted = Set(names)
            let decoded = known.map(\.name).filter(wanted.contains)
            self.decoded = decoded
            shape = Shape(fields: known.map { ($0.name, decoded.firstIndex(of: $0.name) ?? Shape.undecoded) })
            let all = known.map(\.name)
            complete = RecordFields.CompleteDecoder(decoder: format.makeDecoder(columns: all, spans: false), names: all)
        }
        columns = decoded.count
    }

    var fields: RecordFields { RecordFields(shape: shape, complete: complete, inputs: inputs) }

    mutating func bind(_ stage: RecordStage, index: Int, into next: Decoding?) -> any BatchStage {
        let site = StageSite(index: index, name: stage.name, policy: stage.onError, timeout: stage.pool.timeout, fields: fields)
        switch stage.verb {
        case .keep(let condition):
            return KeepStage(site: site, condition: BoundProgram(condition, in: fields), keeps: true)
        case .drop(let condition):
            return KeepStage(site: site, condition: BoundProgram(condition, in: fields), keeps: false)
        case .set(let assignments):
            return SetStage(site: site, assignments: assignments.map { bind($0.value, to: $0.field) })
        case .select(let names):
            shape.select(names)
            return ReshapeStage(site: site, merges: [])
        case .remove(let names):
            for name in names { shape.remove(name) }
            return ReshapeStage(site: site, merges: [])
        case .rename(let names):
            return ReshapeStage(site: site, merges: names.compactMap { rename($0.old, to: $0.new) })
        case .parse(let field, let format, let into):
            return bindParse(site, field, format, into, next)
        case .exec(let command):
            var site = site
            // The children have the time limit, for each attempt.
            site.timeout = nil
            return ExecStage(site: site, command: command, pool: stage.pool, next: next)
        }
    }

    private mutating func bind(_ value: CellProgram, to field: String) -> SetStage.Assignment {
        let bound = BoundProgram(value, in: fields)
        let previous = shape.column(of: field)
        let column = newColumn()
        shape.set(field, column: column)
        return SetStage.Assignment(value: bound, column: column, previous: previous)
    }

    private mutating func rename(_ old: String, to new: String) -> ReshapeStage.Merge? {
        let merged = columns
        guard let merge = shape.rename(old, to: new, merged: merged) else { return nil }
        columns += 1
        return ReshapeStage.Merge(first: merge.first, second: merge.second, into: merged)
    }

    private mutating func bindParse(
        _ site: StageSite, _ field: String, _ format: Format, _ into: String?, _ next: Decoding?
    ) -> any BatchStage {
        let column = shape.column(of: field)
        let names = format.schema.names
        let parser = FieldParser(field: field, column: column, decoder: format.makeDecoder(columns: names, spans: false), names: names)
        if let into {
            let target = newColumn()
            shape.set(into, column: target)
            return NestStage(site: site, parser: parser, target: target)
        }
        guard format.schema.isOpen else {
            let merged = names.map { name in
                let previous = shape.column(of: name)
                let target = newColumn()
                shape.set(name, column: target)
                return SpreadStage.Target(column: target, previous: previous)
            }
            return SpreadStage(site: site, parser: parser, targets: merged)
        }
        return MergeStage(site: site, parser: parser, next: next)
    }

    private mutating func newColumn() -> Int {
        defer { columns += 1 }
        return columns
    }
}
