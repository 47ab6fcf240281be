import SluiceCEL
import SluiceDefinition
import SluiceRecords

/// The path of a record through a pipeline: its state after each stage.
struct RecordTrace {
    private struct Step {
        var name: String
        var records: [ValueMap]
        var filtered: Int
        /// Codes and messages of the records that fail at this stage.
        var failures: [String]
    }

    private var steps: [Step] = []
    private var outputs: [(name: String, lines: [String])] = []
    private var isRouted = false

    init(of record: String, through pipeline: RecordPipeline, state: String) async throws {
        let text = Array((Self.withHead(record, of: pipeline) + "\n").utf8)
        for count in 0...pipeline.stages.count {
            let trial = try await Trial.run(pipeline, on: [("record", text)], stages: count, state: state)
            if let error = trial.report.error { throw RunError.fault(error) }
            let books = trial.report.stages[count]
            let failures = trial.deadLetters.compactMap { Self.failure($0, at: books.name) }
            steps.append(Step(name: books.name, records: trial.records.compactMap(Self.map), filtered: books.filtered, failures: failures))
            if trial.records.isEmpty, count < pipeline.stages.count, trial.report.stages[count].out == 0 { break }
        }
        guard steps.last?.records.isEmpty == false else { return }
        if case .routes = pipeline.flow.end { isRouted = true }
        outputs = try await Trial.outputs(of: pipeline, on: [("record", text)], state: state).filter { !$0.lines.isEmpty }
    }

    /// Prepends the header of its file to a record, which cannot be decoded without it.
    private static func withHead(_ record: String, of pipeline: RecordPipeline) -> String {
        guard (pipeline.source.format as? any HeadedFormat)?.needsHead == true, !record.contains("\n"),
            let input = pipeline.source.inputs.first(where: { !$0.isStandardInput }),
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

    func text(_ paint: Paint) -> String {
        var text = ""
        var before: [ValueMap] = []
        for step in steps {
            text += paint.bold(step.name) + "\n"
            for failure in step.failures { text += "  \(paint.red("dead letter")) \(failure)\n" }
            if step.records.isEmpty, step.failures.isEmpty { text += step.filtered > 0 ? "  \(paint.yellow("filtered"))\n" : "  no records\n" }
            if step.records.count == 1, before.count == 1 {
                text += Self.change(from: before[0], to: step.records[0], paint)
            } else {
                for record in step.records { text += "  \(Value.map(record).jsonText)\n" }
            }
            before = step.records
        }
        guard !before.isEmpty else { return text }
        text += paint.bold(isRouted ? "routes" : "sink") + "\n"
        if outputs.isEmpty { text += "  written to no output\n" }
        for output in outputs {
            text += "  \(output.name == "-" ? "standard output" : output.name)\n"
            for line in output.lines { text += "    \(line)\n" }
        }
        return text
    }

    private static func change(from before: ValueMap, to after: ValueMap, _ paint: Paint) -> String {
        var text = ""
        for entry in before.entries where after[entry.key] == nil { text += "  \(paint.red("-")) \(plain(entry.key))\n" }
        for entry in after.entries {
            let old = before[entry.key]
            if old == nil { text += "  \(paint.green("+")) \(plain(entry.key)): \(entry.value.jsonText)\n" }
            if let old, old != entry.value { text += "  \(paint.yellow("~")) \(plain(entry.key)): \(entry.value.jsonText)\n" }
        }
        return text.isEmpty ? "  unchanged\n" : text
    }

    private static func plain(_ key: Value) -> String {
        if case .string(let text) = key { text } else { key.jsonText }
    }
}
