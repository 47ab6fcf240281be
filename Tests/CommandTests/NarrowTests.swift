import Foundation
import SluiceDefinition
import SluiceRecords
import Testing

@testable import sluice

@Suite("Tables on a narrow terminal")
struct NarrowTests {
    static func inputs() -> Columns {
        var columns = Columns("input", "records", "written", "dead", "bytes")
        columns.dispensable = ["bytes", "written"]
        columns.append(["logs/2026/access-of-the-first-week.log.gz", "1,234,567", "1,200,000", "12", "34 MB"])
        columns.append(["logs/b.log", "1", "1", "0", "9 B"])
        return columns
    }

    @Test("a table that is too wide loses the middles of its paths, then columns")
    func paths() {
        #expect(Self.inputs().text(fitting: 79) == Self.inputs().text)
        #expect(
            Self.inputs().text(fitting: 60) == """
                  input                      records    written  dead  bytes
                  logs/20…rst-week.log.gz  1,234,567  1,200,000    12  34 MB
                  logs/b.log                       1          1     0    9 B

                """)
        #expect(
            Self.inputs().text(fitting: 40) == """
                  input                    records  dead
                  logs/2…st-week.log.gz  1,234,567    12
                  logs/b.log                     1     0

                """)
    }

    @Test("a last column of text goes on in the next line")
    func texts() {
        var columns = Columns("result", "in", "written", "test")
        columns.lastIsLeft = true
        columns.dispensable = ["written"]
        columns.append(["ok", "3", "2", "two is doubled"])
        columns.append(["FAILED", "3", "2", "what cannot be read is set aside as a dead letter"])
        #expect(
            columns.text(fitting: 40) == """
                  result  in  written  test
                  ok       3        2  two is doubled
                  FAILED   3        2  what cannot be
                                       read is set aside
                                       as a dead letter

                """)
        #expect(columns.text(fitting: 30).hasPrefix("  result  in  test\n  ok       3  two is doubled\n"))
    }

    @Test("wide characters take two columns, and colors none")
    func wide() {
        var columns = Columns("input", "records")
        columns.append(["記録/二〇二六年三月一日の記録.log", "1"])
        let lines = columns.text(fitting: 24).split(separator: "\n")
        #expect(lines.allSatisfy { Wrapping.width(of: $0) <= 24 } && lines.last?.hasSuffix(".log        1") == true, "\(lines)")
        #expect(Wrapping.width(of: Paint(isOn: true).red("dead")) == 4)
        #expect(Wrapping.wrapped(Paint(isOn: true).red("dead letters"), to: 12) == Paint(isOn: true).red("dead letters"))
    }

    @Test("sentences are broken at blanks, and go on indented; paths stay whole, records do not")
    func sentences() {
        let text = "  damage: logs/a.log.gz@812344: truncated, what came after it is missing\nshort\n"
        #expect(Wrapping.wrapped(text, to: nil) == text)
        #expect(Wrapping.wrapped(text, to: 60) == "  damage: logs/a.log.gz@812344: truncated, what came after\n    it is missing\nshort\n")
        #expect(
            Wrapping.wrapped(text, to: 30)
                == "  damage:\n    logs/a.log.gz@812344:\n    truncated, what came after\n    it is missing\nshort\n")
        #expect(Wrapping.wrapped("report: a/b/c/d/e/f", to: 8) == "report:\n  a/b/c/d/e/f")
        #expect(Wrapping.wrapped("- {\"a\":1,\"b\":2}", to: 8, breaksWords: true) == "- {\"a\":1\n  ,\"b\":2\n  }")
    }
}

/// What commands print, from a run with every kind of trouble.
@Suite("What commands print on a narrow terminal")
struct NarrowCommandTests {
    private static let definition = """
        name: narrow
        source: {files: 'inputs/*.gz', format: jsonl}
        stages:
          - name: more-than-one
            keep: number > 0
          - set: {double: number * 2, section: "'abc'"}
        sink: {file: 'out/{section}-of-the-year.jsonl'}
        tests:
          - name: the name of this test says at length what it tests, and goes on
            input: [{number: 1}]
            output: [{number: 1, double: 3, section: 'a text that is longer than a line of forty columns'}]

        """
    private static let paint = Paint(isOn: false)

    /// Creates a command that has run a pipeline with a damaged input, and inputs with records that
    /// fail.
    private func command() throws -> CommandUnderTest {
        let command = try CommandUnderTest()
        try command.write("{\"number\":1,\"a\":\"x y z\"}\nhello\n{\"number\":\"two\"}\n{\"b\":3}\n", to: "inputs/2026-10-01.jsonl")
        try command.write(String(repeating: "{\"number\":1}\n", count: 12_345), to: "inputs/2026-10-02-of-another-machine.jsonl")
        let cut = "cd inputs && gzip *.jsonl && for f in *02*; do head -c 150 $f > cut && mv cut $f; done"
        #expect(try command.shell(cut).status == 0)
        try command.write(Self.definition, to: "narrow.yaml")
        #expect(try command.run("run", "narrow.yaml", "--progress", "none").status == 3)
        return command
    }

