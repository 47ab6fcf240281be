import Foundation
import Testing

@Suite("Messages")
struct PlainMessagesTests {
    let command: CommandUnderTest

    init() throws {
        command = try CommandUnderTest()
        try command.write("{\"n\":1}\n", to: "in.jsonl")
    }

    @Test("an unusable state folder is said in one sentence")
    func stateFolder() throws {
        defer { command.remove() }
        try command.write("name: x\nsource: {files: in.jsonl}\nsink: {file: out/o.jsonl}\ndead_letter: dead.jsonl\n", to: "x.yaml")
        try command.write("", to: "taken")
        for state in ["taken/a/b", "taken"] {
            let result = try command.run("run", "x.yaml", "--state", state, "--progress", "none")
            #expect(result.status != 0)
            #expect(result.error.contains("taken"), "\(result)")
            #expect(!result.error.contains("NSCocoa"), "\(result)")
        }
        try command.write("name: x\nsource: {files: in.jsonl}\nsink: {file: out/o.jsonl}\n", to: "y.yaml")
        let taken = try command.run("run", "y.yaml", "--state", "taken", "--progress", "none")
        #expect(taken.status == 2)
        #expect(taken.error.contains("the state folder 'taken' cannot be created: 'taken' is a file, not a folder"), "\(taken)")
        #expect(!taken.error.contains("sink:"), "\(taken)")
        let result = try command.run("run", "x.yaml", "--state", "/proc/none", "--progress", "none")
        #expect(result.error == "sluice: /proc/none: the state folder cannot be created: no permission to create it in '/proc'\n", "\(result)")
    }

    @Test("a damaged file of the state folder, and a report that cannot be written, are said in one sentence with what to do")
    func damagedState() throws {
        defer { command.remove() }
        try command.write("name: x\nsource: {files: in.jsonl}\nsink: {file: out/o.jsonl}\n", to: "x.yaml")
        try command.write("zzz\n", to: ".sluice/x/publish.json")
        let result = try command.run("run", "x.yaml", "--progress", "none")
        #expect(result.status == 1)
        let message = "it lists outputs of an earlier run that are to be published, and is damaged or from another version of sluice; "
        let fix = "--restart discards it, and the outputs that are not in place yet"
        #expect(result.error == "sluice: .sluice/x/publish.json: \(message)\(fix)\n", "\(result)")
        let restarted = try command.run("run", "x.yaml", "--progress", "none", "--restart")
        #expect(restarted.status == 0)
        #expect(restarted.error.contains("outputs of an earlier run that were not in place yet are lost: .sluice/x/publish.json is"), "\(restarted)")
        let none = try command.run("run", "x.yaml", "--progress", "none", "--report", "none/r.json")
        #expect(none.status == 2 && none.error.contains("'--report': there is no folder "), "\(none)")
        let copy = try command.run("run", "x.yaml", "--progress", "none", "--report", "/proc/self/task/r.json")
        #expect(!copy.error.contains("cannot be written: /proc"), "\(copy)")
    }

    @Test("a long line is cut around the place of the error")
    func longLine() throws {
        defer { command.remove() }
        let letters = String(repeating: "a + ", count: 30_000)
        try command.write("name: x\nsource: {files: in.jsonl}\nstages: [{keep: \"\(letters)nosuch(\"}]\nsink: {stdout: true}\n", to: "x.yaml")
        let result = try command.run("check", "x.yaml")
        #expect(result.status == 2)
        let lines = result.error.split(separator: "\n")
        #expect(lines.count > 3 && lines.allSatisfy { $0.count < 250 }, "\(result.error.prefix(2000))")
        #expect(lines.contains { $0.hasPrefix("  3 | …a + ") || $0.hasPrefix("  3 | … + ") || $0.hasPrefix("  3 | …+ ") || $0.hasPrefix("  3 | … ") })
    }

