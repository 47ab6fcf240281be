import Foundation
import Glibc
import Testing

/// Problems that users of other programs reported, as small cases in a folder outside the project:
/// `../shared/reports`, or the folder that `SLUICE_REPORTS` names. Every kind of problem that was
/// fixed also has tests in the project.
@Suite("Reports from the field", .enabled(if: ReportedCase.root != nil, "there is no ../shared/reports here; SLUICE_REPORTS names another folder"))
struct ReportsTests {
    /// Cases that are known to fail, with the cause. A listed case that passes fails the test, so
    /// that the list stays accurate.
    private static let knownFailures: [String: String] = [:]

    @Test("give the expected results", arguments: ReportedCase.names)
    func run(name: String) async throws {
        let folder = try #require(ReportedCase.root)
        let reported = try ReportedCase(name, in: folder)
        try await runs(reported)
    }

    private func runs(_ reported: ReportedCase) async throws {
        let command = try reported.prepared()
        defer { command.remove() }
        let problems = try await problems(reported, command)
        if let reason = Self.knownFailures[reported.name] {
            #expect(!problems.isEmpty, "'\(reported.name)' passes; take it from the list of known failures: \(reason)")
        } else {
            #expect(problems.isEmpty, "\(reported.name)")
        }
    }

    private func problems(_ reported: ReportedCase, _ command: CommandUnderTest) async throws -> [String] {
        let run = { (arguments: String...) in
            try await command.start(nil, ["run", "pipeline.yaml", "--progress", "none"] + arguments).ended()
        }
        switch reported.name.prefix(3) {
        case "d01":
            _ = try await run()
            return try reported.problems(after: await run("--set", "day=day2"), command)
        case "d04":
            let result = try await run()
            let letters = (try? command.text(of: "out/dead-letter.jsonl.gz").split(separator: "\n")) ?? []
            let isWhole = letters.count == 2 && letters.allSatisfy { $0.contains("\"raw\"") }
            return [1, 2].contains(result.status) || isWhole ? [] : ["exit \(result.status), dead letters \(letters)"]
        case "d06": return try await changes(to: "data/in.jsonl", command) { _ = try await run() }
        case "d08", "g07":
            var problems: [String] = []
            let changes = try await changes(to: "in.jsonl", command) {
                let result = try await run()
                if result.status != 2 { problems.append("exit \(result.status): \(result.error)") }
            }
            return problems + changes
        case "g08": return try await otherSpellings(command)
        case "k06": return try await childrenLeft(command)
        case _ where Self.compressed[reported.name] != nil: return try await compressed(reported, command)
        case "z01", "z03", "z05", "z07", "z09", "z11", "z13": return try await fieldsAndRefusals(reported, command)
        case _ where Self.logs[reported.name] != nil: return try await logs(reported, command)
        default: return try reported.problems(after: await run(), command)
        }
    }

