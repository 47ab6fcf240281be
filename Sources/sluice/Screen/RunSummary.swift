import SluiceRecords

/// The summary on standard error at the end of a run: how it ended, and the counts.
enum RunSummary {
    /// The limit of inputs and outputs to list; the rest is counted. Those with problems come
    /// first.
    static let listed = 12

    /// - Parameters:
    ///   - streamed: what went to standard output, which needs no publishing.
    ///   - width: the columns of a terminal.
    static func text(_ report: RunReport, reportFile: String?, streamed: StreamedRecords = StreamedRecords(), width: Int? = nil) -> String {
        let written = streamed.areAll || [.complete, .losses].contains(report.status) ? "written" : "unpublished"
        var text = "\(report.pipeline): \(ending(of: report, streamed)) in \(Figures.seconds(report.elapsedSeconds))\n"
        if let error = report.error { text += "  \(error)\n" }
        text += "\n" + ledger(report, width)
        if !report.inputs.isEmpty { text += "\n" + inputs(report.inputs, written, width) }
        text += damage(report.inputs, suspect: report.records.suspect) + notes(report.inputs) + types(report)
        if !report.outputs.isEmpty { text += "\n" + outputs(report.outputs, width) }
        text += "\n" + ends(report, written)
        if let replay = report.replay { text += ReplaySummary.text(replay, hasFailed: report.status == .failed || report.status == .interrupted) }
        if let reportFile { text += "  report: \(reportFile)\n" }
        return Wrapping.wrapped(text, to: width)
    }

    static func ending(of report: RunReport, _ streamed: StreamedRecords = StreamedRecords()) -> String {
        let besides = streamed.count == 0 ? "" : " but \(Figures.count(streamed.count, "record")) on standard output"
        let published = "nothing was published\(besides)"
        switch report.status {
        case .complete: return "complete"
        case .losses: return "complete, with losses,"
        case .failed where report.publishing == nil && report.resumable == true: return "failed, \(published), run again to resume,"
        case .failed: return report.publishing.flatMap(partly) ?? "failed, \(published),"
        case .interrupted where report.resumable == true: return "interrupted, \(published), run again to resume,"
        case .interrupted: return "interrupted, \(published),"
        }
    }

    /// The end of a run that could not publish all of its files, nor take back the others.
    private static func partly(_ publishing: RunReport.Publishing) -> String? {
        guard publishing.done > 0 else { return nil }
        return "failed while publishing, \(Figures.count(publishing.done)) of \(Figures.count(publishing.of)) files are in place,"
    }

    static func ledger(_ report: RunReport, _ width: Int? = nil) -> String {
        let records = report.records
        let hasAdded = records.added > 0
        let hasAbsorbed = records.absorbed > 0
        func row(_ name: String, _ counts: [Int], added: Int, absorbed: Int, _ rest: [String]) -> [String] {
            let surplus = (hasAdded ? [Figures.count(added)] : []) + (hasAbsorbed ? [Figures.count(absorbed)] : [])
            return [name] + counts.map { Figures.count($0) } + surplus + rest
        }
        var columns = Columns()
        columns.dispensable = ["workers", "retries", "filtered", "absorbed", "added"]
        columns.append(
            ["stage", "in", "out", "filtered", "dead"] + (hasAdded ? ["added"] : []) + (hasAbsorbed ? ["absorbed"] : []) + ["retries", "workers"])
        for stage in report.stages {
            columns.append(
                row(
                    stage.name, [stage.in, stage.out, stage.filtered, stage.dead], added: stage.added, absorbed: stage.absorbed,
                    [Figures.count(stage.retries), workers(stage.workers)]))
        }
        columns.append(
            row("all", [records.read, records.written, records.filtered, records.dead], added: records.added, absorbed: records.absorbed, []))
        return columns.text(fitting: width)
    }

    private static func workers(_ workers: RunReport.Workers) -> String {
        workers.min == workers.max ? "\(workers.max)" : "\(workers.peak) of \(workers.max)"
    }

