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

    @Test("records that standard output has refused are not written, and those that it took are not unpublished")
    func streamed() throws {
        let command = try command()
        defer { command.remove() }
        try command.write("name: x\nsource: {files: in.jsonl, format: jsonl}\nsink: {stdout: true}\nlimits: {dead_letters: 0}\n", to: "x.yaml")
        let full = try command.shell("sluice run x.yaml > /dev/full")
        #expect(full.status == 1)
        #expect(full.error.hasPrefix("x: failed, nothing was published, in "), "\(full)")
        #expect(full.error.contains("  ledger: 0 in = 0 written + 0 filtered + 0 dead: balanced\n"), "\(full)")
        let many = try command.run("run", "x.yaml")
        #expect(many.status == 1)
        #expect(many.error.hasPrefix("x: failed, nothing was published but 2 records on standard output, in "), "\(many)")
        #expect(many.output == "{\"n\":1}\n{\"n\":3}\n")
        let logged = try command.run("run", "x.yaml", "--log", "json")
        #expect(logged.error.contains("nothing was published but 2 records on standard output"), "\(logged)")
    }

    @Test("an input that was not read to its end has the size of what was read")
    func part() throws {
        let command = try command()
        defer { command.remove() }
        let ran = try command.run("run", "x.yaml", "--limit", "1")
        #expect(ran.status == 0, "\(ran)")
        #expect(try command.text(of: ".sluice/x/report.json").contains("\"bytes\" : 22,"))
    }

    @Test("a reader of standard output that has enough is none")
    func closedOutput() throws {
        let command = try command()
        defer { command.remove() }
        let result = try command.shell("sluice check x.yaml | true; sluice check x.yaml >&-")
        #expect(result.status == 0, "\(result)")
        #expect(result.error.isEmpty, "\(result)")
    }

    @Test("too few descriptors are named as that, however few", arguments: [4, 5, 6, 8, 12, 16])
    func descriptors(limit: Int) throws {
        let command = try command()
        defer { command.remove() }
        let result = try command.shell("ulimit -n \(limit); sluice run x.yaml")
        #expect(result.status == 1, "\(result)")
        let message = /sluice: the system allows [0-9]+ more open files, and a command needs 20; raise the limit \(ulimit -n\)\n/
        #expect(result.error.wholeMatch(of: message) != nil, "\(result)")
    }

    @Test("a file of the state folder that cannot be read is not called damaged, and nothing is discarded because of it")
    func unreadableState() throws {
        let command = try command()
        defer { command.remove() }
        for name in ["publish.json", "checkpoint.json"] {
            _ = try command.shell("rm -rf .sluice/x/*.json; mkdir -p .sluice/x/\(name)")
            for arguments in [["run", "x.yaml"], ["run", "x.yaml", "--restart"]] where name == "publish.json" || arguments.count == 2 {
                let result = try command.run(arguments)
                #expect(result.status == 1, "\(result)")
                #expect(result.error == "sluice: .sluice/x/\(name): cannot be read: Is a directory\n", "\(result)")
            }
        }
    }

    @Test("a pipeline file that cannot be read is named with the reason, and one from a pipe of the shell is read")
    func pipelineFiles() throws {
        let command = try command()
        defer { command.remove() }
        _ = try command.shell("mkfifo pipe; mkdir folder")
        for verb in ["check", "run", "test", "explain", "graph"] {
            let pipe = try command.run(verb, "pipe")
            #expect(pipe.status == 2)
            #expect(
                pipe.error.hasPrefix("sluice: pipe: it cannot be read: it is a named pipe; this command reads only regular files and '-'\n"), "\(pipe)")
            let folder = try command.run(verb, "folder")
            #expect(folder.status == 2)
            #expect(folder.error.hasPrefix("sluice: folder: it cannot be read: it is a folder\n"), "\(folder)")
        }
        let given = try command.shell("sluice check /dev/fd/3 3<x.yaml; cat x.yaml | sluice check /dev/stdin")
        #expect(given.output == "/dev/fd/3: ok\n/dev/stdin: ok\n", "\(given)")
    }
}
