import Foundation
import Testing

/// Runs that are killed at one of their file-changing system calls and then run again.
///
/// `Tests/Trouble/faults.c` counts these calls and kills the process at one of them, or makes it
/// fail. A sample of the calls is tried by default, every call by `make trouble`.
@Suite("Resuming killed runs", .timeLimit(Patience.minutes(CommandUnderTest.isWholeTrouble ? 600 : 30)))
struct ResumeTests {
    private static let pipeline = """
        name: trouble
        source: {files: ['in/*.jsonl.gz'], format: jsonl}
        stages:
          - set: {m: n * 2}
          - head: 1000000
        match: all
        routes:
          - name: parts
            when: n % 3 == 0
            stages: [{remove: [text]}]
            sink: {file: "out/k={k}/part.csv.gz"}
          - name: all
            sink: [{file: out/all.jsonl.gz}, {file: out/plain.jsonl}, {file: out/piece.jsonl.gz, part: 300KB}]
        dead_letter: out/dead.jsonl.gz
        """

    /// Creates a folder with inputs of several batches, some of the records damaged.
    private static func prepared() throws -> CommandUnderTest {
        let command = try CommandUnderTest()
        try command.write(pipeline, to: "trouble.yaml")
        for (file, records) in [9_000, 1_000, 14_000].enumerated() {
            var text = ""
            for n in 0..<records {
                let filler = String(repeating: "\(n) ", count: 12)
                text += n % 997 == 5 ? "{\"n\": broken\n" : "{\"n\":\(n),\"k\":\"\(n % (file == 2 ? 7 : 5))\",\"text\":\"\(filler)\"}\n"
            }
            try command.write(text, to: "in/\(file).jsonl")
        }
        #expect(try command.shell("gzip -n in/*.jsonl").status == 0)
        try command.write("what stood here", to: "out/plain.jsonl")
        return command
    }

    private static func run(
        _ command: CommandUnderTest, _ arguments: [String] = ["run", "trouble.yaml"], at call: Int, _ kind: String,
        key: String = "some secret"
    ) throws -> (CommandUnderTest.Result, calls: Int) {
        try command.run(
            arguments + ["--progress", "none", "--workers", "2", "--state", "state"], failingAt: call, kind,
            environment: ["SLUICE_CHECKPOINT_SECONDS": "0", "TROUBLE_KEY": key])
    }

    /// The bytes of every file that a run leaves, except the report and the samples.
    private static func files(_ command: CommandUnderTest) throws -> [String: Data] {
        var files: [String: Data] = [:]
        for top in ["out", "state"] where FileManager.default.fileExists(atPath: command.folder.appending(path: top).path) {
            for name in try FileManager.default.subpathsOfDirectory(atPath: command.folder.appending(path: top).path) {
                let file = command.folder.appending(path: "\(top)/\(name)")
                if try file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true, !["report.json", "samples.json"].contains(name) {
                    files["\(top)/\(name)"] = try Data(contentsOf: file)
                }
            }
        }
        return files
    }

    /// The report without what depends on the clock and on scheduling.
    private static func report(_ command: CommandUnderTest) throws -> String {
        let data = try Data(contentsOf: command.folder.appending(path: "state/report.json"))
        var report = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        report["elapsed_seconds"] = nil
        report["digest"] = nil
        report["stages"] = (report["stages"] as? [[String: Any]])?.map { stage in
            stage.filter { !["busy_seconds", "workers"].contains($0.key) }
        }
        return String(decoding: try JSONSerialization.data(withJSONObject: report, options: [.sortedKeys]), as: UTF8.self)
    }

    /// Whether two runs differ in the text of an output or only in how it is compressed.
    private static func difference(_ name: String, _ one: CommandUnderTest, _ other: CommandUnderTest) throws -> String {
        try one.text(of: name) == other.text(of: name) ? "the same text in other bytes" : "another text"
    }

    private static let isWhole = CommandUnderTest.isWholeTrouble

