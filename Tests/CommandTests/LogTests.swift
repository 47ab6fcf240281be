import Foundation
import Glibc
import Testing

@testable import sluice

@Suite("Log entries")
struct LogEntryTests {
    @Test("have the names of OpenTelemetry, and only what is known")
    func entry() {
        let entry = LogEntry(
            .warning, "a \"b\"\n\u{1B}\u{7F}é\u{2028}",
            ["sluice.stage": "keep", "sluice.dead": 3, "sluice.share": .number(0.5), "sluice.balanced": true, "file.path": .none, "x": .number(.nan)])
        let time = "2026-03-01T00:16:20.123Z"
        #expect(
            entry.json(at: time)
                == #"{"timestamp":"2026-03-01T00:16:20.123Z","severity_text":"WARN","severity_number":13,"body":"a \"b\"\n\u001b\u007fé\u2028","#
                + #""attributes":{"sluice.stage":"keep","sluice.dead":3,"sluice.share":0.5,"sluice.balanced":true}}"#)
        #expect(LogEntry(.info, "x").json(at: time) == "{\"timestamp\":\"\(time)\",\"severity_text\":\"INFO\",\"severity_number\":9,\"body\":\"x\"}")
        #expect(LogEntry(.error, "x").json.contains(#/"timestamp":"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ"/#))
    }

    @Test("lines that are laid out for people become one entry each, without what marks them as the command's")
    func lines() {
        #expect(
            LogEntry.lines("sluice: one\n\n  warning: two\n", .warning).map(\.body) == ["one", "two"])
    }
}

