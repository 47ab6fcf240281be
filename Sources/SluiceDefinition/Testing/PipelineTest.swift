internal import SluiceCEL
package import SluiceRecords

/// A test in a pipeline file: records that go through reader, stages and writer, and the expected
/// result.
package struct PipelineTest: Sendable {
    package let name: String
    /// The line in the file, from 1.
    package let line: Int
    private let input: [String]
    private let output: ExpectedOutput?
    private let deadLetters: [ExpectedDeadLetter]

    init(_ test: TestDefinition) {
        name = test.name.text
        line = test.name.place.start.line
        input = test.input
        output = test.output
        deadLetters = test.deadLetters
    }

    /// The outcome of a test.
    package struct Outcome: Sendable {
        /// `nil` if the run could not start.
        package var records: RunReport.Records?
        /// Empty if the test passed.
        package var differences: [Difference] = []

        package var passes: Bool { differences.isEmpty }
    }

    /// A deviation from what the test expects.
    package struct Difference: Sendable {
        /// `output`, `dead letters`, or the reason why the run failed.
        package var title: String
        package var lines: [DiffLine]
    }

    /// Runs the pipeline on the test's records, entirely in memory. Children of `exec` are started
    /// as in any run.
    ///
    /// - Parameter state: a folder for temporary files of the run.
    package func run(_ pipeline: RecordPipeline, state: String) async -> Outcome {
        let text = input.map { $0 + "\n" }.joined()
        let letters = MemorySink(PathTemplate(Self.deadLetterName))
        var tested = pipeline
        tested.source.replaceInputs(by: [("input", Array(text.utf8))])
        var written: [WrittenTo] = []
        tested.flow = pipeline.flow.replacingSinks { settings in
            let sink = MemorySink(settings.sink.path)
            var replaced = settings
            // The rows of a database are shown as JSON.
            if settings.sink.ownFormat != nil { replaced.format = JSONL() }
            written.append(WrittenTo(sink: sink, isJSON: replaced.format.name == JSONL.name))
            replaced.sink = sink
            replaced.order = .input
            return replaced
        }
        tested.deadLetters = Self.deadLetterName
        tested.deadLetterSink = letters
        tested.limits.deadLetters = .all
        let report: RunReport
        do throws(RunError) {
            report = try await RecordRun(tested, options: .trial(state)).run()
        } catch {
            return Outcome(differences: [Difference(title: "the run failed: \(error)", lines: [])])
        }
        if let error = report.error {
            return Outcome(records: report.records, differences: [Difference(title: "the run failed: \(error)", lines: [])])
        }
        var outcome = Outcome(records: report.records)
        outcome.differences += differences(in: written)
        let actual = Self.lines(of: letters[Self.deadLetterName] ?? []).map { ActualDeadLetter(line: $0) }
        outcome.add(Diff.lines(expected: deadLetters, actual: actual, matches: { $0.matches($1) }, shown: { $0.text }, { $0.text }), as: "dead letters")
        return outcome
    }

    private static let deadLetterName = "dead-letter.jsonl"

    private func differences(in sinks: [WrittenTo]) -> [Difference] {
        let written = sinks.flatMap { to in
            to.sink.names.map { name in (name, Self.lines(of: to.sink[name] ?? []).map { WrittenRecord($0, isJSON: to.isJSON) }) }
        }
        let isJSON = sinks.contains(where: \.isJSON)
        var outcome = Outcome()
        switch output {
        case nil: break
        case .records(let expected):
            let expected = expected.flatMap { $0.lines(isJSON: isJSON) }
            let actual = written.count == 1 ? written[0].1 : Self.interleaved(written.map(\.1), as: expected)
            outcome.add(Self.diff(expected, actual), as: "output")
        case .files(let files):
            for (name, expected) in files {
                let actual = written.first { $0.0.isSame(as: name) }?.1
                let title = actual == nil ? "output \(name): no such output" : "output \(name)"
                outcome.add(Self.diff(expected.flatMap { $0.lines(isJSON: isJSON) }, actual ?? []), as: title, always: actual == nil)
            }
            for (name, actual) in written where !files.contains(where: { $0.name.isSame(as: name) }) && !actual.isEmpty {
                outcome.add(Self.diff([], actual), as: "output \(name): not expected")
            }
        }
        return outcome.differences
    }

    /// The output of a sink, with what the test expects of it.
    private struct WrittenTo {
        var sink: MemorySink
        var isJSON: Bool
    }

    private static func diff(_ expected: [ExpectedRecord], _ actual: [WrittenRecord]) -> [DiffLine] {
        Diff.lines(expected: expected, actual: actual, matches: { $0.matches($1) }, shown: { $0.text }, { $0.text }, { $0.fieldsThatDiffer(from: $1) })
    }

    /// Merges the records of several outputs into one sequence: in the order of the test if
    /// possible, otherwise output by output.
    private static func interleaved(_ outputs: [[WrittenRecord]], as expected: [ExpectedRecord]) -> [WrittenRecord] {
        var rests = outputs.map { $0[...] }
        var row: [WrittenRecord] = []
        for (number, record) in expected.enumerated() {
            let index =
                rests.firstIndex { $0.first.map(record.matches) ?? false }
                // Stands in for a missing record: a record that the test doesn't expect.
                ?? rests.firstIndex { $0.first.map { first in !expected[number...].contains { $0.matches(first) } } ?? false }
            if let index, let first = rests[index].popFirst() { row.append(first) }
        }
        return row + rests.flatMap { $0 }
    }

    private static func lines(of bytes: [UInt8]) -> [String] {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
        if lines.last == "" { lines.removeLast() }
        return lines
    }
}

