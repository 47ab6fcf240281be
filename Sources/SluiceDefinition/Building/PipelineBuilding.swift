internal import SluiceCEL
internal import SluiceRecords

/// Makes the pipeline of records that a definition describes: finds its inputs, compiles its expressions against the fields that are known
/// at each place, and gathers everything that is wrong on the way. Nothing is opened, nothing is written.
struct PipelineBuilding {
    private(set) var diagnostics: [DefinitionDiagnostic] = []
    /// `params`, for expressions.
    let constants: [String: Value]

    init(parameters: Parameters) {
        constants = ["params": parameters.value]
    }

    mutating func report(_ message: String, at place: Place?, fix: String? = nil) {
        diagnostics.append(DefinitionDiagnostic(message, at: place, fix: fix))
    }

    /// - Parameters:
    ///   - digest: of the definition with its parameters.
    ///   - stateFolder: where dead letters go that the file gives no place.
    /// - Returns: `nil` where something is missing that was reported already.
    mutating func pipeline(_ definition: Definition, digest: String, stateFolder: (String) -> String) -> RecordPipeline? {
        let source = definition.source.flatMap { buildSource($0) }
        var schema = source?.format.schema ?? .open
        var stages: [RecordStage] = []
        for stage in definition.stages {
            guard let verb = stage.verb.flatMap({ buildVerb($0, label: stage.label, schema: &schema) }) else {
                schema = .open
                continue
            }
            stages.append(RecordStage(name: stage.name, verb: verb, pool: stage.pool, onError: stage.onError))
        }
        let sink = definition.sink.flatMap { buildSink($0, schema: schema, inputs: source?.inputs ?? []) }
        if sink?.encoding == .lines { checkLine(of: schema, stages: stages, at: definition.sink?.place) }
        let deadLetters = definition.deadLetters.map { buildDeadLetters($0, sink: definition.sink) }
        guard let name = definition.name?.text, let source, let sink, stages.count == definition.stages.count else { return nil }
        return RecordPipeline(
            name: name, definition: digest, source: source, stages: stages, sink: sink,
            deadLetters: deadLetters ?? stateFolder(name) + "/dead-letter.jsonl.gz", limits: definition.limits.limits)
    }

    private mutating func buildSource(_ source: SourceDefinition) -> RecordSource? {
        var inputs: [InputFile] = []
        for leaf in source.files where leaf.isComplete {
            do throws(InputError) {
                for file in try InputFiles.expand([leaf.text]) where !inputs.contains(file) { inputs.append(file) }
            } catch {
                report("source: \(error)", at: leaf.place, fix: error.fix)
            }
        }
        guard let format = source.format.flatMap({ buildFormat($0, label: "source") }) else { return nil }
        var built = RecordSource(inputs: inputs, format: format)
        if let policy = source.onDamage { built.onDamage = policy }
        if let longest = source.maxRecord { built.maxRecord = longest.value }
        return built
    }

    /// Lines are records' own bytes; behind stages that change records, their field `line`.
    private mutating func checkLine(of schema: Schema, stages: [RecordStage], at place: Place?) {
        guard stages.contains(where: { !$0.verb.isFilter }), case .known(let fields) = schema, !fields.contains(where: { $0.name == "line" }) else { return }
        report("sink: writes lines, and the records have no field 'line' here", at: place, fix: "set a field 'line', or write jsonl")
    }

    private mutating func buildDeadLetters(_ leaf: Leaf, sink: SinkDefinition?) -> String {
        if !leaf.isComplete { return leaf.text }
        if leaf.text.contains("{") {
            report("dead_letter: no {…} here, all dead letters of a run go to one file", at: leaf.place, fix: "write a plain path")
        } else if case .file(let path) = sink?.destination, path.text == leaf.text {
            report("dead_letter: '\(leaf.text)' is the sink's file", at: leaf.place, fix: "give dead letters a file of their own")
        } else if let reason = OutputPlace(leaf.text).refusal {
            report("dead_letter: \(reason)", at: leaf.place, fix: "name a file in a folder that you may write to")
        }
        return leaf.text
    }
}

extension LimitsDefinition {
    fileprivate var limits: Limits {
        var limits = Limits(deadLetters: deadLetters)
        if let memory { limits.memory = memory.value }
        return limits
    }
}

extension Verb {
    fileprivate var isFilter: Bool {
        switch self {
        case .keep, .drop: true
        default: false
        }
    }
}

extension InputError {
    fileprivate var fix: String? {
        switch self {
        case .missing, .noMatch: "relative paths start from the current folder"
        default: nil
        }
    }
}

extension Parameters {
    /// The parameters as expressions see them: `params.name`.
    fileprivate var value: Value {
        var map = ValueMap()
        for parameter in all { map.set(.string(parameter.name.text), to: parameter.value) }
        return .map(map)
    }
}

extension Parameters.Parameter {
    fileprivate var value: Value {
        switch kind {
        case .text: .string(text)
        case .integer: Int64(text).map(Value.int) ?? .string(text)
        case .number: Double(text).map(Value.double) ?? .string(text)
        case .bool: .bool(text == "true")
        }
    }
}
