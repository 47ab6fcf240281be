import Foundation
import Sluice
import Testing

@testable import SluiceRecords

@Suite("exec: the end of a run", .timeLimit(Patience.limit))
struct ExecDrainTests {
    /// Answers each record with itself, and notes it in `asked`; waits for the file `go` first if
    /// the record contains `slow`.
    private static let echo = """
        import os, sys, time
        for line in sys.stdin:
            with open(DIR + "/asked", "a") as asked: asked.write(line[:20].strip() + "\\n")
            while "slow" in line and not os.path.exists(DIR + "/go"): time.sleep(0.01)
            sys.stdout.write(line)
            sys.stdout.flush()
        """

    private static func asked(_ scripts: Scripts) -> Int {
        (try? scripts.text(of: "asked").split(separator: "\n").count) ?? 0
    }

    private static func waits(for count: Int, _ scripts: Scripts) async {
        while asked(scripts) < count, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(5)) }
    }

    @Test("a drain lets no further record begin, and those that were sent are answered")
    func drains() async throws {
        let scripts = try Scripts()
        defer { scripts.remove() }
        let pool = ExecPool.test(try scripts.python(Self.echo))
        let outcomes = await withTaskGroup { group in
            for number in 0..<5 { group.addTask { await pool.answer("{\"slow\":\(number)}") } }
            await Self.waits(for: 1, scripts)
            pool.drain()
            try? "".write(toFile: scripts.path("go"), atomically: true, encoding: .utf8)
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.count { $0.text != nil } == 1 && outcomes.count { $0.code == "cancelled" } == 4)
        #expect(Self.asked(scripts) == 1)
        #expect(await pool.answer("{}").code == "cancelled")
        await pool.shutdown()
    }

    @Test("a drain gives up a child that no timeout bounds, after a while")
    func givesUp() async throws {
        let scripts = try Scripts()
        defer { scripts.remove() }
        let command = try scripts.shell("echo x >> $DIR/asked; exec sleep 300")
        let pool = ExecPool(
            ChildLoop.Configuration(name: "test", command: command, limit: 1, patience: .milliseconds(50), log: { _ in }), leastWorkers: 1, retry: nil)
        async let outcome = pool.answer("{}")
        await Self.waits(for: 1, scripts)
        pool.drain()
        #expect(await outcome.code == "cancelled")
        await pool.shutdown(patience: .zero)
        #expect(pool.counters.children == 0)
    }

    @Test("a drain ends the wait for a retry")
    func endsRetries() async throws {
        let scripts = try Scripts()
        defer { scripts.remove() }
        let retry = RetryPolicy.times(5, backoff: .seconds(3600), maxBackoff: .seconds(3600))
        let pool = ExecPool.test(try scripts.shell("read -r line; echo x >> $DIR/asked; exit 1"), retry: retry)
        async let outcome = pool.answer("{}")
        await Self.waits(for: 1, scripts)
        pool.drain()
        // If the child has not exited when the run ends, its failure is the last; if it has, there
        // is no further attempt.
        #expect(await ["cancelled", "exec.exit"].contains(outcome.code ?? ""))
        await pool.shutdown()
        #expect(pool.counters.retries == 0)
    }

    @Test("a limit of dead letters ends the run after a few records, though their batch is long")
    func limit() async throws {
        let scripts = try Scripts()
        defer { scripts.remove() }
        let folder = try RunFolder()
        defer { folder.remove() }
        let command = try scripts.shell("while read -r line; do echo x >> $DIR/asked; exec sleep 600; done")
        let input = try folder.write((0..<2000).map { "{\"n\":\($0)}\n" }.joined().utf8, to: "in.jsonl")
        let pool = PoolOptions(timeout: .milliseconds(100))
        var pipeline = folder.pipeline([input], [RecordStage(name: "ask", verb: Exec(command), pool: pool)])
        pipeline.limits.deadLetters = .count(2)
        let report = try await folder.run(pipeline, workers: 2).report
        #expect(report.status == .failed && report.error?.contains("3 of 3 records are dead letters") == true, "\(report.error ?? "")")
        // Where the machine is slow, a child may be killed before it has noted the record.
        #expect(Self.asked(scripts) <= 4)
    }

    @Test("a run that is drained gives the rest of its batch up, and is resumed to the same bytes")
    func resumes() async throws {
        let scripts = try Scripts()
        defer { scripts.remove() }
        let folder = try RunFolder()
        let other = try RunFolder()
        defer {
            folder.remove()
            other.remove()
        }
        // Three batches; one child stays with a record of the last one, while the other goes on.
        let padding = String(repeating: "p", count: 20_000)
        let lines = (0..<150).map { "{\"n\":\($0),\"p\":\"\(padding)\"}\n" } + ["{\"slow\":1}\n"] + (0..<5000).map { "{\"n\":\($0)}\n" }
        let input = try folder.write(lines.joined().utf8, to: "in.jsonl")
        let stage = RecordStage(name: "ask", verb: Exec(try scripts.python(Self.echo)), pool: PoolOptions(workers: 2...2))
        let pipeline = folder.pipeline([input], [stage])
        let first = RecordRun(pipeline, options: RunOptions(workers: 2, state: folder.path + "/state"))
        async let interrupted = first.run()
        while !((try? scripts.text(of: "asked"))?.contains("slow") ?? false) || first.progress.records == 0, !Task.isCancelled {
            try await Task.sleep(for: .milliseconds(5))
        }
        first.drain()
        let asked = Self.asked(scripts)
        try "".write(toFile: scripts.path("go"), atomically: true, encoding: .utf8)
        let report = try await interrupted
        #expect(report.status == .interrupted && report.resumable == true)
        let books = try #require(report.stages.first { $0.name == "ask" })
        #expect(books.in == books.out && books.dead == 0 && (1...150).contains(books.in))
        // Those that were being sent when the drain began may not have been noted yet.
        #expect(asked < 5151 && Self.asked(scripts) <= asked + 2)
        let resumed = try await folder.run(pipeline, workers: 2)
        let whole = try await other.run(other.pipeline([input], [stage]), workers: 2)
        #expect(resumed.outcome.status == .complete && resumed.report.records.read == 5151)
        #expect(resumed.outcome.out.utf8.elementsEqual(whole.outcome.out.utf8) && !whole.outcome.out.isEmpty)
    }
}
