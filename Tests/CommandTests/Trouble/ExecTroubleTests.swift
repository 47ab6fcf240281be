import Testing

@Suite("Trouble with child processes", .timeLimit(Patience.hang))
struct ExecTroubleTests {
    /// Sends the records `{"n":100}` to `{"n":599}` through children whose misbehavior depends on
    /// the last two digits of the record.
    private static let child = """
        while read -r line; do
            case $line in
            *01}) echo 'model is missing' >&2; exit 3;;
            *02}) echo "{\\"got\\":$line}"; exit 0;;
            *03}) printf '{"got":0}\\n{"got":0}\\n';;
            *04}) echo garbage; echo '{"got":0}';;
            *105}) sleep 60;;
            *06}) exec >&-; exit 0;;
            *07}) kill -9 $$;;
            *08}) printf '{"got":'; exit 0;;
            *09}) echo '{"got":}';;
            *) echo "{\\"got\\":$line}";;
            esac
        done
        """

    private static func pipeline(onError: String = "dead_letter", workers: Int = 4, more: String = "") -> String {
        """
        name: trouble
        source: {files: in.jsonl, format: jsonl}
        stages:
          - name: work
            exec: [sh, ./child.sh]
            workers: \(workers)
            timeout: 4s
            retry: {times: 1, backoff: 10ms}
            on_error: \(onError)
        sink: {file: out/records.jsonl}
        dead_letter: out/dead.jsonl
        \(more)
        """
    }

    private static let numbers = 100..<600
    private static func code(_ number: Int) -> String? { number == 105 ? "timeout" : codes[number % 100] }
    private static let codes = [
        1: "exec.exit", 3: "exec.protocol", 4: "exec.protocol", 6: "exec.exit", 7: "exec.exit", 8: "exec.protocol", 9: "exec.protocol",
    ]

    private static func prepared(child: String = child, pipeline: String = pipeline()) throws -> CommandUnderTest {
        let command = try CommandUnderTest()
        try command.write(numbers.map { "{\"n\":\($0)}\n" }.joined(), to: "in.jsonl")
        try command.write(child + "\n", to: "child.sh")
        try command.write(pipeline, to: "trouble.yaml")
        return command
    }

    @Test("every record is written once, or is a dead letter that says why")
    func everythingAtOnce() async throws {
        let command = try Self.prepared()
        defer { command.remove() }
        let ending = try await command.sluice("run", "trouble.yaml")
        #expect(ending.status == 3, "\(ending)")

        let good = Self.numbers.filter { Self.code($0) == nil }
        #expect(try command.objects(of: "out/records.jsonl").map { $0.int("got", "n") } == good)
        let dead = try command.objects(of: "out/dead.jsonl")
        #expect(dead.map { $0.int("record", "n") } == Self.numbers.filter { Self.code($0) != nil })
        for letter in dead {
            let number = try #require(letter.int("record", "n"))
            #expect(letter.text("error", "code") == Self.code(number), "\(number)")
            #expect(letter.text("raw") == "{\"n\":\(number)}")
            #expect(letter.int("source", "line") == number - 99)
            #expect(letter.text("stage") == "work")
            #expect(letter.int("attempts") == 2, "\(number)")
        }
        #expect(dead.first?.text("error", "message") == "exited with status 3: model is missing")

        let report = try command.report(of: "trouble")
        #expect(report.bool("balanced") == true)
        #expect(report.int("records", "read") == 500)
        #expect(report.int("records", "written") == good.count)
        #expect(report.int("records", "dead") == dead.count)
        let stage = try #require(report.objects("stages").first { $0.text("name") == "work" })
        #expect(stage.int("timeouts") == 2)
        #expect(stage.int("retries") == 36)
    }

