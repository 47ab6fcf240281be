import SluiceDefinition
import SluiceRecords

/// Hints at the end of a run: a condition that no record met, or inputs in a different format than
/// the definition says.
struct RunHints {
    private(set) var hints: [String] = []

    /// The maximum number of inputs to examine.
    private static let most = 3
    /// The maximum number of records to examine.
    private static let records = 1000

    /// Reads the beginnings of inputs again if there may be something to report.
    init(_ pipeline: RecordPipeline, _ report: RunReport) async {
        guard report.status != .interrupted else { return }
        for input in report.inputs where input.records > 0 && 2 * input.dead >= input.records {
            guard hints.count < Self.most, report.stages[0].dead > 0 else { break }
            if let hint = await Self.format(of: input.file, pipeline) { hints.append("\(input.file) \(hint)") }
        }
        if hints.isEmpty, let file = Self.fileThatIsNotUTF8(pipeline, report) {
            hints.append("\(file) is not UTF-8, and JSON has such text in base64; set 'encoding: latin1' in the source if that is what it is")
        }
        hints += MissingColumns(of: pipeline.source, stages: pipeline.stages)?.messages ?? []
        await look(at: pipeline, report)
    }

    func text(_ paint: Paint) -> String { hints.map { "  " + paint.yellow("warning: ") + $0 + "\n" }.joined() }

    /// The first input, if its beginning has bytes that are not UTF-8, and records are written as
    /// JSON.
    private static func fileThatIsNotUTF8(_ pipeline: RecordPipeline, _ report: RunReport) -> String? {
        guard pipeline.source.encoding == .utf8, report.records.written > 0, pipeline.sinks.contains(where: { $0.format is JSONL }),
            let input = pipeline.source.inputs.first, input.size != nil, !input.isStandardInput,
            let text = try? InputBeginning.text(of: input, from: pipeline.source.source, as: pipeline.source.archive)
        else { return nil }
        // A long line may be cut off inside a character.
        let lines = text.lastIndex(of: UInt8(ascii: "\n")).map { text[...$0] } ?? (text.count < 32 << 10 ? text[...] : [])
        return String(validating: lines, as: UTF8.self) == nil ? input.path : nil
    }

    private static func format(of file: String, _ pipeline: RecordPipeline) async -> String? {
        guard let input = pipeline.source.inputs.first(where: { $0.path == file && !$0.isStandardInput }),
            let text = try? InputBeginning.text(of: input, from: pipeline.source.source, as: pipeline.source.archive, encoding: pipeline.source.encoding)
        else { return nil }
        if let whole = WholeText(text, readsDocuments: pipeline.source.format is JSON) { return "is \(whole.what); \(whole.fix)" }
        let guesses = try? await withTemporaryFolder { await FormatGuess.guesses(for: text, state: $0) }
        guard let best = guesses?.first, best.confidence > 0.5 else { return nil }
        // The same format may need an option, such as 'vhost'.
        let mayLackOption = pipeline.source.format is any VariedFormat && best.format != best.name
        guard best.name != pipeline.source.format.name || mayLackOption else { return nil }
        // Of lines that are JSON documents, those with something after them are no reason to change.
        if best.format == JSON.declaration.name, pipeline.source.format is JSONL, best.read < best.records { return nil }
        return "looks like \(best.format), which reads \(best.read) of its first \(best.records) records, not like \(pipeline.source.format.name)"
    }

    /// Reports the first filter that passed no record, with the reason if the first records show
    /// one.
    private mutating func look(at pipeline: RecordPipeline, _ report: RunReport) async {
        let stages = zip(pipeline.stages, report.stages.dropFirst())
        guard let (stage, books) = stages.first(where: { $0.verb is any FilterVerb && $1.in > 0 && $1.out == 0 && $1.dead == 0 }) else { return }
        var reason: String?
        if let texts = try? SampleTexts.of(pipeline.source), !texts.isEmpty {
            let sample = try? await withTemporaryFolder { state in
                try await PipelineSample(of: pipeline, texts: texts, limit: Self.records, state: state)
            }
            reason = sample?.findings.first { $0.stage == stage.name }?.message
        }
        hints.append("\(stage.name) passed none of \(Figures.count(books.in)) records" + (reason.map { ": \($0)" } ?? ""))
    }
}
