import Foundation
import Testing
import WorkerPools

@testable import SluiceRecords

@Suite("ExecPool", .timeLimit(Patience.limit))
struct ExecPoolTests {
    @Test("a child answers record after record")
    func echoes() async throws {
        let scripts = try Scripts()
        defer { scripts.remove() }
        let pool = ExecPool.test(try scripts.shell("echo $$ >> $DIR/pids; while read -r line; do echo \"{\\\"got\\\":$line}\"; done"))
        for number in 1...200 {
            #expect(await pool.answer("\(number)").text == "{\"got\":\(number)}")
        }
        await pool.shutdown()
        #expect(try scripts.text(of: "pids").split(separator: "\n").count == 1)
        #expect(pool.counters.children == 0)
        #expect(pool.counters.peakChildren == 1)
        #expect(pool.counters.restarts == 0)
        #expect(pool.counters.busy > .zero)
    }

    @Test("the records are shared by at most as many children as the limit")
    func shares() async throws {
        let scripts = try Scripts()
        defer { scripts.remove() }
        let pool = ExecPool.test(
            try scripts.shell("while read -r line; do sleep 0.02; echo \"{\\\"by\\\":$$,\\\"got\\\":$line}\"; done"), limit: 4)
        let answers = await withTaskGroup { group in
            for number in 0..<100 { group.addTask { (number, await pool.answer("\(number)").text) } }
            return await group.reduce(into: [Int: String]()) { $0[$1.0] = $1.1 }
        }
        await pool.shutdown()
        #expect(answers.count == 100)
        for (number, text) in answers { #expect(text.hasSuffix("\"got\":\(number)}")) }
        #expect(Set(answers.values.compactMap { $0.split(separator: ",").first }).count == 4)
        #expect(pool.counters.peakChildren == 4)
    }

    @Test("children that never answer are reported without a timeout, too")
    func reportsSilence() async throws {
        let said = Said()
        let pool = ExecPool(
            ChildLoop.Configuration(name: "test", command: ["sleep", "300"], limit: 1, patience: .milliseconds(20), log: { said.add($0) }),
            leastWorkers: 1, retry: nil)
        let outcome = Task { await pool.answer("{}") }
        said.waits(for: "no child has answered yet")
        #expect(said.all.contains { $0.contains("flush") && $0.hasSuffix("without a timeout, the run waits for as long as it takes") })
        await pool.shutdown(patience: .zero)
        #expect(await outcome.value.code == "cancelled")
        #expect(said.all.count { $0.contains("no child has answered yet") } == 1)
    }

    @Test("the pool grows to its upper bound when records wait and shrinks to its lower when none does")
    func growsAndShrinks() async throws {
        let scripts = try Scripts()
        defer { scripts.remove() }
        let command = try scripts.shell("while read -r line; do sleep 0.03; echo '{}'; done")
        let pool = ExecPool(ChildLoop.Configuration(name: "test", command: command, limit: 4, log: { _ in }), leastWorkers: 1, retry: nil)
        await withTaskGroup { group in
            for _ in 0..<60 { group.addTask { #expect(await pool.answer("{}").text == "{}") } }
        }
        #expect(pool.counters.peakChildren == 4)
        var calm = 0
        while pool.counters.children > 1, calm < 200 {
            #expect(await pool.answer("{}").text == "{}")
            calm += 1
        }
        #expect(pool.counters.children == 1)
        #expect(pool.counters.restarts == 0)
        await pool.shutdown()
    }

    @Test("a child that hangs is killed after the timeout, and the next record has a fresh one")
    func timesOut() async throws {
        let scripts = try Scripts()
        defer { scripts.remove() }
        let pool = ExecPool.test(
            try scripts.shell("echo $$ >> $DIR/pids; while read -r line; do case $line in hang) sleep 60;; esac; echo '{}'; done"),
            timeout: .seconds(2))
        #expect(await pool.answer("good").text == "{}")
        let late = await pool.answer("hang")
        #expect(late == .failed(code: "timeout", message: "no answer in 2 s", attempts: 1))
        #expect(await pool.answer("good").text == "{}")
        await pool.shutdown()
        let pids = try scripts.text(of: "pids").split(separator: "\n").compactMap { pid_t($0) }
        #expect(pids.count == 2)
        #expect(!pids.contains(where: isThere))
        #expect(pool.counters.timeouts == 1)
        #expect(pool.counters.restarts == 1)
    }

    @Test("a child that ignores SIGTERM and its grandchildren are killed too")
    func killsTheGroup() async throws {
        let scripts = try Scripts()
        defer { scripts.remove() }
        let pool = ExecPool.test(
            try scripts.shell(
                """
                trap '' TERM
                sleep 300 & echo $! >> $DIR/pids
                echo $$ >> $DIR/pids
                while read -r line; do sleep 300; done
                """), timeout: .seconds(2), grace: .milliseconds(100))
        #expect(await pool.answer("1").code == "timeout")
        await pool.shutdown()
        let pids = try scripts.text(of: "pids").split(separator: "\n").compactMap { pid_t($0) }
        #expect(pids.count == 2)
        #expect(!isThere(pids[1]))
        // The signal to the grandchild may still be pending, and only init reaps it: a zombie will
        // do.
        let end = ContinuousClock.now + .seconds(10)
        while !isDead(pids[0]), ContinuousClock.now < end { await Task.yield() }
        #expect(isDead(pids[0]))
    }

    @Test("a child that dies at once fails its record with its status and its last lines of standard error")
    func diesAtOnce() async throws {
        let scripts = try Scripts()
        defer { scripts.remove() }
        let said = Said()
        let pool = ExecPool.test(try scripts.shell("echo 'no such model' >&2; exit 3"), said: said)
        #expect(await pool.answer("1") == .failed(code: "exec.exit", message: "exited with status 3: no such model", attempts: 1))
        await pool.shutdown()
        #expect(said.all == ["no such model"])
    }

    @Test("the error for a child killed by a signal names the signal")
    func diesBySignal() async throws {
        let scripts = try Scripts()
        defer { scripts.remove() }
        let pool = ExecPool.test(try scripts.shell("read -r line; kill -9 $$"))
        #expect(await pool.answer("1") == .failed(code: "exec.exit", message: "killed by signal 9 (SIGKILL)", attempts: 1))
        await pool.shutdown()
    }

    @Test("a child that dies after every third record costs no record")
    func diesAfterThree() async throws {
        let scripts = try Scripts()
        defer { scripts.remove() }
        let pool = ExecPool.test(
            try scripts.shell("for i in 1 2 3; do read -r line && echo \"{\\\"got\\\":$line}\"; done"), limit: 2)
        let answers = await withTaskGroup { group in
            for number in 0..<60 { group.addTask { await pool.answer("\(number)").text } }
            return await group.reduce(into: Set()) { $0.insert($1) }
        }
        await pool.shutdown()
        #expect(answers == Set((0..<60).map { "{\"got\":\($0)}" }))
        #expect(pool.counters.restarts >= 18)
    }

    @Test("many children that die at once slow down but never hang")
    func restartStorm() async throws {
        let scripts = try Scripts()
        defer { scripts.remove() }
        let pool = ExecPool.test(try scripts.shell("exit 1"), limit: 4)
        let codes = await withTaskGroup { group in
            for number in 0..<40 { group.addTask { await pool.answer("\(number)").code } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        await pool.shutdown()
        #expect(codes == Array(repeating: "exec.exit", count: 40))
        #expect(pool.counters.peakChildren <= 4)
    }

    @Test("a missing command fails with exec.spawn", arguments: ["./not-there", "sluice-no-such-command"])
    func notThere(_ command: String) async throws {
        let pool = ExecPool.test([command])
        let outcome = await pool.answer("1")
        #expect(outcome.code == "exec.spawn")
        #expect(outcome.message?.contains(command) == true)
        await pool.shutdown()
        #expect(pool.counters.children == 0)
    }

    @Test("a command that cannot be started is detected without starting it")
    func problems() throws {
        let scripts = try Scripts()
        defer { scripts.remove() }
        let script = try scripts.shell("echo")[1]
        #expect(ExecPool.problem(with: ["/bin/sh", "-c", "x"]) == nil)
        #expect(ExecPool.problem(with: ["sh"]) == nil)
        #expect(ExecPool.problem(with: ["sluice-no-such-command"]) == "'sluice-no-such-command' is not in PATH")
        #expect(ExecPool.problem(with: ["./not-there"]) == "there is no file './not-there'")
        #expect(ExecPool.problem(with: [script]) == "'\(script)' is not executable (chmod +x)")
        #expect(ExecPool.problem(with: [scripts.folder.path + "/"]) == "'\(scripts.folder.path)/' is not a file")
        #expect(ExecPool.problem(with: []) == "there is no command")
        #expect(ExecPool.problem(with: ["sh", "a\0b"]) == "a command cannot contain a NUL byte")
    }

    @Test("retries are counted, and a later attempt may succeed")
    func retries() async throws {
        let scripts = try Scripts()
        defer { scripts.remove() }
        let flaky = try scripts.shell(
            "while read -r line; do echo x >> $DIR/tries; [ $(wc -l < $DIR/tries) -ge 3 ] || exit 7; echo '{\"ok\":true}'; done")
        let retry = RetryPolicy(times: 3, backoff: .milliseconds(1), maxBackoff: .milliseconds(5))
        let pool = ExecPool.test(flaky, retry: retry)
        #expect(await pool.answer("1").text == "{\"ok\":true}")
        #expect(pool.counters.retries == 2)
        await pool.shutdown()

        let broken = ExecPool.test(try scripts.shell("read -r line; exit 7"), retry: retry)
        #expect(await broken.answer("1") == .failed(code: "exec.exit", message: "exited with status 7", attempts: 4))
        #expect(broken.counters.retries == 3)
        await broken.shutdown()
    }

    @Test("a cancelled task gives up at once, and the child's late answer is discarded")
    func cancels() async throws {
        let scripts = try Scripts()
        defer { scripts.remove() }
        let pool = ExecPool.test(
            try scripts.shell(
                "while read -r line; do case $line in slow) echo > $DIR/asked; sleep 60;; esac; echo \"{\\\"got\\\":\\\"$line\\\"}\"; done"))
        let slow = Task { await pool.answer("slow") }
        slow.cancel()
        #expect(await slow.value.code == "cancelled")
        #expect(await pool.answer("next").text == "{\"got\":\"next\"}")
        await pool.shutdown()
    }

    @Test("lines of several megabytes go both ways")
    func hugeLines() async throws {
        let scripts = try Scripts()
        defer { scripts.remove() }
        let pool = ExecPool.test(try scripts.python("import sys\nfor line in sys.stdin:\n    sys.stdout.write(line)\n    sys.stdout.flush()"))
        for size in [10, 100_000, 5_000_000, 16] {
            let record = "{\"a\":\"" + String(repeating: "x", count: size) + "\"}"
            #expect(await pool.answer(record).text == record)
        }
        await pool.shutdown()
    }

    @Test("a child that answers while it still reads does not deadlock")
    func answersWhileReading() async throws {
        let scripts = try Scripts()
        defer { scripts.remove() }
        let pool = ExecPool.test(
            try scripts.python(
                """
                import os
                rest = b''
                while True:
                    chunk = os.read(0, 1000)
                    if not chunk: break
                    end = chunk.endswith(b'\\n')
                    os.write(1, chunk)
                """))
        let record = "{\"a\":\"" + String(repeating: "x", count: 2_000_000) + "\"}"
        #expect(await pool.answer(record).text == record)
        await pool.shutdown()
    }

    @Test("a pool that is shut down refuses records, and can be shut down twice")
    func refuses() async throws {
        let pool = ExecPool.test(["/bin/cat"])
        #expect(await pool.answer("{}").text == "{}")
        await pool.shutdown()
        await pool.shutdown()
        #expect(await pool.answer("{}").code == "cancelled")
        let unused = ExecPool.test(["/bin/cat"])
        await unused.shutdown()
        #expect(await unused.answer("{}").code == "cancelled")
    }

    @Test("a child that does not exit when its input ends is killed at the deadline")
    func shutdownDeadline() async throws {
        let scripts = try Scripts()
        defer { scripts.remove() }
        let pool = ExecPool.test(
            try scripts.shell("trap '' TERM; echo $$ > $DIR/pid; read -r line; echo '{}'; sleep 300"), grace: .milliseconds(50))
        #expect(await pool.answer("1").text == "{}")
        await pool.shutdown(patience: .milliseconds(50))
        let pid = try #require(pid_t(try scripts.text(of: "pid").trimmingCharacters(in: .newlines)))
        #expect(!isThere(pid))
    }

    @Test("children that fail in every way at once mix up no records")
    func everythingAtOnce() async throws {
        let scripts = try Scripts()
        defer { scripts.remove() }
        let pool = ExecPool.test(
            try scripts.shell(
                """
                while read -r line; do
                    case $line in
                    *01) exit 3;;
                    *02) echo "{\\"got\\":$line}"; exit 0;;
                    *03) printf '{"got":0}\\n{"got":0}\\n';;
                    *04) echo garbage; echo '{"got":0}';;
                    105) sleep 60;;
                    *06) exec >&-; exit 0;;
                    *07) kill -9 $$;;
                    *08) printf '{"got":'; exit 0;;
                    *) echo "{\\"got\\":$line}";;
                    esac
                done
                """), limit: 4, timeout: .seconds(5), settle: .milliseconds(5))
        let outcomes = await withTaskGroup { group in
            for number in 100..<600 { group.addTask { (number, await pool.answer("\(number)")) } }
            return await group.reduce(into: [Int: ExecOutcome]()) { $0[$1.0] = $1.1 }
        }
        await pool.shutdown()
        let codes = [1: "exec.exit", 3: "exec.protocol", 4: "exec.protocol", 6: "exec.exit", 7: "exec.exit", 8: "exec.protocol"]
        #expect(outcomes.count == 500)
        for (number, outcome) in outcomes {
            if let code = number == 105 ? "timeout" : codes[number % 100] {
                #expect(outcome.code == code, "\(number): \(outcome)")
            } else {
                #expect(outcome.text == "{\"got\":\(number)}", "\(number): \(outcome)")
            }
        }
        #expect(pool.counters.peakChildren <= 4)
        #expect(pool.counters.timeouts == 1)
    }

    @Test("dropping a pool terminates its children")
    func dropped() async throws {
        let scripts = try Scripts()
        defer { scripts.remove() }
        var pool: ExecPool? = ExecPool.test(try scripts.shell("echo $$ > $DIR/pid; while read -r line; do echo '{}'; done"))
        #expect(await pool?.answer("1").text == "{}")
        pool = nil
        let pid = try #require(pid_t(try scripts.text(of: "pid").trimmingCharacters(in: .newlines)))
        let end = ContinuousClock.now + .seconds(10)
        while isThere(pid), ContinuousClock.now < end { await Task.yield() }
        #expect(!isThere(pid))
    }

    @Test("creating and dropping pools leaks no descriptors")
    func leaksNothing() async throws {
        func openDescriptors() throws -> Set<String> {
            Set(
                try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { name in
                    let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)")
                    return target.map { "\(name) \($0)" }
                })
        }
        func use(_ command: [String]) async {
            let pool = ExecPool.test(command, limit: 3)
            await withTaskGroup { group in
                for _ in 0..<6 { group.addTask { _ = await pool.answer("{}") } }
            }
            await pool.shutdown()
        }
        await use(["/bin/cat"])
        let before = try openDescriptors().count
        for _ in 0..<20 {
            await use(["/bin/cat"])
            await use(["/bin/false"])
            await use(["./not-there"])
        }
        // Other suites run at the same time; a leak would amount to hundreds.
        #expect(try openDescriptors().count < before + 100)
    }
}

/// Whether a process is gone or a zombie.
private func isDead(_ pid: pid_t) -> Bool {
    guard let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return true }
    return status.split(separator: ")").last?.split(separator: " ").first == "Z"
}
