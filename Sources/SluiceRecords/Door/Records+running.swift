public import Logging
import Sluice
import SluiceCEL

extension Records {
    /// Checks the definition and reports every error in it. Inspects files and folders, but reads
    /// no record and writes nothing.
    ///
    /// - Throws: ``RecordsError/invalid(_:)``.
    public func check() throws(RecordsError) {
        _ = try pipeline(state: state(nil))
    }

    /// Processes the input to its end, publishes the outputs, and writes `report.json` into the
    /// state folder.
    ///
    /// Cancelling the calling task drains the run, like ``RecordControl/drain()``.
    ///
    /// - Parameters:
    ///   - workers: the number of threads for all stages together; by default one for each
    ///     processor.
    ///   - state: the folder for the report and, by default, the dead letters; `.sluice/NAME` if
    ///     `nil`.
    ///   - limit: the number of records to read at most; the rest of the input is ignored.
    ///   - restarting: whether to discard an unfinished run instead of resuming it.
    ///   - logger: where events of the run are logged, which docs/library.md lists; nowhere if
    ///     `nil`.
    /// - Returns: the report of a run that is complete, complete with recorded losses, or
    ///   interrupted. If no file is new, the report of a run without inputs: the outputs of the
    ///   last run, and its report in the state folder, stay.
    /// - Throws: ``RecordsError``. Dead letters and salvaged damage are not errors.
    @discardableResult
    public func run(
        _ control: RecordControl = RecordControl(), workers: Int? = nil, state: String? = nil, limit: Int? = nil, restarting: Bool = false,
        logger: Logger? = nil
    ) async throws(RecordsError) -> RunReport {
        let state = self.state(state)
        var options = RunOptions(workers: workers ?? System.processors, state: state, limit: limit)
        (options.restarts, options.logger) = (restarting, logger)
        precondition(options.workers > 0, "a run needs at least one worker, not \(options.workers)")
        let pipeline = try pipeline(state: state)
        if let newOnly = pipeline.source.newOnly, pipeline.source.inputs.isEmpty, newOnly.known > 0 { return RunReport(withoutNewInputs: pipeline) }
        let run = RecordRun(pipeline, options: options)
        control.begin(run)
        defer { control.end() }
        let report: RunReport
        do throws(RunError) {
            report = try await run.run()
        } catch {
            logger?.error("run failed", metadata: ["sluice.pipeline": .string(pipeline.name), "exception.message": .string(error.description)])
            throw .noReport(error.description)
        }
        guard report.status != .failed else { throw .failed(report.error ?? "the run failed", report) }
        return report
    }

    private func state(_ folder: String?) -> String { folder ?? ".sluice/\(name)" }

    /// The pipeline with all expressions compiled.
    private func pipeline(state: String) throws(RecordsError) -> RecordPipeline {
        var building = RecordsBuilding(self)
        let pipeline = building.pipeline(self, state: state)
        guard let pipeline, building.problems.isEmpty else { throw .invalid(building.problems) }
        return pipeline
    }
}

/// Makes a pipeline from a program's definition, and collects the errors in it.
private struct RecordsBuilding {
    private(set) var problems: [RecordsError.Problem] = []
    /// `params`, for expressions.
    private let constants: [String: Value]

    init(_ records: Records) {
        var map = ValueMap()
        for (name, value) in records.parameters { map.set(.string(name), to: value) }
        constants = ["params": .map(map)]
    }

    private mutating func check<Result>(
        _ label: String, _ script: Script, _ fields: Schema = .open, _ body: (inout Checking) -> Result
    ) -> Result {
        var checking = Checking(label: label, fields: fields, constants: constants)
        let result = body(&checking)
        problems += checking.diagnostics.map { RecordsError.Problem($0, in: script) }
        return result
    }

    private mutating func report(_ message: String, fix: String? = nil) {
        problems.append(RecordsError.Problem(message: message, fix: fix))
    }

    mutating func pipeline(_ records: Records, state: String) -> RecordPipeline? {
        if !NameKind.pipeline.admits(records.name) {
            report("'\(records.name)' is not a valid name for a pipeline", fix: "use \(NameKind.pipeline.rule)")
        }
        let source = source(records.source, state: state)
        let flow = flow(records, from: source?.format.schema ?? .open, after: [], prefix: "", depth: 0)
        if let path = records.deadLetters, let reason = OutputPlace(path).refusal { report("dead letters: \(reason)") }
        guard problems.isEmpty, let source, let flow else { return nil }
        let pipeline = RecordPipeline(
            name: records.name, definition: "sha256:" + Digest.of(records.canonicalText), source: source, flow,
            deadLetters: records.deadLetters ?? state + "/dead-letter.jsonl.gz", limits: records.limits)
        checkFiles(of: pipeline, state: state)
        return pipeline
    }

