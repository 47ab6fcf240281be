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

    @Test("types that would be inferred from standard input are refused by check")
    func inferred() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let result = try command.run("check", "--files", "-", "--format", "{csv: {types: infer}}")
        #expect(result.status == 2)
        #expect(result.error.contains("standard input can only be read once"), "\(result.error)")
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
