import Foundation
import Testing

/// Refused threads, played by `Tests/Trouble/threads.c`.
@Suite("Refused threads", .timeLimit(Patience.hang))
struct ThreadLimitTests {
    /// The library that refuses threads, built once.
    private static let library = Result { try TroubleLibrary.build("threads") }

    private static func command() throws -> CommandUnderTest {
        let command = try CommandUnderTest()
        try command.write((0..<5_000).map { "{\"n\":\($0)}\n" }.joined(), to: "in.jsonl")
        try command.write(
            "name: x\nsource: {files: in.jsonl}\nstages:\n  - keep: n % 2 == 0\n  - {exec: [cat], timeout: 60s}\nsink: {file: out.jsonl}\n", to: "x.yaml")
        return command
    }

    private static func run(_ command: CommandUnderTest, threads: Int) throws -> CommandUnderTest.Result {
        try command.run(
            ["run", "x.yaml", "--progress", "none", "--workers", "32"],
            environment: ["LD_PRELOAD": try library.get(), "TROUBLE_THREADS": "\(threads)"])
    }

    @Test("too few for a run: nothing is read, and one sentence says so", arguments: [0, 1, 3, 11])
    func tooFew(threads: Int) throws {
        let command = try Self.command()
        defer { command.remove() }
        let result = try Self.run(command, threads: threads)
        #expect(result.status == 1)
        #expect(
            result.error
                == "sluice: the system allows \(threads) more threads, and a run needs 12; raise the limit (ulimit -u, or pids.max of the control group)\n")
        #expect(!FileManager.default.fileExists(atPath: command.folder.appending(path: ".sluice").path))
    }

    @Test("where memory is limited, that may be the reason")
    func memory() throws {
        let command = try Self.command()
        defer { command.remove() }
        let result = try command.shell("ulimit -v 100000000; LD_PRELOAD=\(try Self.library.get()) TROUBLE_THREADS=1 sluice run x.yaml")
        #expect(result.error.contains("raise the limit (ulimit -v, since they need memory, ulimit -u, or pids.max of the control group)"), "\(result)")
    }

    @Test("fewer than wanted: the run has fewer workers, and the same output", arguments: [20, 24])
    func fewer(threads: Int) throws {
        let command = try Self.command()
        defer { command.remove() }
        let result = try Self.run(command, threads: threads)
        #expect(result.status == 0, "\(result.error)")
        #expect(result.error.contains("sluice: the system refuses more threads, so that the run has "))
        #expect(result.error.contains(" workers instead of 32\n"))
        #expect(try command.text(of: "out.jsonl") == (0..<2_500).map { "{\"n\":\($0 * 2)}\n" }.joined())
    }
}