    /// Logs, described in prose: the exit code, what the output's lines contain, and the codes and
    /// first bytes of the refused records.
    private static let logs: [String: (status: Int32, lines: [String], refused: [String])] = [
        "z20-logfmt-empty-against-bare": (0, [#"{"key1":"","key2":true,"key3":"123","key4":"this is a text"}"#], []),
        "z22-logfmt-quote-in-the-middle": (3, [], [#""code":"parse.logfmt""#]),
        "z24-logfmt-open-quote": (3, [#"{"ok":"1"}"#], [#""code":"parse.logfmt""#, #""code":"parse.logfmt""#]),
        "z30-syslog-new-year": (
            3, [#""time":"2025-12-31T23:59:59Z","host":"h""#, #""time":"2026-01-01T00:00:00Z","host":"h""#],
            [#""code":"parse.syslog","message":"29 February"#]
        ),
        "z32-syslog-5424-odd": (
            3, [#""structured_data":{"a@1":{"k":"x]y\"z"},"b@2":{}},"message":"'su root' failed"}"#, #"{"priority":34,"facility":"auth","severity":"crit"}"#],
            [#""code":"parse.syslog","message":"the priority 999"#]
        ),
        "z40-multiline-last-record": (0, [#"{"line":"2025-10-10 start\n\tat a"}"#, #"{"line":"2025-10-10 again\n\tat b"}"#], []),
        "z42-multiline-json": (0, [#"{"a":1}"#, #"{"a":2}"#], []),
    ]

    private func logs(_ reported: ReportedCase, _ command: CommandUnderTest) async throws -> [String] {
        let right = try #require(Self.logs[reported.name])
        // The report asks for the year in the definition.
        try command.write(try reported.pipeline.replacing("format: syslog}", with: "format: syslog, year: 2025}"), to: "pipeline.yaml")
        let result = try await command.start(nil, ["run", "pipeline.yaml", "--progress", "none"]).ended()
        var problems = result.status == right.status ? [] : ["exit \(result.status): \(result.error)"]
        let found = command.lines(of: "out/o.jsonl")
        if found.count != right.lines.count || !zip(found, right.lines).allSatisfy({ $0.contains($1) }) { problems.append("output: \(found)") }
        let letters = try command.deadLetters
        if letters.count != right.refused.count || !zip(letters, right.refused).allSatisfy({ $0.contains($1) }) { problems.append("dead letters: \(letters)") }
        return problems
    }

    /// Cases described in prose, or that predate support for these compressions: the exit code, the
    /// number of records, and the message in the summary.
    private static let compressed: [String: (status: Int32, records: Int?, said: String)] = [
        "c11-bz2-as-lines": (0, 5, "balanced"), "c11-xz-as-lines": (0, 5, "balanced"), "c11-zst-as-lines": (3, 1, ": crc,"),
        "c22-zstd-skippable-as-lines": (0, 2, "balanced"), "z50-zstd-skippable-first": (0, 5, "balanced"), "z52-zstd-empty-frame": (0, 0, "balanced"),
        "z54-zstd-cut": (3, nil, ": truncated,"), "z56-zstd-garbage-behind": (3, 5, ": trailing-garbage,"),
    ]

    private func compressed(_ reported: ReportedCase, _ command: CommandUnderTest) async throws -> [String] {
        let right = try #require(Self.compressed[reported.name])
        let result = try await command.start(nil, ["run", "pipeline.yaml", "--progress", "none"]).ended()
        var problems = result.status == right.status ? [] : ["exit \(result.status): \(result.error)"]
        if !result.error.contains(right.said) { problems.append(result.error) }
        let lines = command.lines(of: "out/o.jsonl")
        if let records = right.records, lines.count != records { problems.append("output: \(lines)") }
        return problems
    }

    private func changes(to file: String, _ command: CommandUnderTest, _ body: () async throws -> Void) async throws -> [String] {
        let before = try command.text(of: file)
        try await body()
        let after = try command.text(of: file)
        return after == before ? [] : ["\(file) is now \(after)"]
    }

    /// Names the input as the output through a symbolic link, a hard link, an absolute path, and
    /// paths with dots.
    private func otherSpellings(_ command: CommandUnderTest) async throws -> [String] {
        var problems: [String] = []
        _ = try await command.script("mkdir d; ln -s in.jsonl soft; ln in.jsonl hard; ln -s .. d/up")
        for spelling in ["soft", "hard", command.folder.path + "/in.jsonl", "d/../in.jsonl", "./in.jsonl", "d/up/in.jsonl"] {
            problems += try await changes(to: "in.jsonl", command) {
                _ = try await command.sluice("run", "pipeline.yaml", "--progress", "none", "--set", "o=" + spelling)
            }
        }
        return problems
    }

    /// Checks cases that are described in prose: the output lines, and the codes and first bytes of
    /// the refused records.
    private func fieldsAndRefusals(_ reported: ReportedCase, _ command: CommandUnderTest) async throws -> [String] {
        let columns = (1...26).map { "c\($0)" }.joined(separator: ", ")
        let (status, lines, refused): (Int32, [String], [String]) =
            switch reported.name.prefix(3) {
            case "z01": (0, (0..<10_000).map { #"{"id":"\#($0)","val":"x"}"# }, [])
            case "z03": (3, [#"{"a":"1","b":"2","c":"3"}"#, #"{"a":"7","b":"8","c":"9"}"#], ["4,", "5,6", #"\"x\ny,1,2\n10,11,12"#])
            case "z05": (0, [#"{"a":"1","b\nc":"2"}"#], [])
            case "z07": (3, ["2025-10-09 17:25:28.377 UTC", "2025-10-09 17:25:29.377 UTC"], ["2025-07-02 14:35:45.889 CEST,", "PL/pgSQL function f()"])
            case "z11":
                (
                    0,
                    [
                        #"{"ts":"2020-06-05T14:39:59.306059Z","uid":"C1","q":"a\tb"}"#,
                        #"{"ts":"2020-06-05T14:39:59.5Z","q":"","uid":"C2"}"#,
                    ], []
                )
            case "z13": (0, [#"{"a":"1","b":"x\ty","c":""}"#, #"{"a":"2","b":"\"q","c":"z"}"#], [])
            default: (0, [#"{"id":"007","n":"12345678901234567890"}"#, #"{"id":"","n":"1e5","e":""}"#], [])
            }
        if reported.name.hasPrefix("z07") {
            // The report asks for column names in the definition: 23 to 26 columns, depending on
            // the version of the server.
            let format = "format: {csv: {columns: [\(columns)], at_least: 23}}}"
            try command.write(try reported.pipeline.replacingOccurrences(of: "format: csv}", with: format), to: "pipeline.yaml")
        }
        let result = try await command.start(nil, ["run", "pipeline.yaml", "--progress", "none"]).ended()
        var problems = result.status == status ? [] : ["exit \(result.status): \(result.error)"]
        let found = command.lines(of: "out/o.jsonl")
        if found.count != lines.count || !zip(found, lines).allSatisfy({ $0.contains($1) }) { problems.append("output: \(found)") }
        let letters = try command.deadLetters
        let areRight = zip(letters, refused).allSatisfy { $0.contains("\"code\":\"parse.csv\"") && $0.contains("\"raw\":\"\($1)") }
        if letters.count != refused.count || !areRight { problems.append("dead letters: \(letters)") }
        return problems
    }

    /// Interrupts the run twice while its child works on a record.
    private func childrenLeft(_ command: CommandUnderTest) async throws -> [String] {
        let noting = "import os,sys,time\nopen('pid','w').write(str(os.getpid()))\n"
        try command.write(
            try command.text(of: "child.py")
                .replacingOccurrences(of: "import sys,time\n", with: noting)
                // Longer than the test can be kept waiting for a thread.
                .replacingOccurrences(of: "time.sleep(20)", with: "time.sleep(600)"), to: "child.py")
        let run = try command.start(nil, ["run", "pipeline.yaml", "--progress", "plain"])
        // Blocks its thread: other tests can delay a task for longer than the child works.
        while command.lines(of: "pid").isEmpty, run.process.isRunning { poll(nil, 0, 10) }
        run.signal(SIGINT)
        try run.waits(for: "draining")
        run.signal(SIGINT)
        _ = try await run.ended()
        let pid = try #require(command.lines(of: "pid").first.flatMap { pid_t($0) })
        let deadline = ContinuousClock.now + .seconds(5)
        while isRunning(pid), ContinuousClock.now < deadline { poll(nil, 0, 10) }
        guard isRunning(pid) else { return [] }
        kill(pid, SIGKILL)
        return ["the child goes on"]
    }
}
