internal import SluiceCEL
internal import SluiceRecords

/// Makes a pipeline of records from a definition: finds its inputs, compiles its expressions
/// against the fields known at each place, and collects all errors. Opens and writes nothing.
struct PipelineBuilding {
    private(set) var diagnostics: [DefinitionDiagnostic] = []
    /// `params`, for expressions.
    let constants: [String: Value]
    private let mayLackInputs: Bool
    private let givenInputs: [InputFile]?

    /// - Parameter inputs: the files to read, if they are known already.
    init(parameters: Parameters, mayLackInputs: Bool = false, inputs: [InputFile]? = nil) {
        givenInputs = inputs
        constants = ["params": parameters.value]
        self.mayLackInputs = mayLackInputs
    }

    mutating func report(_ message: String, at place: TextPlace?, fix: String? = nil) {
        diagnostics.append(DefinitionDiagnostic(message, at: place, fix: fix))
    }

    /// - Parameters:
    ///   - file: the pipeline file, if there is one.
    ///   - digest: the digest of the definition with its parameters.
    ///   - stateFolder: returns the state folder for a pipeline name, which holds the dead letters
    ///     unless the file places them elsewhere.
    /// - Returns: `nil` if something is missing that was already reported.
    mutating func pipeline(_ definition: Definition, from file: String?, digest: String, stateFolder: (String) -> String) -> RecordPipeline? {
        let source = definition.source.flatMap { buildSource($0) }
        let flow = buildFlow(definition.flow, source?.format.schema ?? .open, after: [])
        let deadLetters = definition.deadLetters.map { buildDeadLetters($0) }
        checkTests(of: definition, writing: flow?.sinks.map { $0.sink.ownFormat == nil ? $0.format : JSONL() } ?? [])
        guard let name = definition.name?.text, let source, let flow else { return nil }
        let state = stateFolder(name)
        let chosen = definition.source.flatMap { keepNew($0, of: source, in: state) } ?? source
        var pipeline = RecordPipeline(
            name: name, definition: digest, source: chosen, flow, deadLetters: deadLetters ?? state + "/dead-letter.jsonl.gz", limits: definition.limits.limits)
        pipeline.file = file
        checkFiles(of: pipeline, definition, state: state)
        return pipeline
    }

    /// - Parameters:
    ///   - fields: the fields of the records where the flow begins.
    ///   - stages: the stages before the flow.
    private mutating func buildFlow(_ flow: FlowDefinition, _ fields: Schema, after stages: [RecordStage]) -> RecordFlow? {
        var fields = fields
        var built: [RecordStage] = []
        for stage in flow.stages {
            guard let verb = stage.verb.flatMap({ buildVerb($0, label: stage.label, fields: &fields) }) else {
                // A filter doesn't change the fields, even if it is invalid.
                if !(stage.verb?.verb is any FilterVerb.Type) { fields = .open }
                continue
            }
            built.append(RecordStage(name: stage.name, verb: verb, pool: stage.pool, onError: stage.onError, fields: fields))
        }
        let before = stages + built
        let sinks = flow.sinks.compactMap { buildSink($0, fields: fields, stages: before) }
        let routes = flow.routes.map { routes in (routes.match, routes.all.map { buildRoute($0, fields, after: before) }) }
        guard !flow.isIncomplete, built.count == flow.stages.count, sinks.count == flow.sinks.count else { return nil }
        guard let (match, all) = routes else {
            guard let sink = sinks.first else { return nil }
            return sinks.count == 1 ? RecordFlow(built, into: sink) : RecordFlow(built, into: .routes(Routes(copyingTo: sinks)))
        }
        let whole = all.compactMap(\.self)
        return whole.count == all.count ? RecordFlow(built, into: .routes(Routes(whole, match: match))) : nil
    }

    private mutating func buildRoute(_ route: RouteDefinition, _ fields: Schema, after stages: [RecordStage]) -> Route? {
        let condition = route.condition.map { leaf in check("route '\(route.name.text)'", fields) { $0.condition(leaf) } }
        guard let flow = buildFlow(route.flow, fields, after: stages) else { return nil }
        if let condition, condition == nil { return nil }
        return Route(name: route.name.text, condition: condition ?? nil, flow: flow)
    }

