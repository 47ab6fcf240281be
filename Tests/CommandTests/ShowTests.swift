import Foundation
import Testing

@Suite("show")
struct ShowTests {
    /// Creates a command that has left dead letters of three kinds.
    private func command() throws -> CommandUnderTest {
        let command = try CommandUnderTest()
        try command.write("{\"a\":1}\n{\"b\":2}\n{\"c\":3}\nhello\n{\"a\":\"x\"}\n", to: "in.jsonl")
        try command.write(
            "name: x\nsource: {files: in.jsonl}\nstages: [{keep: a + 1 > 1}]\nsink: {stdout: true}\ndead_letter: dead.jsonl.gz\n", to: "x.yaml")
        #expect(try command.run("run", "x.yaml", "--progress", "none").status == 3)
        return command
    }

    @Test("groups dead letters by stage, code and message, with counts, places and examples")
    func triage() throws {
        let command = try command()
        defer { command.remove() }
        let result = try command.run("show", "dead.jsonl.gz")
        #expect(result.status == 0)
        #expect(
            result.output == """
                dead.jsonl.gz: 4 dead letters of 3 kinds

                  2  keep  expression.no_such_field
                     no such field '…'
                     in.jsonl:2 (@8)
                     no such field 'a'
                     | {"b":2}

                  1  keep  expression.type
                     '…' cannot be applied to string and int; convert with int(…), double(…) or string(…)
                     in.jsonl:5 (@30)
                     '+' cannot be applied to string and int; convert with int(…), double(…) or string(…)
                     | {"a":"x"}

                  1  source  parse.jsonl
                     expected '…' at byte N, found '…'
                     in.jsonl:4 (@24)
                     expected '{' at byte 0, found 'h'
                     | hello

                """)
    }

    @Test("bytes in messages are numbers, so that they make no kinds of their own")
    func bytes() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let letters = ["0xE2", "0x1F", "0xAB"].map { byte in
            #"{"pipeline":"p","definition":"d","stage":"s","error":{"code":"c","message":"found byte \#(byte) at 7"},"attempts":1,"raw":"x"}"# + "\n"
        }
        try command.write(letters.joined(), to: "dead.jsonl")
        let result = try command.run("show", "dead.jsonl")
        #expect(result.status == 0 && result.output.hasPrefix("dead.jsonl: 3 dead letters of 1 kind\n"), "\(result)")
        #expect(result.output.contains("     found byte N at N\n"))
    }

    @Test("--raw prints the records' original bytes, even if they are not text; --stage and --code select")
    func raw() throws {
        let command = try command()
        defer { command.remove() }
        #expect(try command.run("show", "dead.jsonl.gz", "--raw", "--code", "expression.no_such_field").output == "{\"b\":2}\n{\"c\":3}\n")
        #expect(try command.run("show", "dead.jsonl.gz", "--raw", "--stage", "source").output == "hello\n")
        _ = try command.shell("printf '\\377\\376abc\\n' > bytes.log; sluice run --files bytes.log --format combined --progress none")
        let bytes = try command.shell("sluice show .sluice/*/dead-letter.jsonl.gz --raw | cmp - bytes.log")
        #expect(bytes.status == 0)
    }

    @Test("shows the fields of a record whose bytes a stage has withheld, and leaves it out of --raw")
    func withheld() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("{\"user\":\"ann\",\"a\":1}\nhello\n", to: "in.jsonl")
        try command.write(
            "name: x\nsource: {files: in.jsonl}\nstages: [{redact: {fields: [user], with: mask}}, {keep: b > 1}]\nsink: {stdout: true}\n"
                + "dead_letter: dead.jsonl\n", to: "x.yaml")
        #expect(try command.run("run", "x.yaml", "--progress", "none").status == 3)
        let result = try command.run("show", "dead.jsonl", "--stage", "keep")
        #expect(result.output.hasSuffix("     no such field 'b'\n     fields: {\"user\":\"***\",\"a\":1}\n"), "\(result.output)")
        let raw = try command.run("show", "dead.jsonl", "--raw")
        #expect(raw.output == "hello\n")
        #expect(raw.error == "sluice: dead.jsonl: 1 dead letter has no original bytes, since 'redact' withheld them, and is not printed\n")
    }

    @Test("FILE@OFFSET prints the record at that offset in an input's text")
    func place() throws {
        let command = try command()
        defer { command.remove() }
        _ = try command.shell("gzip -k in.jsonl")
        for file in ["in.jsonl", "in.jsonl.gz"] {
            #expect(try command.run("show", "\(file)@24").output == "hello\n")
            #expect(try command.run("show", "\(file)@26").output == "hello\n")
            #expect(try command.run("show", "\(file)@0").output == "{\"a\":1}\n")
            let beyond = try command.run("show", "\(file)@4000")
            #expect(beyond.status == 1)
            #expect(beyond.error == "sluice: \(file): byte 4000 is beyond its end\n")
        }
    }

    @Test("FILE@OFFSET prints the object at that offset of a JSON document")
    func object() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("{\"Records\":[{\"a\":1},{\n  \"a\": \"x}\"\n}, {\"a\" 3}]}\n", to: "in.json")
        #expect(try command.run("show", "in.json@12").output == "{\"a\":1}\n")
        #expect(try command.run("show", "in.json@20").output == "{\n  \"a\": \"x}\"\n}\n")
        #expect(try command.run("show", "in.json@0").output == "{\"Records\":[{\"a\":1},{\n")
        #expect(try command.run("show", "in.json@38").output == "}, {\"a\" 3}]}\n")
    }

    @Test("of a record that is too long, FILE@OFFSET prints all of it, or the object that begins inside it")
    func long() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("{\"a\":1}\n{\"list\":[{\"b\":2},\"" + String(repeating: "x", count: 70 << 20) + "\"]}\n{\"c\":3}\n", to: "in.jsonl")
        try command.write("name: x\nsource: {files: in.jsonl}\nsink: {stdout: true}\ndead_letter: dead.jsonl\n", to: "x.yaml")
        #expect(try command.run("run", "x.yaml", "--progress", "none").output == "{\"a\":1}\n{\"c\":3}\n")
        #expect(try command.shell("sluice show in.jsonl@8 > shown; sed -n 2p in.jsonl | cmp - shown").status == 0)
        #expect(try command.shell("sluice show in.jsonl@100000 | cmp - shown").status == 0)
        #expect(try command.run("show", "in.jsonl@17").output == "{\"b\":2}\n")
        let raw = try command.run("show", "dead.jsonl", "--raw")
        #expect(raw.output.utf8.count == 65_537)
        #expect(raw.error.hasPrefix("sluice: dead.jsonl: of 1 of these records, only the beginning is in the dead letters ('raw_cut')"))
        #expect(try command.run("audit", ".sluice/x/report.json").status == 0)
        let changed = try command.shell("sed -i 's/\"of\":[0-9]*/\"of\":99999999/' dead.jsonl; sluice audit .sluice/x/report.json 2>&1")
        #expect(changed.output.contains("a record of "), "\(changed.output)")
    }

    @Test("a file of anything else exits with 2, an empty one has no dead letters")
    func wrong() throws {
        let command = try command()
        defer { command.remove() }
        let result = try command.run("show", "in.jsonl")
        #expect(result.status == 2)
        #expect(result.error == "sluice: in.jsonl:1: not a dead letter: expected an object with 'stage' and 'error'\n")
        #expect(try command.run("show", "nowhere").status == 2)
        try command.write("", to: "empty.jsonl")
        #expect(try command.run("show", "empty.jsonl").output == "empty.jsonl: no dead letters\n")
    }

    @Test("a file that a failed run did not keep is said to be so, with the first of each code")
    func failedRun() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("hello\nworld\n{}\n", to: "in.jsonl")
        let rest = "name: x\nsource: {files: in.jsonl}\nsink: {file: out/o.jsonl}\nlimits: {dead_letters: 1}\n"
        for (file, line) in [("dead.jsonl", "dead_letter: dead.jsonl\n"), (".sluice/x/dead-letter.jsonl.gz", "")] {
            try command.write(rest + line, to: "x.yaml")
            #expect(try command.run("run", "x.yaml", "--progress", "none").status == 1)
            let result = try command.run("show", file)
            #expect(result.status == 2)
            #expect(
                result.error == """
                    sluice: \(file): no such file
                      the last run of 'x' failed and published nothing, so its 2 dead letters are not kept; the first of each code:
                        parse.jsonl in source: expected '{' at byte 0, found 'h' (in.jsonl:1)
                      report: .sluice/x/report.json

                    """)
        }
        #expect(try command.run("show", "other.jsonl").error == "sluice: other.jsonl: no such file\n")
    }
}
