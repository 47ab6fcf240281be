import Foundation
import Glibc
import Testing

@testable import sluice

@Suite("The dashboard of a run", .timeLimit(Patience.hang))
struct DashboardTests {
    /// A run that reads a pipe, so that it goes on until the pipe is closed.
    private final class Live {
        let command: CommandUnderTest
        let run: RunningCommand
        let client: DashboardClient
        private var pipe: Int32

        /// - Parameter prepare: puts files into the folder, once the pipeline file is there.
        init(environment: [String: String] = [:], prepare: (CommandUnderTest) throws -> Void = { _ in }) throws {
            command = try CommandUnderTest()
            try command.write(DashboardTests.pipeline, to: "live.yaml")
            try prepare(command)
            let path = command.folder.appending(path: "in.jsonl").path
            #expect(mkfifo(path, 0o600) == 0)
            pipe = open(path, O_RDWR | O_CLOEXEC)
            run = try command.start(nil, ["run", "live.yaml", "--dashboard", "--progress", "none", "--workers", "2"], environment: environment)
            client = try DashboardClient(run)
        }

        /// Returns once the run has taken it from the pipe.
        func send(_ text: String) {
            var bytes = Array(text.utf8)[...]
            while !bytes.isEmpty {
                let count = bytes.withUnsafeBytes { write(pipe, $0.baseAddress, $0.count) }
                guard count > 0 else { return }
                bytes = bytes.dropFirst(count)
            }
        }

        func endInput() {
            if pipe >= 0 { close(pipe) }
            pipe = -1
        }

        func remove() {
            endInput()
            if run.process.isRunning { run.signal(SIGKILL) }
            command.remove()
        }
    }

    static let hostile = "</script><script>alert(1)</script>\u{2028}"

    static let pipeline = """
        name: live
        source: {files: in.jsonl, format: jsonl}
        stages:
          - keep: n >= 0
          - name: score
            exec: [sh, -c, 'while read -r l; do echo "$l"; done']
          - set: {twice: n * 2}
        sink: {file: out/live.jsonl}

        """

    /// More than two batches of records; every hundredth is not JSON.
    private static func records(_ numbers: Range<Int>) -> String {
        numbers.map { $0 % 100 == 7 ? "\(hostile) \($0)\n" : "{\"n\":\($0),\"text\":\"\(String(repeating: "x", count: 1000))\"}\n" }.joined()
    }

    @Test("says how things stand, changes workers, and shows the report at the end; the outputs are the same")
    func watchingAndResizing() async throws {
        let live = try Live()
        defer { live.remove() }
        let client = live.client
        let (first, second) = (Self.records(0..<3000), Self.records(3000..<6000))
        live.send(first)
        let status = try client.status { ($0["records"] as? Int ?? 0) > 900 }
        #expect(status["schema"] as? Int == 1 && status["pipeline"] as? String == "live" && status["state"] as? String == "running")
        #expect(status["share"] is NSNull && status["eta_seconds"] is NSNull && status["report"] is NSNull && status["exit"] is NSNull)
        #expect((status["dead"] as? Int ?? 0) >= 9 && (status["text_bytes"] as? Int ?? 0) > 900_000)
        let kinds = try #require(status["dead_letters"] as? [[String: Any]])
        #expect(kinds.count == 1 && kinds[0]["code"] as? String == "parse.jsonl" && kinds[0]["stage"] as? String == "source")
        let stages = try #require(status["stages"] as? [[String: Any]])
        #expect(stages.compactMap { $0["name"] as? String } == ["reading", "source", "keep", "score", "set", "sink", "writing"])
        #expect(stages.compactMap { $0["resizable"] as? Bool } == [false, true, true, true, true, true, false])
        #expect(stages.compactMap { $0["max_workers"] as? Int }[1...5] == [2, 2, 64, 2, 2])

        let events = try client.events()
        defer { events.close() }
        // Programs can be given more or fewer children, stages more or fewer of the run's threads.
        for (stage, workers) in [("score", 3), ("keep", 1), ("sink", 1)] {
            let answer = try client.ask("POST", "/resize", body: "{\"stage\":\"\(stage)\",\"workers\":\(workers)}")
            #expect(answer.status == 200, "\(answer)")
        }
        let resized = try client.status { status in
            let stages = status["stages"] as? [[String: Any]] ?? []
            return stages.map { $0["workers"] as? Int } == [1, 1, 1, 3, 1, 1, 1]
                || stages.count == 7 && stages[3]["workers"] as? Int == 3 && stages[2]["workers"] as? Int == 1
        }
        #expect(resized["state"] as? String == "running")
        live.send(second)

        // The same counters, in the format of Prometheus, and as samples.
        let metrics = try client.ask("GET", "/metrics")
        #expect(metrics.status == 200 && metrics.head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"))
        #expect(
            metrics.body.contains("\nsluice_stage_workers{stage=\"score\",kind=\"own\"} 3\n")
                && metrics.body.contains("# TYPE sluice_records_read_total counter\n"))
        let samples = try client.ask("GET", "/samples").json()
        let rows = try #require(samples["samples"] as? [[Any]])
        #expect(samples["pipeline"] as? String == "live" && (samples["columns"] as? [String])?.count == rows.last?.count)

