import Foundation
import Glibc
import SluiceRecords
import Testing

@testable import sluice

@Suite("A run that is watched by the address of its dashboard", .timeLimit(Patience.hang))
struct DashboardWatchTests {
    private static func status(_ seconds: Double, state: String = "running", more: String = "") -> String {
        """
        {"schema":1,"pipeline":"live","state":"\(state)","began":1.0,"seconds":\(seconds),"share":0.25,"eta_seconds":30.5,"records":\(Int(seconds * 100)),\
        "written":\(Int(seconds * 90)),"dead":2,"text_bytes":\(Int(seconds * 1000)),"compressed_bytes":\(Int(seconds * 100)),"bytes_per_second":1000,\
        "stages":[{"name":"reading","kind":"reading","workers":1,"min_workers":1,"max_workers":1,"queued":0,"busy_share":0.5,"records_out":0,"dead":0,"resizable":false},\
        {"name":"score","kind":"own","workers":3,"min_workers":1,"max_workers":8,"queued":4,"busy_share":0.75,"records_out":\(Int(seconds * 90)),"dead":2,"resizable":true}],\
        "dead_letters":[{"stage":"score","code":"exec.reply","message":"not a number\\u001b[2J","count":2}]\(more)}
        """
    }

    private static func read(_ text: String) throws -> RunStatus { try RunStatus(json: Array(text.utf8)) }

    private static func samples(until seconds: Int) -> RunSamples {
        var samples = RunSamples()
        samples.places = ["score"]
        samples.steps = [RunSamples.Step(name: "reading", kind: .reading, workers: 1), RunSamples.Step(name: "score", kind: .own, workers: 4)]
        for second in 0...seconds {
            var sample = RunSamples.Sample()
            (sample.time, sample.records, sample.out, sample.deadLetters) = (second * 1_000_000, second * 100, [second * 90], [2])
            sample.steps = [RunSamples.Sample.Step(busy: second * 500_000, workers: 1), RunSamples.Sample.Step(busy: second * 2_000_000, workers: 4)]
            samples.samples.append(sample)
        }
        return samples
    }

    @Test("is shown by what it says, and by its samples up to then")
    func course() throws {
        var live = LiveCourse()
        #expect(try live.needsSamples(for: Self.read(Self.status(3)), every: 10))
        live.take(Self.samples(until: 2))
        var course = live.next(try Self.read(Self.status(3)))
        #expect(course.pipeline == "live" && course.phase == .running && course.share == 0.25 && course.secondsLeft == 30.5 && course.seconds == 3)
        #expect(course.moments.count == 4 && course.steps[1].isResizable && !course.steps[0].isResizable && course.steps[1].workers == 4)
        #expect(course.moments[3].steps[1] == RunCourse.Moment.Step(queued: 4, workers: 3, busy: nil, share: 0.75, out: 270, dead: 2))
        #expect(course.busyShare(of: 1, course.span(at: 3)) == 0.75)
        #expect(course.letters == [RunCourse.Letters(stage: "score", code: "exec.reply", message: "not a number\u{1B}[2J", count: 2)])
        course = live.next(try Self.read(Self.status(4, state: "draining")))
        #expect(course.moments.count == 5 && course.phase == .draining && course.rate(2...4) { Double($0.records) } == 100)
        #expect(try !live.needsSamples(for: Self.read(Self.status(4)), every: 10) && live.needsSamples(for: Self.read(Self.status(13)), every: 10))
        live.take(Self.samples(until: 13))
        #expect(live.next(try Self.read(Self.status(13.5))).moments.count == 15)
        for (exit, phase) in [("0", RunCourse.Phase.ended(.complete)), ("3", .ended(.losses)), ("1", .ended(.failed)), ("130", .ended(.interrupted))] {
            #expect(live.next(try Self.read(Self.status(14, state: "ended", more: ",\"report\":null,\"exit\":\(exit)"))).phase == phase && live.hasEnded)
        }
    }

