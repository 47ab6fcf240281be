import Foundation
import Testing

#if SLUICE_TSAN
    private let isSanitized = true
#else
    private let isSanitized = false
#endif

private let isThorough = ProcessInfo.processInfo.environment["SLUICE_TROUBLE"] == "1"

/// Peak resident memory of whole commands: at most `limits.memory` and 96 MiB.
@Suite("Bounded memory", .timeLimit(Patience.hang), .enabled(if: !isSanitized, "the sanitizer's own memory is larger"))
struct MemoryTests {
    /// Runs the command and returns its peak resident memory in MiB, as the kernel counts it.
    private static func peak(_ command: CommandUnderTest, _ arguments: String, environment: String = "", status: Int32 = 0) throws -> Int {
        let measured = """
            import resource, subprocess, sys
            status = subprocess.run(sys.argv[1:]).returncode
            print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
            sys.exit(status)
            """
        try command.write(measured, to: "measure.py")
        let result = try command.shell("\(environment) python3 measure.py '\(CommandUnderTest.binary.path)' \(arguments)")
        #expect(result.status == status, "\(result.error)")
        return try #require(Int(result.output.trimmingCharacters(in: .whitespacesAndNewlines)))
    }

    @Test("fields that double one another, for a record and for all of a batch")
    func doubling() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let record = "{\"s\":\"\(String(repeating: "x", count: 100_000))\"}\n"
        try command.write("{\"s\":\"y\"}\n" + String(repeating: record, count: 40) + "{\"s\":\"z\"}\n", to: "in.jsonl")
        let names = "sabcdefghijklm".map(String.init)
        let fields = zip(names, names.dropFirst()).map { "\($1): \($0) + \($0)" }.joined(separator: ", ")
        try command.write(
            "name: p\nsource: {files: in.jsonl}\nlimits: {memory: 64MiB}\nstages:\n  - set: {\(fields)}\n  - remove: [\(names.joined(separator: ", "))]\n"
                + "  - set: {n: 1}\nsink: {file: out.jsonl}\ndead_letter: dead.jsonl\n", to: "p.yaml")
        let peak = try Self.peak(command, "run p.yaml --progress none", status: 3)
        #expect(peak <= 64 + 96, "\(peak) MiB")
        // Short records pass: what was made for the others before they failed is kept.
        #expect(try command.text(of: "out.jsonl") == "{\"n\":1}\n{\"n\":1}\n")
        #expect(try command.shell("grep -c '\"code\":\"expression.cost_limit\"' dead.jsonl").output == "40\n")
    }

    @Test("a sum of as many long texts as there is room for, and of more", arguments: [(7, Int32(0)), (30, 3)], ["keep: 'size(SUM) > 0'", "set: {t: SUM}"])
    func longSums(terms: (count: Int, status: Int32), stage: String) throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("{\"s\":\"\(String(repeating: "x", count: 4_000_000))\"}\n", to: "in.jsonl")
        let sum = Array(repeating: "s", count: terms.count).joined(separator: "+")
        try command.write(
            "name: p\nsource: {files: in.jsonl}\nlimits: {memory: 32MiB}\nstages:\n  - \(stage.replacing("SUM", with: sum))\n  - set: {t: 1}\n"
                + "sink: {file: out.jsonl}\ndead_letter: dead.jsonl\n", to: "p.yaml")
        let peak = try Self.peak(command, "run p.yaml --progress none", status: terms.status)
        #expect(peak <= 32 + 96, "\(peak) MiB")
        let failed = try command.shell("grep -c expression.cost_limit dead.jsonl").output
        #expect(failed == (terms.status == 0 ? "0\n" : "1\n") || failed.isEmpty && terms.status == 0)
    }

    @Test("many values of a record of 14 MB")
    func valuesOfOne() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("{\"s\":\"\(String(repeating: "x", count: 14_000_000))\"}\n{\"s\":\"z\"}\n", to: "in.jsonl")
        let fields = "abcdefghijklmno".map { "\($0): s + s" }.joined(separator: ", ")
        try command.write(
            "name: p\nsource: {files: in.jsonl}\nlimits: {memory: 64MiB}\nstages:\n  - set: {\(fields)}\n  - set: {n: size(a)}\n  - select: [n]\n"
                + "sink: {file: out.jsonl}\ndead_letter: dead.jsonl\n", to: "p.yaml")
        let peak = try Self.peak(command, "run p.yaml --progress none", status: 3)
        #expect(peak <= 64 + 96, "\(peak) MiB")
        #expect(try command.text(of: "out.jsonl") == "{\"n\":2}\n")
        #expect(try command.shell("grep -c '\"code\":\"expression.cost_limit\"' dead.jsonl").output == "1\n")
    }

    @Test("values of 3,000 records of 20 kB, none of which fails because of the others", arguments: [1, 8])
    func valuesOfMany(workers: Int) throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let text = String(repeating: "q", count: 20_000)
        try command.write((0..<3_000).map { "{\"k\":\"\($0)\(text)\",\"v\":\($0)}\n" }.joined(), to: "in.jsonl")
        try command.write(
            "name: p\nsource: {files: in.jsonl}\nlimits: {memory: 32MiB}\n"
                + "stages: [{set: {a: k+k+k, b: 'k.split(\"q\").join(\"qq\")', c: b.upperAscii()}}]\nsink: {file: out.jsonl}\ndead_letter: dead.jsonl\n",
            to: "p.yaml")
        let peak = try Self.peak(command, "run p.yaml --progress none --workers \(workers)")
        #expect(peak <= 32 + 96, "\(peak) MiB")
        #expect(try command.shell("wc -l < out.jsonl").output.trimmingCharacters(in: .whitespacesAndNewlines) == "3000")
    }

    @Test(
        "stages that make many times the text of their records",
        arguments: [
            ("{set: {a: 'k.split(\"q\")', b: 'k.matches(\"q+\")'}}", 2), ("{set: {a: 'k.split(\"q\")', b: 'k.matches(\"q+\")'}}", 8),
            ("{redact: {fields: [k], pattern: q, with: hash, key: secret}}", 2),
            ("{sort: {by: [v]}}, {redact: {fields: [k], pattern: q, with: hash, key: secret}}", 8),
        ])
    func growingStages(stages: String, workers: Int) throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        // A match becomes 64 bytes, so the second makes 640 kB of each.
        let (count, length) = stages.contains("redact") ? (100, 10_000) : (1_000, 20_000)
        let text = String(repeating: "q", count: length)
        try command.write((0..<count).map { "{\"k\":\"\($0)\(text)\",\"v\":\($0)}\n" }.joined(), to: "in.jsonl")
        try command.write(
            "name: p\nsource: {files: in.jsonl}\nlimits: {memory: 32MiB}\nstages: [\(stages)]\nsink: {file: out.jsonl}\n", to: "p.yaml")
        let peak = try Self.peak(command, "run p.yaml --progress none --workers \(workers)")
        #expect(peak <= 32 + 96, "\(peak) MiB")
        #expect(try command.shell("wc -l < out.jsonl").output.trimmingCharacters(in: .whitespacesAndNewlines) == "\(count)")
    }

    @Test(
        "groups with keys and values of 20 kB",
        arguments: [
            ("by: {k: k}, values: {c: count(), a: first(k), b: last(k)}", 32, 8), ("by: {k: k}, values: {c: count()}", 64, 1),
            ("by: {k: k}, values: {c: count()}", 64, 2), ("by: {g: v}, values: {a: first(k)}", 64, 2), ("by: {g: v}, values: {a: max(k)}", 32, 8),
        ])
    func longGroups(summary: String, limit: Int, workers: Int) throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let text = String(repeating: "q", count: 20_000)
        try command.write((0..<3_000).map { "{\"k\":\"\($0)\(text)\",\"v\":\($0)}\n" }.joined(), to: "in.jsonl")
        try command.write(
            "name: p\nsource: {files: in.jsonl}\nlimits: {memory: \(limit)MiB}\nstages: [{summarize: {\(summary)}}]\nsink: {file: out.jsonl}\n", to: "p.yaml")
        let peak = try Self.peak(command, "run p.yaml --progress none --workers \(workers)")
        #expect(peak <= limit + 96, "\(peak) MiB")
        #expect(try command.shell("wc -l < out.jsonl").output.trimmingCharacters(in: .whitespacesAndNewlines) == "3000")
    }

    @Test("the most frequent of 3,000 values of 20 kB", arguments: ["", "by: {g: v % 3}, "], [2, 8])
    func frequentValues(by: String, workers: Int) throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let text = String(repeating: "q", count: 20_000)
        try command.write((0..<3_000).map { "{\"k\":\"\($0 % 2_999)\(text)\",\"v\":\($0)}\n" }.joined(), to: "in.jsonl")
        try command.write(
            "name: p\nsource: {files: in.jsonl}\nlimits: {memory: 32MiB}\nstages: [{summarize: {\(by)values: {t: 'top(k, 20)'}}}]\nsink: {file: out.jsonl}\n",
            to: "p.yaml")
        let peak = try Self.peak(command, "run p.yaml --progress none --workers \(workers)")
        #expect(peak <= 32 + 96, "\(peak) MiB")
        let firsts = "jq -r '.t[0] | \"\\(.count) \\(.value[:3])\"' out.jsonl | sort | head -n 1"
        #expect(try command.shell(firsts).output == (by.isEmpty ? "2 0qq\n" : "1 0qq\n"))
    }

    @Test("conditions that take long records apart")
    func longConditions() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let record = "{\"s\":\"\(String(repeating: "x", count: 10_000_000))\"}\n"
        try command.write(String(repeating: record, count: 5) + "{\"s\":\"z\"}\n", to: "in.jsonl")
        try command.write(
            "name: p\nsource: {files: in.jsonl}\nlimits: {memory: 64MiB}\nstages: [{keep: \"s.split('').size() > 0\", on_error: drop}]\n"
                + "sink: {file: out.jsonl}\ndead_letter: dead.jsonl\n", to: "p.yaml")
        let peak = try Self.peak(command, "run p.yaml --progress none --workers 1")
        #expect(peak <= 64 + 96, "\(peak) MiB")
        #expect(try command.text(of: "out.jsonl") == "{\"s\":\"z\"}\n")
    }

    @Test("texts deep in lists, for all records of a batch")
    func deepValues() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let record = "{\"s\":\"\(String(repeating: "x", count: 10_000))\"}\n"
        try command.write(String(repeating: record, count: 400), to: "in.jsonl")
        try command.write(
            "name: p\nsource: {files: in.jsonl}\nlimits: {memory: 64MiB}\nstages:\n  - set: {a: \"lists.range(15).map(i, s.split(''))\"}\n"
                + "  - set: {n: a.size()}\n  - select: [n]\nsink: {file: out.jsonl}\ndead_letter: dead.jsonl\n", to: "p.yaml")
        let peak = try Self.peak(command, "run p.yaml --progress none", status: 3)
        #expect(peak <= 64 + 96, "\(peak) MiB")
        let passed = try command.text(of: "out.jsonl").split(separator: "\n")
        let failed = Int(try command.shell("grep -c expression.cost_limit dead.jsonl").output.trimmingCharacters(in: .whitespacesAndNewlines))
        #expect(passed.count > 2 && passed.allSatisfy { $0 == "{\"n\":15}" } && failed == 400 - passed.count)
    }

    @Test("a list of seven million numbers in a record of 14 MB")
    func longList() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let numbers = String(repeating: "0,", count: 7_000_000)
        try command.write("{\"items\":[\(numbers)0]}\n{\"items\":[0,1]}\n{\"items\":[\(numbers)0]}\n", to: "in.jsonl")
        try command.write(
            "name: p\nsource: {files: in.jsonl}\nlimits: {memory: 32MiB}\nstages: [{keep: 'items.exists(x, x > 0)', on_error: drop}]\n"
                + "sink: {file: out.jsonl}\n", to: "p.yaml")
        let peak = try Self.peak(command, "run p.yaml --progress none")
        #expect(peak <= 32 + 96, "\(peak) MiB")
        #expect(try command.text(of: "out.jsonl") == "{\"items\":[0,1]}\n")
    }

    @Test("messages about fields of megabytes")
    func longValues() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let record = "{\"s\":\"\(String(repeating: "x", count: 4_000_000))\"}\n"
        try command.write(String(repeating: record, count: 8), to: "in.jsonl")
        try command.write(
            "name: p\nsource: {files: in.jsonl, format: jsonl}\nlimits: {memory: 32MiB}\nstages: [{keep: int(s) > 0}]\n"
                + "sink: {file: out.jsonl}\ndead_letter: dead.jsonl\n", to: "p.yaml")
        let peak = try Self.peak(command, "run p.yaml --progress none", status: 3)
        #expect(peak <= 32 + 96, "\(peak) MiB")
        #expect(try command.shell("grep -c 'x…' dead.jsonl").output == "8\n")
    }

    @Test(
        "dead letters of 14 MB, of records that cannot be read and of those that a stage refuses",
        arguments: ["gz", "jsonl", "zst"], [1, 16])
    func longLetters(ending: String, workers: Int) throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        // Hardly compressible. A quote too many makes every second record unreadable.
        let made = try command.shell(
            #"""
            mkdir in
            for file in 1 2 3; do
              for mark in '' '"'; do
                printf '%s' '{"s":"\"\\' "$mark"; head -c 10500000 /dev/urandom | base64 -w 0; printf '"}\n'
              done > in/$file.jsonl
            done
            """#)
        #expect(made.status == 0, "\(made.error)")
        try command.write(
            "name: p\nsource: {files: 'in/*.jsonl', format: jsonl}\nlimits: {memory: 32MiB, dead_letters: none}\nstages: [{keep: int(s) > 0}]\n"
                + "sink: {file: out/out.jsonl}\ndead_letter: out/dead.\(ending)\n", to: "p.yaml")
        let peak = try Self.peak(command, "run p.yaml --progress none --workers \(workers)", status: 3)
        #expect(peak <= 32 + 96, "\(peak) MiB")
        #expect(try command.run("audit", ".sluice/p/report.json").status == 0)
        #expect(try command.shell("ls .sluice/p; ls out").output == "report.json\nsamples.json\ndead.\(ending)\nout.jsonl\n")
        #expect(try command.text(of: ".sluice/p/report.json").contains("\"parse.jsonl\" : 3"))
    }

    @Test("records of 14 MB in more inputs than are read at once")
    func longRecords() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let record = "{\"s\":\"\(String(repeating: "some words ", count: 1_270_000))\"}\n"
        for file in 0..<18 { try command.write("{\"s\":\"\(file)\"}\n" + record + "{\"s\":\"end\"}\n" + record, to: "in/\(file).jsonl") }
        try command.write(
            "name: p\nsource: {files: ['in/*.jsonl'], format: jsonl}\nlimits: {memory: 32MiB}\nsink: {file: out.jsonl}\n", to: "p.yaml")
        let peak = try Self.peak(command, "run p.yaml --progress none --workers 16")
        #expect(peak <= 32 + 96, "\(peak) MiB")
        #expect(try command.shell("for file in $(seq 0 17 | sort); do cat in/$file.jsonl; done | cmp - out.jsonl && echo same").output == "same\n")
    }

    @Test("a thousand partitions with more workers than processors", arguments: [8, 16])
    func workers(count: Int) throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let text = (0..<60_000).map { "{\"k\":\($0 &* 7_919 % 1_000),\"n\":\($0),\"text\":\"\(String(repeating: "some words ", count: 12))\"}\n" }.joined()
        try command.write(text, to: "in.jsonl")
        try command.write(
            "name: p\nsource: {files: in.jsonl, format: jsonl}\nlimits: {memory: 32MiB}\nsink: {file: 'out/{k}.jsonl.gz'}\n", to: "p.yaml")
        let peak = try Self.peak(command, "run p.yaml --progress none --workers \(count)")
        #expect(peak <= 32 + 96, "\(peak) MiB")
    }

    @Test("thousands of partitions, with and without checkpoints", arguments: [32, 64, 512], ["3600", "0"])
    func partitions(limit: Int, checkpoints: String) throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let text = (0..<30_000).map { "{\"k\":\($0 &* 7_919 % 2_000),\"n\":\($0),\"text\":\"some text of record \($0)\"}\n" }.joined()
        try command.write(text, to: "in.jsonl")
        try command.write(
            "name: p\nsource: {files: in.jsonl, format: jsonl}\nlimits: {memory: \(limit)MiB}\nsink: {file: 'out/k={k}/part.jsonl.gz'}\n", to: "p.yaml")
        let peak = try Self.peak(command, "run p.yaml --progress none", environment: "SLUICE_CHECKPOINT_SECONDS=\(checkpoints)")
        #expect(peak <= limit + 96, "\(peak) MiB")
        #expect(try FileManager.default.contentsOfDirectory(atPath: command.folder.appending(path: "out").path).count == 2_000)
    }

    @Test(
        "twenty thousand partitions with 64 descriptors, with and without checkpoints", .enabled(if: isThorough, "by hand: make trouble"),
        arguments: ["3600", "1"])
    func partitionsWithFewDescriptors(checkpoints: String) throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let text = (0..<200_000).map { "{\"k\":\($0 &* 7_919 % 20_000),\"n\":\($0)}\n" }.joined()
        try command.write(text, to: "in.jsonl")
        try command.write(
            "name: p\nsource: {files: in.jsonl, format: jsonl}\nlimits: {memory: 64MiB}\nsink: {file: 'out/{k % 100}/{k}.jsonl.gz'}\n", to: "p.yaml")
        let peak = try Self.peak(
            command, "run p.yaml --progress none", environment: "ulimit -n 64; SLUICE_CHECKPOINT_SECONDS=\(checkpoints)")
        // Beside the limit, 4 KB for each output beyond the first few thousand.
        #expect(peak <= 64 + 96 + 64, "\(peak) MiB")
        #expect(try command.shell("find out -name '*.jsonl.gz' | wc -l").output == "20000\n")
        #expect(try command.shell("find out -name '*.jsonl.gz' -exec cat {} + | gzip -dc | wc -l").output == "200000\n")
    }

    @Test("a gigabyte of zeros as one line, whose dead letter stays small")
    func bomb() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let made = try command.shell(
            "{ echo '{\"a\":1}' | gzip -n; head -c 1000000000 /dev/zero | gzip -n; echo '{\"a\":2}' | gzip -n; } > in.jsonl.gz")
        #expect(made.status == 0)
        try command.write("name: bomb\nsource: {files: in.jsonl.gz}\nlimits: {memory: 64MiB}\nsink: {file: out.jsonl}\ndead_letter: dead.jsonl\n", to: "p.yaml")
        let peak = try Self.peak(command, "run p.yaml --progress none", status: 3)
        #expect(peak <= 64 + 96, "\(peak) MiB")
        #expect(try command.text(of: "out.jsonl") == "{\"a\":1}\n{\"a\":2}\n")
        let letter = try command.text(of: "dead.jsonl")
        #expect(letter.utf8.count < 1 << 20)
        #expect(letter.contains("\"offset\":8,\"line\":2"))
        #expect(letter.hasSuffix(",\"raw_cut\":{\"kept\":65536,\"of\":268435456}}\n"))
        let report = try command.text(of: ".sluice/bomb/report.json")
        #expect(report.contains("\"bomb\""))
        #expect(try command.run("audit", ".sluice/bomb/report.json").status == 0)
        let replay = try command.run("replay", "dead.jsonl", "--with", "p.yaml")
        #expect(replay.status == 1)
        #expect(replay.error.contains("they have only the beginnings of their records"), "\(replay.error)")
    }

    @Test("a million bad records, whose dead letters are twenty times as large", arguments: [("gz", 64, 12), ("gz", 64, 2), ("jsonl", 128, 12)])
    func badRecords(ending: String, limit: Int, bytes: Int) throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let made = try command.shell("echo '{\"a\":1}' > in.jsonl; yes '\(String(repeating: "{", count: bytes - 1))' | head -n 1000000 >> in.jsonl")
        #expect(made.status == 0)
        try command.write(
            "name: bad\nsource: {files: in.jsonl}\nlimits: {memory: \(limit)MiB}\nsink: {file: out.jsonl}\ndead_letter: dead.\(ending)\n", to: "p.yaml")
        let peak = try Self.peak(command, "run p.yaml --progress none", status: 3)
        #expect(peak <= limit + 96, "\(peak) MiB")
        #expect(try command.text(of: "out.jsonl") == "{\"a\":1}\n")
        #expect(try command.shell("\(ending == "gz" ? "gzip -dc dead.gz" : "cat dead.jsonl") | grep -c 'parse.jsonl'").output == "1000000\n")
    }

    @Test(
        "an expression that holds a long field once for each of its letters, within its cost limit and beyond",
        arguments: [(1_000, Int32(0)), (100_000, 3)])
    func heldValues(letters: Int, status: Int32) throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("{\"s\":\"\(String(repeating: "a", count: letters))\"}\n", to: "in.jsonl")
        try command.write(
            "name: held\nsource: {files: in.jsonl, format: jsonl}\nlimits: {memory: 64MiB}\n"
                + "stages: [{keep: \"s.split('').map(x, s).size() > 0 && s.split('').map(x, record).size() > 0\"}]\nsink: {file: out.jsonl}\n", to: "held.yaml")
        let peak = try Self.peak(command, "run held.yaml --progress none", status: status)
        #expect(peak <= 64 + 96, "\(peak) MiB")
    }
}
