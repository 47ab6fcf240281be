import Foundation
import Testing
import WorkerPools

@testable import SluiceRecords

@Suite("ExecPool: children that break the protocol", .timeLimit(Patience.limit))
struct ExecBreachTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var body: String
        var message: String
        var testDescription: String { name }
    }

    @Test(
        "a child that breaks the protocol fails the record it was asked",
        arguments: [
            Case(
                name: "two answers in one write", body: "while read -r line; do printf '{\"a\":1}\\n{\"a\":2}\\n'; done",
                message: "answered more than once: '{\"a\":2} '"),
            Case(
                name: "two answers in two writes", body: "while read -r line; do echo '{\"a\":1}'; echo '{\"a\":2}'; done",
                message: "answered more than once: '{\"a\":2} '"),
            Case(
                name: "a greeting and an answer", body: "echo '{\"hello\":1}'; while read -r line; do echo '{}'; done",
                message: "answered more than once: '{} '"),
            Case(
                name: "a greeting that is no JSON", body: "echo ready; while read -r line; do echo '{}'; done",
                message: "answered 'ready', which is not a JSON object"),
            Case(name: "an empty line", body: "while read -r line; do echo; done", message: "answered '', which is not a JSON object"),
            Case(
                name: "a list", body: "while read -r line; do echo '[1]'; done", message: "answered '[1]', which is not a JSON object"),
            Case(
                name: "bytes that are no text", body: "while read -r line; do printf '\\377\\000\\001x\\n'; done",
                message: "answered '\u{FFFD}  x', which is not a JSON object"),
            Case(
                name: "no line feed", body: "read -r line; printf '{\"a\":1}'",
                message: "ended its answer without a line feed: '{\"a\":1}'"),
            Case(
                name: "output closed, process alive", body: "read -r line; exec >&-; sleep 60",
                message: "closed its standard output without an answer"),
        ])
    func breaches(_ breach: Case) async throws {
        let scripts = try Scripts()
        defer { scripts.remove() }
        // Long enough for the second write to arrive in time on a busy machine.
        let pool = ExecPool.test(try scripts.shell(breach.body), settle: .seconds(5))
        #expect(await pool.answer("{}") == .failed(code: "exec.protocol", message: breach.message, attempts: 1))
        await pool.shutdown()
        #expect(pool.counters.breaches == 1)
    }

    @Test("a line that never ends is cut off at the bound")
    func endlessLine() async throws {
        var bounds = ChildProtocol.Bounds(timeout: .seconds(20))
        bounds.longestAnswer = 1 << 20
        let pool = ExecPool(
            ChildLoop.Configuration(
                name: "test", command: ["/bin/sh", "-c", "tr '\\0' x < /dev/zero"], limit: 1, bounds: bounds, log: { _ in }),
            leastWorkers: 1, retry: nil)
        #expect(
            await pool.answer("{}") == .failed(code: "exec.protocol", message: "wrote a line longer than 1048576 bytes", attempts: 1))
        await pool.shutdown()
    }

    @Test("unsolicited output of a child is never the next record's answer")
    func unasked() async throws {
        let scripts = try Scripts()
        defer { scripts.remove() }
        // The first child answers a record, waits for a signal file, then writes an unsolicited
        // line.
        let command = try scripts.shell(
            """
            if [ -e $DIR/go ]; then while read -r line; do echo "{\\"got\\":$line}"; done; fi
            read -r line; echo "{\\"got\\":$line}"
            until [ -e $DIR/go ]; do sleep 0.01; done
            echo '{"got":"surplus"}'
            while read -r line; do echo "{\\"late\\":$line}"; done
            """)
        let said = Said()
        let pool = ExecPool.test(command, said: said)
        #expect(await pool.answer("1").text == "{\"got\":1}")
        try "".write(toFile: scripts.path("go"), atomically: true, encoding: .utf8)
        // The pool notices the line on its own thread and kills the child at once.
        said.waits(for: "without being asked")
        #expect(await pool.answer("2").text == "{\"got\":2}")
        await pool.shutdown()
        #expect(pool.counters.breaches == 1)
    }

    @Test("the rest of a broken answer does not reach the next record")
    func garbageThenAnswer() async throws {
        let scripts = try Scripts()
        defer { scripts.remove() }
        let pool = ExecPool.test(
            try scripts.shell("while read -r line; do case $line in bad) echo oops; echo '{\"late\":1}';; *) echo '{\"ok\":1}';; esac; done"))
        #expect(await pool.answer("bad").code == "exec.protocol")
        for _ in 0..<5 { #expect(await pool.answer("good").text == "{\"ok\":1}") }
        await pool.shutdown()
    }

    @Test(
        "an answer in braces that is not JSON fails with the place, and the child is asked again",
        arguments: [
            ("{\"a\":}", "expected a value at byte 5, found '}'"), ("{} {}", "expected the end of the record at byte 3, found '{'"),
            ("{\"a\":{}", "expected ',' or '}' at byte 7, where the record ends"),
        ])
    func braces(line: String, fault: String) async throws {
        let scripts = try Scripts()
        defer { scripts.remove() }
        let pool = ExecPool.test(try scripts.shell("while read -r line; do echo '\(line)'; done"))
        for _ in 0..<3 {
            let outcome = await pool.answer("{}")
            #expect(outcome.code == "exec.protocol")
            #expect(outcome.message == "answered '\(line)', which is not JSON: \(fault)")
        }
        await pool.shutdown()
        #expect(pool.counters.restarts == 0)
    }

    @Test("one answer is accepted from a child that closed its input")
    func closesInput() async throws {
        let scripts = try Scripts()
        defer { scripts.remove() }
        let pool = ExecPool.test(try scripts.shell("read -r line; exec <&-; echo '{\"a\":1}'; sleep 60"))
        #expect(await pool.answer("1").text == "{\"a\":1}")
        #expect(await pool.answer("2").text == "{\"a\":1}")
        await pool.shutdown(patience: .milliseconds(100))
    }
}