    @Test("names what it waits for and what is damaged, and the most workers that a stage has had")
    func named() throws {
        var live = LiveCourse()
        live.take(Self.samples(until: 2))
        let course = live.next(try Self.read(Self.status(3, more: ",\"bottleneck\":\"score\",\"damaged_places\":2")))
        #expect(course.bottleneck == "score" && course.damage == 2 && course.steps[1].workers == 4)
        let none = live.next(try Self.read(Self.status(4, more: ",\"bottleneck\":null")))
        #expect(none.bottleneck == nil && none.damage == nil)
    }

    @Test("keeps what was seen of late when samples come that are far apart")
    func apart() throws {
        var live = LiveCourse()
        for seconds in [197.0, 198, 199] { _ = live.next(try Self.read(Self.status(seconds))) }
        var samples = Self.samples(until: 200)
        samples.samples = samples.samples.filter { $0.time % 100_000_000 == 0 }
        samples.samples[2].time = 199_500_000
        live.take(samples)
        let course = live.next(try Self.read(Self.status(201)))
        #expect(course.moments.map(\.time) == [0, 100, 197, 198, 199, 199.5, 201] && course.moments.map(\.records).last == 20_100)
        #expect(course.span(at: 201).lowerBound == 199)
    }

    @Test("is forgotten when another run has taken the address, but not when the same run is resumed")
    func replaced() throws {
        var live = LiveCourse()
        let old = try Self.read(Self.status(12))
        live.meet(old)
        live.take(Self.samples(until: 10))
        #expect(live.next(old).moments.last?.records == 1_200)
        let resumed = try Self.read(Self.status(11))
        live.meet(resumed)
        #expect(live.next(resumed).moments.count == 12)
        let other = try Self.read(Self.status(3).replacing("\"began\":1.0", with: "\"began\":20.0"))
        live.meet(other)
        #expect(live.needsSamples(for: other, every: 10))
        let course = live.next(other)
        #expect(course.moments.count == 1 && course.moments[0].records == 300 && course.seconds == 3)
    }

    @Test("moves with what stages have passed on before it is committed")
    func passed() throws {
        var live = LiveCourse()
        var text = Self.status(3)
        text.replace("\"records\":300,", with: "\"records\":300,\"records_in_stages\":45,")
        text.replace("\"records_out\":270,", with: "\"records_out\":270,\"records_passed\":315,")
        let moment = try #require(live.next(try Self.read(text)).moments.last)
        #expect(moment.records == 300 && moment.inStages == 45 && moment.finished == 345 && moment.steps[1].out == 315)
    }

    @Test("is shown before it has samples, and whatever its stages")
    func early() throws {
        var live = LiveCourse()
        #expect(try !live.needsSamples(for: Self.read(Self.status(0).replacing(/"stages":\[.*\],"dead_l/, with: "\"stages\":[],\"dead_l")), every: 10))
        let course = live.next(try Self.read(Self.status(1)))
        #expect(course.steps.map(\.name) == ["reading", "score"] && course.moments.count == 1)
        live.take(Self.samples(until: 2))
        var other = Self.status(3)
        other.replace("\"name\":\"score\"", with: "\"name\":\"else\"")
        #expect(live.next(try Self.read(other)).moments.last?.steps[1].out == 180)
    }

    @Test("that is none, or of another server, is refused with the reason")
    func wrong() throws {
        #expect(throws: HTTPClient.Failure.self) { try Self.read("{}") }
        #expect(throws: HTTPClient.Failure.self) { try Self.read("<html>") }
        let command = try CommandUnderTest()
        defer { command.remove() }
        let bad = try command.run("top", "http://user:word@127.0.0.1:1/")
        #expect(bad.status == 2 && bad.error == "sluice: 'http://user:word@127.0.0.1:1' contains a name or password\n", "\(bad)")
    }

