import SluiceCEL
import SluiceDefinition
import SluiceRecords

/// The path of a record through a pipeline and its routes: its state after each stage.
struct RecordTrace {
    private struct Step {
        var name: String
        /// The records before it.
        var before: [ValueMap] = []
        var records: [ValueMap] = []
        var filtered = 0
        /// Codes and messages of the records that fail at this stage.
        var failures: [String] = []
        /// What there is to say of a route, in place of records.
        var remark: String?
    }

    private var steps: [Step] = []
    private var outputs: [(name: String, lines: [String])] = []
    private var isRouted = false
    /// Whether any record comes to the sinks or routes after the stages.
    private var reachesEnd = false

    init(of record: String, through pipeline: RecordPipeline, state: String) async throws {
        let text = Array((Self.withHead(record, of: pipeline) + "\n").utf8)
        for count in 0...pipeline.stages.count {
            let trial = try await Trial.run(pipeline, on: [("record", text)], stages: count, state: state)
            if let error = trial.report.error { throw RunError.fault(error) }
            let books = trial.report.stages[count]
            let failures = trial.deadLetters.compactMap { Self.failure($0, at: books.name) }
            let before = steps.last?.records ?? []
            steps.append(
                Step(name: books.name, before: before, records: trial.records.compactMap(Self.map), filtered: books.filtered, failures: failures))
            if trial.records.isEmpty, count < pipeline.stages.count, trial.report.stages[count].out == 0 { break }
        }
        guard let last = steps.last, !last.records.isEmpty else { return }
        reachesEnd = true
        if case .routes = pipeline.flow.end { isRouted = true }
        try await follow(pipeline.flow, records: last.records) { route, count in
            try await Trial.run(pipeline, on: [("record", text)], route: route, stages: count, state: state)
        }
        outputs = try await Trial.outputs(of: pipeline, on: [("record", text)], state: state).filter { !$0.lines.isEmpty }
    }

    /// Follows records into the routes that a flow ends in, and into those in them.
    ///
    /// - Parameters:
    ///   - path: the numbers of the routes that lead to the flow.
    ///   - prefix: their names, each followed by `/`.
    ///   - records: those at the end of the flow's stages.
    ///   - trial: runs the stages before a route, and the first of its own.
    private mutating func follow(
        _ flow: RecordFlow, at path: [Int] = [], named prefix: String = "", records: [ValueMap],
        trial: (_ route: [Int], _ stages: Int) async throws -> Trial
    ) async throws {
        guard case .routes(let routes) = flow.end, !records.isEmpty else { return }
        /// The records that a route has taken from those after it, and the last such route.
        var taken = 0
        var taker: String?
        for (index, route) in routes.all.enumerated() {
            // One of several sinks has no name, and no stages.
            guard let name = route.name else { continue }
            var before = records
            for count in 0...route.flow.stages.count {
                let trial = try await trial(path + [index], count)
                if let error = trial.report.error { throw RunError.fault(error) }
                let own = "\(prefix)\(name)/\(count == 0 ? "sink" : route.flow.stages[count - 1].name)"
                guard let books = trial.report.stages.first(where: { $0.name == own }) else { return }
                let after = trial.records.compactMap(Self.map)
                if count == 0 {
                    let split = prefix + "routes"
                    let failures = trial.deadLetters.compactMap { Self.failure($0, at: split) }
                    if index == 0, !failures.isEmpty { steps.append(Step(name: split, failures: failures)) }
                    if failures.count >= records.count {
                        if path.isEmpty { reachesEnd = false }
                        return
                    }
                    let remark = Self.remark(on: route, taking: books.in, of: records, after: taken + failures.count < records.count ? nil : taker)
                    steps.append(Step(name: "route '\(prefix)\(name)'", remark: remark))
                    if routes.match == .first, books.in > 0 { (taken, taker) = (taken + books.in, prefix + name) }
                } else {
                    let failures = trial.deadLetters.compactMap { Self.failure($0, at: own) }
                    steps.append(Step(name: own, before: before, records: after, filtered: books.filtered, failures: failures))
                }
                before = after
                if after.isEmpty, books.out == 0 { break }
            }
            try await follow(route.flow, at: path + [index], named: "\(prefix)\(name)/", records: before, trial: trial)
        }
    }

