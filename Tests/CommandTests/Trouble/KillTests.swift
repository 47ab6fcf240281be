import Foundation
import Testing

#if SLUICE_TSAN
    private let isSanitized = true
#else
    private let isSanitized = false
#endif

@Suite("Killed and interrupted runs, and unwritable outputs", .timeLimit(Patience.hang))
struct KillTests {
    /// A run of 20,000 records whose child sends `signal` to the command at record 1,000.
    private static func prepared(signal: String) throws -> CommandUnderTest {
        let command = try CommandUnderTest()
        try command.write((0..<20_000).map { "{\"n\":\($0)}\n" }.joined(), to: "in.jsonl")
        try command.write(
            """
            echo $$ >> pids
            while read -r line; do
                [ "$line" != '{"n":1000}' ] || kill -\(signal) $PPID
                echo "$line"
            done

            """, to: "child.sh")
        try command.write(
            """
            name: killed
            source: {files: in.jsonl, format: jsonl}
            stages:
              - exec: [sh, ./child.sh]
                workers: 2
            sink: {file: out/records.jsonl.gz}
            dead_letter: out/dead.jsonl.gz
            """, to: "killed.yaml")
        try command.write("what stood here", to: "out/records.jsonl.gz")
        return command
    }

    @Test("kill -9 leaves the existing final files, no child, and no obstacle to the next run")
    func killed() async throws {
        let command = try Self.prepared(signal: "KILL")
        defer { command.remove() }
        let ending = try await command.sluice("run", "killed.yaml")
        #expect(ending.status == SIGKILL, "\(ending)")
        #expect(command.lines(of: "out/records.jsonl.gz") == ["what stood here"])
        #expect(!command.isThere("out/dead.jsonl.gz"))
        let pids = command.lines(of: "pids").compactMap { pid_t($0) }
        #expect(pids.count == 2)
        let end = ContinuousClock.now + .seconds(20)
        for pid in pids {
            while isRunning(pid), ContinuousClock.now < end { await Task.yield() }
            #expect(!isRunning(pid))
        }

        #expect(try command.files.contains { $0.hasPrefix("out/.sluice-") })

        try command.write("while read -r line; do echo \"$line\"; done\n", to: "child.sh")
        let again = try await command.sluice("run", "killed.yaml")
        #expect(again.status == 0, "\(again)")
        let counted = try await command.script("gzip -dc out/records.jsonl.gz | cmp - in.jsonl")
        #expect(counted.status == 0, "\(counted)")
        #expect(try command.files.filter { $0.contains(".sluice-") || $0.hasSuffix("unfinished.jsonl") } == [])
    }

