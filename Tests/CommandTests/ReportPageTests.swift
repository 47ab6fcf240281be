import Foundation
import Glibc
import SluiceRecords
import Testing

@testable import sluice

@Suite("The page of a report")
struct ReportPageTests {
    /// Texts that would do harm if they were anything but text.
    static let hostile = [
        "</script><script>alert(1)</script>", "<!--<script>", "--><img src=x onerror=alert(1)>", "]]></style>", "{{script}}{{data}}", "&lt;b&gt; & \"'`",
        "\u{2028}\u{2029}\u{202E}evil", "javascript:alert(1)",
    ]

    /// A run whose names, values and messages are hostile.
    private func command(_ more: [String] = []) throws -> CommandUnderTest {
        let command = try CommandUnderTest()
        var lines = ["{\"n\":1}"]
        for text in Self.hostile { lines += ["\(text) is no JSON", String(decoding: try JSONEncoder().encode(["n": text]), as: UTF8.self)] }
        try command.write(lines.joined(separator: "\n") + "\n", to: "in/<script>alert(2)<\u{2215}script>&.jsonl")
        try command.write(
            """
            name: page
            description: </script><b>
            source: {files: 'in/*', format: jsonl}
            stages:
              - set: {m: n * 2}
            sink: {file: "out/<b>o<i>.jsonl"}
            """, to: "page.yaml")
        let result = try command.run(["run", "page.yaml", "--progress", "none"] + more)
        #expect(result.status == 3, "\(result)")
        return command
    }

    /// The texts between a page's elements of data, script and style.
    private func parts(_ page: String) throws -> (data: String, script: String, style: String, rest: String) {
        let (head, styled) = try cut(page, at: "<style>")
        let (style, middle) = try cut(styled, at: "</style>")
        let (body, block) = try cut(middle, at: "<script type=\"application/json\" id=\"data\">")
        let (data, after) = try cut(block, at: "</script>\n<script>")
        let (script, end) = try cut(after, at: "</script>")
        return (data, script, style, head + body + end)
    }

    private func cut(_ text: String, at mark: String) throws -> (String, String) {
        let range = try #require(text.range(of: mark))
        return (String(text[..<range.lowerBound]), String(text[range.upperBound...]))
    }

