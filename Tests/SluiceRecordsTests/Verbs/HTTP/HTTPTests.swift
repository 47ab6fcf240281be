import Foundation
import Sluice
import SluiceCEL
import Synchronization
import Testing
import WorkerPools

@testable import SluiceRecords

@Suite("http", .timeLimit(Patience.limit))
struct HTTPTests {
    private static func verb(_ keys: [String: Argument]) throws -> HTTP {
        var checking = Checking(label: "http")
        let verb = HTTP(.keys(Arguments(keys)), options: Arguments(), &checking)
        guard let verb, checking.diagnostics.isEmpty else { throw VerbSample.Refused(diagnostics: checking.diagnostics) }
        return verb
    }

    private static func messages(_ keys: [String: Argument]) -> [String] {
        var checking = Checking(label: "http")
        _ = HTTP(.keys(Arguments(keys)), options: Arguments(), &checking)
        return checking.diagnostics.map(\.message)
    }

    private static func text(_ text: String) -> Argument { .leaf(Leaf(text)) }
    private static func entries(_ values: KeyValuePairs<String, String>) -> Argument {
        .entries(values.map { (key: Leaf($0.key), value: text($0.value)) }, Leaf("").place)
    }
    private static func answer(_ parts: [String: String]) -> Argument { .keys(Arguments(parts.mapValues(text))) }

    /// Runs lines through the stage.
    private static func run(
        _ lines: [String], _ keys: [String: Argument], pool: PoolOptions = PoolOptions(), onError: FailurePolicy = .deadLetter,
        limits: Limits = Limits(deadLetters: .all)
    ) async throws -> (out: [String], dead: [Value], report: RunReport) {
        let folder = try RunFolder()
        defer { folder.remove() }
        let input = try folder.write((lines.joined(separator: "\n") + "\n").utf8, to: "in.jsonl")
        var pipeline = folder.pipeline([input], [RecordStage(name: "ask", verb: try verb(keys), pool: pool, onError: onError)])
        pipeline.limits = limits
        let result = try await folder.run(pipeline, workers: 2)
        let dead = result.outcome.dead.split(separator: "\n").compactMap { Value(json: String($0)) }
        return (result.outcome.out.split(separator: "\n").map(String.init), dead, result.report)
    }

    private static func codes(_ dead: [Value]) -> [String] {
        dead.map { letter in
            guard case .map(let map) = letter, case .map(let error)? = map["error"], case .string(let code)? = error["code"] else { return "" }
            return code
        }
    }

    private static func message(_ letter: Value?) -> String {
        guard case .map(let map)? = letter, case .map(let error)? = map["error"], case .string(let message)? = error["message"] else { return "" }
        return message
    }

    @Test("answers that exceed an eighth of the memory for one batch are refused, in the order of the records", .serialized, arguments: [true, false])
    func budget(isFirstSlow: Bool) async throws {
        let text = String(repeating: "x", count: 600_000)
        let server = try LocalServer { request in
            // Later answers arrive before the first one.
            if isFirstSlow, request.target == "/0", request.number < 8 { return .answer(503) }
            return .text(request.target == "/4" ? "" : "\"\(text)\"")
        }
        let limits = Limits(deadLetters: .all, memory: 16 << 20)
        let result = try await Self.run(
            (0..<8).map { "{\"n\":\($0)}" }, ["url": Self.text("\(server.url)/{n}"), "as": Self.answer(["text": "t"])],
            pool: PoolOptions(workers: 8...8, retry: RetryPolicy(times: 1000, backoff: .milliseconds(1), maxBackoff: .milliseconds(2))), limits: limits)
        #expect(result.out.map { $0.prefix(6) } == ["{\"n\":0", "{\"n\":1", "{\"n\":2"])
        #expect(Self.codes(result.dead) == Array(repeating: "http.too_long", count: 5))
        #expect(Self.message(result.dead.first) == "the answers to the records of one batch exceed 2 MiB, an eighth of limits.memory")
    }