    /// Checks that all files of the run are distinct, as far as they are known before records name
    /// their outputs.
    private mutating func checkFiles(of pipeline: RecordPipeline, state: String) {
        do throws(InputError) {
            guard let conflict = try RunFiles(pipeline, state: state).conflict() else { return }
            report("\(conflict.label): \(conflict.message)", fix: conflict.fix)
        } catch {
            report("\(error)")
        }
    }

    private mutating func source(_ draft: SourceDraft, state: String) -> SourceSettings? {
        let source = inputs(of: draft)
        let format = made(draft.format, "source", isRead: true)
        guard let source, let format else { return nil }
        var settings = SourceSettings(source, format: format, onDamage: draft.onDamage, maxRecord: draft.maxRecord)
        settings.encoding = draft.encoding
        var options = Script()
        let archive = draft.unpacking.map { options.leaf($0.rawValue) }
        let excluded = draft.excluded.isEmpty ? nil : options.argument(draft.excluded)
        let lines = draft.lines.map { $0.options(&options) }
        let zone = draft.zone.map { options.leaf($0) }
        let year = draft.year.map { ($0, options.place) }
        let isComplete = check("source", options) { checking in
            let isUnpacked = archive.map { settings.unpack($0, excluding: excluded, &checking) } ?? true
            let hasLines = lines.map { settings.join(linesOf: $0, &checking) } ?? true
            return settings.complete(year: year, zone: zone, &checking) && hasLines && isUnpacked
        }
        guard isComplete else { return nil }
        if draft.isOnlyNew {
            do throws(RunError) {
                try settings.keepNew(in: state)
            } catch {
                report("source: \(error)")
            }
        }
        return settings
    }

    private mutating func inputs(of draft: SourceDraft) -> (any RecordSource)? {
        var script = Script()
        let options = draft.options(&script)
        switch draft.archives {
        case .patterns(let patterns):
            if patterns.isEmpty { report("source: no archives", fix: "name at least one file, pattern or '-'") }
            let paths = script.argument(patterns)
            return check("source", script) { FileSource(paths, options: options, &$0) }
        case .list(let list):
            let path = script.argument(list)
            return check("source", script) { FileListSource(path, options: options, &$0) }
        }
    }

    private mutating func made(_ format: RecordFormat, _ label: String, isRead: Bool) -> (any Format)? {
        var script = Script()
        let argument = format.argument(&script)
        return check(label, script) { checking in
            guard checking.admits(.format(argument), as: .format) else { return nil }
            let format = Formats.make(argument, &checking)
            if isRead { format?.checkReading(&checking) }
            return format
        }
    }

    /// - Parameters:
    ///   - fields: the fields of the records where the flow begins.
    ///   - before: the stages before the flow.
    ///   - prefix: the names of the routes that lead to it, each followed by `/`.
    private mutating func flow(_ records: Records, from fields: Schema, after before: [RecordStage], prefix: String, depth: Int) -> RecordFlow? {
        let (stages, fields) = stages(records, from: fields, prefix: prefix)
        if let division = records.division {
            let routes = routes(division, of: records, from: fields, after: before + stages, prefix: prefix, depth: depth)
            return routes.map { RecordFlow(stages, into: .routes($0)) }
        }
        if records.outputs.isEmpty {
            report(prefix.isEmpty ? "there is no sink" : "route '\(prefix.dropLast())': there is no sink", fix: "add writing(to:), forEach or routes")
        }
        let sinks = records.outputs.compactMap { sink($0, order: records.order, stages: before + stages, fields: fields, prefix: prefix) }
        guard sinks.count == records.outputs.count, let first = sinks.first else { return nil }
        return sinks.count == 1 ? RecordFlow(stages, into: first) : RecordFlow(stages, into: .routes(Routes(copyingTo: sinks)))
    }

    private mutating func routes(
        _ division: RouteDivision, of records: Records, from fields: Schema, after before: [RecordStage], prefix: String, depth: Int
    ) -> Routes? {
        if division.routes.isEmpty { report("\(prefix)routes: there are none", fix: "give at least one route") }
        if depth > 1 { report("route '\(prefix.dropLast())': routes can only be nested one level deep", fix: "use longer conditions instead") }
        var built: [Route] = []
        for (index, route) in division.routes.enumerated() {
            let label = "route '\(prefix)\(route.name)'"
            if division.routes[..<index].contains(where: { $0.name.isSame(as: route.name) }) {
                report("\(label): the name is already used", fix: "give each route a unique name")
            }
            if !NameKind.route.admits(route.name) { report("\(label) is not a valid name", fix: "use \(NameKind.route.rule)") }
            checkExtent(of: route, label)
            var script = Script()
            let leaf = route.condition.map { script.leaf($0) }
            let condition = leaf.flatMap { leaf in check(label, script, fields) { $0.condition(leaf) } }
            var inner = route.records
            if records.order == .any { inner.order = .any }
            let flow = flow(inner, from: fields, after: before, prefix: "\(prefix)\(route.name)/", depth: depth + 1)
            if let flow, leaf == nil || condition != nil { built.append(Route(name: route.name, condition: condition, flow: flow)) }
        }
        return built.count == division.routes.count && !built.isEmpty ? Routes(built, match: division.match) : nil
    }

