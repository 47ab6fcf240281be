import Foundation
import Testing

@Suite("Pipelines without a file")
struct QuestionTests {
    private func command() throws -> CommandUnderTest {
        let command = try CommandUnderTest()
        try command.write("{\"status\": 500, \"path\": \"/a\", \"x\": 1}\n{\"status\": 200, \"path\": \"/b\"}\n", to: "logs/it's a.jsonl")
        return command
    }

    @Test("write to standard output, with a summary on standard error")
    func answers() throws {
        let command = try command()
        defer { command.remove() }
        let result = try command.run(
            "run", "--files", "logs/it's*.jsonl", "--stage", "keep: status >= 500", "--stage", "select: [path, status]", "--progress", "none")
        #expect(result.output == "{\"status\": 500,\"path\": \"/a\"}\n")
        #expect(result.error.contains("ledger: 2 in = 1 written + 1 filtered + 0 dead: balanced"))
        #expect(result.status == 0)
    }

    @Test("may write a file, and read several with any options of a format")
    func writes() throws {
        let command = try command()
        defer { command.remove() }
        try command.write("a;b\n1;2\n", to: "one.csv")
        try command.write("a;b\n3;4\n", to: "two.csv")
        let result = try command.run(
            "run", "--files", "one.csv", "--files", "two.csv", "--format", "{csv: {separator: ';'}}", "--stage", "set:\n  c: a + b", "--sink",
            "out/to ${a}.jsonl.gz", "--progress", "none")
        #expect(result.status == 0)
        #expect(result.output == "")
        let names = try FileManager.default.contentsOfDirectory(atPath: command.folder.appending(path: "out").path).sorted()
        #expect(names == ["to $1.jsonl.gz", "to $3.jsonl.gz"])
        #expect(try command.text(of: "out/to $3.jsonl.gz") == "{\"a\":\"3\",\"b\":\"4\",\"c\":\"34\"}\n")
    }

    @Test("a mistake is shown at its position")
    func mistake() throws {
        let command = try command()
        defer { command.remove() }
        let result = try command.run("run", "--files", "logs/*", "--format", "combined", "--stage", "keep: statsu >= 500")
        #expect(result.status == 2)
        #expect(result.error.contains("command line:6:11: keep: no such field 'statsu' (did you mean 'status'?)"))
        #expect(try command.run("check", "--files", "logs/*", "--format", "jsonl").output == "command line: ok\n")
    }

    @Test("options and a file do not go together, and stages need files")
    func together() throws {
        let command = try command()
        defer { command.remove() }
        try command.write("", to: "x.yaml")
        for arguments in [["run", "x.yaml", "--files", "a"], ["run", "--stage", "keep: true"], ["run"]] {
            let result = try command.run(arguments)
            #expect(result.status == 2)
            #expect(result.error.contains("Error: "))
        }
    }
}

@Suite("The words of the command line")
struct CommandWordsTests {
    private static let file = "name: x\nsource: {files: in.jsonl}\nsink: {stdout: true}\n"

    @Test("a single pipeline file is run")
    func fileAlone() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write(Self.file, to: "x.yaml")
        try command.write("{\"a\":1}\n", to: "in.jsonl")
        let result = try command.run("x.yaml", "--progress", "none")
        #expect(result.output == "{\"a\":1}\n")
        #expect(result.status == 0)
    }

    @Test("'-' reads the pipeline from standard input, which then cannot be an input")
    func standardInput() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("{\"a\":1}\n", to: "in.jsonl")
        for words in [["run", "-"], ["-"]] {
            let result = try command.run(words + ["--progress", "none"], input: Self.file)
            #expect(result.output == "{\"a\":1}\n")
            #expect(result.status == 0)
        }
        let both = try command.run(["check", "-"], input: "name: x\nsource: {files: '-', format: jsonl}\nsink: {stdout: true}\n")
        #expect(both.error.contains("-:2:18: the pipeline file is read from standard input, so records cannot be"))
        #expect(both.status == 2)
    }

    @Test("typos are answered with suggestions")
    func mistyped() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let result = try command.run("rnu", "x.yaml")
        #expect(result.error.contains("There is no command 'rnu' (did you mean 'run'?)"))
        #expect(result.status == 2)
        let option = try command.run("run", "x.yaml", "--progres", "none")
        #expect(option.error.contains("--progress"))
        #expect(option.status == 2)
    }

    @Test("--no-inputs checks a file without its inputs")
    func noInputs() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write(Self.file, to: "x.yaml")
        #expect(try command.run("check", "x.yaml").status == 2)
        let result = try command.run("check", "x.yaml", "--no-inputs")
        #expect(result.output == "x.yaml: ok\n")
        #expect(result.status == 0)
    }
}
