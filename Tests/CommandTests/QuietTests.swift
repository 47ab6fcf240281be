import Testing

@Suite("What a command says, and when")
struct QuietTests {
    @Test("run --quiet prints nothing but the records, unless the run fails")
    func quiet() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("{\"a\":1}\nx\n", to: "in.jsonl")
        let losses = try command.run("run", "--files", "in.jsonl", "--format", "jsonl", "--quiet")
        #expect((losses.status, losses.output, losses.error) == (3, "{\"a\":1}\n", ""))
        let stage = try command.run("run", "--files", "in.jsonl", "--format", "jsonl", "--stage", "{keep: b > 1, on_error: stop}", "--quiet")
        #expect(stage.status == 1)
        #expect(stage.error.contains("no such field 'b'"), "\(stage.error)")
        #expect(try command.run("run", "--files", "in.jsonl", "--quiet", "--verbose").status != 0)
    }

    @Test("types are inferred from what can only be read once, and nothing is lost", arguments: ["-", "/dev/stdin"])
    func inferred(input: String) throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let rows = (0..<200_000).map { "\($0),\($0 % 2 == 0 ? "x" : "y")\n" }
        try command.write("n,t\n" + rows.joined(), to: "in.csv")
        let run = "sluice run --files \(input) --format '{csv: {types: infer}}' --stage 'summarize: {values: {all: count(), sum: sum(n)}}'"
        for source in ["cat in.csv | \(run)", "\(run) < in.csv"] {
            let result = try command.shell(source)
            #expect((result.status, result.output) == (0, "{\"all\":200000,\"sum\":19999900000}\n"), "\(result.error)")
            #expect(result.error.contains("types"), "\(result.error)")
        }
        let check = try command.run("check", "--files", "-", "--format", "{csv: {types: infer}}")
        #expect(check.status == 0, "\(check.error)")
    }

    @Test("what is read twice to find damage is a file, not standard input, even if that is one")
    func checkedFirst() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("a\n1\n", to: "in.csv")
        try command.write("name: x\nsource: {files: '-', format: {csv: {types: infer}}, on_damage: set_aside}\nsink: {stdout: true}\n", to: "x.yaml")
        let result = try command.shell("sluice run x.yaml < in.csv")
        #expect(result.status == 1 && result.output.isEmpty, "\(result.output) \(result.error)")
        let file = try command.shell("sed -i \"s/'-'/in.csv/\" x.yaml && sluice run x.yaml")
        #expect((file.status, file.output) == (0, "{\"a\":1}\n"), "\(file.error)")
    }

    @Test("check --sample names fields that have no value in any record")
    func nothing() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("{\"a\":null,\"u\":\"-\",\"v\":\"-\"}\n{\"a\":null,\"u\":\"-\",\"v\":\"x\"}\n", to: "in.jsonl")
        let result = try command.run(
            "check", "--files", "in.jsonl", "--format", "jsonl", "--stage", "set: {b: a.size(), c: u.upperAscii() + v}", "--sample", "10")
        #expect(result.status == 0)
        #expect(result.output.contains("set: the field 'a' is null in every record that has it\n"), "\(result.output)")
        #expect(result.output.contains("set: the field 'u' is '-' in every record that has it\n"), "\(result.output)")
        #expect(!result.output.contains("'v' is"))
    }
}