    /// The lines that are too long. Paths are longer than a line at times, and stay whole.
    private func tooLong(_ text: String, _ width: Int) -> [String] {
        text.split(separator: "\n").map(String.init).filter { Wrapping.width(of: $0) > width && $0.trimmingCharacters(in: .whitespaces).contains(" ") }
    }

    private func pipeline(in command: CommandUnderTest) throws -> (pipeline: RecordPipeline, tests: [PipelineTest]) {
        let files = Self.definition.replacing("inputs/*.gz", with: command.folder.path + "/inputs/*.gz")
        let checked = PipelineFile(path: "narrow.yaml", text: files).check()
        return (try #require(checked.pipeline, "\(checked.rendered())"), checked.tests)
    }

    @Test("the summary of a run fits", arguments: [60, 40])
    func summary(width: Int) throws {
        let command = try command()
        defer { command.remove() }
        let report = try RunReport(contentsOf: command.folder.path + "/.sluice/narrow/report.json")
        let whole = RunSummary.text(report, reportFile: ".sluice/narrow/report.json")
        #expect(!tooLong(whole, 60).isEmpty)
        let text = RunSummary.text(report, reportFile: ".sluice/narrow/report.json", width: width)
        #expect(tooLong(text, width).isEmpty, "\(tooLong(text, width))")
        // Every word and figure is there, but for columns and the middles of paths.
        for part in ["truncated", "parse.jsonl", "balanced", ".sluice/narrow/report.json", "2026-10-0", "…"] { #expect(text.contains(part), "\(text)") }
        #expect(width > 40 || !text.contains("workers"))
    }

    @Test("groups of dead letters fit", arguments: [60, 40])
    func letters(width: Int) throws {
        let command = try command()
        defer { command.remove() }
        let lines = try command.text(of: ".sluice/narrow/dead-letter.jsonl.gz").split(separator: "\n")
        var triage = DeadLetterTriage(examples: 1)
        for (number, line) in lines.enumerated() {
            let padded = Array(line.utf8) + [UInt8](repeating: 0, count: 64)
            let letter = try padded.withUnsafeBufferPointer {
                try MetDeadLetter(line: UnsafeBufferPointer(rebasing: $0.dropLast(64)), of: "f", number: UInt64(number))
            }
            triage.add(letter)
        }
        #expect(!tooLong(TriageTable.text(triage, of: "f", Self.paint), 60).isEmpty)
        let text = TriageTable.text(triage, of: "f", Self.paint, width: width)
        #expect(tooLong(text, width).isEmpty && text.contains("| hello\n"), "\(text)")
    }

    @Test("the results of tests fit", arguments: [60, 40])
    func tests(width: Int) async throws {
        let command = try command()
        defer { command.remove() }
        let (pipeline, tests) = try pipeline(in: command)
        var table = TestTable(file: "narrow.yaml")
        for test in tests { table.append(test, await test.run(pipeline, state: command.folder.path + "/tests")) }
        #expect(!tooLong(table.text(Self.paint), 60).isEmpty)
        let text = table.text(Self.paint, width: width)
        let long = text.split(separator: "\n").filter { Wrapping.width(of: $0) > width }
        #expect(long.isEmpty && text.contains("FAILED") && text.contains("differs in: double, section"), "\(text)")
    }

    @Test("the plan of a pipeline and what a sample shows fit", arguments: [60, 40])
    func plan(width: Int) async throws {
        let command = try command()
        defer { command.remove() }
        let (pipeline, _) = try pipeline(in: command)
        let plan = Explanation.text(pipeline, threads: 4, Self.paint, width: width)
        #expect(tooLong(plan, width).isEmpty, "\(plan)")
        let texts = [(name: "a", text: Array("{\"number\":1,\"a name of a field\":\"x\"}\n{\"number\":\"two\"}\n{\"number\":null}\n".utf8))]
        let sample = try await PipelineSample(of: pipeline, texts: texts, limit: 10, state: command.folder.path + "/sample")
        let shown = SampleReport.text(sample, Self.paint, width: width)
        #expect(tooLong(shown, width).isEmpty && shown.contains("warning: more-than-one"), "\(shown)")
        #expect(!tooLong(SampleReport.text(sample, Self.paint), 60).isEmpty)
    }
}
