import Foundation
import Glibc
import SluiceRecords
import Testing

@testable import sluice

@Suite("The course of a run", .timeLimit(Patience.hang))
struct WholeCourseTests {
    @Test("has the time of every process that worked on it, in samples, page and view")
    func resumed() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        // Waits at the second file, which is a batch of its own, until there is a file 'go'. The
        // run that is drained meanwhile gives up the rest of that batch.
        try command.write(
            "while read -r line; do case $line in *stop*) while [ ! -e go ]; do sleep 0.05; done;; esac; echo \"$line\"; done\n", to: "child.sh")
        try command.write("{\"n\":1}\n{\"n\":2}\n", to: "in/1.jsonl")
        try command.write("{\"n\":\"stop\"}\n{\"n\":4}\n{\"n\":5}\n", to: "in/2.jsonl")
        try command.write(
            "name: r\nsource: {files: 'in/*', format: jsonl}\nstages: [{exec: [sh, ./child.sh], workers: 1, timeout: 100s}]\nsink: {file: out.jsonl}\n",
            to: "r.yaml")
        let first = try command.start(nil, ["run", "r.yaml", "--workers", "1", "--progress", "plain"])
        try first.waits(for: "2 records")
        first.signal(SIGINT)
        try first.waits(for: "draining")
        try command.write("", to: "go")
        #expect(try first.finish().status == 130)
        let before = try #require(RunSamples(state: command.folder.appending(path: ".sluice/r").path))
        let shown = try command.run("top")
        #expect(shown.status == 0 && shown.output.hasPrefix("r  interrupted  "), "\(shown)")
        let second = try command.run("run", "r.yaml", "--progress", "none")
        #expect(second.status == 0, "\(second)")
        let after = try #require(RunSamples(state: command.folder.appending(path: ".sluice/r").path))
        let end = try #require(before.samples.last?.time)
        #expect(after.resumes == [end] && after.resumedAt == 2 && after.run == before.run && after.began == before.began)
        #expect(after.samples.prefix(before.samples.count).map(\.time) == before.samples.map(\.time))
        #expect(zip(after.samples.dropFirst(), after.samples).allSatisfy { $0.time >= $1.time })
        let last = try #require(after.samples.last)
        #expect(last.records == 5 && last.written == 5 && last.time > end)
        for (step, old) in zip(last.steps, try #require(before.samples.last).steps) { #expect(step.busy >= old.busy && step.batches >= old.batches) }
        #expect(try command.run("report", ".sluice/r").status == 0)
        let page = try command.text(of: ".sluice/r/report.html")
        #expect(page.contains("\"resumes\":[\(end)]") && page.contains("\"resumed_at\":2"))
        // Starting over forgets them.
        #expect(try command.run("run", "r.yaml", "--progress", "none").status == 0)
        let anew = try #require(RunSamples(state: command.folder.appending(path: ".sluice/r").path))
        #expect(anew.resumes.isEmpty && anew.resumedAt == nil && anew.run != before.run && anew.samples.first?.time ?? 0 < end)
    }

    @Test("is kept by gather and replay, too")
    func others() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("{\"n\":1}\nbroken\n", to: "in.jsonl")
        try command.write("name: g\nsource: {files: in.jsonl, format: jsonl}\nstages: [{set: {m: n}}]\nsink: {file: out.jsonl}\n", to: "g.yaml")
        #expect(try command.run("plan", "g.yaml", "--tasks", "1", "--plan", "plan").status == 0)
        #expect(try command.run("task", "plan", "--index", "0", "--progress", "none").status == 0)
        #expect(try command.run("gather", "plan", "--progress", "none").status == 3)
        let gathered = try #require(RunSamples(state: command.folder.appending(path: ".sluice/g").path))
        #expect(gathered.samples.last?.records == 2 && gathered.samples.last?.deadLetters.first == 1 && gathered.file == "g.yaml")
        #expect(try gathered.report == RunReport(contentsOf: command.folder.appending(path: ".sluice/g/report.json").path).digest)
        #expect(try command.run("top").output.hasPrefix("g  complete, with losses  "))
        try command.write("name: g\nsource: {files: in.jsonl, format: jsonl}\nstages: [{set: {m: 1}}]\nsink: {file: out.jsonl}\n", to: "g.yaml")
        #expect(try command.run("replay", ".sluice/g/dead-letter.jsonl.gz", "--with", "g.yaml", "--progress", "none").status == 3)
        let replayed = try command.run("top", RecordPipeline.replayFolder(in: ".sluice/g"))
        #expect(replayed.status == 0 && replayed.output.hasPrefix("g  complete, with losses  ") && replayed.output.contains("\n  set  "), "\(replayed)")
    }
}