    @Test("has all texts of a run as text, in one block of JSON that nothing ends")
    func hostileTexts() throws {
        let command = try command(["--report", "page.html"])
        defer { command.remove() }
        let page = try command.text(of: "page.html")
        #expect(page.components(separatedBy: "<script").count == 3 && page.components(separatedBy: "</script>").count == 3)
        #expect(!page.contains("<img") && !page.contains("<b>") && !page.contains("<i>"))
        let (data, script, style, rest) = try parts(page)
        #expect(!data.contains { "<>&\u{2028}\u{2029}".contains($0) })
        let object = try #require(try JSONSerialization.jsonObject(with: Data(data.utf8)) as? [String: Any])
        let letters = try #require(object["letters"] as? [String: Any])
        let groups = try #require(letters["groups"] as? [[String: Any]])
        #expect(groups.reduce(0) { $0 + ($1["count"] as? Int ?? 0) } == 2 * Self.hostile.count)
        #expect(data.contains(#"\u003c/script\u003e\u003cscript\u003ealert(1)"#))
        let samples = try #require(object["samples"] as? [String: Any])
        #expect(samples["text"] as? String == (try command.text(of: "page.yaml")))
        // The script makes no markup and no address of anything.
        for word in ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "Function(", ".href", "fetch(", "import("] {
            #expect(!script.contains(word), "\(word)")
        }
        #expect(!style.contains("url(") && !style.contains("@import"))
        #expect(rest.contains("default-src 'none'") && !rest.contains(" src=") && !rest.contains("http:") && !rest.contains("https:"))
        // What is left without scripts has no markup either.
        let plain = try #require(rest.firstMatch(of: #/(?s)<pre>(.*)</pre>/#)?.1)
        #expect(plain.contains("dead") && !plain.contains { "<>\"'".contains($0) })
    }

    @Test("is made of a finished run, too, and shows the same")
    func later() throws {
        let command = try command(["--report", "page.html"])
        defer { command.remove() }
        let result = try command.run("report", ".sluice/page/report.json")
        #expect((result.status, result.output, result.error) == (0, ".sluice/page/report.html\n", ""))
        #expect(try command.text(of: ".sluice/page/report.html") == command.text(of: "page.html"))
        #expect(try command.run("report", ".sluice/page", "-o", "other.html").output == "other.html\n")
        #expect(try command.text(of: "other.html") == command.text(of: "page.html"))
    }

    @Test("has no samples of another run, and says where dead letters are missing")
    func others() throws {
        let command = try command(["--report", "first.json"])
        defer { command.remove() }
        #expect(try command.run("run", "page.yaml", "--progress", "none").status == 3)
        #expect(try command.shell("cp first.json .sluice/page/first.json; rm .sluice/page/dead-letter.jsonl.gz").status == 0)
        #expect(try command.run("report", ".sluice/page/first.json", "-o", "first.html").status == 0)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(parts(command.text(of: "first.html")).data.utf8)) as? [String: Any])
        #expect(object["samples"] == nil)
        let letters = try #require(object["letters"] as? [String: Any])
        #expect((letters["note"] as? String)?.contains("Only the first of each code") == true)
        #expect((letters["groups"] as? [Any])?.isEmpty == false)
    }

    @Test("of a run that was killed shows how far it was")
    func unfinished() throws {
        let command = try command()
        defer { command.remove() }
        // As samples are while a run goes on.
        #expect(try command.shell("sed -i 's/\"report\":\"sha256:[0-9a-f]*\",//' .sluice/page/samples.json").status == 0)
        #expect(try command.run("report", ".sluice/page", "-o", "page.html").status == 0)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(parts(command.text(of: "page.html")).data.utf8)) as? [String: Any])
        #expect(object["status"] as? String == "killed")
        let sentences = try #require(object["sentences"] as? [[String: Any]])
        let text = try #require(sentences.first?["text"] as? String)
        #expect(text.hasPrefix("The run was killed, or its machine stopped, before it had come to its end. After "), "\(text)")
        #expect(text.hasSuffix(" 17 records were read, 100 % of its input; 16 of them had failed."), "\(text)")
        // Without scripts it says the same.
        #expect(try command.text(of: "page.html").contains("<pre>The run was killed&#44;"))
        try command.write("{}", to: ".sluice/page/checkpoint.json")
        #expect(try command.run("report", ".sluice/page", "-o", "page.html").status == 0)
        #expect(try command.text(of: "page.html").contains("16 of them had failed. The same command resumes it from its last checkpoint."))
        // The report is another run's then.
        #expect(try command.run("report", ".sluice/page/report.json", "-o", "page.html").status == 0)
        #expect(try parts(command.text(of: "page.html")).data.contains("\"status\":\"losses\""))
    }

    @Test("of a run that goes on says so, and that nothing is known before its first samples")
    func running() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("name: t\nsource: {files: '-', format: jsonl}\nsink: {file: out.jsonl}\n", to: "t.yaml")
        let run = try command.start(nil, ["run", "t.yaml", "--progress", "none"])
        // Written before anything is read, and with the first samples after a second.
        var first: CommandUnderTest.Result?
        while run.process.isRunning {
            guard let text = try? command.text(of: ".sluice/t/samples.json") else {
                poll(nil, 0, 10)
                continue
            }
            if text.contains("\"samples\":[\n[") { break }
            if first == nil { first = try command.run("report", ".sluice/t", "-o", "early.html") }
            poll(nil, 0, 10)
        }
        if let first, first.status != 0 {
            #expect(first.status == 2 && first.error.contains("a run has just begun there, and nothing is known of it yet"), "\(first)")
        }
        let result = try command.run("report", ".sluice/t", "-o", "page.html")
        #expect((result.status, result.error) == (0, ""), "\(result)")
        let data = try parts(command.text(of: "page.html")).data
        #expect(data.contains("\"status\":\"unfinished\"") && data.contains("The run was still going on when this page was made. After "))
        run.signal(SIGKILL)
        _ = try run.finish()
        #expect(try command.run("report", ".sluice/t", "-o", "page.html").status == 0)
        let killed = try parts(command.text(of: "page.html")).data
        #expect(killed.contains("\"status\":\"killed\"") && killed.contains("The run was killed, or its machine stopped"))
    }

    @Test("of the run before one that was killed at once says so")
    func killedAtOnce() throws {
        let command = try command()
        defer { command.remove() }
        let samples = try command.text(of: ".sluice/page/samples.json")
        let head = try cut(samples.replacing(/"report":"[^"]*",/, with: ""), at: "\"samples\":[").0
        try command.write(head + "\"samples\":[]}", to: ".sluice/page/samples.json")
        let result = try command.run("report", ".sluice/page", "-o", "page.html")
        #expect(result.status == 0)
        #expect(result.error == "sluice: the last run there was killed before anything was known of it; this is the report of the run before it\n")
        #expect(try parts(command.text(of: "page.html")).data.contains("\"status\":\"losses\""))
        #expect(try command.shell("rm .sluice/page/report.json").status == 0)
        let none = try command.run("report", ".sluice/page")
        #expect(none.status == 2 && none.error.contains("the last run there was killed before anything was known of it"), "\(none)")
    }

    @Test("is not made where there is no report, or no folder")
    func failures() throws {
        let command = try command()
        defer { command.remove() }
        #expect(try command.run("report", "page.yaml").status == 2)
        let result = try command.run("report", ".sluice/page/report.json", "-o", ".sluice/page/report.json/x.html")
        #expect(result.status == 1 && result.error.contains("cannot be written"), "\(result)")
    }

    @Test("replaces names of the template once")
    func filled() {
        let page = ReportPage.filled(Array("<{{a}}|{{b}}|{{c}}|{{".utf8), ["a": Array("{{b}}".utf8), "b": Array("}}{{a}}".utf8)])
        #expect(String(decoding: page, as: UTF8.self) == "<{{b}}|}}{{a}}||{{")
    }

    @Test("writes JSON so that the same is read again", arguments: hostile)
    func escaped(text: String) throws {
        let escaped = PageModel.escaped(Array(try JSONEncoder().encode([text])))
        #expect(try JSONDecoder().decode([String].self, from: Data(escaped)) == [text])
    }

    @Test("says how the run ended, and what was lost")
    func sentences() throws {
        let command = try command()
        defer { command.remove() }
        var report = try RunReport(contentsOf: command.folder.appending(path: ".sluice/page/report.json").path)
        report.elapsedSeconds = 187
        #expect(PageSentences.ending(of: report).text == "17 records were read and 1 written to 1 output, in 3:07.")
        let losses = try #require(PageSentences.losses(of: report)?.text)
        #expect(losses.wholeMatch(of: #/Losses: 16 records are dead letters \(94 % of those that were read\), most often with the code [a-z._]+\./#) != nil)
        (report.records.dead, report.records.read, report.deadLetters.byCode) = (1, 1_000_000, ["parse.jsonl": 1])
        let one = "Losses: 1 record is a dead letter (less than 0.1 % of those that were read), with the code parse.jsonl."
        #expect(PageSentences.losses(of: report)?.text == one)
        report.records.dead = 0
        report.status = .complete
        #expect(PageSentences.losses(of: report)?.text == "Nothing was lost: every record was written, or left out on purpose.")
        report.status = .interrupted
        #expect(PageSentences.losses(of: report) == nil)
        report.resumable = true
        #expect(PageSentences.ending(of: report).text == "The run was interrupted after 3:07, and no file was published; the same command resumes it.")
        (report.status, report.error) = (.failed, "no space")
        #expect(PageSentences.ending(of: report).text == "The run failed after 3:07: no space.")
        #expect(RunSummary.ending(of: report) == "failed, nothing was published, run again to resume,")
        report.resumable = nil
        #expect(RunSummary.ending(of: report) == "failed, nothing was published,")
        for (done, ending) in [(0, "failed, nothing was published,"), (14, "failed while publishing, 14 of 16 files are in place,")] {
            report.publishing = try JSONDecoder().decode(RunReport.Publishing.self, from: Data("{\"done\":\(done),\"of\":16}".utf8))
            #expect(RunSummary.ending(of: report) == ending)
        }
    }

    @Test("says what the run waited for")
    func bottleneck() {
        func times(_ name: String, _ kind: RunSamples.Step.Kind, workers: Int = 1, busy: Double) -> StepTimes {
            StepTimes(step: RunSamples.Step(name: name, kind: kind, workers: workers), busy: busy, waited: 0, available: 10 * Double(workers), queued: 0)
        }
        let sentences: [(Bottleneck, String)] = [
            (.tooShort, "The run was too short to say what it waited for."),
            (
                .ordered(times("writing", .writing, busy: 9)),
                "The bottleneck is writing the outputs, which takes one batch at a time and was busy for 90 % of the time."
            ),
            (
                .workers(times("score", .own, workers: 8, busy: 79)),
                "The bottleneck is ‘score’: its 8 workers were busy for 99 % of the time. More of them would make the run faster."
            ),
            (
                .processors(share: 0.98, [times("parse", .stage, busy: 6), times("reading", .reading, busy: 2)]),
                "The bottleneck is the processor: the threads of the run were computing for 98 % of the time. "
                    + "Most of that went to ‘parse’ 75 %, reading the inputs 25 %."
            ),
            (
                .reading(times("reading", .reading, busy: 8)),
                "The bottleneck is reading the input, which was busy for 80 % of the time: one input is read by one reader."
            ),
            (
                .crowded(times("score", .own, workers: 2, busy: 8), waited: 0.99),
                "The bottleneck is ‘score’: the step before it waited for room there for 99 % of its time."
            ),
            (.unclear(busiest: nil), "There is no clear bottleneck."),
        ]
        for (bottleneck, text) in sentences { #expect(PageSentences.text(of: bottleneck) == text) }
    }
}