extension PipelineTest.Outcome {
    /// - Parameter always: adds the comparison even if all lines are the same.
    fileprivate mutating func add(_ lines: [DiffLine], as title: String, always: Bool = false) {
        if always || lines.contains(where: { $0.kind != .same }) { differences.append(PipelineTest.Difference(title: title, lines: lines)) }
    }
}

/// A record in the output of the run.
struct WrittenRecord {
    var text: String
    /// The value, if the record is JSON.
    var value: Value?

    init(_ text: String, isJSON: Bool) {
        self.text = text
        value = isJSON ? Value(json: text) : nil
    }
}

extension ExpectedRecord {
    var text: String {
        switch self {
        case .value(let value): value.jsonText
        case .text(let text): text
        }
    }

    /// Splits the record into lines if the output is lines of text.
    func lines(isJSON: Bool) -> [ExpectedRecord] {
        guard case .text(let text) = self, !isJSON else { return [self] }
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { .text(String($0)) }
    }

    func matches(_ written: WrittenRecord) -> Bool {
        switch self {
        case .value(let value): written.value == value
        case .text(let text): written.text.isSame(as: text)
        }
    }

    /// The names of the fields that differ in a record at this one's position; `nil` if the two
    /// cannot be compared.
    func fieldsThatDiffer(from written: WrittenRecord) -> String? {
        guard case .value(.map(let wanted)) = self, case .map(let actual)? = written.value else { return nil }
        var names: [String] = []
        for entry in wanted.entries where actual[entry.key] != entry.value { names.append("\(entry.key.plainText)") }
        for entry in actual.entries where wanted[entry.key] == nil { names.append("\(entry.key.plainText)") }
        return names.isEmpty ? nil : names.joined(separator: ", ")
    }
}

extension Value {
    fileprivate var plainText: String {
        if case .string(let text) = self { text } else { jsonText }
    }
}

/// A dead letter of the run.
struct ActualDeadLetter {
    var stage = ""
    var code = ""
    var message = ""
    var raw: String?

    init(line: String) {
        guard case .map(let map)? = Value(json: line) else { return }
        stage = map["stage"]?.asText ?? ""
        if case .map(let error)? = map["error"] {
            code = error["code"]?.asText ?? ""
            message = error["message"]?.asText ?? ""
        }
        raw = map["raw"]?.asText
    }

    /// The dead letter as written in a test.
    var text: String {
        let parts = [("stage", stage), ("code", code), ("message", message)] + (raw.map { [("raw", $0)] } ?? [])
        return "{" + parts.map { "\($0): \(Value.string($1).jsonText)" }.joined(separator: ", ") + "}"
    }
}

extension Value {
    fileprivate var asText: String? {
        if case .string(let text) = self { text } else { nil }
    }
}

extension ExpectedDeadLetter {
    func matches(_ actual: ActualDeadLetter) -> Bool {
        (stage.map { actual.stage.isSame(as: $0.text) } ?? true) && (code.map { actual.code.isSame(as: $0) } ?? true)
            && (message.map { actual.message.contains($0) } ?? true) && (raw.map { actual.raw?.isSame(as: $0) == true } ?? true)
    }

    var text: String {
        let parts = [("stage", stage?.text), ("code", code), ("message", message), ("raw", raw)]
        return "{" + parts.compactMap { name, text in text.map { "\(name): \(Value.string($0).jsonText)" } }.joined(separator: ", ") + "}"
    }
}