    /// Checks that a route only has what a route can have.
    private mutating func checkExtent(of route: RecordRoute, _ label: String) {
        guard route.records.areOfRoute else {
            return report("\(label) continues other records", fix: "add stages and outputs to the records that its closure gets")
        }
        let fresh = Records.ofRoute
        let given = route.records
        let isPlain = given.name.isSame(as: fresh.name) && given.deadLetters == nil && given.limits == fresh.limits && given.parameters.isEmpty
        if !isPlain {
            report(
                "\(label): the name, the parameters, the dead letters and the limits are those of the whole run",
                fix: "set them on the records before the routes")
        }
    }

    private mutating func stages(_ records: Records, from fields: Schema, prefix: String) -> (stages: [RecordStage], fields: Schema) {
        var fields = fields
        var built: [RecordStage] = []
        for (draft, name) in zip(records.stages, stageNames(records.stages)) {
            let label = name == draft.verb ? prefix + name : "\(draft.verb) '\(prefix)\(name)'"
            let (verb, after) = check(label, draft.script, fields) { checking in
                let verb = draft.make(&checking)
                return (verb, verb == nil ? .open : checking.fields)
            }
            fields = after
            if let verb { built.append(RecordStage(name: name, verb: verb, pool: draft.pool, onError: draft.onError, fields: fields)) }
        }
        return (built, fields)
    }

    private mutating func stageNames(_ drafts: [StageDraft]) -> [String] {
        var used = drafts.compactMap(\.name)
        for (index, name) in used.enumerated() {
            let isTaken = name.index(in: Array(used[..<index])) != nil || name.index(in: NameKind.stage.taken) != nil
            if isTaken { report("the name '\(name)' is already used", fix: "give each stage a unique name") }
            if !NameKind.stage.admits(name) { report("'\(name)' is not a valid name for a stage", fix: "use \(NameKind.stage.rule)") }
        }
        return drafts.map { draft in
            if let name = draft.name { return name }
            var name = draft.verb
            var number = 1
            while name.index(in: used) != nil {
                number += 1
                name = "\(draft.verb)-\(number)"
            }
            used.append(name)
            return name
        }
    }

    private mutating func sink(
        _ output: RecordOutput, order: SinkSettings.Order, stages: [RecordStage], fields: Schema, prefix: String
    ) -> SinkSettings? {
        let columns = fields.isOpen ? nil : fields.names
        switch output.kind {
        case .closure(let body): return SinkSettings(ClosureSink(body), format: Unwritten(), order: order, columns: columns)
        case .declared(let kind, let argument, let options):
            var script = Script()
            let argument = argument(&script)
            let place = script.place
            let given = options(&script)
            let label = prefix + NameKind.sink
            let sink: (any RecordSink)? = check(label, script, fields) { kind.init(argument, options: given, &$0) }
            guard let sink, let written = written(output.format, to: sink, label) else { return nil }
            check(label, script, fields) { written.checkWriting(&$0, at: place, areOwn: stages.allSatisfy(\.verb.leavesRecords)) }
            return SinkSettings(sink, format: written, order: order, columns: columns)
        }
    }

    private mutating func written(_ format: RecordFormat?, to sink: any RecordSink, _ label: String) -> (any WritableFormat)? {
        if let own = sink.ownFormat { return own }
        if let format {
            guard let made = made(format, label, isRead: false) else { return nil }
            if let writable = made as? any WritableFormat { return writable }
            report("\(label): the format '\(made.name)' can be read but not written", fix: "write one of: \(Formats.writableNames.joined(separator: ", "))")
            return nil
        }
        guard let ending = sink.fileExtension, let known = Formats.forFile(endingIn: ending) else { return JSONL() }
        return check(label, Script()) { known.init(nil, &$0) }
    }
}

extension RunReport {
    /// The report of a run that has nothing to read, because all its inputs were read before.
    fileprivate init(withoutNewInputs pipeline: RecordPipeline) {
        self.init(
            libraries: Libraries(pipeline), pipeline: pipeline.name, definition: pipeline.definition, status: .complete, balanced: true, elapsedSeconds: 0,
            records: Records(), inputs: [], stages: [], outputs: [],
            deadLetters: DeadLetters(file: pipeline.deadLetters, records: 0, byCode: [:]))
    }
}
