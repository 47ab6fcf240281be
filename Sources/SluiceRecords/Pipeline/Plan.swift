import SluiceCEL

/// A pipeline bound to places: which columns the decoders fill, which stage reads and fills which, how a record is written at the end.
struct Plan: Sendable {
    /// From bytes to rows, once for the source and again behind every stage that gives its records new bytes.
    let source: Decoding
    /// One for each stage of the pipeline, in order.
    let stages: [any BatchStage]
    /// The fields that reach the sink.
    let output: RecordFields
    /// The pieces of the sink's path; empty for standard output.
    let path: [PathPiece]

    enum PathPiece: Sendable {
        case text(String)
        case value(BoundProgram)
    }

    init(_ pipeline: RecordPipeline) {
        let inputs = pipeline.source.inputs.map { RecordFields.InputName($0.path) }
        var template: [PathTemplate.Piece] = []
        if case .file(let path) = pipeline.sink.destination { template = path.pieces }
        var rest = Self.segments(pipeline.stages, schema: pipeline.source.format.schema)
        let last = rest.removeLast()
        var plan = SegmentPlan(
            last, format: rest.isEmpty ? pipeline.source.format : .jsonl, inputs: inputs, template: template,
            writesFields: pipeline.sink.encoding == .jsonl, into: nil)
        output = plan.fields
        path = plan.path
        var stages = plan.stages
        while let segment = rest.popLast() {
            plan = SegmentPlan(
                segment, format: rest.isEmpty ? pipeline.source.format : .jsonl, inputs: inputs, template: [], writesFields: true,
                into: plan.decoding)
            stages = plan.stages + stages
        }
        source = plan.decoding
        self.stages = stages
    }

    /// The stages, cut behind each one that gives records new bytes.
    private static func segments(_ stages: [RecordStage], schema: Schema) -> [ArraySlice<(offset: Int, element: RecordStage)>] {
        let numbered = Array(stages.enumerated())
        var segments: [ArraySlice<(offset: Int, element: RecordStage)>] = []
        var first = 0
        for (index, stage) in numbered where stage.verb.givesNewBytes {
            segments.append(numbered[first...index])
            first = index + 1
        }
        return segments + [numbered[first...]]
    }
}

extension Verb {
    /// Whether its records are decoded anew behind it, because their fields are known only then.
    var givesNewBytes: Bool {
        switch self {
        case .exec: true
        case .parse(_, let format, let into): into == nil && format.schema.isOpen
        default: false
        }
    }

    /// As the pipeline file has it.
    var name: String {
        switch self {
        case .keep: "keep"
        case .drop: "drop"
        case .set: "set"
        case .select: "select"
        case .remove: "remove"
        case .rename: "rename"
        case .parse: "parse"
        case .exec: "exec"
        }
    }

    /// Every field that the verb reads, writes or names.
    var mentions: [String] {
        switch self {
        case .keep(let program), .drop(let program): program.fieldNames
        case .set(let assignments): assignments.flatMap { [$0.field] + $0.value.fieldNames }
        case .select(let names), .remove(let names): names
        case .rename(let names): names.flatMap { [$0.old, $0.new] }
        case .parse(let field, let format, let into): [field] + (into.map { [$0] } ?? format.schema.names)
        case .exec: []
        }
    }
}

extension CellProgram {
    var fieldNames: [String] {
        slots.compactMap { slot in
            guard case .field(let name) = slot else { return nil }
            return name
        }
    }
}

extension Schema {
    var isOpen: Bool {
        guard case .open = self else { return false }
        return true
    }

    /// In order; none where the schema is open.
    var names: [String] {
        guard case .known(let fields) = self else { return [] }
        return fields.map(\.name)
    }
}