        // The page, and what it is sent.
        let page = try client.ask("GET", "/")
        #expect(page.status == 200 && page.head.contains("content-type: text/html; charset=utf-8") && page.head.contains("frame-ancestors 'none'"))
        #expect(page.body.contains("connect-src 'self'") && page.body.components(separatedBy: "<script").count == 3)
        #expect(!page.body.contains("alert(1)</script>") && !page.body.contains("\u{2028}"))
        let whole = try events.next("whole")
        #expect(whole.contains("\"samples\":{") && !whole.contains { "<>&\u{2028}".contains($0) })
        let change = try JSONSerialization.jsonObject(with: Data(events.next("change").utf8)) as? [String: Any]
        #expect((change?["live"] as? [String: Any])?["row"] is [Any] && change?["samples"] == nil)
        #expect(change?["status"] as? String == "running")

        live.endInput()
        let end = try #require(try JSONSerialization.jsonObject(with: Data(events.next("end").utf8)) as? [String: Any])
        #expect(end["status"] as? String == "losses" && end["live"] == nil)
        #expect((end["report"] as? [String: Any])?["digest"] as? String != nil)
        #expect(events.rest() == "0\r\n\r\n" || events.rest().hasSuffix("0\r\n\r\n"))
        let result = try await live.run.ended()
        #expect(result.status == 3, "\(result)")
        #expect(result.error.contains(": balanced\n"))

