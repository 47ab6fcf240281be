import Foundation
import Testing

/// `run --on` without Spark: a stand-in for `spark-submit` does the tasks. `make test-spark` uses
/// the real one.
@Suite("Spark")
struct SparkTests {
    private static func prepare() throws -> CommandUnderTest {
        let command = try CommandUnderTest()
        for name in ["sampledata", "pipelines"] {
            try FileManager.default.copyItem(at: CommandUnderTest.root.appending(path: name), to: command.folder.appending(path: name))
        }
        return command
    }

    /// Does the tasks from the second on, or all, with the command that travels along.
    private static let standIn = """
        #!/bin/sh
        echo "$@" > submitted
        while [ "${1%spark-runner.py}" = "$1" ]; do
            [ "$1" = --files ] && binary=$2
            shift
        done
        eval "$MEANWHILE"
        for task in ${TASKS:-0 1}; do "$binary" task "$2" --index "$task" --json >> results || exit ${FAILED:-1}; done
        exit ${CODE:-0}

        """

    @Test("the runner is Python, and the printed command names it, the command and the plan")
    func printed() throws {
        let command = try Self.prepare()
        defer { command.remove() }
        let result = try command.run("run", "pipelines/traffic.yaml", "--on", "spark://host:7077", "--tasks", "2", "--conf", "spark.a=b c", "--print-submit")
        #expect(result.status == 0, "\(result.error)")
        let binary = CommandUnderTest.binary.resolvingSymlinksInPath().path
        #expect(result.output.hasPrefix("spark-submit --master spark://host:7077 --name sluice --files \(binary) "))
        #expect(result.output.contains(" --conf 'spark.a=b c' "))
        #expect(result.error.contains("when it has ended: sluice gather .sluice/traffic/plan\n"))
        let runner = ".sluice/traffic/plan/spark-runner.py"
        #expect(result.output.contains("/\(runner) "))
        #expect(try command.shell("python3 -m py_compile \(runner)").status == 0)
        let wrong = try command.run("run", "pipelines/traffic.yaml", "--print-submit")
        #expect(wrong.status == 2)
        #expect(wrong.error.contains("need '--on'"))
    }

    @Test("the job's results are those of one machine, and the plan is removed")
    func gathered() throws {
        let whole = try Self.prepare()
        let command = try Self.prepare()
        defer {
            whole.remove()
            command.remove()
        }
        #expect(try whole.run("run", "pipelines/traffic.yaml", "--progress", "none").status == 3)
        try command.write(Self.standIn, to: "bin/spark-submit")
        let result = try command.shell("chmod +x bin/spark-submit; PATH=$PWD/bin:$PATH sluice run pipelines/traffic.yaml --on 'local[2]' --tasks 2")
        #expect(result.status == 3, "\(result.error)")
        #expect(result.error.hasPrefix("sluice: 2 tasks on local[2]\ntraffic: complete, with losses"))
        for name in ["out/paths.csv", "out/statuses.csv", ".sluice/traffic/dead-letter.jsonl.gz"] {
            #expect(try command.text(of: name) == whole.text(of: name))
        }
        #expect(!FileManager.default.fileExists(atPath: command.folder.appending(path: ".sluice/traffic/plan").path))
        #expect(try command.text(of: "results").contains(#""damaged":0,"dead":"#))
        // Nothing but the plan is removed with it.
        try command.write("mine\n", to: "shared/mine")
        let shared = "PATH=$PWD/bin:$PATH sluice run pipelines/traffic.yaml --on 'local[2]' --tasks 2"
        #expect(try command.shell("\(shared) --plan shared").status == 1)
        try command.write("late\n", to: "late/file")
        #expect(try command.shell("rm late/file; \(shared) --plan late --print-submit; echo late > late/file; \(shared) --plan late").status == 3)
        #expect(try command.text(of: "shared/mine") == "mine\n")
        #expect(try FileManager.default.contentsOfDirectory(atPath: command.folder.appending(path: "late").path) == ["file"])
    }

