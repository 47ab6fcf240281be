import Testing

@Suite("Hostile records", .timeLimit(Patience.hang))
struct HostileTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var format = "jsonl"
        var input: [UInt8]
        /// The expected lines in order; `nil` if only their number is checked.
        var output: [String]?
        var dead: Int
        var testDescription: String { name }

        init(_ name: String, format: String = "jsonl", _ input: String, output: [String]?, dead: Int = 0) {
            self.init(name, format: format, bytes: Array(input.utf8), output: output, dead: dead)
        }

        init(_ name: String, format: String = "jsonl", bytes: [UInt8], output: [String]?, dead: Int = 0) {
            self.name = name
            self.format = format
            input = bytes
            self.output = output
            self.dead = dead
        }
    }

    static let cases = [
        Case("an empty file", "", output: []),
        Case("no final line feed", "{\"a\":1}\n{\"a\":2}", output: ["{\"a\":1}", "{\"a\":2}"]),
        Case("CRLF", "{\"a\":1}\r\n{\"a\":2}\r\n", output: nil),
        Case("a byte order mark", "\u{FEFF}{\"a\":1}\n{\"a\":2}\n", output: nil),
        Case("invalid UTF-8", bytes: Array("{\"a\":\"".utf8) + [0xFF, 0xC3] + Array("\"}\n{\"a\":2}\n".utf8), output: ["{\"a\":2}"], dead: 1),
        Case("NUL bytes", bytes: Array("{\"a\":1}\n".utf8) + [0, 0, 10] + Array("{\"a\":3}\n".utf8), output: ["{\"a\":1}", "{\"a\":3}"], dead: 1),
        Case(
            "numbers beyond doubles and integers stay exact", "{\"a\":1e400,\"b\":12345678901234567890123}\n",
            output: ["{\"a\":1e400,\"b\":12345678901234567890123}"]),
        Case(
            "20-digit integers", "{\"a\":18446744073709551616,\"b\":-9223372036854775809}\n",
            output: ["{\"a\":18446744073709551616,\"b\":-9223372036854775809}"]),
        Case("duplicate keys", "{\"a\":1,\"a\":2}\n{\"b\":3}\n", output: ["{\"a\":2}", "{\"b\":3}"]),
        Case("a lone surrogate", "{\"a\":\"\\ud800\"}\n", output: ["{\"a\":\"\\ud800\"}"]),
        Case(
            "100,000 levels", String(repeating: "[", count: 100_000) + "\n{\"a\":" + String(repeating: "[", count: 100_000) + "\n{\"a\":1}\n",
            output: ["{\"a\":1}"], dead: 2),
        Case("half a record", "{\"a\":\n{\"a\":1}\n{\"a\":", output: ["{\"a\":1}"], dead: 2),
        Case("lines of any bytes", format: "lines", bytes: [0, 10, 13, 10, 0xFF, 10], output: nil),
        Case("access logs that are none", format: "combined", "hello\n\"\"\"\"\n- - - [\n", output: [], dead: 3),
    ]

    @Test("names of files cannot control the terminal, or break a line of the summary")
    func names() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("{\"a\":1}\nnone\n", to: "\u{1B}[31mred\nin.jsonl")
        let result = try command.run(
            "run", "--files", "*in.jsonl", "--stage", "set: {b: '1'}", "--sink", "\u{1B}[31mout.jsonl", "--progress", "none")
        #expect(result.status == 3)
        #expect(result.error.contains("␛[31mred in.jsonl") && result.error.contains("␛[31mout.jsonl") && !result.error.contains("\u{1B}"))
        #expect(result.error.contains("(␛[31mred in.jsonl:2)"))
    }

    @Test("neither crashes nor loses records silently", arguments: cases)
    func hostile(_ hostile: Case) async throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write(hostile.input, to: "in.log")
        try command.write(
            """
            name: hostile
            source: {files: in.log, format: \(hostile.format)}
            stages: []
            sink: {file: out/records.jsonl}
            dead_letter: out/dead.jsonl
            """, to: "hostile.yaml")
        let ending = try await command.sluice("run", "hostile.yaml")
        #expect(ending.status == (hostile.dead > 0 ? 3 : 0), "\(ending)")
        let report = try command.report(of: "hostile")
        #expect(report.bool("balanced") == true)
        #expect(report.int("records", "dead") == hostile.dead)
        let written = try #require(report.int("records", "written"))
        #expect(report.int("records", "read") == written + hostile.dead)
        let lines = command.lines(of: "out/records.jsonl")
        #expect(lines.count == written)
        if let output = hostile.output { #expect(lines == output) }
        for letter in try command.objects(of: "out/dead.jsonl") {
            #expect(letter.text("error", "code") != nil)
            #expect(letter.text("raw") != nil || letter.text("raw_base64") != nil)
        }
    }

    @Test("a line of 32 MB with a limit of 1 MiB is one dead letter, in bounded memory")
    func longLine() async throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let made = try await command.script(
            "{ echo '{\"a\":1}'; head -c 32000000 /dev/zero | tr '\\0' x; echo; echo '{\"a\":2}'; } | gzip -1 > in.jsonl.gz")
        #expect(made.status == 0)
        try command.write(
            """
            name: long
            source: {files: in.jsonl.gz, format: jsonl, max_record: 1MiB}
            stages: []
            sink: {stdout: true}
            dead_letter: dead.jsonl.gz
            """, to: "long.yaml")
        let ending = try await command.sluice("run", "long.yaml")
        #expect(ending.status == 3, "\(ending)")
        #expect(ending.lines == ["{\"a\":1}", "{\"a\":2}"])
        let letter = try await command.script("gzip -dc dead.jsonl.gz | grep -c '\"code\": *\"record.too_long\"'")
        #expect(letter.lines == ["1"])
        let whole = try await command.script("gzip -dc dead.jsonl.gz | tr -cd x | wc -c")
        #expect(Int(whole.lines.first ?? "") ?? 0 >= 32_000_000)
    }
}