    /// - Parameters:
    ///   - count: the number of records that the route takes.
    ///   - taker: the route before it that has taken the last record.
    private static func remark(on route: Route, taking count: Int, of records: [ValueMap], after taker: String?) -> String {
        let isOne = records.count == 1
        if count > 0 {
            let what = isOne ? "takes the record" : "takes \(Figures.count(count)) of \(Figures.count(records.count)) records"
            return what + (route.condition.map { ": \($0.text)" } ?? "")
        }
        let what = isOne ? "does not take the record" : "takes none of \(Figures.count(records.count)) records"
        if let taker { return "\(what): route '\(taker)' has taken \(isOne ? "it" : "the last of them")" }
        guard let condition = route.condition else { return what }
        let reason = ConditionReason(condition.program, over: records).text
        return Figures.line("\(what): '\(condition.text)' is not true" + (reason.map { ": \($0)" } ?? ""))
    }

    /// Prepends the header of its file to a record, which cannot be decoded without it.
    private static func withHead(_ record: String, of pipeline: RecordPipeline) -> String {
        guard (pipeline.source.format as? any HeadedFormat)?.needsHead == true, !record.contains("\n"),
            let input = pipeline.source.inputs.first(where: { !$0.isStandardInput && $0.size != nil }),
            let text = try? InputBeginning.text(of: input, from: pipeline.source.source, as: pipeline.source.archive, encoding: pipeline.source.encoding)
        else { return record }
        return String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self) + "\n" + record
    }

    private static func map(_ line: String) -> ValueMap? {
        if case .map(let map)? = Value(json: line) { map } else { nil }
    }

    private static func failure(_ line: String, at stage: String) -> String? {
        guard let letter = map(line), letter["stage"] == .string(stage), case .map(let error)? = letter["error"],
            case .string(let code)? = error["code"], case .string(let message)? = error["message"]
        else { return nil }
        return "\(code): \(message)"
    }

    /// - Parameter width: the columns of a terminal.
    func text(_ paint: Paint, width: Int? = nil) -> String {
        Wrapping.wrapped(lines(paint), to: width, breaksWords: true)
    }

    private func lines(_ paint: Paint) -> String {
        var text = ""
        for step in steps {
            text += paint.bold(step.name) + "\n"
            for failure in step.failures { text += "  \(paint.red("dead letter")) \(Figures.line(failure))\n" }
            if let remark = step.remark {
                text += "  \(remark)\n"
                continue
            }
            if step.records.isEmpty, step.failures.isEmpty { text += step.filtered > 0 ? "  \(paint.yellow("filtered"))\n" : "  no records\n" }
            if step.records.count == 1, step.before.count == 1 {
                text += Self.change(from: step.before[0], to: step.records[0], paint)
            } else {
                for record in step.records { text += "  \(Value.map(record).jsonText.printable)\n" }
            }
        }
        guard reachesEnd else { return text }
        text += paint.bold(isRouted ? "routes" : "sink") + "\n"
        if outputs.isEmpty { text += "  written to no output\n" }
        for output in outputs {
            text += "  \(output.name == "-" ? "standard output" : output.name)\n"
            for line in output.lines { text += "    \(line.printable)\n" }
        }
        return text
    }

    private static func change(from before: ValueMap, to after: ValueMap, _ paint: Paint) -> String {
        var text = ""
        for entry in before.entries where after[entry.key] == nil { text += "  \(paint.red("-")) \(plain(entry.key))\n" }
        for entry in after.entries {
            let old = before[entry.key]
            if old == nil { text += "  \(paint.green("+")) \(plain(entry.key)): \(entry.value.jsonText.printable)\n" }
            if let old, old != entry.value { text += "  \(paint.yellow("~")) \(plain(entry.key)): \(entry.value.jsonText.printable)\n" }
        }
        return text.isEmpty ? "  unchanged\n" : text
    }

    private static func plain(_ key: Value) -> String {
        if case .string(let text) = key { text.printable } else { key.jsonText.printable }
    }
}
