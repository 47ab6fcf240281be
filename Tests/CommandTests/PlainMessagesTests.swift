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
        let result = try command.run("run", "x.yaml", "--state", "/proc/none", "--progress", "none")
        #expect(result.error == "sluice: /proc/none: the state folder cannot be created: no permission to create it in '/proc'\n", "\(result)")
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