    @Test("what has no room does not depend on the order in which answers arrive")
    func budgetOrder() {
        for seed in 0..<200 as Range<UInt64> {
            var random = Seeded(seed)
            let sizes = (0..<20).map { _ in Int(random.next() % 30) }
            let most = Int(random.next() % 400)
            var sum = 0
            let expected = sizes.indices.filter { index in
                sum += sizes[index]
                return sum > most
            }
            var budget = AnswerBudget(most, records: sizes.count)
            var (refused, arrived): (Set<Int>, Set<Int>) = ([], [])
            for index in sizes.indices.shuffled(using: &random) {
                arrived.insert(index)
                refused.formUnion(budget.add(sizes[index], index))
                #expect(arrived.subtracting(refused).reduce(0) { $0 + sizes[$1] } <= most)
            }
            #expect(refused.sorted() == expected)
        }
    }

    @Test("the answer becomes a field, whatever JSON it is; the other fields stay as they were")
    func json() async throws {
        let server = try LocalServer { request in
            switch request.target {
            case "/object": .text("{\n  \"a\": [1,\n 2], \"b\": \"x\\n y\"\n}\n")
            case "/text": .text(#""caf\u00e9""#)
            case "/number": .text(" 12345678901234567890123 ")
            case "/bool": .text("true")
            case "/none": .answer(204)
            default: .text("\u{FEFF}null")
            }
        }
        defer { server.stop() }
        let lines = ["object", "text", "number", "bool", "none", "null"].map { #"{"n": 1.50, "p":"\#($0)"}"# }
        let (out, dead, report) = try await Self.run(lines, ["url": Self.text("\(server.url)/{p}"), "as": Self.answer(["json": "got"])])
        #expect(dead.isEmpty && report.status == .complete)
        #expect(
            out == [
                #"{"n": 1.50, "p":"object","got":{"a":[1,2],"b":"x\n y"}}"#, #"{"n": 1.50, "p":"text","got":"café"}"#,
                #"{"n": 1.50, "p":"number","got":12345678901234567890123}"#, #"{"n": 1.50, "p":"bool","got":true}"#,
                #"{"n": 1.50, "p":"none","got":null}"#, #"{"n": 1.50, "p":"null","got":null}"#,
            ])
    }

    @Test("a number ends where the answer ends, whatever was in memory before")
    func shortNumbers() async throws {
        let server = try LocalServer { .text($0.target.dropFirst().replacingOccurrences(of: "x", with: "44444444")) }
        defer { server.stop() }
        let lines = (0..<200).map { "{\"p\":\"\($0 % 2 == 0 ? "1x" : "2")\"}" }
        let (out, dead, _) = try await Self.run(lines, ["url": Self.text("\(server.url)/{p}"), "as": Self.answer(["json": "got"])])
        #expect(dead.isEmpty)
        #expect(out == lines.map { $0.dropLast() + (",\"got\":" + ($0.contains("x") ? "144444444}" : "2}")) })
    }

    @Test("text, status and headers become fields; without 'as' a record stays as it is")
    func parts() async throws {
        let server = try LocalServer { _ in .text("plain \"text\"\n", status: 404, headers: ["X-Two: a", "x-two:  b ", "Content-Type: text/plain"]) }
        defer { server.stop() }
        let accept = Argument.list([.integer(404, Leaf("").place)], Leaf("").place)
        let keys = ["url": Self.text(server.url), "accept": accept]
        let all = keys.merging(["as": Self.answer(["text": "t", "status": "s", "headers": "h"])]) { $1 }
        let out = try await Self.run([#"{"s": "old"}"#], all).out
        #expect(out == [#"{"s": 404,"t":"plain \"text\"\n","h":{"x-two":"a, b","content-type":"text/plain","content-length":"13"}}"#])
        #expect(try await Self.run([#"{"s": "old"}"#], keys).out == [#"{"s": "old"}"#])
    }

    @Test("values in the address are encoded, so that none can lead elsewhere; one at the beginning is the address")
    func addresses() async throws {
        let server = try LocalServer { .text("\"\($0.target)\"") }
        defer { server.stop() }
        let record = #"{"v":"../a/b?c=d&e#f@g%41 ü\\\"","u":"\#(server.url)/whole?x=1"}"#
        let encoded = "..%2Fa%2Fb%3Fc%3Dd%26e%23f%40g%2541%20%C3%BC%5C%22"
        let inside = try await Self.run([record], ["url": Self.text("\(server.url)/{v}/x?q={v}"), "as": Self.answer(["json": "got"])]).out
        #expect(inside.first?.hasSuffix(#""got":"/\#(encoded)/x?q=\#(encoded)"}"#) == true)
        let whole = try await Self.run([record], ["url": Self.text("{u}&y={1 + 1}"), "as": Self.answer(["json": "got"])]).out
        #expect(whole.first?.hasSuffix(#""got":"/whole?x=1&y=2"}"#) == true)
    }

    @Test("records that no request can be made of are dead letters, and nothing is sent")
    func impossibleRequests() async throws {
        let server = try LocalServer { _ in .text("x") }
        defer { server.stop() }
        let url = Self.text("{record.?u.orValue('\(server.url)')}")
        let lines = [
            #"{"u":"file:///etc/passwd","h":"x"}"#, #"{"u":"/relative","h":"x"}"#, #"{"u":"","h":"x"}"#, #"{"u":"http://a b/","h":"x"}"#,
            #"{"u":"http://me:secret@127.0.0.1/","h":"x"}"#, #"{"h":"a\r\nX-Evil: 1"}"#, #"{"h":"nul\u0000"}"#, #"{"h":{"a":1}}"#, #"{"h":null}"#, #"{}"#,
        ]
        let (out, dead, _) = try await Self.run(lines, ["url": url, "headers": Self.entries(["X-H": "{h}"])])
        #expect(out.isEmpty && server.counts.requests == 0)
        #expect(Self.codes(dead) == Array(repeating: "http.request", count: 9) + ["expression.no_such_field"])
        #expect(Self.message(dead[0]) == "'url' must begin with http:// or https://: 'file:///etc/passwd'")
        #expect(Self.message(dead[5]) == "the value of the header 'X-H' contains a control character")
        #expect(!dead.contains { Self.message($0).contains("secret") })
    }

    @Test("bodies: text as it is, everything else as JSON, an empty optional as none")
    func bodies() async throws {
        let server = try LocalServer { .text("\"\($0.method) \($0.headers["content-type"] ?? "-") \(Data($0.body.utf8).base64EncodedString())\"") }
        defer { server.stop() }
        func sent(_ body: String, _ line: String, headers: KeyValuePairs<String, String>? = nil) async throws -> String {
            var keys = ["url": Self.text(server.url), "body": Self.text(body), "as": Self.answer(["json": "got"])]
            keys["headers"] = headers.map(Self.entries)
            let out = try await Self.run([line], keys).out.first ?? ""
            let parts = out.components(separatedBy: "\"got\":\"").last?.dropLast(2).split(separator: " ", omittingEmptySubsequences: false) ?? []
            let text = parts.last.flatMap { Data(base64Encoded: String($0)) }.map { String(decoding: $0, as: UTF8.self) } ?? ""
            return (parts.dropLast().map(String.init) + [text]).joined(separator: " ")
        }
        #expect(try await sent("record", #"{"a": 1}"#) == #"POST application/json {"a":1}"#)
        #expect(try await sent("{'id': a, 'l': [a]}", #"{"a": 1}"#) == #"POST application/json {"id":1,"l":[1]}"#)
        #expect(try await sent("'q=' + a", #"{"a": "ü"}"#) == "POST text/plain; charset=utf-8 q=ü")
        #expect(try await sent("a", #"{"a": 7}"#) == "POST application/json 7")
        #expect(try await sent("record.?b", #"{"a": 7}"#) == "POST - ")
        #expect(try await sent("a", #"{"a": "x"}"#, headers: ["Content-TYPE": "text/csv"]) == "POST text/csv x")
    }

    @Test(
        "an answer that is not what 'as' says is a dead letter with a code of its own", arguments: ["", "{", "[1] 2", "\u{1}", "{\"a\":nul}", "<html>", "\r\n"])
    func wrongAnswers(body: String) async throws {
        let server = try LocalServer { _ in .text(body) }
        defer { server.stop() }
        let (out, dead, report) = try await Self.run(
            [#"{"a":1}"#], ["url": Self.text(server.url), "as": Self.answer(["json": "got"])], pool: PoolOptions(retry: .times(3)))
        #expect(out.isEmpty && Self.codes(dead) == ["http.json"] && report.balanced)
        #expect(server.counts.requests == 1)
    }

    @Test("bytes that are not UTF-8 are neither JSON nor text")
    func notUTF8() async throws {
        let server = try LocalServer { _ in .answer(200, body: [0x22, 0xFF, 0xFE, 0x22]) }
        defer { server.stop() }
        for (part, code) in [("json", "http.json"), ("text", "http.text")] {
            let dead = try await Self.run([#"{"a":1}"#], ["url": Self.text(server.url), "as": Self.answer([part: "got"])]).dead
            #expect(Self.codes(dead) == [code])
        }
    }

    @Test("attempts are in the dead letter, and policies apply")
    func policies() async throws {
        let server = try LocalServer { _ in .text("busy", status: 503) }
        defer { server.stop() }
        let pool = PoolOptions(workers: 2...2, retry: .times(2, backoff: .milliseconds(1)))
        let keys = ["url": Self.text(server.url)]
        let (_, dead, report) = try await Self.run([#"{"a":1}"#], keys, pool: pool)
        guard case .map(let letter)? = dead.first else { throw POSIXError(.EINVAL) }
        #expect(letter["attempts"] == .int(3) && letter["stage"] == .string("ask") && letter["raw"] == .string(#"{"a":1}"#))
        let books = try #require(report.stages.first { $0.name == "ask" })
        #expect(books.dead == 1 && books.retries == 2 && books.workers == RunReport.Workers(min: 2, max: 2, peak: 2))
        let dropped = try await Self.run([#"{"a":1}"#], keys, onError: .drop)
        #expect(dropped.dead.isEmpty && dropped.report.stages.first { $0.name == "ask" }?.dropped == 1)
        let stopped = try await Self.run([#"{"a":1}"#], keys, onError: .stop)
        #expect(stopped.report.status == .failed && stopped.report.error?.contains("status 503: 'busy'") == true)
    }

    @Test("a limit of dead letters ends the run after a few requests, without waiting for those in flight")
    func limit() async throws {
        let server = try LocalServer { $0.number > 8 ? .silence : .text("no", status: 400) }
        defer { server.stop() }
        let lines = (0..<5000).map { "{\"n\":\($0)}" }
        let start = ContinuousClock.now
        let (out, _, report) = try await Self.run(
            lines, ["url": Self.text(server.url)], pool: PoolOptions(workers: 4...4, timeout: .seconds(600)), limits: Limits(deadLetters: .count(5)))
        #expect(out.isEmpty && report.status == .failed)
        #expect(report.error?.contains("records are dead letters, more than limits.dead_letters allows (5)") == true)
        #expect(server.counts.requests <= 8 + 4)
        #expect(ContinuousClock.now - start < .seconds(30))
    }

    @Test("a run that is drained begins no further request, and is resumed to the same bytes")
    func resumes() async throws {
        let isSlow = Atomic(true)
        let server = try LocalServer { request in
            // The first run comes to record 700 and no further.
            if isSlow.load(ordering: .acquiring), let number = Int(request.target.dropFirst()), number >= 700 { return .silence }
            return .text("\(request.target.count)")
        }
        defer { server.stop() }
        let folder = try RunFolder()
        defer { folder.remove() }
        // Three batches.
        let padding = String(repeating: "p", count: 6000)
        let lines = (0..<500).map { "{\"n\":\($0),\"p\":\"\(padding)\"}\n" } + (500..<1000).map { "{\"n\":\($0)}\n" }
        let input = try folder.write(lines.joined().utf8, to: "in.jsonl")
        let verb = try Self.verb(["url": Self.text("\(server.url)/{n}"), "as": Self.answer(["json": "got"])])
        let pool = PoolOptions(workers: 4...4, timeout: .seconds(600))
        let pipeline = folder.pipeline([input], [RecordStage(name: "ask", verb: verb, pool: pool)])
        let first = RecordRun(pipeline, options: RunOptions(workers: 2, state: folder.path + "/state"))
        async let interrupted = first.run()
        await server.wait { $0.open == 4 }
        let asked = server.counts.requests
        first.drain()
        let report = try await interrupted
        #expect(report.status == .interrupted && report.resumable == true)
        #expect(server.counts.requests == asked)
        // What was given up is not in the books.
        let books = try #require(report.stages.first { $0.name == "ask" })
        #expect(books.in < 700 && books.in == books.out)
        isSlow.store(false, ordering: .releasing)
        let resumed = try await folder.run(pipeline, workers: 2)
        let other = try RunFolder()
        defer { other.remove() }
        let whole = try await other.run(other.pipeline([input], [RecordStage(name: "ask", verb: verb, pool: pool)]), workers: 2)
        #expect(resumed.outcome.status == .complete)
        let (found, expected) = (resumed.outcome.out.split(separator: "\n"), whole.outcome.out.split(separator: "\n"))
        let difference = zip(found, expected).enumerated().first { $1.0 != $1.1 }
        #expect(found.count == 1000 && expected.count == 1000 && difference == nil)
        #expect(resumed.report.records.read == 1000 && resumed.report.balanced)
    }

    @Test("mistakes in the definition are found before anything is sent")
    func mistakes() {
        #expect(Self.messages(["url": Self.text("ftp://h/")]) == ["http: 'url' must begin with http:// or https://"])
        #expect(Self.messages(["url": Self.text("h.example/x")]).count == 1)
        #expect(Self.messages(["url": Self.text("http://h/a b")]) == ["http: 'url' is not an address"])
        #expect(Self.messages(["url": Self.text("http://u:p@h/")]) == ["http: 'url' contains a name or password"])
        #expect(Self.messages(["url": Self.text("http://h/{")]) == ["http: '{' is not closed"])
        #expect(Self.messages(["url": Self.text("http://h/{[1]}")]) == ["http: 'url': '[1]' is of type list(int)"])
        let url = ("url", Self.text("http://h/"))
        func with(_ more: (String, Argument)...) -> [String] { Self.messages(Dictionary(uniqueKeysWithValues: [url] + more)) }
        #expect(with(("headers", Self.entries(["a b": "x"]))) == ["http: 'a b' cannot be the name of a header"])
        #expect(with(("headers", Self.entries(["Content-Length": "1"]))) == ["http: the header 'Content-Length' cannot be set"])
        #expect(with(("headers", Self.entries(["A": "1", "a": "2"]))) == ["http: the header 'a' is there twice"])
        #expect(with(("headers", Self.entries(["A": "Bearer env:SLUICE_NOT_SET"]))) == ["http: the environment variable 'SLUICE_NOT_SET' is not set"])
        #expect(with(("method", Self.text("HEAD")), ("body", Self.text("1"))) == ["http: a HEAD request has no body"])
        #expect(with(("method", Self.text("HEAD")), ("as", Self.answer(["json": "a"]))) == ["http: the answer to a HEAD request has no body"])
        #expect(with(("as", Self.answer(["json": "a", "text": "a"]))) == ["http: two parts of the answer go to the field 'a'"])
        #expect(with(("ca_file", Self.text("/no/such.pem"))) == ["http: 'ca_file': cannot read '/no/such.pem'"])
        #expect(with(("proxy", Self.text("socks5://h/"))) == ["http: 'proxy' must begin with http:// or https://"])
    }

    @Test("only the definition's own words name the environment, not a record's")
    func environment() async throws {
        let server = try LocalServer { .text("\"\($0.headers["x-a"] ?? "")|\($0.headers["x-b"] ?? "")\"") }
        defer { server.stop() }
        let keys = [
            "url": Self.text(server.url), "headers": Self.entries(["x-a": "is env:HOME env: xenv:HOME", "x-b": "{v}"]), "as": Self.answer(["json": "got"]),
        ]
        let home = ProcessInfo.processInfo.environment["HOME"] ?? ""
        #expect(try await Self.run([#"{"v":"env:HOME"}"#], keys).out == [#"{"v":"env:HOME","got":"is \#(home) env: xenv:HOME|env:HOME"}"#])
    }
}
