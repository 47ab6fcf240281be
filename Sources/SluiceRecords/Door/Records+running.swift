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
    /// - Returns: the report of a run that is complete, complete with recorded losses, or
    ///   interrupted.
    /// - Throws: ``RecordsError``. Dead letters and salvaged damage are not errors.
    @discardableResult
    public func run(
        _ control: RecordControl = RecordControl(), workers: Int? = nil, state: String? = nil, limit: Int? = nil
    ) async throws(RecordsError) -> RunReport {
        let state = self.state(state)
        let options = RunOptions(workers: workers ?? System.processors, state: state, limit: limit)
        precondition(options.workers > 0, "a run needs at least one worker, not \(options.workers)")
        let run = RecordRun(try pipeline(state: state), options: options)
        control.begin(run)
        let report: RunReport
        do throws(RunError) {
            report = try await run.run()
        } catch {
            throw .noReport(error.description)
        }
        guard report.status != .failed else { throw .failed(report.error ?? "the run failed", report) }
        return report
    }

    private func state(_ folder: String?) -> String { folder ?? ".sluice/\(name)" }

    /// The pipeline with all expressions compiled.
    private func pipeline(state: String) throws(RecordsError) -> RecordPipeline {
        var building = RecordsBuilding()
        let pipeline = building.pipeline(self, state: state)
        guard let pipeline, building.problems.isEmpty else { throw .invalid(building.problems) }
        return pipeline
    }
}

/// Makes a pipeline from a program's definition, and collects the errors in it.
private struct RecordsBuilding {
    private(set) var problems: [RecordsError.Problem] = []

    private mutating func check<Result>(
        _ label: String, _ script: Script, _ fields: Schema = .open, _ body: (inout Checking) -> Result
    ) -> Result {
        var checking = Checking(label: label, fields: fields)
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
        let source = source(records.source)
        let (stages, fields) = stages(records, from: source?.format.schema ?? .open)
        let sink = sink(records, stages: stages, fields: fields)
        if let path = records.deadLetters, let reason = OutputPlace(path).refusal { report("dead letters: \(reason)") }
        guard problems.isEmpty, let source, let sink else { return nil }
        let pipeline = RecordPipeline(
            name: records.name, definition: "sha256:" + Digest.of(records.canonicalText), source: source, stages: stages, sink: sink,
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

    private mutating func source(_ draft: SourceDraft) -> SourceSettings? {
        var script = Script()
        let paths = script.argument(draft.archives)
        if draft.archives.isEmpty { report("source: no archives", fix: "name at least one file, pattern or '-'") }
        let files = check("source", script) { FileSource(paths, options: Arguments(), &$0) }
        let format = made(draft.format, "source", isRead: true)
        guard let files, let format else { return nil }
        var settings = SourceSettings(files, format: format, onDamage: draft.onDamage, maxRecord: draft.maxRecord)
        if draft.unpacking == .tar { settings.archive = Archive() }
        var options = Script()
        let lines = draft.lines.map { $0.options(&options) }
        let zone = draft.zone.map { options.leaf($0) }
        let year = draft.year.map { ($0, options.place) }
        let isComplete = check("source", options) { checking in
            let hasLines = lines.map { settings.join(linesOf: $0, &checking) } ?? true
            return settings.complete(year: year, zone: zone, &checking) && hasLines
        }
        return isComplete ? settings : nil
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

    private mutating func stages(_ records: Records, from fields: Schema) -> (stages: [RecordStage], fields: Schema) {
        var fields = fields
        var built: [RecordStage] = []
        for (draft, name) in zip(records.stages, stageNames(records.stages)) {
            let label = name == draft.verb ? name : "\(draft.verb) '\(name)'"
            let (verb, after) = check(label, draft.script, fields) { checking in
                let verb = draft.make(&checking)
                return (verb, verb == nil ? .open : checking.fields)
            }
            fields = after
            if let verb { built.append(RecordStage(name: name, verb: verb, pool: draft.pool, onError: draft.onError)) }
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

    private mutating func sink(_ records: Records, stages: [RecordStage], fields: Schema) -> SinkSettings? {
        let columns = fields.isOpen ? nil : fields.names
        switch records.sink {
        case nil:
            report("there is no sink", fix: "add writing(to:) or forEach")
            return nil
        case .closure(let body)?:
            return SinkSettings(ClosureSink(body), format: Unwritten(), order: records.order, columns: columns)
        case .file(let path, let format, let level)?:
            var script = Script()
            let leaf = script.leaf(path)
            guard let template = check("sink", script, fields, { PathTemplate(leaf, &$0) }) else { return nil }
            let name = FileName(path)
            if level != nil, name.codec == nil { report("sink: a level is only for compressed files", fix: "use a file name that ends in .gz or .zst") }
            guard let written = written(format, endingIn: name.fileExtension) else { return nil }
            check("sink", script, fields) { written.checkWriting(&$0, at: leaf.place, areOwn: stages.allSatisfy(\.verb.leavesRecords)) }
            let sink = FileSink(
                template, fileExtension: name.fileExtension, compression: name.codec == nil ? nil : level ?? .standard, codec: name.codec ?? .gzip)
            return SinkSettings(sink, format: written, order: records.order, columns: columns)
        }
    }

    private mutating func written(_ format: RecordFormat?, endingIn ending: String?) -> (any WritableFormat)? {
        if let format {
            guard let made = made(format, "sink", isRead: false) else { return nil }
            if let writable = made as? any WritableFormat { return writable }
            report("sink: the format '\(made.name)' can be read but not written", fix: "write one of: \(Formats.writableNames.joined(separator: ", "))")
            return nil
        }
        guard let ending, let known = Formats.forFile(endingIn: ending) else { return JSONL() }
        return check("sink", Script()) { known.init(nil, &$0) }
    }
}

extension Records {
    /// The text whose digest identifies the definition. Closures are represented only by their
    /// stage, since a program cannot inspect them.
    fileprivate var canonicalText: String {
        var script = Script()
        _ = source.format.argument(&script)
        _ = source.lines?.options(&script)
        var parts = [name, "\(source.archives)"] + script.lines
        if let archive = source.unpacking { parts.append("archive \(archive.rawValue)") }
        if let year = source.year { parts.append("year \(year)") }
        if let zone = source.zone { parts.append("zone \(zone)") }
        for stage in stages { parts += [stage.verb, stage.name ?? "", stage.onError.rawValue] + stage.script.lines }
        switch sink {
        case .file(let path, let format, _)?: parts += [path, format?.format.declaration.name ?? ""]
        case .closure?, nil: parts.append("closure")
        }
        return parts.map { "\($0.utf8.count)'\($0)'" }.joined()
    }
}
