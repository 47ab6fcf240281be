import Foundation
import Testing

/// What the system refuses to a command.
@Suite("what the system refuses")
struct RefusalsTests {
    private func command() throws -> CommandUnderTest {
        let command = try CommandUnderTest()
        try command.write("{\"n\":1}\nhello\n{\"n\":3}\n", to: "in.jsonl")
        try command.write("name: x\nsource: {files: in.jsonl, format: jsonl}\nsink: {file: out.jsonl}\ndead_letter: dead.jsonl\n", to: "x.yaml")
        let ran = try command.run("run", "x.yaml", "--progress", "none")
        #expect(ran.status == 3, "\(ran)")
        return command
    }

    @Test(
        "results that standard output does not take are an error",
        arguments: [
            "show dead.jsonl", "show dead.jsonl --raw", "show in.jsonl@0", "check x.yaml", "check x.yaml --sample 3", "explain x.yaml", "schema",
            "graph x.yaml", "init in.jsonl", "report .sluice/x/report.json", "audit .sluice/x/report.json", "eval 1+1", "--help", "--version", "run --help",
        ])
    func fullOutput(arguments: String) throws {
        let command = try command()
        defer { command.remove() }
        let result = try command.shell("sluice \(arguments) > /dev/full")
        #expect(result.status == 1, "\(result)")
        #expect(result.error.hasSuffix("sluice: standard output: cannot be written: No space left on device\n"), "\(result)")
    }

    @Test("a reader of standard output that has enough is none")
    func closedOutput() throws {
        let command = try command()
        defer { command.remove() }
        let result = try command.shell("sluice check x.yaml | true; sluice check x.yaml >&-")
        #expect(result.status == 0, "\(result)")
        #expect(result.error.isEmpty, "\(result)")
    }
}