        // Without a dashboard, and with other workers all along.
        let output = try live.command.text(of: "out/live.jsonl")
        let letters = try live.command.text(of: ".sluice/live/dead-letter.jsonl.gz")
        #expect(output.split(separator: "\n").count == 5940 && letters.split(separator: "\n").count == 60)
        #expect(try live.command.shell("rm in.jsonl").status == 0)
        try live.command.write(first + second, to: "in.jsonl")
        #expect(try live.command.run("run", "live.yaml", "--progress", "none", "--workers", "1").status == 3)
        #expect(try live.command.text(of: "out/live.jsonl") == output)
        #expect(try live.command.text(of: ".sluice/live/dead-letter.jsonl.gz") == letters)
    }

    @Test("names the damaged files and their places while the run goes on")
    func damage() async throws {
        let live = try Live { command in
            // The check of its only member is wrong.
            let made = try command.shell(
                "echo '{\"n\":1}' | gzip > 1.gz; printf XXXX | dd of=1.gz bs=1 seek=$(($(wc -c < 1.gz) - 8)) conv=notrunc")
            #expect(made.status == 0, "\(made)")
            let files = "{files: [1.gz, in.jsonl], format: jsonl, on_damage: salvage}"
            try command.write(DashboardTests.pipeline.replacing("{files: in.jsonl, format: jsonl}", with: files), to: "live.yaml")
        }
        defer { live.remove() }
        let status = try live.client.status { $0["damaged_places"] as? Int == 1 }
        let place = try #require((status["damage"] as? [[String: Any]])?.first)
        #expect(place["file"] as? String == "1.gz" && place["kind"] as? String == "crc" && place["member"] as? Int == 0 && place["offset"] is Int)
        let events = try live.client.events()
        defer { events.close() }
        let whole = try #require(try JSONSerialization.jsonObject(with: Data(events.next("whole").utf8)) as? [String: Any])
        let listed = try #require((whole["live"] as? [String: Any])?["damage"] as? [[String: Any]])
        #expect(listed.count == 1 && NSDictionary(dictionary: listed[0]) == NSDictionary(dictionary: place))
        live.send(Self.records(0..<10))
        live.endInput()
        #expect(try await live.run.ended().status == 3)
    }

    @Test("drains the run, which then ends as by SIGTERM")
    func draining() async throws {
        let live = try Live()
        defer { live.remove() }
        live.send(Self.records(0..<3000))
        _ = try live.client.status { ($0["records"] as? Int ?? 0) > 900 }
        let events = try live.client.events()
        defer { events.close() }
        _ = try events.next("whole")
        let answer = try live.client.ask("POST", "/drain")
        #expect(answer.status == 202 && answer.body == "{\"state\":\"draining\"}\n")
        let end = try #require(try JSONSerialization.jsonObject(with: Data(events.next("end").utf8)) as? [String: Any])
        #expect(end["status"] as? String == "interrupted")
        let result = try await live.run.ended()
        #expect(result.status == 143, "\(result)")
        #expect(result.error.contains("sluice: draining, as the dashboard asks: finishing what is in flight; interrupt to exit at once\n"))
        #expect(result.error.contains("interrupted, nothing was published") && result.error.contains(": balanced\n"))
        #expect(!FileManager.default.fileExists(atPath: live.command.folder.appending(path: "out/live.jsonl").path))
    }

    @Test("tells a program that asks again and again how the run has ended, and then is gone")
    func asking() async throws {
        let live = try Live(environment: ["SLUICE_DASHBOARD_TOKEN": "a-token-of-my-own.~_"])
        defer { live.remove() }
        #expect(live.client.token == "a-token-of-my-own.~_")
        live.send(Self.records(0..<2000))
        _ = try live.client.status { ($0["records"] as? Int ?? 0) > 900 }
        live.endInput()
        let status = try live.client.status { $0["state"] as? String == "ended" }
        #expect(status["records"] as? Int == 2000 && status["dead"] as? Int == 20 && status["exit"] as? Int == 3)
        let report = try Self.digest(in: live.command)
        #expect(status["report"] as? String == report)
        #expect(try live.client.ask("POST", "/drain").status == 409)
        #expect(try live.client.ask("POST", "/resize", body: "{\"stage\":\"score\",\"workers\":2}").status == 409)
        #expect(try live.client.ask("GET", "/").body.contains("\"status\":\"losses\""))
        #expect(try await live.run.ended().status == 3)
        #expect(throws: DashboardClient.Failure.self) { try live.client.ask("GET", "/status") }
    }

    @Test("refuses what it cannot do, and whoever has no token")
    func refusals() throws {
        let live = try Live()
        defer { live.remove() }
        live.send(Self.records(0..<2000))
        _ = try live.client.status { ($0["records"] as? Int ?? 0) > 900 }
        for (body, status, code) in [
            (#"{"stage":"scorn","workers":2}"#, 422, "stage"), (#"{"stage":"reading","workers":2}"#, 409, "fixed"),
            (#"{"stage":"writing","workers":2}"#, 409, "fixed"),
            (#"{"stage":"score","workers":0}"#, 422, "range"), (#"{"stage":"score","workers":65}"#, 422, "range"),
            (#"{"stage":"keep","workers":3}"#, 422, "range"),
            (#"{"stage":"keep"}"#, 400, "body"), ("", 400, "body"),
        ] {
            let answer = try live.client.ask("POST", "/resize", body: body)
            let error = try answer.json()["error"] as? [String: Any]
            #expect(answer.status == status && error?["code"] as? String == code && error?["message"] is String, "\(body): \(answer)")
        }
        for path in ["/", "/status", "/samples", "/metrics", "/events", "/drain", "/resize", "/other"] {
            let answer = try live.client.ask(path.hasSuffix("n") ? "POST" : "GET", path, isKnown: false)
            #expect(answer.status == 401 && answer.head.contains("content-type: application/json"))
            #expect(answer.body == #"{"error":{"code":"token","message":"the token is missing or wrong"}}"# + "\n")
            #expect(try live.client.ask("POST", path, fields: "origin: http://evil.example\r\n").status != 202)
        }
        #expect(try live.client.ask("GET", "/status", fields: "host: evil.example\r\n").status == 421)
        #expect(try live.client.status { _ in true }["state"] as? String == "running")
    }

    @Test("does not hold up a run that nobody looks at, and is not there without the option")
    func unwatched() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("name: x\nsource: {files: '-', format: jsonl}\nsink: {stdout: true}\n", to: "x.yaml")
        let result = try command.run(["run", "x.yaml", "--quiet", "--dashboard"], input: "{\"a\":1}\n")
        #expect((result.status, result.output) == (0, "{\"a\":1}\n"))
        #expect(result.error.wholeMatch(of: /sluice: dashboard: http:\/\/127\.0\.0\.1:[0-9]+\/\?token=[0-9a-f]{32}\n/) != nil)
        #expect(try command.run(["run", "x.yaml", "--quiet"], input: "{\"a\":1}\n").error == "")
    }

    @Test("is refused where it cannot listen, before anything is read")
    func wrong() throws {
        let live = try Live()
        defer { live.remove() }
        let arguments = ["run", "live.yaml", "--progress", "none", "--state", "other", "--dashboard"]
        var result = try live.command.run(arguments + ["127.0.0.1:\(live.client.port)"])
        #expect(
            result.status == 2
                && result.error.contains("cannot listen on 127.0.0.1:\(live.client.port): another program listens there; '--dashboard' alone takes a free port")
        )
        result = try live.command.run(["run", "--dashboard", "live.yaml"])
        #expect(result.status == 2 && result.error.contains("Give a pipeline file"), "\(result)")
        for value in ["--dashboard=8080", "--dashboard=live.yaml", "--dashboard=:80"] {
            result = try live.command.run(["run", "live.yaml", "--state", "other", value])
            #expect(result.status == 2 && result.error.contains("--dashboard"), "\(result)")
        }
        result = try live.command.run(arguments, environment: ["SLUICE_DASHBOARD_TOKEN": "short"])
        #expect(result.status == 2 && result.error.contains("SLUICE_DASHBOARD_TOKEN needs 16 to 256 letters"))
        #expect(!FileManager.default.fileExists(atPath: live.command.folder.appending(path: "other").path))
    }

    private static func digest(in command: CommandUnderTest) throws -> String {
        let object = try JSONSerialization.jsonObject(with: Data(command.text(of: ".sluice/live/report.json").utf8)) as? [String: Any]
        return try #require(object?["digest"] as? String)
    }
}