    /// A dashboard in Python, which says that its run has ended once it was drained.
    private static let server = #"""
        import http.server, json, os
        drained = False
        seconds = 3
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def answer(self, status, body):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())
            def allowed(self):
                if self.headers.get("authorization") == "Bearer secret" and "secret" not in self.path: return True
                self.answer(401, json.dumps({"error": {"code": "token", "message": "the token is missing or wrong"}}))
            def do_GET(self):
                global seconds
                if not self.allowed(): return
                if self.path == "/samples": return self.answer(200, open("samples.json").read())
                seconds += 1
                text = open("status.json").read().replace("SECONDS", str(seconds))
                self.answer(200, text.replace('"running"', '"ended"').replace('"exit":null', '"exit":3') if seconds > 5 else text)
            def do_POST(self):
                if not self.allowed(): return
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                with open("posts", "a") as log: log.write(f"{self.path} {json.dumps(body)}\n")
                if body.get("stage") == "none": return self.answer(422, json.dumps({"error": {"code": "stage", "message": "there is no stage 'none'"}}))
                if body.get("stage") == "old": return self.answer(404, json.dumps({"error": "there is no stage 'old'"}))
                self.answer(200, "{}")
            def log_message(self, *arguments): pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        with open("port.new", "w") as file: file.write(str(server.server_port))
        os.rename("port.new", "port")
        server.serve_forever()
        """#

    private func serve(_ command: CommandUnderTest) throws -> (address: String, process: RunningCommand) {
        try command.write(Self.server, to: "server.py")
        try command.write(Self.status(7, more: ",\"exit\":null").replacing("\"seconds\":7.0", with: "\"seconds\":SECONDS"), to: "status.json")
        try JSONEncoder.snake.encode(Self.samples(until: 2)).write(to: command.folder.appending(path: "samples.json"))
        let process = try command.start(URL(filePath: "/usr/bin/env"), ["python3", "server.py"])
        while !FileManager.default.fileExists(atPath: command.folder.appending(path: "port").path), process.process.isRunning { poll(nil, 0, 10) }
        return ("http://127.0.0.1:\(try command.text(of: "port"))", process)
    }

    /// SIGTERM may be blocked in processes that a test starts.
    private func end(_ server: RunningCommand) {
        server.signal(SIGKILL)
        server.process.waitUntilExit()
    }

    @Test("is followed in lines until it ends; without the token it is not")
    func followed() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let (address, server) = try serve(command)
        defer { end(server) }
        let result = try command.run("top", address + "/?token=secret")
        #expect(result.status == 0, "\(result)")
        let lines = result.output.split(separator: "\n")
        #expect(lines.first?.hasPrefix("0:04  25 %  700 records") == true, "\(result)")
        #expect(lines.contains { $0.hasPrefix("live  complete, with losses  ") } && result.output.contains("exec.reply in score: not a number␛[2J"))
        let refused = try command.run("top", address)
        #expect(refused.status == 1 && refused.error.contains("refuses the token: the token is missing or wrong"), "\(refused)")
        #expect(refused.error.split(separator: "\n").count == 1)
    }

    @Test("is told to drain and to resize, and says what became of it")
    func commands() async throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let (address, server) = try serve(command)
        defer { end(server) }
        let watch = try DashboardWatch(address + "/?token=secret")
        #expect(await watch.perform(.drain) == "the run is being drained: it finishes what is in flight")
        #expect(await watch.perform(.resize(stage: "a \"b\"", workers: 3)) == "'a \"b\"' was given 3 workers")
        #expect(await watch.perform(.resize(stage: "none", workers: 1)) == "nothing was done: there is no stage 'none'")
        #expect(await watch.perform(.resize(stage: "old", workers: 1)) == "nothing was done: there is no stage 'old'")
        #expect(
            try command.text(of: "posts") == "/drain {}\n/resize {\"stage\": \"a \\\"b\\\"\", \"workers\": 3}\n/resize {\"stage\": \"none\", \"workers\": 1}\n"
                + "/resize {\"stage\": \"old\", \"workers\": 1}\n")
        end(server)
        #expect(await watch.perform(.drain).hasPrefix("nothing was done: no connection to 127.0.0.1:"))
    }

    @Test("that is lost ends lines with a failure")
    func lost() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let (address, server) = try serve(command)
        end(server)
        let result = try command.run("top", address + "/?token=secret")
        #expect(result.status == 1 && result.error.hasPrefix("sluice: no connection to 127.0.0.1:"), "\(result)")
    }
}

extension JSONEncoder {
    /// As samples are written.
    fileprivate static var snake: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return encoder
    }
}