    private static func inputs(_ inputs: [RunReport.Input], _ written: String, _ width: Int?) -> String {
        var columns = Columns("input", "records", written, "filtered", "dead", "bytes")
        columns.dispensable = ["bytes", "filtered", written]
        let shown = inputs.count <= listed ? Array(inputs.indices) : worst(of: inputs)
        for input in shown.map({ inputs[$0] }) {
            columns.append([
                input.file, Figures.count(input.records), Figures.count(input.written), Figures.count(input.filtered), Figures.count(input.dead),
                Figures.bytes(input.bytes),
            ])
        }
        return columns.text(fitting: width) + rest(inputs.count - shown.count)
    }

    /// The inputs to list: those with the most troubles, and otherwise the first. A million of them
    /// are not sorted for that.
    private static func worst(of inputs: [RunReport.Input]) -> [Int] {
        var worst: [(troubles: Int, index: Int)] = []
        for index in inputs.indices {
            let troubles = troubles(of: inputs[index])
            if worst.count == listed, let last = worst.last, last.troubles >= troubles { continue }
            worst.insert((troubles, index), at: worst.firstIndex { $0.troubles < troubles } ?? worst.endIndex)
            if worst.count > listed { worst.removeLast() }
        }
        return worst.map(\.index)
    }

    private static func troubles(of input: RunReport.Input) -> Int { input.dead + input.damage.count }

    private static func damage(_ inputs: [RunReport.Input], suspect: Int) -> String {
        let damages = inputs.flatMap { input in input.damage.map { (input.file, $0) } }
        guard !damages.isEmpty else { return "" }
        var text = "\n"
        for (file, damage) in damages.prefix(listed) {
            text += "  damage: \(Figures.line(damage.file ?? file))@\(damage.offset): \(damage.kind), \(loss(damage))\n"
        }
        text += rest(damages.count - listed)
        if suspect > 0 {
            text += "  suspect: \(Figures.count(suspect, "record")) may differ from what was compressed, and others may be missing; "
            text += "'on_damage: set_aside' makes \(suspect == 1 ? "it a dead letter" : "them dead letters")\n"
        }
        return text
    }

    private static func loss(_ damage: RunReport.DamageRecord) -> String {
        switch damage.kind {
        // A file that ends too early has nothing to skip.
        case "truncated" where damage.lostBytes == 0: return "what came after it is missing"
        // All data was read, but it is not what was written.
        case "crc", "length":
            let missing = damage.lostText > 0 ? ", at least \(Figures.count(damage.lostText, "byte")) of text missing" : ""
            return "text of member \(damage.member) missing or wrong\(missing)"
        default: return "\(Figures.count(damage.lostBytes, "byte")) lost"
        }
    }

    /// The inferred types, except text.
    private static func types(_ report: RunReport) -> String {
        guard let types = report.types else { return "" }
        let known = types.fields.filter { $0.type != "string" }
        let shown = known.prefix(listed).map { "\($0.name) \($0.type)" } + (known.count > listed ? ["\(known.count - listed) more"] : [])
        let text = shown.isEmpty ? "all fields are text" : shown.joined(separator: ", ") + (known.count < types.fields.count ? ", the others text" : "")
        let count = types.records == 1 ? "the first record" : "the first \(Figures.count(types.records)) records"
        return "\n  types: \(text), by \(count) of \(Figures.line(types.file))\n" + onlyTexts(types)
    }

    /// The fields that are text because of one word.
    private static func onlyTexts(_ types: RunReport.InferredTypes) -> String {
        let fields = types.fields.compactMap { field in field.onlyText.map { (field.name, $0) } }
        return fields.prefix(listed).map { name, word in
            "  warning: \(Figures.line(name)) is text because of '\(Figures.line(word))' alone; if that is no value, add it to the format's 'nulls'\n"
        }.joined() + rest(fields.count - listed)
    }