    @Test("the same bytes come out with one worker and with eight")
    func sameBytes() async throws {
        let one = try Self.prepared(pipeline: Self.pipeline(workers: 1))
        defer { one.remove() }
        let eight = try Self.prepared(pipeline: Self.pipeline(workers: 8))
        defer { eight.remove() }
        #expect(try await one.sluice("run", "trouble.yaml").status == 3)
        #expect(try await eight.sluice("run", "trouble.yaml").status == 3)
        #expect(!one.lines(of: "out/records.jsonl").isEmpty)
        #expect(one.lines(of: "out/records.jsonl") == eight.lines(of: "out/records.jsonl"))
        // The definitions differ in the number of workers.
        let letters = [one, eight].map { $0.lines(of: "out/dead.jsonl").map { $0.replacing(#/sha256:[0-9a-f]*/#, with: "") } }
        #expect(letters[0] == letters[1])
    }

    @Test("odd records go through a child and back byte for byte")
    func oddRecords() async throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let records = [
            "{\"a\":\"\\u0000\\ud800\"}", "{\"a\":1e400,\"b\":12345678901234567890123}", "{\"a\":1,\"a\":2}", "{ \"a\" : [ 1 , { } ] }", "{}",
            "{\"a\":\"é€😀\"}", "{\"a\":\"\(String(repeating: "x", count: 3_000_000))\"}", "{\"last\":true}",
        ]
        try command.write(records.map { $0 + "\n" }.joined(), to: "in.jsonl")
        try command.write(
            """
            name: odd
            source: {files: in.jsonl, format: jsonl}
            stages: [{exec: [cat], workers: 2, timeout: 30s}]
            sink: {file: out/records.jsonl}
            """, to: "odd.yaml")
        let ending = try await command.sluice("run", "odd.yaml")
        #expect(ending.status == 0, "\(ending)")
        // A key is written once.
        let expected = records.map { $0 == "{\"a\":1,\"a\":2}" ? "{\"a\":2}" : $0 }
        #expect(command.lines(of: "out/records.jsonl") == expected)
    }

    @Test("on_error: drop leaves failed records out and is no loss")
    func drop() async throws {
        let command = try Self.prepared(pipeline: Self.pipeline(onError: "drop"))
        defer { command.remove() }
        let ending = try await command.sluice("run", "trouble.yaml")
        #expect(ending.status == 0, "\(ending)")
        #expect(try command.objects(of: "out/records.jsonl").count == Self.numbers.filter { Self.code($0) == nil }.count)
        #expect(command.lines(of: "out/dead.jsonl").isEmpty)
    }

    @Test("on_error: stop publishes nothing")
    func stop() async throws {
        let command = try Self.prepared(pipeline: Self.pipeline(onError: "stop"))
        defer { command.remove() }
        let ending = try await command.sluice("run", "trouble.yaml")
        #expect(ending.status == 1, "\(ending)")
        #expect(!command.isThere("out/records.jsonl"))
        #expect(!command.isThere("out/dead.jsonl"))
    }

    @Test("too many dead letters stop the run, which publishes nothing")
    func limit() async throws {
        let command = try Self.prepared(child: "exit 1", pipeline: Self.pipeline(more: "limits: {dead_letters: 20}"))
        defer { command.remove() }
        let ending = try await command.sluice("run", "trouble.yaml")
        #expect(ending.status == 1, "\(ending)")
        #expect(!command.isThere("out/records.jsonl"))
        #expect(!command.isThere("out/dead.jsonl"))
    }

    @Test("a missing command is reported before anything is read", arguments: ["./not-there.sh", "sluice-no-such-command"])
    func notThere(_ name: String) async throws {
        let command = try Self.prepared(pipeline: Self.pipeline().replacing("sh, ./child.sh", with: "'\(name)'"))
        defer { command.remove() }
        let ending = try await command.sluice("run", "trouble.yaml")
        #expect(ending.status == 2, "\(ending)")
        #expect(ending.error.contains(name))
        #expect(try command.files == ["child.sh", "in.jsonl", "trouble.yaml"])
    }
}
