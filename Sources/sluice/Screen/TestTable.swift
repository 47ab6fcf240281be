import SluiceDefinition
import SluiceRecords

/// The results of the tests of a file, with the differences of those that failed.
struct TestTable {
    let file: String
    private var tests: [(test: PipelineTest, outcome: PipelineTest.Outcome)] = []

    /// The maximum number of lines to show of a comparison.
    private static let shown = 40
    /// The number of unchanged lines to show around changed ones.
    private static let context = 2

    init(file: String) {
        self.file = file
    }

    mutating func append(_ test: PipelineTest, _ outcome: PipelineTest.Outcome) {
        tests.append((test, outcome))
    }

    /// - Parameter width: the columns of a terminal.
    func text(_ paint: Paint, width: Int? = nil) -> String {
        guard !tests.isEmpty else { return "\(file): no tests\n" }
        var columns = Columns("result", "in", "written", "filtered", "dead", "test")
        columns.lastIsLeft = true
        columns.dispensable = ["filtered", "written", "in", "dead"]
        for (test, outcome) in tests {
            let records = outcome.records
            let counts = [records?.read, records?.written, records?.filtered, records?.dead].map { $0.map { Figures.count($0) } ?? "" }
            columns.append([outcome.passes ? "ok" : "FAILED"] + counts + [test.name])
        }
        let table = columns.text(fitting: width).split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.hasPrefix("  ok ")
                ? "  " + paint.green("ok") + line.dropFirst(4)
                : line.hasPrefix("  FAILED") ? "  " + paint.red("FAILED") + line.dropFirst(8) : String(line)
        }
        let failures = tests.filter { !$0.outcome.passes }.map { failure($0.test, $0.outcome, paint) }
        let text = "\(paint.bold(file))\n\(table.joined(separator: "\n"))\n" + failures.map { $0 + "\n" }.joined()
        return Wrapping.wrapped(text, to: width, breaksWords: true)
    }

    private func failure(_ test: PipelineTest, _ outcome: PipelineTest.Outcome, _ paint: Paint) -> String {
        var text = "\(paint.bold("\(file):\(test.line):")) \(test.name)\n"
        for difference in outcome.differences {
            text += "  \(difference.title)\n"
            let lines = Self.withContext(difference.lines)
            for line in lines.prefix(Self.shown) { text += "    \(Self.shown(line, paint))\n" }
            if lines.count > Self.shown { text += "    … \(Figures.count(lines.count - Self.shown)) more lines\n" }
        }
        return text
    }

    private static func shown(_ line: DiffLine?, _ paint: Paint) -> String {
        guard let line else { return "…" }
        return switch line.kind {
        case .same: "  \(line.text)"
        case .missing: paint.red("- \(line.text)")
        case .surplus: paint.green("+ \(line.text)")
        case .note: "  differs in: \(line.text)"
        }
    }

    /// The lines that differ, with context; `nil` stands for omitted lines.
    private static func withContext(_ lines: [DiffLine]) -> [DiffLine?] {
        let changes = lines.indices.filter { lines[$0].kind != .same }
        var kept: [DiffLine?] = []
        var next = 0
        for index in changes.flatMap({ max(0, $0 - context)..<min(lines.count, $0 + context + 1) }) where index >= next {
            if index > next { kept.append(nil) }
            kept.append(lines[index])
            next = index + 1
        }
        if next < lines.count, !changes.isEmpty { kept.append(nil) }
        return kept
    }
}

/// The number of tests that passed and failed.
struct TestTally {
    private(set) var all = 0
    private(set) var failed = 0
    /// The number of files that cannot be run.
    var wrong = 0

    mutating func add(_ outcome: PipelineTest.Outcome) {
        all += 1
        if !outcome.passes { failed += 1 }
    }

    func text(_ paint: Paint) -> String {
        var parts = ["\(Figures.count(all - failed)) ok"]
        if failed > 0 { parts.append(paint.red("\(Figures.count(failed)) failed")) }
        if wrong > 0 { parts.append(paint.red(wrong == 1 ? "1 file is invalid" : "\(Figures.count(wrong)) files are invalid")) }
        return "\(Figures.count(all)) \(all == 1 ? "test" : "tests"): \(parts.joined(separator: ", "))\n"
    }
}