    private static func notes(_ inputs: [RunReport.Input]) -> String {
        let notes = inputs.flatMap { input in
            (input.archive.map { [contents($0)] } ?? []).map { (input.file, $0) } + (input.note.map { [(input.file, $0)] } ?? [])
        }
        guard !notes.isEmpty else { return "" }
        return "\n" + notes.prefix(listed).map { "  note: \(Figures.line($0)): \($1)\n" }.joined() + rest(notes.count - listed)
    }

    private static func contents(_ archive: RunReport.ArchiveContents) -> String {
        let left = archive.excluded > 0 ? ", left out \(Figures.count(archive.excluded))" : ""
        let skipped = archive.skipped.sorted { $0.key < $1.key }.map { "\($0.key) \(Figures.count($0.value))" }
        return "files read \(Figures.count(archive.files))\(left)" + (skipped.isEmpty ? "" : "; skipped " + skipped.joined(separator: ", "))
    }

    private static func outputs(_ outputs: [RunReport.Output], _ width: Int?) -> String {
        var columns = Columns("output", "records", "bytes")
        columns.dispensable = ["bytes"]
        for output in outputs.prefix(listed) {
            columns.append([output.file, Figures.count(output.records), Figures.bytes(output.bytes)])
        }
        return columns.text(fitting: width) + rest(outputs.count - listed)
    }

    private static func rest(_ count: Int) -> String { count > 0 ? "  and \(Figures.count(count)) more in the report\n" : "" }

    private static func ends(_ report: RunReport, _ written: String) -> String {
        let records = report.records
        let sign = report.balanced ? "=" : "≠"
        var text = "  ledger: \(Figures.count(records.read)) in"
        if records.added > 0 { text += " + \(Figures.count(records.added)) added" }
        text += " \(sign) \(Figures.count(records.written)) \(written)"
        text += " + \(Figures.count(records.filtered)) filtered + \(Figures.count(records.dead)) dead"
        if records.absorbed > 0 { text += " + \(Figures.count(records.absorbed)) absorbed" }
        text += report.balanced ? ": balanced\n" : ": DOES NOT BALANCE\n"
        guard report.deadLetters.records > 0 else { return text }
        let codes = report.deadLetters.byCode.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let kinds = codes.map { "\($0.key) \(Figures.count($0.value))" }.joined(separator: ", ")
        let place =
            switch report.status {
            case .failed where report.publishing != nil: "published with the other files"
            case .failed where report.outputs.isEmpty: "not kept, because the run failed"
            case .interrupted: report.resumable == true ? "not published yet" : "not kept, because the run was interrupted"
            case .complete, .losses, .failed: report.deadLetters.file
            }
        text += "  dead letters: \(Figures.line(place)) (\(kinds))\n"
        return text + firsts(report)
    }

    /// The first record that failed with each code, the most frequent codes first.
    static func firsts(_ report: RunReport) -> String {
        let codes = report.deadLetters.byCode.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        return codes.prefix(listed).compactMap { code in report.deadLetters.first?[code.key].map { first(code.key, $0) } }.joined()
    }

    /// The first record that failed with a code.
    private static func first(_ code: String, _ failure: RunReport.Failure) -> String {
        let place = failure.file.map { file in " (\(Figures.line(file))\(failure.line.map { ":\($0)" } ?? ""))" } ?? ""
        return "    \(code) in \(failure.stage): \(Figures.shortened(failure.message, to: 160))\(place)\n"
    }
}

/// The records that a run has written to standard output, which cannot be taken back.
struct StreamedRecords {
    var count = 0
    /// Whether there is no other output.
    var areAll = false
}

extension StreamedRecords {
    init(_ report: RunReport, of pipeline: RecordPipeline) {
        for (settings, stage) in zip(pipeline.sinks, report.stages.filter { $0.verb == "write" }) where settings.sink is StandardOutputSink {
            count += stage.out
        }
        areAll = pipeline.sinks.allSatisfy { $0.sink is StandardOutputSink }
    }
}