@Suite("--log json", .timeLimit(Patience.hang))
struct LogOptionTests {
    /// Each line of standard error as an object.
    private func entries(_ text: String) throws -> [[String: Any]] {
        try text.split(separator: "\n").map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            let entry = try #require(object, "\(line)")
            #expect(Set(entry.keys).subtracting(["timestamp", "severity_text", "severity_number", "body", "attributes"]).isEmpty)
            return entry
        }
    }

    private func attributes(_ entry: [String: Any]?) throws -> [String: Any] { try #require(entry?["attributes"] as? [String: Any]) }

    private func command(_ stages: String = "[{keep: n > 1}]") throws -> CommandUnderTest {
        let command = try CommandUnderTest()
        try command.write("{\"n\":1}\nbroken\n{\"n\":2}\n", to: "in.jsonl")
        try command.write("name: t\nsource: {files: in.jsonl, format: jsonl}\nstages: \(stages)\nsink: {file: out.jsonl}\n", to: "t.yaml")
        return command
    }

    @Test("of a run says what the summary says, in one object a line")
    func run() throws {
        let command = try command()
        defer { command.remove() }
        let result = try command.run("run", "t.yaml", "--log", "json", "--progress", "plain", "--verbose")
        #expect(result.status == 3 && result.output == "")
        let entries = try entries(result.error)
        let keep = try attributes(entries.first { ($0["body"] as? String)?.hasPrefix("stage 'keep'") == true })
        #expect(keep["sluice.stage"] as? String == "keep" && keep["sluice.in"] as? Int == 2 && keep["sluice.filtered"] as? Int == 1)
        let letter = try #require(entries.first { ($0["attributes"] as? [String: Any])?["error.type"] as? String == "parse.jsonl" })
        #expect(letter["severity_text"] as? String == "WARN")
        #expect(try attributes(letter)["file.path"] as? String == "in.jsonl" && attributes(letter)["sluice.line"] as? Int == 2)
        let last = try #require(entries.last)
        #expect(last["severity_text"] as? String == "WARN" && last["severity_number"] as? Int == 13)
        #expect((last["body"] as? String)?.hasPrefix("t: complete, with losses, in ") == true)
        let whole = try attributes(last)
        #expect(whole["sluice.status"] as? String == "losses" && whole["sluice.read"] as? Int == 3 && whole["sluice.balanced"] as? Bool == true)
        #expect(whole["sluice.report"] as? String == ".sluice/t/report.json")
    }

    @Test("of errors, diagnostics and notices", arguments: [["run"], ["check"], ["plan", "--tasks", "1", "--plan", "p"]])
    func diagnostics(words: [String]) throws {
        let command = try command("[{keep: m > 1}, {keep: 'n >'}]")
        defer { command.remove() }
        let result = try command.run([words[0], "t.yaml", "--log", "json"] + words.dropFirst())
        #expect(result.status == 2, "\(result)")
        let entries = try entries(result.error)
        #expect(entries.allSatisfy { $0["severity_text"] as? String == "ERROR" })
        let place = try attributes(entries.first)
        #expect(place["code.file.path"] as? String == "t.yaml" && place["code.line.number"] as? Int == 3 && (place["code.column.number"] as? Int ?? 0) > 1)
        let missing = try command.run([words[0], "none.yaml", "--log", "json"] + words.dropFirst())
        #expect(try missing.status == 2 && self.entries(missing.error).count == 1, "\(missing)")
    }

    @Test("of every other command that says something")
    func others() throws {
        let command = try command()
        defer { command.remove() }
        for words in [
            ["plan", "t.yaml", "--tasks", "1", "--plan", "p"], ["task", "p", "--index", "0"], ["task", "p", "--index", "0"], ["task", "p", "--index", "9"],
            ["gather", "p"], ["audit", "none.json"], ["report", "none.json"], ["replay", ".sluice/t/dead-letter.jsonl.gz", "--with", "t.yaml"],
            ["replay", "none", "--with", "t.yaml"],
        ] {
            let result = try command.run(words + ["--log", "json"])
            #expect(try !entries(result.error).isEmpty, "\(words): \(result)")
        }
    }

    @Test("of progress and of a drain")
    func progress() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("name: x\nsource: {files: '-', format: jsonl}\nsink: {file: x.jsonl}\n", to: "x.yaml")
        let run = try command.start(nil, ["run", "x.yaml", "--progress", "plain", "--log", "json"])
        try run.waits(for: "sluice.records")
        run.signal(SIGTERM)
        try run.waits(for: "draining")
        let result = try run.finish()
        #expect(result.status == 143)
        let entries = try entries(result.error)
        let progress = try attributes(entries.first { ($0["attributes"] as? [String: Any])?["sluice.records"] != nil })
        #expect(progress["sluice.records"] as? Int == 0 && progress["sluice.dead"] as? Int == 0)
        // It is not known before something is committed.
        #expect(progress["sluice.bytes_per_second"] == nil)
        #expect(try attributes(entries.last)["sluice.status"] as? String == "interrupted")
    }

    @Test("looks as docs/logs.md shows it")
    func page() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let sample = CommandUnderTest.root.appending(path: "sampledata/access/2026-03-02.log.gz").path
        #expect(try command.shell("mkdir logs && cp '\(sample)' logs").status == 0)
        try command.write(
            "name: errors\nsource: {files: 'logs/*.gz', format: combined}\nstages: [{keep: status >= 500}]\nsink: {file: out.jsonl}\n", to: "errors.yaml")
        let result = try command.run("run", "errors.yaml", "--log", "json", "--workers", "2", "--progress", "none")
        #expect(result.status == 3)
        // Without what is different each time.
        let shown = result.error.replacing(/"timestamp":"[^"]*"/, with: "\"timestamp\":\"2026-03-03T05:00:00.123Z\"")
            .replacing(/(seconds":)[0-9.e-]+/) { "\($0.1)0.05" }.replacing(/in [0-9.]+ s"/, with: "in 0.05 s\"")
        let lines = shown.split(separator: "\n")
        let text = [lines[1], lines[3], try #require(lines.last)].map { $0 + "\n" }.joined()
        let path = CommandUnderTest.root.appending(path: "docs/logs.md")
        var page = try MarkdownBlocks(try String(contentsOf: path, encoding: .utf8))
        let place = try #require(page.blocks.firstIndex { $0.before.contains("<!-- log -->") })
        if ProcessInfo.processInfo.environment["SLUICE_WRITE_EXPECTED"] != nil {
            page.blocks[place].text = text
            try Data(page.text.utf8).write(to: path)
        }
        #expect(page.blocks[place].text == text)
    }
}
