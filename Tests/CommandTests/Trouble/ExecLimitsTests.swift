import Foundation
import Testing

@Suite("exec: limits, answers")
struct ExecLimitsTests {
    private func command(_ stage: String, records: Int, rest: String = "") throws -> CommandUnderTest {
        let command = try CommandUnderTest()
        try command.write((0..<records).map { "{\"n\":\($0)}\n" }.joined(), to: "in.jsonl")
        try command.write("name: x\nsource: {files: in.jsonl}\nstages:\n  - \(stage)\nsink: {file: out.jsonl}\n\(rest)", to: "x.yaml")
        return command
    }

    @Test("a limit of dead letters is checked for each record, and a child that never answered is reported", .timeLimit(Patience.hang))
    func limit() throws {
        let command = try command("{exec: [sleep, '300'], timeout: 20ms}", records: 5000, rest: "limits: {dead_letters: 5}\n")
        defer { command.remove() }
        let result = try command.run("run", "x.yaml", "--progress", "none")
        #expect(result.status == 1)
        #expect(result.error.contains(#/[6-9] of [0-9]+ records are dead letters, more than limits.dead_letters allows \(5\)/#))
        #expect(result.error.contains("exec: no child has answered yet; a child must flush its output after each line"))
        #expect(result.error.components(separatedBy: "no child has answered yet").count == 2)
    }

    @Test("so is a share, once all records are read", .timeLimit(Patience.hang))
    func share() throws {
        let command = try command("{exec: [sleep, '300'], timeout: 20ms}", records: 500, rest: "limits: {dead_letters: 1%}\n")
        defer { command.remove() }
        let result = try command.run("run", "x.yaml", "--progress", "none")
        #expect(result.status == 1)
        #expect(result.error.contains(#/\b[6-9] of 500 records are dead letters, more than limits.dead_letters allows \(1\.0 %\)/#), "\(result.error)")
    }

    @Test("answers: many accepts any number of lines followed by an empty one")
    func many() throws {
        let script = """
            while read -r line; do
              case "$line" in *0*) ;; *) echo "$line"; echo "{\\"of\\":$line}" ;; esac
              echo
            done

            """
        let command = try command("{exec: [sh, ./child.sh], answers: many, timeout: 60s}", records: 3)
        defer { command.remove() }
        try command.write(script, to: "child.sh")
        let result = try command.run("run", "x.yaml", "--progress", "none", "--state", "state")
        #expect(result.error.contains("ledger: 3 in + 2 added = 4 written + 1 filtered + 0 dead: balanced"))
        #expect(try command.text(of: "out.jsonl") == "{\"n\":1}\n{\"of\":{\"n\":1}}\n{\"n\":2}\n{\"of\":{\"n\":2}}\n")
        #expect(try command.run("audit", "state/report.json").status == 0)
    }

    @Test("start_timeout applies to the first answer of a child")
    func start() throws {
        let command = try command("{exec: [sh, -c, 'sleep 1; cat'], timeout: 100ms, start_timeout: 5m}", records: 1)
        defer { command.remove() }
        #expect(try command.run("run", "x.yaml", "--progress", "none").status == 0)
        #expect(try command.text(of: "out.jsonl") == "{\"n\":0}\n")
    }
}
