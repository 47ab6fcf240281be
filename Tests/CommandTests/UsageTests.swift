import Foundation
import Testing

@testable import sluice

@Suite("The command line")
struct UsageTests {
    let command: CommandUnderTest

    init() throws {
        command = try CommandUnderTest()
    }

    static let wrong = [
        ["nonsense"], ["run"], ["run", "no-such-file.yaml"], ["run", "x.yaml", "--workers", "0"], ["run", "x.yaml", "--workers", "many"],
        ["run", "x.yaml", "--limit", "-1"], ["run", "x.yaml", "--report", "x.pdf"], ["run", "x.yaml", "--report", "no/such/folder/x.json"],
        ["run", "x.yaml", "--progress", "loud"], ["run", "x.yaml", "--set", "novalue"], ["run", "x.yaml", "--nonsense"], ["check"],
        ["audit", "no-such-report.json"], ["report", "no-such-report.json"], ["report", "x.yaml", "-o", "x.pdf"], ["top", "no/such/folder"], ["top"],
        ["run", "x.yaml", "--log", "xml"],
    ]

    @Test("an error in it exits with 2, with a message on standard error", arguments: wrong)
    func isRefused(arguments: [String]) throws {
        defer { command.remove() }
        try command.write("", to: "x.yaml")
        let result = try command.run(arguments)
        #expect(result.status == 2)
        #expect(result.output == "")
        #expect(!result.error.isEmpty)
    }

    @Test(
        "every command has a page of help with examples and exit codes",
        arguments: [
            [], ["run"], ["check"], ["test"], ["explain"], ["graph"], ["show"], ["replay"], ["init"], ["schema"], ["audit"], ["plan"], ["task"], ["gather"],
            ["eval"], ["report"], ["top"],
        ])
    func help(command name: [String]) throws {
        defer { command.remove() }
        let result = try command.run(name + ["--help"])
        #expect(result.status == 0)
        #expect(result.error == "")
        for part in ["USAGE: sluice", "EXAMPLES", "EXIT CODES"] { #expect(result.output.contains(part)) }
    }

    @Test("--version says the version and the libraries on standard output")
    func version() throws {
        defer { command.remove() }
        let result = try command.run("--version")
        #expect(result.status == 0)
        let lines = result.output.split(separator: "\n")
        try #require(lines.count == 3)
        #expect(lines.first == "sluice \(Version.text)")
        #expect(lines[1].wholeMatch(of: /inflates with (ISA-L|zlib) [0-9.]+, deflates with (ISA-L|zlib) [0-9.]+, level [12]/) != nil)
        #expect(lines[2].wholeMatch(of: /zstd [0-9.]+, bzip2 [0-9.]+, xz [0-9.]+, SQLite 3[0-9.]+/) != nil)
    }

    @Test("completions for a shell name the commands and their options", arguments: ["bash", "zsh", "fish"])
    func completions(shell: String) throws {
        defer { command.remove() }
        let result = try command.run("--generate-completion-script", shell)
        #expect(result.status == 0)
        for word in [
            "run", "check", "test", "explain", "graph", "show", "replay", "init", "schema", "audit", "plan", "task", "gather", "eval", "report", "top",
            "progress",
            "restart",
        ] {
            #expect(result.output.contains(word))
        }
    }

    @Test("bash accepts the completions, and completes a command")
    func bash() throws {
        defer { command.remove() }
        let script = "sluice --generate-completion-script bash > c && . ./c && complete -p sluice"
        let result = try command.start(URL(filePath: "/bin/bash"), ["-c", script]).finish()
        #expect(result.status == 0)
        #expect(result.output.contains("sluice"))
    }

    @Test("check reports the file, line and column of every error, and exits with 2")
    func check() throws {
        defer { command.remove() }
        try command.write("name: x\nsource: {files: '-', fromat: jsonl}\nsink: {stdout: yes}\n", to: "x.yaml")
        let result = try command.run("check", "x.yaml")
        #expect(result.status == 2)
        #expect(result.output == "")
        #expect(result.error.contains("x.yaml:2:22: source: unknown key 'fromat' (did you mean 'format'?)\n"))
        #expect(result.error.contains("x.yaml:3:16: sink: 'stdout' cannot be 'yes'\n"))
        #expect(result.error.hasSuffix("errors; nothing was read\n"))
    }

    @Test("check exits with 0 if there are no errors")
    func checkFine() throws {
        defer { command.remove() }
        try command.write("name: x\nsource: {files: '-', format: jsonl}\nsink: {stdout: true}\n", to: "x.yaml")
        let result = try command.run("check", "x.yaml")
        #expect(result.status == 0)
        #expect(result.output == "x.yaml: ok\n")
        #expect(result.error == "")
    }
}
