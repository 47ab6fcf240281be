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
        if hints.isEmpty { hints = Self.unreadable(pipeline, report) }
        if hints.isEmpty, let file = Self.fileThatIsNotUTF8(pipeline, report) {
            hints.append("\(file) is not UTF-8, and JSON has such text in base64; set 'encoding: latin1' in the source if that is what it is")
        }
        hints += MissingColumns(of: pipeline.source, stages: pipeline.stages)?.messages ?? []
        await look(at: pipeline, report)
    }

    /// - Parameter width: the columns of a terminal.
    func text(_ paint: Paint, width: Int? = nil) -> String {
        Wrapping.wrapped(hints.map { "  " + paint.yellow("warning: ") + Figures.line($0) + "\n" }.joined(), to: width)
    }

    /// Whether its beginning may be read again without a reason: what is behind an address would be
    /// fetched.
    private static func isAtHand(_ input: InputFile) -> Bool { input.size != nil && !input.isStandardInput && input.version == nil }

    /// Of the first inputs, those of which a format that takes nearly anything makes records of
    /// nonsense.
    private static func unreadable(_ pipeline: RecordPipeline, _ report: RunReport) -> [String] {
        let source = pipeline.source
        guard !(source.format is JSONL), !(source.format is JSON) else { return [] }
        let inputs = source.inputs.prefix(Self.most).filter { input in
            Self.isAtHand(input) && report.inputs.contains { $0.file == input.path && $0.records > 0 }
        }
        // The lines of a JSON document are lines, too, and may be what a pattern is for.
        let readsAnyLine = source.format is Lines || source.format is RegexFormat || source.multiline != nil
        // Any bytes are valid ISO 8859-1.
        let encoding = source.encoding == .latin1 ? TextEncoding.utf8 : source.encoding
        return inputs.compactMap { input -> String? in
            guard let text = try? InputBeginning.text(of: input, from: source.source, as: source.archive, encoding: encoding),
                let whole = readsAnyLine ? WholeText(unreadable: text) : WholeText(text)
            else { return nil }
            return "\(input.path) is \(whole.what); \(whole.fix)"
        }
    }

    /// The first input, if its beginning has bytes that are not UTF-8, and records are written as
    /// JSON.
    private static func fileThatIsNotUTF8(_ pipeline: RecordPipeline, _ report: RunReport) -> String? {
        guard pipeline.source.encoding == .utf8, report.records.written > 0, pipeline.sinks.contains(where: { $0.format is JSONL }),
            let input = pipeline.source.inputs.first, isAtHand(input),
            let text = try? InputBeginning.text(of: input, from: pipeline.source.source, as: pipeline.source.archive)
        else { return nil }
        // A long line may be cut off inside a character.
        let lines = text.lastIndex(of: UInt8(ascii: "\n")).map { text[...$0] } ?? (text.count < 32 << 10 ? text[...] : [])
        return String(validating: lines, as: UTF8.self) == nil ? input.path : nil
    }

    private static func format(of file: String, _ pipeline: RecordPipeline) async -> String? {
        guard let input = pipeline.source.inputs.first(where: { $0.path == file && !$0.isStandardInput && $0.size != nil }),
            let text = try? InputBeginning.text(of: input, from: pipeline.source.source, as: pipeline.source.archive, encoding: pipeline.source.encoding)
        else { return nil }
        if let whole = WholeText(text, readsDocuments: pipeline.source.format is JSON) { return "is \(whole.what); \(whole.fix)" }
        let guesses = try? await withTemporaryFolder { await FormatGuess.guesses(for: text, state: $0) }
        guard let best = guesses?.first, best.confidence > 0.5 else { return nil }
        // The same format may need an option, such as 'vhost'.
        let mayLackOption = pipeline.source.format is any VariedFormat && !(pipeline.source.format is RegexFormat) && best.format != best.name
        guard best.name != pipeline.source.format.name || mayLackOption else { return nil }
        // Of lines that are JSON documents, those with something after them are no reason to
        // change.
        if best.format == JSON.declaration.name, pipeline.source.format is JSONL, best.read < best.records { return nil }
        return "looks like \(best.format), which reads \(best.read) of its first \(best.records) records, not like \(pipeline.source.format.name)"
    }

    /// Reports the first filter that passed no record, with the reason if the first records show
    /// one; and what the first records show of the stages that may have advice.
    private mutating func look(at pipeline: RecordPipeline, _ report: RunReport) async {
        let stages = zip(pipeline.stages, report.stages.dropFirst()).enumerated()
        let filter = stages.first { $1.0.verb is any FilterVerb && $1.1.in > 0 && $1.1.out == 0 && $1.1.dead == 0 }
        let advising = stages.filter { $1.0.verb.mayAdvise(reading: pipeline.source.format) && $1.1.in > 0 }
        guard filter != nil || !advising.isEmpty else { return }
        let numbers = Swift.Set((filter.map { [$0.offset] } ?? []) + advising.map(\.offset))
        let isFirstFutile = filter?.offset == 0 && report.inputs.allSatisfy(\.whole)
        let findings = await Self.findings(at: numbers.sorted(), in: pipeline, isFirstFutile: isFirstFutile)
        if let (stage, books) = filter?.element {
            let reason = findings.first { $0.stage == stage.name }?.message
            hints.append("\(stage.name) passed none of \(Figures.count(books.in)) records" + (reason.map { ": \($0)" } ?? ""))
        }
        for finding in findings where advising.contains(where: { $0.element.0.name == finding.stage }) { hints.append("\(finding.stage): \(finding.message)") }
    }

    /// What the first records of inputs that can be read again show of some stages.
    private static func findings(at stages: [Int], in pipeline: RecordPipeline, isFirstFutile: Bool) async -> [PipelineSample.Finding] {
        guard let texts = try? SampleTexts.of(pipeline.source, total: 1 << 20), !texts.isEmpty else { return [] }
        let findings = try? await withTemporaryFolder { state in
            try await PipelineSample.findings(
                at: stages, of: pipeline, isFirstFutile: isFirstFutile, texts: texts, limit: Self.records, state: state)
        }
        return findings ?? []
    }
}