    @Test("a second run with the same state folder refuses at once, and the first goes on")
    func busy() async throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        // The first run waits for a writer of its input.
        #expect(try await command.script("mkfifo in; : > empty").status == 0)
        try command.write("name: one\nsource: {files: in, format: jsonl}\nsink: {file: out/o.jsonl}\n", to: "one.yaml")
        try command.write("name: two\nsource: {files: empty, format: jsonl}\nsink: {file: out/p.jsonl}\n", to: "two.yaml")
        let first = try command.start(nil, ["run", "one.yaml", "--progress", "none"])
        while command.lines(of: ".sluice/one/unfinished.jsonl").isEmpty, first.process.isRunning { await Task.yield() }
        let second = try await command.sluice("run", "one.yaml", "--progress", "none")
        #expect(second.status == 1)
        #expect(second.error.contains("another run (process \(first.process.processIdentifier)) is using the state folder '.sluice/one'"), "\(second)")
        #expect(second.error.contains("--state"))
        #expect(!command.isThere(".sluice/one/report.json"))
        #expect(try await command.sluice("run", "two.yaml", "--progress", "none", "--state", ".sluice/one").status == 1)
        #expect(try await command.sluice("run", "two.yaml", "--progress", "none").status == 0)
        #expect(try await command.script("echo '{\"n\":1}' > in").status == 0)
        let ending = try await first.ended()
        #expect(ending.status == 0, "\(ending)")
        #expect(command.lines(of: "out/o.jsonl") == ["{\"n\":1}"])
        #expect(try command.files.filter { $0.contains("unfinished") } == [])
    }

    @Test(
        "SIGINT, SIGTERM, SIGHUP and SIGQUIT drain: exit codes 130, 143, 129 and 131, and existing files are kept",
        arguments: [("INT", Int32(130)), ("TERM", 143), ("HUP", 129), ("QUIT", 131)])
    func interrupted(signal: String, status: Int32) async throws {
        let command = try Self.prepared(signal: signal)
        defer { command.remove() }
        let ending = try await command.sluice("run", "killed.yaml")
        #expect(ending.status == status, "\(ending)")
        #expect(ending.error.contains("draining"))
        #expect(command.lines(of: "out/records.jsonl.gz") == ["what stood here"])
        #expect(try command.files.filter { $0.hasPrefix("out/") && !$0.hasPrefix("out/.sluice-") } == ["out/records.jsonl.gz"])
        #expect(try command.report(of: "killed").text("status") == "interrupted")
        let pids = command.lines(of: "pids").compactMap { pid_t($0) }
        #expect(!pids.contains(where: isRunning))
    }

    /// A run of 15 outputs over yesterday's, during which something happens in the output folder.
    private static func disturbed(by change: String) throws -> CommandUnderTest {
        let command = try CommandUnderTest()
        for file in 0..<3 { try command.write((0..<15).map { "{\"k\":\($0 + 10),\"file\":\(file)}\n" }.joined(), to: "in/\(file).jsonl") }
        for k in 0..<15 { try command.write("yesterday\n", to: "out/t\(k + 10).jsonl") }
        // Once all outputs of the first file are begun. With one worker, the files come in order,
        // and at most two of them at once, so that there are records left when the first is
        // answered.
        try command.write(
            """
            first=0
            while read -r line; do
                case $line in
                *'"file":0'*) first=$((first + 1));;
                *)  if [ "$first" = 15 ]; then
                        until [ "$(ls -A out | grep -c 'part$')" -ge 15 ]; do sleep 0.02; done
                        \(change)
                        first=
                    fi;;
                esac
                echo "$line"
            done

            """, to: "child.sh")
        try command.write(
            """
            name: set
            source: {files: 'in/*.jsonl', format: jsonl}
            stages:
              - exec: [sh, ./child.sh]
                workers: 1
            sink: {file: "out/t{k}.jsonl"}
            """, to: "set.yaml")
        return command
    }

    @Test("a folder that takes an output's place during the run: nothing is published, and the same command publishes it all once it is gone")
    func folderInTheWay() async throws {
        let command = try Self.disturbed(by: "rm out/t24.jsonl; mkdir out/t24.jsonl")
        defer { command.remove() }
        let failed = try await command.sluice("run", "set.yaml", "--progress", "none", "--workers", "1")
        #expect(failed.status == 1, "\(failed)")
        #expect(failed.error.hasPrefix("set: failed, nothing was published, in "), "\(failed)")
        #expect(failed.error.contains("  out/t24.jsonl: is a folder; none of 16 files is in place, and all are complete: once that is repaired, "), "\(failed)")
        for k in 10..<24 { #expect(command.lines(of: "out/t\(k).jsonl") == ["yesterday"]) }
        let still = try await command.sluice("run", "set.yaml", "--progress", "none")
        #expect(still.status == 1 && still.error.hasPrefix("sluice: the outputs of an earlier run cannot be published: "), "\(still)")
        #expect(try await command.script("rmdir out/t24.jsonl; rm in/0.jsonl").status == 0)
        let again = try await command.sluice("run", "set.yaml", "--progress", "none")
        #expect(again.status == 0, "\(again)")
        #expect(again.error.contains("an earlier run had ended before all its outputs were in place; they are published now\n"), "\(again)")
        for k in 10..<25 { #expect(command.lines(of: "out/t\(k).jsonl") == (0..<3).map { "{\"k\":\(k),\"file\":\($0)}" }) }
        #expect(try command.files.filter { $0.contains(".sluice-") || $0.hasSuffix("publish.json") } == [])
        #expect(try await command.sluice("audit", ".sluice/set/report.json").status == 1, "an input was removed")
    }

    @Test("with few descriptors all outputs are published or none, and the next run completes them", arguments: [16, 20, 24, 32])
    func fewDescriptors(limit: Int) async throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write((0..<300).map { "{\"k\":\($0 % 15 + 10),\"n\":\($0)}\n" }.joined(), to: "in.jsonl")
        for k in 10..<25 { try command.write("yesterday\n", to: "out/t\(k)/x.jsonl") }
        try command.write("name: few\nsource: {files: in.jsonl, format: jsonl}\nsink: {file: 'out/t{k}/x.jsonl'}\n", to: "few.yaml")
        let first = try await command.script("ulimit -n \(limit); exec sluice run few.yaml --progress none")
        let old = (10..<25).count { command.lines(of: "out/t\($0)/x.jsonl") == ["yesterday"] }
        #expect(old == (first.status == 0 ? 0 : 15), "\(first)")
        #expect(first.status == 0 || !first.error.contains("files are in place"), "\(first)")
        let next = try await command.sluice("run", "few.yaml", "--progress", "none")
        #expect(next.status == 0, "\(next)")
        for k in 10..<25 { #expect(command.lines(of: "out/t\(k)/x.jsonl").count == 20) }
        #expect(try command.files.filter { $0.contains(".sluice-") || $0.hasSuffix("publish.json") } == [])
    }

    @Test("outputs that are removed during the run are lost, and nothing is in the way of the next run")
    func removed() async throws {
        let command = try Self.disturbed(by: "rm -r out")
        defer { command.remove() }
        let failed = try await command.sluice("run", "set.yaml", "--progress", "none", "--workers", "1")
        #expect(failed.status == 1, "\(failed)")
        #expect(failed.error.hasPrefix("set: failed, nothing was published, in "), "\(failed)")
        try command.write("while read -r line; do echo \"$line\"; done\n", to: "child.sh")
        let again = try await command.sluice("run", "set.yaml", "--progress", "none")
        #expect(again.status == 0, "\(again)")
        #expect(try command.files.filter { $0.hasPrefix("out/") }.count == 15)
    }

    @Test("the run ends quietly when its reader closes the pipe")
    func head() async throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write((0..<200_000).map { "{\"n\":\($0)}\n" }.joined(), to: "in.jsonl")
        try command.write("name: head\nsource: {files: in.jsonl, format: jsonl}\nstages: []\nsink: {stdout: true}\n", to: "head.yaml")
        let ending = try await command.script("{ sluice run head.yaml --progress none 2>error; echo $? >status; } | head -n 2")
        #expect(ending.lines == ["{\"n\":0}", "{\"n\":1}"])
        #expect(command.lines(of: "status") == ["141"])
        #expect(command.lines(of: "error").isEmpty)
    }

    @Test("a full device at standard output fails the run with a message")
    func fullDevice() async throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("{\"n\":1}\n", to: "in.jsonl")
        try command.write("name: full\nsource: {files: in.jsonl, format: jsonl}\nstages: []\nsink: {stdout: true}\n", to: "full.yaml")
        let ending = try await command.script("sluice run full.yaml --progress none >/dev/full")
        #expect(ending.status == 1, "\(ending)")
        #expect(ending.error.contains("No space left on device"))
    }

    @Test(
        "an output that cannot grow is a failed run that publishes nothing",
        .disabled(if: isSanitized, "the sanitizer ends a process at the signal that the command ignores"),
        arguments: ["records.jsonl", "records.jsonl.gz"])
    func fullFile(_ name: String) async throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        // Digits from a linear congruential generator, which don't compress below the limit.
        var state: UInt64 = 1
        let records = (0..<20_000).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return "{\"n\":\"\(String(state, radix: 36))\"}\n"
        }
        try command.write(records.joined(), to: "in.jsonl")
        try command.write(
            "name: full\nsource: {files: in.jsonl, format: jsonl}\nstages: []\nsink: {file: out/\(name)}\ndead_letter: out/dead.jsonl\n", to: "full.yaml")
        // In blocks of 512 bytes: 32 KiB per file.
        let ending = try await command.script("ulimit -f 64; exec sluice run full.yaml --progress none")
        #expect(ending.status == 1, "\(ending)")
        #expect(ending.error.contains("out/"))
        #expect(try command.files.filter { $0.hasPrefix("out/") } == [])
    }
}
