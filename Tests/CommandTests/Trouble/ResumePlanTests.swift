import Foundation
import Testing

/// `run --on` that is killed, and run again. A stand-in for `spark-submit` does the tasks.
@Suite("Resuming killed runs on Spark", .timeLimit(Patience.minutes(CommandUnderTest.isWholeTrouble ? 600 : 30)))
struct ResumePlanTests {
    private static func prepared() throws -> CommandUnderTest {
        let command = try CommandUnderTest()
        for (file, records) in [900, 40, 1_400].enumerated() {
            let lines = (0..<records).map { $0 % 97 == 5 ? "{\"n\": broken\n" : "{\"n\":\($0),\"k\":\"\($0 % 3)\"}\n" }
            try command.write(lines.joined(), to: "in/\(file).jsonl")
        }
        try command.write(
            """
            name: trouble
            source: {files: 'in/*.jsonl', format: jsonl}
            match: all
            routes:
              - name: all
                sink: [{file: out/all.jsonl.gz}, {file: 'out/k={k}/part.jsonl', part: task}]
              - name: sums
                stages: [{summarize: {by: {k: k}, values: {n: count()}}}]
                sink: {file: out/sums.jsonl}
            dead_letter: out/dead.jsonl.gz

            """, to: "trouble.yaml")
        try command.write(
            """
            #!/bin/sh
            unset LD_PRELOAD
            while [ "${1%spark-runner.py}" = "$1" ]; do shift; done
            for task in 0 1; do sluice task "$2" --index $task --json > /dev/null || exit 1; done

            """, to: "bin/spark-submit")
        #expect(try command.shell("chmod +x bin/spark-submit").status == 0)
        return command
    }

    private static func run(_ command: CommandUnderTest, at call: Int, _ kind: String) throws -> (CommandUnderTest.Result, calls: Int) {
        let folders = [command.folder.appending(path: "bin"), CommandUnderTest.binary.deletingLastPathComponent()].map(\.path)
        return try command.run(
            ["run", "trouble.yaml", "--on", "local", "--tasks", "2", "--plan", "plan", "--state", "state", "--quiet"], failingAt: call, kind,
            environment: ["PATH": folders.joined(separator: ":") + ":/usr/bin:/bin"])
    }

    @Test("whichever call is the last one, the same command ends with the same outputs and without the plan", arguments: ["before", "after"])
    func killed(kind: String) throws {
        let undisturbed = try Self.prepared()
        defer { undisturbed.remove() }
        let (whole, calls) = try Self.run(undisturbed, at: 0, kind)
        #expect(whole.status == 3, "\(whole.error)")
        let expected = try undisturbed.contents()
        #expect(expected.count == 9, "\(expected.keys)")
        let isLeft = { (command: CommandUnderTest) in FileManager.default.fileExists(atPath: command.folder.appending(path: "plan").path) }
        #expect(!isLeft(undisturbed))
        CommandUnderTest.tell(calls, kind)
        // The last calls remove the plan.
        let removing = calls - 30
        let (step, stepOfRemoval) = CommandUnderTest.isWholeTrouble ? (1, 1) : (max(1, removing / 4), 3)
        let before = stride(from: kind == "before" ? 1 : 1 + step / 2, to: removing, by: step)
        let during = stride(from: removing + (kind == "before" ? 0 : 1), through: calls, by: stepOfRemoval)
        var halfRemoved = 0
        for call in Array(before) + during {
            let command = try Self.prepared()
            defer { command.remove() }
            let (first, _) = try Self.run(command, at: call, kind)
            // It may have made fewer calls.
            #expect(first.status == SIGKILL || first.status == 3, "call \(call): \(first)")
            if try first.status == SIGKILL && command.contents() == expected && isLeft(command) { halfRemoved += 1 }
            let (next, _) = try Self.run(command, at: 0, kind)
            #expect(next.status == 3, "call \(call): \(next.error)")
            #expect(try command.contents() == expected, "call \(call)")
            let left = try command.shell("find plan").output
            #expect(left == "", "call \(call)")
        }
        #expect(halfRemoved > 5)
    }

    @Test("a plan that is half removed is in the way of no other; what is not a plan's is")
    func another() throws {
        let undisturbed = try Self.prepared()
        let command = try Self.prepared()
        defer {
            undisturbed.remove()
            command.remove()
        }
        let (_, calls) = try Self.run(undisturbed, at: 0, "before")
        // The first tasks' results are removed.
        #expect(try Self.run(command, at: calls - 12, "before").0.status == SIGKILL)
        #expect(try command.shell("ls plan").output.contains("plan.json.removed\n"))
        try command.write("{\"n\":7,\"k\":\"0\"}\n", to: "in/3.jsonl")
        try command.write("mine\n", to: "plan/mine")
        let refused = try Self.run(command, at: 0, "before").0
        #expect(refused.status == 1)
        #expect(refused.error.contains("is not empty, and has no plan; use a new folder"), "\(refused.error)")
        #expect(try command.shell("rm plan/mine").status == 0)
        let other = try Self.run(command, at: 0, "before").0
        #expect(other.status == 3, "\(other.error)")
        #expect(try command.text(of: "out/all.jsonl.gz").hasSuffix("{\"n\":7,\"k\":\"0\"}\n"))
    }

    @Test("a plan that lacks a part gets it again")
    func healed() throws {
        let command = try Self.prepared()
        defer { command.remove() }
        let plan = ["plan", "trouble.yaml", "--tasks", "2", "--plan", "plan", "--state", "state"]
        #expect(try command.run(plan).status == 0)
        for parts in ["tasks attempts", "inputs.jsonl", "inputs.index"] {
            let before = try command.shell("sha256sum plan/inputs.* && cd plan && rm -r \(parts)").output
            let again = try command.run(plan)
            #expect(again.status == 0 && again.error.contains("the plan is there already: 2 tasks"), "\(again.error)")
            #expect(try command.shell("sha256sum plan/inputs.*").output == before)
        }
        for task in 0...1 { #expect(try command.run("task", "plan", "--index", "\(task)").status == 0) }
        #expect(try command.run("gather", "plan").status == 3)
    }
}