    @Test("whichever call is the last one, running again gives the same bytes and the same report", arguments: ["before", "after"])
    func killed(kind: String) throws {
        let undisturbed = try Self.prepared()
        defer { undisturbed.remove() }
        let (whole, calls) = try Self.run(undisturbed, at: 0, kind)
        #expect(whole.status == 3, "\(whole.error)")
        #expect(calls > 60)
        let expected = try (files: Self.files(undisturbed), report: Self.report(undisturbed))
        CommandUnderTest.tell(calls, kind)
        let step = Self.isWhole ? 1 : max(1, calls / 12)
        var resumed = 0
        for call in stride(from: kind == "before" ? 1 : 1 + step / 2, through: calls + 5, by: step) {
            let command = try Self.prepared()
            defer { command.remove() }
            let (first, _) = try Self.run(command, at: call, kind)
            guard first.status == SIGKILL else {
                // This run made fewer calls.
                #expect(first.status == 3, "call \(call): \(first.error)")
                continue
            }
            // Outputs are complete or absent.
            for (name, bytes) in try Self.files(command) where name.hasPrefix("out/") && !name.contains("/.sluice-") {
                let isOld = name == "out/plain.jsonl" && bytes == Data("what stood here".utf8)
                if isOld || bytes == expected.files[name] { continue }
                let difference = try Self.difference(name, command, undisturbed)
                Issue.record("call \(call): \(name): \(difference)")
            }
            // The second attempt is killed too, at another call.
            let (second, _) = try Self.run(command, at: 40, kind)
            let (last, _) = second.status == SIGKILL ? try Self.run(command, at: 0, kind) : (second, 0)
            #expect(last.status == 3, "call \(call): \(last.error)")
            let files = try Self.files(command)
            #expect(Set(files.keys) == Set(expected.files.keys), "call \(call)")
            for (name, bytes) in expected.files { #expect(files[name] == bytes, "call \(call): \(name)") }
            #expect(try Self.report(command) == expected.report, "call \(call)")
            #expect(try command.run("audit", "state/report.json").status == 0, "call \(call)")
            if second.error.contains("resuming") || last.error.contains("resuming") { resumed += 1 }
        }
        #expect(resumed > 2)
    }

    @Test("whichever call fails, the run says so and leaves no output, or is complete; the next run is complete", arguments: [ENOSPC, EIO])
    func failing(error: Int32) throws {
        let undisturbed = try Self.prepared()
        defer { undisturbed.remove() }
        let (_, calls) = try Self.run(undisturbed, at: 0, "\(error)")
        let expected = try (files: Self.files(undisturbed), report: Self.report(undisturbed))
        CommandUnderTest.tell(calls, "error \(error) at")
        let step = Self.isWhole ? 1 : max(1, calls / 8)
        for call in stride(from: error == ENOSPC ? 1 : 1 + step / 2, through: calls, by: step) {
            let command = try Self.prepared()
            defer { command.remove() }
            let (first, _) = try Self.run(command, at: call, "\(error)")
            #expect([1, 3].contains(first.status), "call \(call): \(first)")
            if first.status == 1, !first.error.contains("the same command publishes") {
                let outputs = try Self.files(command).filter { $0.key.hasPrefix("out/") }
                let isOld = outputs.count == 1 && outputs["out/plain.jsonl"] == Data("what stood here".utf8)
                #expect(isOld || first.error.contains("report"), "call \(call): \(outputs.keys.sorted()) \(first.error)")
            }
            let (last, _) = try Self.run(command, at: 0, "\(error)")
            #expect(last.status == 3, "call \(call): \(last.error)")
            let files = try Self.files(command)
            #expect(files == expected.files, "call \(call): \(files.keys.sorted())")
            #expect(try Self.report(command) == expected.report, "call \(call)")
        }
    }

    @Test("an interrupted run says that it can be resumed, and is resumed", arguments: ["INT", "TERM"])
    func interrupted(signal: String) throws {
        let undisturbed = try Self.prepared()
        defer { undisturbed.remove() }
        let script = """
            while read -r line; do
                case $line in *'"n":13001,'*)
                    while [ ! -e state/checkpoint.json ]; do sleep 0.02; done
                    [ -e sent ] || { : > sent; kill -\(signal) $PPID; };; esac
                echo "$line"
            done

            """
        let pipeline = Self.pipeline.replacing("  - set: {m: n * 2}\n", with: "  - set: {m: n * 2}\n  - exec: [sh, child.sh]\n    workers: 2\n")
        try undisturbed.write(pipeline, to: "trouble.yaml")
        try undisturbed.write("while read -r line; do echo \"$line\"; done\n", to: "child.sh")
        #expect(try Self.run(undisturbed, at: 0, "before").0.status == 3)
        let command = try Self.prepared()
        defer { command.remove() }
        try command.write(pipeline, to: "trouble.yaml")
        try command.write(script, to: "child.sh")
        let (first, _) = try Self.run(command, at: 0, "before")
        #expect(first.status == (signal == "INT" ? 130 : 143))
        #expect(first.error.contains("run again to resume"), "\(first.error)")
        #expect(try String(contentsOf: command.folder.appending(path: "out/plain.jsonl"), encoding: .utf8) == "what stood here")
        let (last, _) = try Self.run(command, at: 0, "before")
        #expect(last.status == 3)
        #expect(last.error.contains("resuming the unfinished run"), "\(last.error)")
        #expect(try Self.files(command) == Self.files(undisturbed))
        #expect(try Self.report(command) == Self.report(undisturbed))
    }

    @Test("a run that is interrupted while a stage returns its results is resumed from the checkpoint before")
    func interruptedResults() throws {
        let child = "while read -r line; do echo \"$line\"; done\n"
        let script = """
            while read -r line; do
                case $line in *'"n":700,'*) [ -e sent ] || { : > sent; kill -TERM $PPID; };; esac
                echo "$line"
            done

            """
        func prepared(_ script: String) throws -> CommandUnderTest {
            let command = try Self.prepared()
            let stages = "  - sort: {by: [n, {desc: text}]}\n  - exec: [sh, child.sh]\n    workers: 1\n"
            // With so little memory, a batch is read only after the one before it was committed, so
            // that there is a checkpoint before the results.
            let limits = "\nlimits: {memory: 16MiB}\n"
            try command.write(Self.pipeline.replacing("  - set: {m: n * 2}\n  - head: 1000000\n", with: stages) + limits, to: "trouble.yaml")
            try command.write(script, to: "child.sh")
            return command
        }
        let undisturbed = try prepared(child)
        defer { undisturbed.remove() }
        #expect(try Self.run(undisturbed, at: 0, "before").0.status == 3)
        let command = try prepared(script)
        defer { command.remove() }
        let (first, _) = try Self.run(command, at: 0, "before")
        #expect(first.status == 143 && first.error.contains("run again to resume"), "\(first.error)")
        #expect(try String(contentsOf: command.folder.appending(path: "out/plain.jsonl"), encoding: .utf8) == "what stood here")
        let (last, _) = try Self.run(command, at: 0, "before")
        #expect(last.status == 3 && last.error.contains("resuming the unfinished run"), "\(last.error)")
        #expect(try Self.files(command) == Self.files(undisturbed))
        #expect(try Self.report(command) == Self.report(undisturbed))
    }

    @Test("an unfinished run is not resumed by a different one; --restart discards it")
    func others() throws {
        let command = try Self.prepared()
        defer { command.remove() }
        let (_, calls) = try Self.run(command, at: 0, "before")
        #expect(try Self.run(command, at: calls * 2 / 3, "before").0.status == SIGKILL)
        #expect(FileManager.default.fileExists(atPath: command.folder.appending(path: "state/checkpoint.json").path))
        let arguments = ["run", "trouble.yaml", "--progress", "none", "--state", "state"]
        // A command that is refused leaves the unfinished run as it is.
        #expect(try command.shell("ln in/0.jsonl.gz copy.json").status == 0)
        #expect(try command.run(arguments + ["--report", "copy.json"]).status == 2)
        #expect(FileManager.default.fileExists(atPath: command.folder.appending(path: "state/checkpoint.json").path))
        #expect(try Self.run(command, at: 1000, "before").0.error.contains("resuming"))
        #expect(try Self.run(command, at: calls * 2 / 3, "before").0.status == SIGKILL)
        try command.write(Self.pipeline.replacing("n * 2", with: "n * 3"), to: "trouble.yaml")
        let changed = try command.run(arguments)
        #expect(changed.status == 1)
        #expect(changed.error.contains("its definition or parameters were different; --restart discards it"), "\(changed.error)")
        try command.write(Self.pipeline, to: "trouble.yaml")
        #expect(try command.run(arguments + ["--limit", "5"]).error.contains("cannot be resumed"))
        #expect(try command.shell("gzip -dc in/1.jsonl.gz | head -n 999 | gzip > in/new && mv in/new in/1.jsonl.gz").status == 0)
        let other = try command.run(arguments)
        #expect(other.status == 1)
        #expect(other.error.contains("'in/1.jsonl.gz' has "), "\(other.error)")
        let anew = try command.run(arguments + ["--restart"])
        #expect(anew.status == 3, "\(anew.error)")
        #expect(!anew.error.contains("resuming"))
        #expect(try command.run("audit", "state/report.json").status == 0)
        // After a completed run, the command starts over.
        #expect(try !command.run(arguments).error.contains("resuming"))
    }

    @Test("a copy of a folder with an unfinished run, or a folder that was moved, has its own files", arguments: ["", "--restart"])
    func copied(restart: String) throws {
        let command = try Self.prepared()
        defer { command.remove() }
        let (_, calls) = try Self.run(command, at: 0, "before")
        let expected = try Self.files(command)
        #expect(try Self.run(command, at: calls * 2 / 3, "before").0.status == SIGKILL)
        let left = try Self.files(command)
        #expect(left.keys.contains { $0.hasSuffix(".part") })
        let run = "sluice run trouble.yaml --progress none --state state \(restart)"
        let copy = try command.shell("mkdir copy && cp -rp in out state trouble.yaml copy && cd copy && TROUBLE_KEY='some secret' \(run)")
        #expect(copy.status == 3 && copy.error.contains("resuming") == restart.isEmpty, "\(copy)")
        #expect(try Self.files(command) == left)
        let outputs = try command.shell("cd copy && find out -type f | sort").output.split(separator: "\n").map(String.init)
        #expect(outputs == expected.keys.filter { $0.hasPrefix("out/") }.sorted())
        for output in outputs { #expect(try Data(contentsOf: command.folder.appending(path: "copy/" + output)) == expected[output]) }
        let moved = try command.shell("mkdir moved && mv in out state trouble.yaml moved && cd moved && TROUBLE_KEY='some secret' \(run)")
        #expect(moved.status == 3, "\(moved)")
        #expect(try command.shell("diff -r copy/out moved/out").status == 0)
    }

    @Test("a part that another program changes between two processes of a run is refused by name; --restart starts over")
    func changedPart() throws {
        let command = try Self.prepared()
        defer { command.remove() }
        let (_, calls) = try Self.run(command, at: 0, "before")
        #expect(try Self.run(command, at: calls * 2 / 3, "before").0.status == SIGKILL)
        let change = "for part in out/.sluice-*.part; do printf X | dd of=$part bs=1 count=1 conv=notrunc; done"
        #expect(try command.shell(change).status == 0)
        let arguments = ["run", "trouble.yaml", "--progress", "none", "--state", "state"]
        let refused = try command.run(arguments)
        #expect(refused.status == 1)
        #expect(refused.error.contains(/out\/[a-z]+.*: the part that the unfinished run wrote \(out\/\.sluice-[^ ]*\.part\) was changed/), "\(refused)")
        #expect(refused.error.contains("was changed by another program; --restart starts over"), "\(refused)")
        #expect(try command.run(arguments + ["--restart"]).status == 3)
        #expect(try command.run("audit", "state/report.json").status == 0)
    }

    /// Closing stages, one with much state, after one another and in routes, beside outputs that
    /// are written in input order.
    private static let closing = """
        name: trouble
        source: {files: ['in/*.jsonl.gz'], format: jsonl}
        stages:
          - dedupe: {by: [n, k]}
        match: all
        routes:
          - name: groups
            stages:
              - summarize:
                  by: {n: n, kind: 'n % 2 == 0 ? k : text'}
                  values: {count: count(), first: first(text), top: 'top(k, 2)', mean: mean(n / 3)}
              - {name: even, summarize: {by: {even: n % 2 == 0}, values: {groups: count(), p90: p90(n), text: max(first)}, order: key}}
            sink: {file: out/groups.jsonl}
          - name: order
            when: n % 3 > 0
            stages: [sort: {by: [{desc: text}, k]}]
            sink: {file: "out/k={k}/order.csv.gz"}
          - name: top
            stages: [sort: {by: [{desc: n}], limit: 100}, head: 50]
            sink: {file: out/top.jsonl}
          - name: all
            sink: {file: out/plain.jsonl}
        dead_letter: out/dead.jsonl.gz
        limits: {memory: 16MiB}
        """

    @Test("groups, sorted records and seen keys are restored whichever call is the last one", arguments: ["before", "after"])
    func closingStages(kind: String) throws {
        func prepared() throws -> CommandUnderTest {
            let command = try Self.prepared()
            try command.write(Self.closing, to: "trouble.yaml")
            return command
        }
        let undisturbed = try prepared()
        defer { undisturbed.remove() }
        let (whole, calls) = try Self.run(undisturbed, at: 0, kind)
        #expect(whole.status == 3, "\(whole.error)")
        let expected = try (files: Self.files(undisturbed), report: Self.report(undisturbed))
        #expect(try undisturbed.shell("ls state").output == "report.json\nsamples.json\n")
        // A third of the calls are between the first checkpoint and the results.
        CommandUnderTest.tell(calls, kind)
        let step = Self.isWhole ? 1 : max(1, calls / 18)
        var (resumed, spilled) = (0, 0)
        for call in stride(from: kind == "before" ? 1 : 1 + step / 2, through: calls + 5, by: step) {
            let command = try prepared()
            defer { command.remove() }
            let (first, _) = try Self.run(command, at: call, kind)
            guard first.status == SIGKILL else {
                #expect(first.status == 3, "call \(call): \(first.error)")
                continue
            }
            if try !command.shell("ls state/stages").output.isEmpty { spilled += 1 }
            let (second, _) = try Self.run(command, at: 60, kind)
            let (last, _) = second.status == SIGKILL ? try Self.run(command, at: 0, kind) : (second, 0)
            #expect(last.status == 3, "call \(call): \(last.error)")
            let files = try Self.files(command)
            #expect(Set(files.keys) == Set(expected.files.keys), "call \(call)")
            for (name, bytes) in expected.files { #expect(files[name] == bytes, "call \(call): \(name)") }
            #expect(try Self.report(command) == expected.report, "call \(call)")
            #expect(try command.run("audit", "state/report.json").status == 0, "call \(call)")
            // Without samples where the last process had only to finish publishing.
            #expect(try command.shell("ls -I samples.json state").output == "report.json\n")
            if second.error.contains("resuming") || last.error.contains("resuming") { resumed += 1 }
        }
        #expect(resumed > 2 && spilled > 2, "of runs killed at \(calls) calls, \(resumed) were resumed, and \(spilled) had files of stages")
    }

    @Test("a large input is gone on with at the last flush or member before; what is before it is not read", arguments: ["one", "many", "bgzf"])
    func middle(members: String) throws {
        guard try CommandUnderTest().shell("python3 -c ''").status == 0 else { return print("ResumeTests: no python3 here") }
        func prepared() throws -> CommandUnderTest {
            let command = try CommandUnderTest()
            try command.write(
                "name: trouble\nsource: {files: big.jsonl.gz, format: jsonl}\nstages: [{set: {n: n + 1}}]\n"
                    + "sink: [{file: out/plain.jsonl}, {file: out/all.jsonl.gz}]\ndead_letter: out/dead.jsonl.gz\n", to: "trouble.yaml")
            // 12 MiB of text, with a record that fails in every mebibyte, and a wrong checksum at
            // the end.
            let made = try command.shell(
                """
                python3 - \(members) <<'END'
                import random, struct, sys, zlib
                random.seed(7)
                lines = []
                for n in range(24000):
                    text = '%0250x' % random.getrandbits(1000) + ' ' * random.randrange(250, 270)
                    lines.append('{"n":%s,"text":"%s"}\\n' % ('broken' if n % 2000 == 5 else n, text))
                text = ''.join(lines).encode()
                kind = sys.argv[1]
                size = 65280 if kind == 'bgzf' else 1 << 20
                out = open('big.jsonl.gz', 'wb')
                head = b'\\x1f\\x8b\\x08\\x00\\x00\\x00\\x00\\x00\\x00\\x03'
                if kind == 'one': out.write(head)
                for at in range(0, len(text), size):
                    piece = text[at:at + size]
                    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
                    data = deflate.compress(piece) + deflate.flush(zlib.Z_FULL_FLUSH if kind == 'one' else zlib.Z_FINISH)
                    if kind == 'one':
                        out.write(data)
                        continue
                    if kind == 'bgzf':
                        extra = b'\\x06\\x00BC\\x02\\x00' + struct.pack('<H', 18 + len(data) + 8 - 1)
                        out.write(head[:3] + b'\\x04' + head[4:] + extra)
                    else:
                        out.write(head)
                    out.write(data + struct.pack('<II', zlib.crc32(piece), len(piece)))
                if kind == 'one': out.write(b'\\x03\\x00' + struct.pack('<II', zlib.crc32(text) ^ 1, len(text)))
                out.close()
                END
                """)
            #expect(made.status == 0, "\(made.error)")
            return command
        }
        let undisturbed = try prepared()
        defer { undisturbed.remove() }
        let (whole, calls) = try Self.run(undisturbed, at: 0, "before")
        #expect(whole.status == 3, "\(whole.error)")
        let report = try Self.report(undisturbed)
        #expect(report.contains("\"crc\"") == (members == "one"))
        for call in [calls / 2, calls * 3 / 4] {
            let command = try prepared()
            defer { command.remove() }
            #expect(try Self.run(command, at: call, "before").0.status == SIGKILL)
            // What is overwritten here would be damage if it were read.
            let spoilt = try command.shell(
                "touch -r big.jsonl.gz time && dd if=/dev/urandom of=big.jsonl.gz bs=1000 seek=10 count=200 conv=notrunc && touch -r time big.jsonl.gz")
            #expect(spoilt.status == 0, "\(spoilt.error)")
            let (last, _) = try Self.run(command, at: 0, "before")
            #expect(last.status == 3 && last.error.contains("resuming the unfinished run"), "\(last.error)")
            #expect(try Self.files(command) == Self.files(undisturbed), "call \(call)")
            #expect(try Self.report(command) == report, "call \(call)")
        }
    }

    @Test("seen keys are restored, and a table must be unchanged")
    func keysAndTables() throws {
        let pipeline = """
            name: trouble
            source: {files: ['in/*.jsonl.gz'], format: jsonl}
            stages:
              - dedupe: {by: n}
              - dedupe: {by: [k, "n / 3"], within: 50}
              - lookup: {file: table.csv, key: k, column: id}
            sink: {file: out/plain.jsonl}
            dead_letter: out/dead.jsonl.gz
            """
        func prepared() throws -> CommandUnderTest {
            let command = try Self.prepared()
            try command.write(pipeline, to: "trouble.yaml")
            try command.write("id,name\n1,one\n2,two\n", to: "table.csv")
            return command
        }
        let undisturbed = try prepared()
        defer { undisturbed.remove() }
        let (whole, calls) = try Self.run(undisturbed, at: 0, "before")
        #expect(whole.status == 3, "\(whole.error)")
        // After its end, a run looks at records for its hints, in many calls.
        let command = try prepared()
        defer { command.remove() }
        #expect(try Self.run(command, at: calls / 4, "before").0.status == SIGKILL)
        #expect(try command.shell("mv table.csv kept && printf 'id,name\\n1,other\\n' > table.csv").status == 0)
        let other = try Self.run(command, at: 0, "before").0
        #expect(other.status == 1 && other.error.contains("'table.csv' has "), "\(other.error)")
        #expect(try command.shell("mv kept table.csv").status == 0)
        let last = try Self.run(command, at: 0, "before").0
        #expect(last.status == 3 && last.error.contains("resuming the unfinished run"), "\(last.error)")
        #expect(try Self.files(command) == Self.files(undisturbed))
        #expect(try Self.report(command) == Self.report(undisturbed))
    }

    @Test("a secret must be unchanged, and is in no file")
    func secret() throws {
        func prepared() throws -> CommandUnderTest {
            let command = try Self.prepared()
            try command.write(
                "name: trouble\nsource: {files: ['in/*.jsonl.gz'], format: jsonl}\n"
                    + "stages: [{redact: {fields: [k], with: hash, key: 'env:TROUBLE_KEY'}}]\nsink: {file: out/plain.jsonl}\n", to: "trouble.yaml")
            return command
        }
        let undisturbed = try prepared()
        defer { undisturbed.remove() }
        let (whole, calls) = try Self.run(undisturbed, at: 0, "before")
        #expect(whole.status == 3, "\(whole.error)")
        let command = try prepared()
        defer { command.remove() }
        #expect(try Self.run(command, at: calls * 2 / 3, "before").0.status == SIGKILL)
        #expect(try command.shell("grep -rl 'some secret' .").output == "")
        let other = try Self.run(command, at: 0, "before", key: "another").0
        #expect(other.status == 1 && other.error.contains("the key of a 'redact' stage was a different one"), "\(other.error)")
        let last = try Self.run(command, at: 0, "before").0
        #expect(last.status == 3 && last.error.contains("resuming the unfinished run"), "\(last.error)")
        #expect(try Self.files(command) == Self.files(undisturbed))
    }

    /// - Parameter isAll: whether the replay deals with all letters, so that the next one has none
    ///   to process.
    @Test("a replay that is killed at whichever call, and run again, adds each record once", arguments: ["before", "after"], [false, true])
    func replay(kind: String, isAll: Bool) throws {
        let arguments = ["replay", "out/dead.jsonl.gz", "--with", "trouble.yaml"]
        func prepared() throws -> CommandUnderTest {
            let command = try CommandUnderTest()
            let pipeline = """
                name: trouble
                source: {files: in.jsonl, format: jsonl}
                stages: [{keep: n > 0}]
                routes:
                  - name: all
                    sink: [{file: out/all.jsonl.gz}, {file: 'out/k={k}/part.jsonl'}]
                dead_letter: out/dead.jsonl.gz
                """
            let records = (1...90).map { "{\"n\":\($0 % 2 == 0 ? "\($0)" : "\"\($0)\""),\"k\":\($0 % 4)}\n" }
            try command.write(records.joined() + (isAll ? "" : "hello\n"), to: "in.jsonl")
            try command.write(pipeline, to: "trouble.yaml")
            #expect(try Self.run(command, at: 0, kind).0.status == 3)
            try command.write(pipeline.replacing("n > 0", with: "int(n) > 0"), to: "trouble.yaml")
            return command
        }
        /// The records that replays have added, in any order.
        func added(_ command: CommandUnderTest) throws -> [String] {
            let whole = try command.shell(
                "for f in $(find out -name 'all.replay*'); do gzip -dc $f || exit 1; done; find out/k=* -name 'part.replay*' -exec cat {} +")
            #expect(whole.status == 0, "\(whole)")
            return whole.output.split(separator: "\n").map(String.init).sorted()
        }
        let undisturbed = try prepared()
        defer { undisturbed.remove() }
        let (whole, calls) = try Self.run(undisturbed, arguments, at: 0, kind)
        #expect(whole.error.contains(isAll ? "  replayed: 45 of 45 resolved\n" : "  replayed: 45 of 46 resolved, 1 dead again\n"), "\(whole)")
        #expect(calls > 15)
        let expected = try added(undisturbed)
        #expect(expected.count == 90)
        CommandUnderTest.tell(calls, kind)
        let step = Self.isWhole || isAll ? 1 : max(1, calls / 10)
        var killed = 0
        // The last calls publish.
        let first = isAll && !Self.isWhole ? calls - 16 : kind == "before" ? 1 : 1 + step / 2
        for call in stride(from: first, through: calls, by: step) {
            let command = try prepared()
            defer { command.remove() }
            if try Self.run(command, arguments, at: call, kind).0.status == SIGKILL { killed += 1 }
            for _ in 1...2 {
                let (next, _) = try Self.run(command, arguments, at: 0, kind)
                #expect(next.status == (isAll ? 0 : 3), "call \(call): \(next)")
                #expect(try added(command) == expected, "call \(call): \(next)")
            }
            #expect(try command.shell("find . -name '.sluice-*' -o -name 'publish.json'").output == "", "call \(call)")
        }
        #expect(killed > 5)
    }
}