    /// Checks that all files of the run are distinct, as far as they are known before records name
    /// their outputs.
    private mutating func checkFiles(of pipeline: RecordPipeline, _ definition: Definition, state: String) {
        guard !diagnostics.contains(where: { $0.severity == .error }) else { return }
        let sinks = definition.flow.allSinks
        do throws(InputError) {
            guard var conflict = try RunFiles(pipeline, state: state).conflict() else { return }
            // Only a path that the file gives itself can be changed in it.
            let isOwn = conflict.file.part == .deadLetters && definition.deadLetters == nil
            if isOwn, conflict.other.part == .sink, !conflict.isBelow { conflict = conflict.reversed }
            let place = conflict.file.part == .deadLetters ? definition.deadLetters?.place : sinks[conflict.file.sink].argument.place
            report("\(conflict.label): \(conflict.message)", at: place, fix: conflict.fix)
        } catch {
            if let reason = RunReport.refusal(ofState: state) {
                return report("the state folder '\(state)' cannot be created: \(reason)", at: nil, fix: "use another one (--state)")
            }
            report("\(error)", at: sinks.first?.argument.place)
        }
    }

    private mutating func check<Result>(_ label: String, _ fields: Schema = .open, _ body: (inout Checking) -> Result) -> Result {
        var checking = Checking(label: label, fields: fields, constants: constants)
        checking.mayLackInputs = mayLackInputs
        checking.givenInputs = givenInputs
        let result = body(&checking)
        diagnostics += checking.diagnostics
        return result
    }

    private mutating func buildSource(_ source: SourceDefinition) -> SourceSettings? {
        let end: (any RecordSource)? = check("source") { checking in
            source.argument.flatMap { source.kind.init($0, options: source.options, &checking) }
        }
        let format: (any Format)? = check("source") { checking in
            let format = source.format.flatMap { Formats.make($0, &checking) }
            format?.checkReading(&checking)
            return format
        }
        guard let format, let end else { return nil }
        var built = SourceSettings(end, format: format)
        if let policy = source.onDamage { built.onDamage = policy }
        if let longest = source.maxRecord { built.maxRecord = longest.value }
        if let encoding = source.encoding { built.encoding = encoding }
        let readsAll = check("source") { checking in
            let isUnpacked = source.archive.map { built.unpack($0, excluding: source.options[FileChoice.exclude], &checking) } ?? true
            let hasLines = source.multiline.map { built.join(linesOf: $0, &checking) } ?? true
            return built.complete(year: source.year.map { ($0.value, $0.place) }, zone: source.zone, &checking) && hasLines && isUnpacked
        }
        return readsAll ? built : nil
    }

    /// Leaves out the inputs that earlier runs have read, if the definition says so.
    private mutating func keepNew(_ definition: SourceDefinition, of source: SourceSettings, in state: String) -> SourceSettings? {
        guard let option = definition.options[FileChoice.newOnly], option.flag == true else { return nil }
        var source = source
        do throws(RunError) {
            try source.keepNew(in: state)
        } catch {
            report("source: \(error)", at: option.place)
        }
        return source
    }

    private mutating func buildVerb(_ verb: VerbDefinition, label: String, fields: inout Schema) -> (any Verb)? {
        let (built, after) = check(label, fields) { checking in
            (verb.verb.init(verb.argument, options: verb.options, &checking), checking.fields)
        }
        fields = after
        return built
    }

    private mutating func buildSink(_ sink: SinkDefinition, fields: Schema, stages: [RecordStage]) -> SinkSettings? {
        let end: (any RecordSink)? = check("sink", fields) { sink.kind.init(sink.argument, options: sink.options, &$0) }
        guard let end else { return nil }
        guard let format = writtenFormat(of: sink, to: end) else { return nil }
        check("sink", fields) { format.checkWriting(&$0, at: sink.place, areOwn: stages.allSatisfy(\.verb.leavesRecords)) }
        var built = SinkSettings(end, format: format, columns: fields.isOpen ? nil : fields.names)
        if let order = sink.order { built.order = order }
        return built
    }

    private mutating func writtenFormat(of sink: SinkDefinition, to end: any RecordSink) -> (any WritableFormat)? {
        if let own = end.ownFormat {
            if let format = sink.format { report("sink: 'format' is for text", at: format.name.place, fix: "remove 'format'") }
            return own
        }
        if let format = sink.format {
            return check("sink") { checking in Formats.make(format, &checking) as? any WritableFormat }
        }
        guard !sink.isFormatUnread, let ending = end.fileExtension else { return sink.isFormatUnread ? nil : JSONL() }
        guard let format = Formats.forFile(endingIn: ending) else { return JSONL() }
        return check("sink") { checking in format.init(nil, &checking) }
    }

    private mutating func buildDeadLetters(_ leaf: Leaf) -> String {
        if !leaf.isComplete { return leaf.text }
        if leaf.text.contains("{") {
            report("dead_letter: {…} is not allowed here; all dead letters of a run go to one file", at: leaf.place, fix: "use a plain path")
        } else if let reason = OutputPlace(leaf.text).refusal {
            report("dead_letter: \(reason)", at: leaf.place, fix: "name a file in a folder that you can write to")
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
