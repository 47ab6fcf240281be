import Foundation
import Testing

@testable import sluice

@Suite("Signals")
struct InterruptTests {
    @Test("the first finishes what is in flight, publishes nothing and ends with 128 and its number", arguments: [Signals.interrupt, Signals.termination])
    func drains(signal: Int32) throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("name: x\nsource: {files: '-', format: jsonl}\nsink: {file: out/x.jsonl}\n", to: "x.yaml")
        let run = try command.start(nil, ["run", "x.yaml", "--progress", "plain"])
        try run.send("{\"a\": 1}\n")
        try run.waits(for: "records")
        run.signal(signal)
        try run.waits(for: "sluice: draining")
        let result = try run.finish()
        #expect(result.status == 128 + signal)
        #expect(result.error.contains("interrupted, nothing was published"))
        #expect(!FileManager.default.fileExists(atPath: command.folder.appending(path: "out/x.jsonl").path))
    }

    @Test("the second ends the run at once")
    func ends() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("name: x\nsource: {files: '-', format: jsonl}\nsink: {file: out/x.jsonl}\n", to: "x.yaml")
        let run = try command.start(nil, ["run", "x.yaml", "--progress", "plain"])
        try run.waits(for: "records")
        run.signal(Signals.interrupt)
        try run.waits(for: "sluice: draining")
        run.signal(Signals.interrupt)
        run.process.waitUntilExit()
        #expect(run.process.terminationStatus == 130)
    }

    @Test("a reader of standard output that goes away ends the run quietly")
    func closedOutput() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("name: x\nsource: {files: in.jsonl}\nsink: {stdout: true}\n", to: "x.yaml")
        try command.write(String(repeating: "{\"text\": \"some words to fill a pipe with\"}\n", count: 50_000), to: "in.jsonl")
        let result = try command.shell("{ sluice run x.yaml --progress none; echo $? > status; } | head -n 1")
        #expect(result.output == "{\"text\": \"some words to fill a pipe with\"}\n")
        #expect(result.error == "")
        #expect(try command.text(of: "status") == "141\n")
    }
}