    @Test("control characters of files do not reach the terminal")
    func controls() throws {
        defer { command.remove() }
        try command.write("name: x\nsource: {files: in.jsonl, fo\u{7}: 1}\nsink: {stdout: true}\n", to: "bell.yaml")
        let check = try command.run("check", "bell.yaml")
        #expect(check.error.contains("  2 | source: {files: in.jsonl, fo␇: 1}\n"), "\(check)")
        try command.write("he\u{7}l\u{1B}[31ml\u{9B}o\n", to: "in.log")
        try command.write("name: x\nsource: {files: in.log, format: combined}\nsink: {stdout: true}\ndead_letter: dead.jsonl\n", to: "x.yaml")
        let run = try command.run("run", "x.yaml", "--progress", "none")
        let show = try command.run("show", "dead.jsonl")
        #expect(show.output.hasSuffix("     | he␇l␛[31ml\u{FFFD}o\n"), "\(show)")
        for text in [check.error, run.error, show.output] { #expect(!text.unicodeScalars.contains { $0 != "\n" && $0.value < 0x20 || $0.value == 0x9B }) }
        #expect(try command.run("show", "dead.jsonl", "--raw").output == "he\u{7}l\u{1B}[31ml\u{9B}o\n")
    }

    @Test("neither do those of records, in what is said of a condition, nor marks that reorder a line")
    func recordControls() throws {
        defer { command.remove() }
        try command.write("{\"a\":\"\\u0007\\u001b[31mred\\u202e\"}\n", to: "in.jsonl")
        try command.write("name: x\nsource: {files: in.jsonl}\nstages: [{keep: a == 1}]\nsink: {file: o.jsonl}\n", to: "x.yaml")
        for arguments in [["run", "x.yaml", "--progress", "none"], ["check", "x.yaml", "--sample", "5"]] {
            let result = try command.run(arguments)
            let text = result.error + result.output
            #expect(text.contains("a is text, such as '␇␛[31mred\u{FFFD}'"), "\(arguments): \(result)")
            #expect(!text.unicodeScalars.contains { $0 != "\n" && $0.value < 0x20 || $0.value == 0x202E }, "\(arguments): \(result)")
        }
        try command.write("name: x\nsource: {files: in.jsonl}\nst\u{202E}ages: [{keep: a == 1}]\nsink: {file: o.jsonl}\n", to: "x.yaml")
        let check = try command.run("check", "x.yaml")
        #expect(check.error.contains("unknown key 'st\u{FFFD}ages'") && !check.error.contains("\u{202E}"), "\(check)")
    }

    @Test("what reads only a beginning, or a place, refuses a named pipe instead of waiting for a writer")
    func pipes() throws {
        defer { command.remove() }
        try command.write("name: x\nsource: {files: pipe, format: lines}\nsink: {stdout: true}\n", to: "x.yaml")
        #expect(try command.shell("mkfifo pipe").status == 0)
        let commands = [["init", "pipe"], ["show", "pipe"], ["show", "pipe@3"], ["check", "x.yaml", "--sample", "5"]]
        for (arguments, status) in zip(commands, [1, 2, 2, 1] as [Int32]) {
            let result = try command.run(arguments)
            #expect(result.status == status, "\(arguments): \(result)")
            let message = "sluice: pipe cannot be read: it is a named pipe; this command reads only regular files and '-'\n"
            #expect(result.error == message, "\(arguments): \(result)")
        }
    }

    @Test("a check refuses a named pipe as a table or a list of files")
    func pipesInFiles() throws {
        defer { command.remove() }
        #expect(try command.shell("mkfifo pipe; echo 1 > in; echo in > list").status == 0)
        let stage = "stages: [{lookup: {file: pipe, format: jsonl, key: line, column: line}}]\n"
        for body in ["source: {files: in, format: lines}\n\(stage)", "source: {files_from: pipe, format: lines}\n"] {
            try command.write("name: x\n\(body)sink: {stdout: true}\n", to: "x.yaml")
            let result = try command.run("check", "x.yaml")
            #expect(result.status == 2)
            #expect(result.error.contains("pipe cannot be read: it is a named pipe; this command reads only regular files and '-'\n"), "\(result)")
        }
        let given = try command.shell("sed 's/: pipe/: \\/dev\\/stdin/' x.yaml > y.yaml; cat list | sluice check y.yaml")
        #expect(given.status == 0, "\(given)")
    }

    @Test("a state folder that cannot be there is refused with the reason")
    func stateFolders() throws {
        defer { command.remove() }
        _ = try command.shell("ln -s nowhere link; echo 1 > in; mkdir -p state/report.json")
        let broken = try command.run("run", "--files", "in", "--format", "lines", "--state", "link")
        #expect(broken.error == "sluice: link: the state folder cannot be created: 'link' is a broken link\n", "\(broken)")
        let taken = try command.run("run", "--files", "in", "--format", "lines", "--state", "state")
        #expect(taken.error == "sluice: state/report.json: is a folder\n", "\(taken)")
    }

    @Test("lists within lists are too many, not a matter of the YAML library")
    func nested() throws {
        defer { command.remove() }
        try command.write("name: " + String(repeating: "[", count: 200_000), to: "x.yaml")
        let result = try command.run("check", "x.yaml")
        #expect(result.error.hasPrefix("x.yaml:1:8: it is nested too deeply\n"), "\(result)")
        #expect(result.error.contains("  fix: quote text that begins with '[' or '{'\n"), "\(result)")
    }

    @Test("a test can name every place that dead letters come from")
    func places() throws {
        defer { command.remove() }
        let pipeline = { (end: String, stage: String) in
            "name: x\nsource: {files: in.jsonl}\n\(end)\ntests: [{name: t, input: ['{}'], dead_letters: [{stage: \(stage), code: sink.path}]}]\n"
        }
        let routes = "routes: [{name: a, when: n > 0, sink: {file: 'out/{n}.jsonl'}}, {name: b, sink: [{file: out/b}, {file: out/c}]}]"
        let ends = [("sink: {file: 'out/{n}.jsonl'}", ["sink"]), (routes, ["routes", "a/sink", "b/copies", "b/sink", "b/sink/2"])]
        for (end, stages) in ends {
            for stage in stages + ["source"] {
                try command.write(pipeline(end, stage), to: "x.yaml")
                let result = try command.run("check", "x.yaml")
                #expect(result.status == 0, "\(stage): \(result)")
            }
            try command.write(pipeline(end, "nosuch"), to: "x.yaml")
            #expect(try command.run("check", "x.yaml").error.contains("fix: the stages are: source, \(stages.joined(separator: ", "))\n"))
        }
    }
}
