import Foundation
import Glibc
import Testing

/// Trouble that users of other programs have reported, as small cases in a folder that is no part
/// of the project: `../shared/reports`, or what `SLUICE_REPORTS` names. Every kind of trouble that
/// was mended has tests of its own besides.
@Suite("Reports from the field", .enabled(if: ReportedCase.root != nil, "there is no ../shared/reports here; SLUICE_REPORTS names another folder"))
struct ReportsTests {
    /// What this version does not have, by what stands in the pipeline of a case, and what `sluice
    /// check` or the run says of it.
    private static let missing: [(inPipeline: String, said: String)] = [
        ("format: csv", "the format 'csv' is not supported in this version"), ("format: tsv", "the format 'tsv' is not supported in this version"),
        ("format: logfmt", "the format 'logfmt' is not supported in this version"), ("format: syslog", "the format 'syslog' is not supported in this version"),
        ("multiline:", "'multiline' is not supported in this version"), ("in.zst", "not supported yet: zstd compression"),
    ]

    /// Cases that fail, and where the cause is. One that passes fails the test, so that the list
    /// stays true.
    private static let knownFailures: [String: String] = [
        "d01-empty-input-stale-output": "RunCommit begins an output with its first batch, and an input without text brings none",
        "d04-value-names-dead-letter-file": "RunCommit does not compare the places of outputs with that of the dead letters",
        "d06-value-names-input": "RunCommit does not compare the places of outputs with those of the inputs",
        "d08-dead-letter-is-sink": "PipelineBuilding compares paths as they are spelled",
        "g01-equal-looking-partitions": "SinkStage, MemberGatherer and OutputSet have paths as String in dictionaries",
        "g04-equal-looking-fields-in-definition": "YAMLDocument, Schema and Shape compare names as String",
        "g07-dead-letter-is-input": "PipelineBuilding does not compare the dead-letter file with the inputs",
        "g08-output-is-input-by-link": "PipelineBuilding+sink compares paths as they are spelled",
        "k01-lines-sink-of-json": "Plan does not ask the decoder for the field 'line' that a sink of lines writes",
        "k02-lines-sink-depends-on-stages": "SinkStage copies the record's bytes for a sink of lines, whatever the format of the source",
        "k10-swap-by-rename": "Shape renames one field after the other",
        "k11-same-looking-keys-in-expressions": "SegmentPlan and Shape have names as String in sets and dictionaries",
    ]

    @Test("come out as they should", arguments: ReportedCase.names)
    func run(name: String) async throws {
        let folder = try #require(ReportedCase.root)
        let reported = try ReportedCase(name, in: folder)
        let pipeline = try reported.pipeline
        let missing = Self.missing.first { pipeline.contains($0.inPipeline) }
        guard let missing, Self.knownFailures[name] == nil else { return try await runs(reported) }
        let command = try reported.prepared()
        defer { command.remove() }
        let result = try await command.sluice("run", "pipeline.yaml", "--progress", "none")
        #expect(result.error.contains(missing.said), "'\(name)' was left out for want of '\(missing.inPipeline)': \(result.error)")
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
        default: return try reported.problems(after: await run(), command)
        }
    }

    private func changes(to file: String, _ command: CommandUnderTest, _ body: () async throws -> Void) async throws -> [String] {
        let before = try command.text(of: file)
        try await body()
        let after = try command.text(of: file)
        return after == before ? [] : ["\(file) is now \(after)"]
    }

    /// Outputs that name the input by a link, a hard link, an absolute path, and with dots.
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

    /// Interrupts the run twice while its child works on a record.
    private func childrenLeft(_ command: CommandUnderTest) async throws -> [String] {
        let noting = "import os,sys,time\nopen('pid','w').write(str(os.getpid()))\n"
        try command.write(try command.text(of: "child.py").replacingOccurrences(of: "import sys,time\n", with: noting), to: "child.py")
        let run = try command.start(nil, ["run", "pipeline.yaml", "--progress", "plain"])
        // Other tests hold up a task for longer than the child works: this waits on its thread.
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
