import Foundation
import Glibc
import Testing

@testable import sluice

@Suite("Signals")
struct InterruptTests {
    @Test(
        "the first finishes what is in flight, publishes nothing and exits with 128 plus its number",
        arguments: [Signals.interrupt, Signals.termination, Signals.hangUp, Signals.quit])
    func drains(signal: Int32) throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("name: x\nsource: {files: '-', format: jsonl}\nsink: {file: out/x.jsonl}\n", to: "x.yaml")
        let run = try command.start(nil, ["run", "x.yaml", "--progress", "plain"])
        try run.send("{\"a\": 1}\n")
        try run.waits(for: "records")
        run.signal(signal)
        try run.waits(for: "sluice: draining")
        let result = try run.finish()
        #expect(result.status == 128 + signal)
        #expect(result.error.contains("interrupted, nothing was published"))
        #expect(result.error.contains(" unpublished + 0 filtered + 0 dead: balanced"))
        #expect(!FileManager.default.fileExists(atPath: command.folder.appending(path: "out/x.jsonl").path))
    }

    @Test("the first ends a run that waits for a quiet input", .timeLimit(Patience.hang), arguments: ["-", "unopened", "quiet"])
    func quiet(input: String) throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("name: x\nsource: {files: '\(input)', format: jsonl}\nsink: {file: out/x.jsonl}\n", to: "x.yaml")
        let path = command.folder.appending(path: input).path
        if input != "-" { #expect(mkfifo(path, 0o600) == 0) }
        // Keeps the pipe open for writing, and writes part of a record.
        let writer = input == "quiet" ? open(path, O_RDWR) : -1
        defer { if writer >= 0 { close(writer) } }
        if writer >= 0 { #expect(write(writer, "{\"a\":", 5) == 5) }
        let run = try command.start(nil, ["run", "x.yaml", "--progress", "plain"])
        try run.waits(for: "records")
        run.signal(Signals.termination)
        run.process.waitUntilExit()
        #expect(run.process.terminationStatus == 143)
        #expect(!FileManager.default.fileExists(atPath: command.folder.appending(path: "out").path))
    }

    @Test("a named pipe is read once it has a writer")
    func namedPipe() async throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("name: x\nsource: {files: pipe, format: jsonl}\nsink: {file: out/x.jsonl}\n", to: "x.yaml")
        let path = command.folder.appending(path: "pipe").path
        #expect(mkfifo(path, 0o600) == 0)
        let run = try command.start(nil, ["run", "x.yaml", "--progress", "plain"])
        try run.waits(for: "records")
        let writer = open(path, O_WRONLY)
        #expect(write(writer, "{\"a\":1}\n", 8) == 8)
        close(writer)
        #expect(try await run.ended().status == 0)
        #expect(try command.text(of: "out/x.jsonl") == "{\"a\":1}\n")
    }

    @Test("the second ends the run at once")
    func ends() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("name: x\nsource: {files: in.jsonl}\nstages:\n  - exec: [sleep, '300']\n    timeout: 200s\nsink: {file: out/x.jsonl}\n", to: "x.yaml")
        try command.write("{\"a\":1}\n", to: "in.jsonl")
        let run = try command.start(nil, ["run", "x.yaml", "--progress", "plain"])
        try run.waits(for: "records")
        run.signal(Signals.interrupt)
        try run.waits(for: "sluice: draining")
        run.signal(Signals.interrupt)
        run.process.waitUntilExit()
        #expect(run.process.terminationStatus == 130)
    }

    @Test("the second kills the children, too, and the processes that they started", .timeLimit(Patience.hang))
    func endsChildren() async throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        // A child that is busy with a record and doesn't read its input, with a child of its own.
        try command.write("exec 2> errors; sleep 300 &\necho $! $$ > pids.new\nmv pids.new pids\nwait\n", to: "child.sh")
        try command.write("{\"n\":1}\n", to: "in.jsonl")
        try command.write(
            "name: x\nsource: {files: in.jsonl}\nstages:\n  - exec: [sh, ./child.sh]\n    timeout: 200s\nsink: {file: out/x.jsonl}\n", to: "x.yaml")
        // This process is a child of the shell, not of the command, and must survive.
        let run = try command.start(URL(filePath: "/bin/sh"), ["-c", "sleep 300 & echo $! > sibling; exec sluice run x.yaml --progress none"])
        while command.lines(of: "pids").isEmpty, run.process.isRunning { poll(nil, 0, 10) }
        let pids = command.lines(of: "pids").flatMap { $0.split(separator: " ") }.compactMap { pid_t($0) }
        #expect(pids.count == 2 && pids.allSatisfy(isRunning))
        run.signal(Signals.interrupt)
        try run.waits(for: "sluice: draining")
        run.signal(Signals.interrupt)
        let end = ContinuousClock.now + .seconds(20)
        for pid in pids {
            while isRunning(pid), ContinuousClock.now < end { poll(nil, 0, 10) }
            #expect(!isRunning(pid))
        }
        let sibling = try #require(command.lines(of: "sibling").first.flatMap { pid_t($0) })
        #expect(isRunning(sibling))
        kill(sibling, SIGKILL)
        let result = try await run.ended()
        #expect(result.status == 130)
    }

    @Test("the run ends quietly when the reader of standard output closes it")
    func closedOutput() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("name: x\nsource: {files: in.jsonl}\nsink: {stdout: true}\n", to: "x.yaml")
        try command.write(String(repeating: "{\"text\": \"some words to fill a pipe with\"}\n", count: 50_000), to: "in.jsonl")
        let result = try command.shell("{ sluice run x.yaml --progress none; echo $? > status; } | head -n 1")
        #expect(result.output == "{\"text\": \"some words to fill a pipe with\"}\n")
        #expect(result.error == "")
        #expect(try command.text(of: "status") == "141\n")
    }
}