    @Test("a job that fails keeps what is done for the next one")
    func failed() throws {
        let command = try Self.prepare()
        defer { command.remove() }
        try command.write(Self.standIn, to: "bin/spark-submit")
        let run = "chmod +x bin/spark-submit; PATH=$PWD/bin:$PATH sluice run pipelines/traffic.yaml --on 'local[2]' --tasks 2 --quiet"
        let first = try command.shell("export TASKS=1 CODE=9; \(run)")
        #expect(first.status == 1)
        #expect(
            first.error == """
                sluice: spark-submit ended with exit code 9
                sluice: 1 of 2 tasks are not done; the others are kept: run the same command again to go on

                """)
        #expect(!FileManager.default.fileExists(atPath: command.folder.appending(path: "out").path))
        let second = try command.shell("export TASKS=0; \(run)")
        #expect(second.status == 3, "\(second.error)")
    }

    @Test("inputs that change after the plan was made are named, and what to do then")
    func outdated() throws {
        let command = try Self.prepare()
        defer { command.remove() }
        try command.write(Self.standIn, to: "bin/spark-submit")
        let run = "chmod +x bin/spark-submit; PATH=$PWD/bin:$PATH sluice run pipelines/traffic.yaml --on 'local[2]' --tasks 2 --quiet"
        let input = "sampledata/access/2026-03-01.log.gz"
        let during = try command.shell("export FAILED=3 MEANWHILE='touch -d 2001-01-01 \(input)'; \(run)")
        #expect(during.status == 1)
        let change = "'\(input)' was modified since the plan was made"
        #expect(during.error.hasSuffix("sluice: 2 of 2 tasks are not done: \(change); the same command with --restart makes a new one\n"), "\(during.error)")
        #expect(try command.text(of: "results").contains("\"error\":\"\(change)\",\"permanent\":true"))
        let again = try command.shell(run)
        #expect(again.status == 1)
        let plan = "\(command.folder.path)/.sluice/traffic/plan"
        #expect(
            again.error == """
                sluice: '\(plan)' has another plan: its definition, parameters, inputs or number of tasks differ; \
                --restart discards it, with what its tasks have done

                """)
        #expect(try command.shell("\(run) --restart").status == 3)
    }

    @Test("large files are divided among the tasks of Spark, too")
    func split() throws {
        let whole = try CommandUnderTest()
        defer { whole.remove() }
        guard try TasksTests.prepareLarge(whole) else { return print("SparkTests: no python3 here") }
        let command = try CommandUnderTest(copying: whole.folder)
        defer { command.remove() }
        #expect(try whole.run("run", "divided.yaml", "--progress", "none").status == 3)
        try command.write(Self.standIn, to: "bin/spark-submit")
        let run = "chmod +x bin/spark-submit; PATH=$PWD/bin:$PATH sluice run divided.yaml --on 'local[2]' --quiet"
        let first = try command.shell("export TASKS='0 1' CODE=9; \(run) --tasks 3 --split 1MiB")
        #expect(first.error.contains("1 of 3 tasks are not done; the others are kept"), "\(first.error)")
        #expect(try command.text(of: ".sluice/divided/plan/inputs.jsonl").contains("\"start\":{"))
        #expect(try command.shell("export TASKS=2; \(run) --tasks 3 --split 1MiB").status == 3)
        for name in ["out/all.jsonl.gz", "out/sums.jsonl", "out/dead.jsonl.gz", "out/k=1/part.csv.gz"] {
            #expect(try command.text(of: name) == whole.text(of: name), "\(name)")
        }
        let wrong = try command.shell("\(run) --split 5")
        #expect(wrong.status == 2 && wrong.error.contains("'--split' must be a size of at least 1MiB"), "\(wrong.error)")
        #expect(try command.run("run", "divided.yaml", "--split", "1MiB").error.contains("need '--on'"))
    }

    @Test("without Spark, the message says where it is looked for")
    func absent() throws {
        let command = try Self.prepare()
        defer { command.remove() }
        let result = try command.run(
            ["run", "pipelines/traffic.yaml", "--on", "yarn"], environment: ["PATH": "/nowhere", "SPARK_HOME": "/nowhere", "VIRTUAL_ENV": "/nowhere"])
        #expect(result.status == 1)
        #expect(result.error.contains("there is no spark-submit: set SPARK_HOME"))
    }

    @Test("a task ends with the process that started it")
    func parent() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("{\"n\":1}\n", to: "a.jsonl")
        // Its child says that it runs, and never answers.
        try command.write(
            "name: hang\nsource: {files: a.jsonl}\nstages: [{exec: [sh, -c, 'echo $$ > child; exec sleep 1000']}]\nsink: {file: out/a.jsonl}\n",
            to: "hang.yaml")
        #expect(try command.run("plan", "hang.yaml", "--tasks", "1", "--plan", "plan").status == 0)
        let shell = try command.start(URL(filePath: "/bin/sh"), ["-c", "sluice task plan --index 0 --json --with-parent $$ & echo $! > task; wait"])
        let child = command.folder.appending(path: "child")
        #expect(until { FileManager.default.fileExists(atPath: child.path) })
        let number = try #require(pid_t(try command.text(of: "task").trimmingCharacters(in: .whitespacesAndNewlines)))
        shell.signal(SIGKILL)
        _ = try shell.finish()
        #expect(until { !isRunning(number) })
        if let left = pid_t(try command.text(of: "child").trimmingCharacters(in: .whitespacesAndNewlines)) { kill(left, SIGKILL) }
        let orphan = try command.run("task", "plan", "--index", "0", "--with-parent", "1")
        #expect(orphan.status == 1)
    }

    @Test("a task's result is a line of JSON, which says whether trying again is of use")
    func json() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("{\"n\":1}\n", to: "a.jsonl")
        try command.write("name: one\nsource: {files: a.jsonl}\nstages: [{set: {m: 1 / n}, on_error: stop}]\nsink: {file: out/a.jsonl}\n", to: "one.yaml")
        #expect(try command.run("plan", "one.yaml", "--tasks", "1", "--plan", "plan").status == 0)
        let done = try command.run("task", "plan", "--index", "0", "--json")
        #expect(done.output.hasPrefix(#"{"damaged":0,"dead":0,"records":1,"seconds":"#))
        #expect(done.output.hasSuffix(#","status":"done","task":0}"# + "\n"))
        #expect(try command.run("task", "plan", "--index", "0", "--json").output == #"{"status":"done","task":0}"# + "\n")
        try command.write("{\"n\":0}\n", to: "a.jsonl")
        #expect(try command.run("plan", "one.yaml", "--tasks", "1", "--plan", "other").status == 0)
        let failed = try command.run("task", "other", "--index", "0", "--json")
        #expect(failed.status == 1)
        #expect(failed.output.contains(#""permanent":true,"status":"failed","task":0"#), "\(failed.output)")
    }

    @Test("check says what tasks do")
    func check() throws {
        let command = try Self.prepare()
        defer { command.remove() }
        let whole = try command.run("check", "pipelines/traffic.yaml", "--on", "yarn")
        let division = "  each input is read by one task; --split divides large ones where decompression can begin\n"
        #expect(whole.output == "pipelines/traffic.yaml: ok\n  tasks read the inputs, run the stages and encode the outputs\n" + division)
        try command.write(
            "name: few\nsource: {files: 'sampledata/access/*.gz', format: combined}\nstages: [{keep: status >= 500}, {head: 10}]\nsink: {file: out/a.jsonl}\n",
            to: "few.yaml")
        #expect(
            try command.run("check", "few.yaml", "--on", "yarn").output
                == "few.yaml: ok\n  tasks read the inputs and run the stages before 'head', which needs all records in order; gathering does the rest\n"
                + division)
        try command.write("name: whole\nsource: {files: 'sampledata/access/*.gz', format: json}\nsink: {file: out/a.jsonl}\n", to: "whole.yaml")
        #expect(
            try command.run("check", "whole.yaml", "--on", "yarn").output.hasSuffix(
                "\n  each input is read by one task, also with --split: JSON documents are read from their beginning\n"))
    }

    private func until(_ condition: () -> Bool) -> Bool {
        let deadline = ContinuousClock.now + .seconds(60)
        while !condition() {
            guard ContinuousClock.now < deadline else { return false }
            poll(nil, 0, 10)
        }
        return true
    }
}
