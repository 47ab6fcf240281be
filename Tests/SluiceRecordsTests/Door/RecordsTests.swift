import Foundation
import Sluice
import SluiceCEL
import SluiceRecords
import Synchronization
import Testing

/// Complete runs of `Records` over small files in a temporary folder.
@Suite("Records")
final class RecordsTests {
    private let folder = NSTemporaryDirectory() + "sluice-records-\(UUID().uuidString)"

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func records(_ text: String, _ format: RecordFormat = .jsonl) throws -> Records {
        try Data(text.utf8).write(to: URL(filePath: folder + "/in.txt"))
        return Records.reading(archives: [folder + "/in.txt"], format: format)
            .writing(to: folder + "/out.jsonl").deadLetters(to: folder + "/dead.jsonl")
    }

    private func run(_ records: Records, workers: Int = 2) async throws -> (report: RunReport, out: String, dead: [String]) {
        let report = try await records.run(workers: workers, state: folder + "/state")
        let dead = try String(contentsOfFile: folder + "/dead.jsonl", encoding: .utf8)
        return (report, try String(contentsOfFile: folder + "/out.jsonl", encoding: .utf8), dead.split(separator: "\n").map(String.init))
    }

    private static let line = #"10.0.0.1 - bob [10/Oct/2025:13:55:36 +0000] "GET /a/b HTTP/1.1" 500 12 "-" "curl/8""#

    @Test func `expressions work as in a pipeline file`() async throws {
        let text = Self.line + "\n" + Self.line.replacing("500", with: "200") + "\nhello\n"
        let result = try await run(
            records(text, .combined).keep("status >= 500", name: "errors").set(["section": "path.split('/')[1]", "twice": "section + section"])
                .rename(["agent": "program"]).remove(["referer"]).select(["time", "program", "twice"]))
        #expect(result.out == #"{"time":"2025-10-10T13:55:36Z","program":"curl/8","twice":"aa"}"# + "\n")
        #expect(result.report.status == .losses)
        #expect(result.report.balanced)
        #expect(result.report.stages.map(\.name) == ["source", "errors", "set", "rename", "remove", "select", "sink"])
        #expect(result.dead.count == 1)
        #expect(result.dead.first?.contains(#""raw":"hello""#) == true)
        #expect(result.report.description.hasPrefix("losses: read 3, written 1, filtered 1, dead 1, in "))
    }

    @Test func `lines are joined, and times are completed, as the source says`() async throws {
        try Data("Dec 31 23:00:00 h app[1]: a\n b\nJan  1 00:00:00 h app[1]: c\n".utf8).write(to: URL(filePath: folder + "/in.txt"))
        let records = { (lines: JoinedLines?, zone: String) in
            Records.reading(archives: [self.folder + "/in.txt"], format: .syslog, lines: lines, year: 2025, zone: zone).select(["time", "message"])
                .writing(to: self.folder + "/out.jsonl").deadLetters(to: self.folder + "/dead.jsonl")
        }
        let expected = #"{"time":"2025-12-31T22:00:00Z","message":"a\n b"}"# + "\n" + #"{"time":"2025-12-31T23:00:00Z","message":"c"}"# + "\n"
        for lines in [JoinedLines.starting(with: "^[A-Z]"), .continuing(with: "^ ")] {
            #expect(try await run(records(lines, "+01:00")).out == expected)
        }
        let error = #expect(throws: RecordsError.self) { try records(.starting(with: "["), "CET").check() }
        guard case .invalid(let problems)? = error else { return }
        #expect(problems.map(\.message).contains("source: zone: 'CET' is not an offset from UTC"))
        #expect(problems.contains { $0.message.hasPrefix("source: multiline: 'starts' is not a regular expression") })
    }

    @Test func `all errors are reported together, with their positions in the text`() throws {
        let records = try records("", .combined)
            .set(["a": "statsu >= 500", "b": "path\n - 1"], name: "first").keep("path +").select(["time", "time"]).select([])
            .writing(to: "{host}/x.jsonl")
        let error = #expect(throws: RecordsError.self) { try records.check() }
        guard case .invalid(let problems)? = error else { return }
        #expect(
            problems.map(\.message) == [
                "set 'first': 'a': no such field 'statsu' (did you mean 'status'?)",
                "set 'first': 'b': '-' cannot be applied to string and int", "keep: expected an expression, found the end of the expression",
                "select: lists 'time' twice", "select 'select-2': the list is empty",
                "sink: the path must begin with a fixed folder, which its values cannot leave",
            ])
        #expect(problems.first?.text == "statsu >= 500")
        #expect(problems.first?.range == 0..<6)
        #expect(
            error?.description.hasPrefix(
                """
                set 'first': 'a': no such field 'statsu' (did you mean 'status'?)
                  statsu >= 500
                  ^~~~~~
                  fix: the fields here are: ip, ident,
                """) == true)
        #expect(error?.description.contains("'b': '-' cannot be applied to string and int\n   - 1\n   ^\n") == true)
    }

    @Test func `names, sinks and inputs are checked, too`() throws {
        let problems = { (records: Records) -> [String] in
            do throws(RecordsError) {
                try records.check()
                return []
            } catch {
                return error.description.split(separator: "\n").filter { !$0.hasPrefix(" ") }.map(String.init)
            }
        }
        let fine = try records("")
        #expect(problems(fine) == [])
        #expect(problems(fine.named("a b")) == ["'a b' is not a valid name for a pipeline"])
        #expect(problems(fine.keep("true", name: "x").drop("false", name: "x")) == ["the name 'x' is already used"])
        #expect(problems(fine.keep("true", name: "sink")) == ["the name 'sink' is already used"])
        #expect(problems(fine.writing(to: folder + "/in.txt")) == ["sink: '\(folder)/in.txt' is also an input"])
        #expect(problems(fine.writing(to: folder + "/x.jsonl", format: .combined)) == ["sink: the format 'combined' can be read but not written"])
        #expect(problems(fine.writing(to: folder + "/x.jsonl", level: .best)) == ["sink: 'level' is only for compressed files"])
        #expect(problems(Records.reading(archives: [folder + "/in.txt"], format: .jsonl)) == ["there is no sink"])
        #expect(problems(Records.reading(archives: ["no/such.gz"], format: .lines).forEach { _ in }) == ["source: no/such.gz: no such file"])
        let regex = Records.reading(archives: [folder + "/in.txt"], format: .regex("(?P<a>x")).forEach { _ in }
        #expect(problems(regex) == ["source: the pattern is not a regular expression: missing ): (?P<a>x"])
        #expect(problems(fine.parse("line", as: .regex("x"))) == ["parse: the pattern has no named groups, so it yields no fields"])
        #expect(problems(fine.exec(["no-such-command-anywhere"])) == ["exec: no such command 'no-such-command-anywhere'"])
    }

    @Test func `a closure changes the fields that it names, and leaves the rest as written`() async throws {
        let text = #"{"id":12345678901234567890123,"ip" : "::1","t":"a\u002fb","gone":1,"n":1.50}"# + "\n"
        let result = try await run(
            records(text).update { record in
                record["gone"] = nil
                record["ip"] = .string((record["ip"]?.string ?? "") + "!")
                record["new"] = ["x": 1, "y": [true, 2.5]]
            })
        #expect(result.out == #"{"id":12345678901234567890123,"ip":"::1!","t":"a\u002fb","n":1.50,"new":{"x":1,"y":[true,2.5]}}"# + "\n")
        #expect(result.report.stages[1].verb == "closure")
    }

    @Test func `values keep their types from one closure to the next stage`() async throws {
        let result = try await run(
            records(Self.line + "\n", .combined)
                .update { record in record["year"] = .int(Int64(record["time"]?.timestamp?.description.prefix(4) ?? "") ?? 0) }
                .set(["month": "time.getMonth()"]).rename(["time": "at"])
                .update { record in record["day"] = record["at"]?.timestamp == nil ? "lost" : "kept" }
                .keep("at < timestamp('2026-01-01T00:00:00Z') && status == 500").select(["at", "year", "month", "day"]))
        #expect(result.dead == [])
        #expect(result.out == #"{"at":"2025-10-10T13:55:36Z","year":2025,"month":9,"day":"kept"}"# + "\n")
    }

    @Test func `a closure sees every field of a record, and its position`() async throws {
        let seen = Mutex<[Record]>([])
        let result = try await run(
            records("hello\n" + Self.line + "\n", .combined).filter { record in
                seen.withLock { $0.append(record) }
                return record["status"]?.int == 500
            }.select(["path"]))
        let record = try #require(seen.withLock { $0.first })
        #expect(record.names == ["ip", "user", "time", "zone", "method", "path", "protocol", "status", "bytes", "agent"])
        let source = try #require(record.source)
        #expect(source.file == folder + "/in.txt")
        #expect((source.line, source.offset, source.member) == (2, 6, 0))
        #expect(result.out == #"{"path":"/a/b"}"# + "\n")
        #expect(result.report.records.dead == 1)
    }

    @Test(arguments: [nil, 4] as [Concurrency?]) func `records that a closure leaves out are filtered, in order`(concurrency: Concurrency?) async throws {
        let text = (0..<5_000).map { #"{"n":\#($0)}"# + "\n" }.joined()
        let result = try await run(
            records(text).compactMap(concurrency: concurrency) { record in
                guard let n = record["n"]?.int, n % 3 == 0 else { return nil }
                await Task.yield()
                return n % 2 == 0 ? record : Record(["m": .int(n)])
            })
        let kept = stride(from: 0, to: 5_000, by: 3).map { (n: Int) -> String in #"{"\#(n % 2 == 0 ? "n" : "m")":\#(n)}"# + "\n" }
        #expect(result.out == kept.joined())
        #expect(result.report.records.filtered == 3333)
        #expect(result.report.balanced)
    }

    struct Refusal: Error {}

    @Test func `a record whose closure throws is a dead letter with its bytes, its place and the reason`() async throws {
        let result = try await run(
            records("{\"n\": 1}\n{\"n\": 2}\n{\"n\": 3}\n").update("check") { record in
                if record["n"] == 1 { throw Refusal() }
                if record["n"] == 2 { throw RecordFailure(code: "check.two", message: "it is 2") }
            })
        #expect(result.out == "{\"n\": 3}\n")
        #expect(result.report.deadLetters.byCode == ["closure": 1, "check.two": 1])
        let second = try #require(result.dead.last)
        #expect(second.contains(#""stage":"check","error":{"code":"check.two","message":"it is 2"},"attempts":1"#))
        #expect(second.contains(#""offset":9,"line":2},"raw":"{\"n\": 2}","record":{"n": 2}}"#))
    }

    @Test func `failures can be dropped, or stop the run, which then publishes nothing`() async throws {
        let records = try records("{\"n\":1}\n{\"n\":2}\n")
        let dropped = try await run(records.update(onError: .drop) { if $0["n"] == 1 { throw Refusal() } })
        #expect(dropped.report.status == .complete)
        #expect(dropped.report.stages[1].dropped == 1)
        let error = await #expect(throws: RecordsError.self) {
            try await records.update(onError: .stop) { _ in throw Refusal() }.writing(to: self.folder + "/other.jsonl").run(state: self.folder + "/state")
        }
        guard case .failed(let reason, let report)? = error else { return }
        #expect(reason.hasPrefix("stage 'update' stopped the run at \(folder)/in.txt:1: Refusal()"))
        #expect(report.status == .failed)
        #expect(!FileManager.default.fileExists(atPath: folder + "/other.jsonl"))
    }

    @Test func `attempts are cancelled and repeated as configured`() async throws {
        let tries = Mutex(0)
        let result = try await run(
            records("{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n")
                .update("again", retry: .times(2, backoff: .nanoseconds(1))) { record in
                    guard record["n"] == 1 else { return }
                    let number = tries.withLock { tries in
                        tries += 1
                        return tries
                    }
                    if number < 3 { throw Refusal() }
                }
                .update("hang", concurrency: 2, timeout: .milliseconds(20), retry: .times(1, backoff: .nanoseconds(1))) { record in
                    if record["n"] == 2 { try await Task.sleep(for: .seconds(3600)) }
                })
        #expect(result.out == "{\"n\":1}\n{\"n\":3}\n")
        #expect(result.dead.count == 1)
        #expect(result.dead.first?.contains(#""error":{"code":"timeout","message":"no answer in 0.02 seconds"},"attempts":2"#) == true)
        #expect(result.report.stages[1].retries == 2)
        #expect(result.report.stages[2].timeouts > 0)
    }

    @Test(arguments: [1, 8]) func `forEach gets the records in order, whatever the number of workers`(workers: Int) async throws {
        let text = (0..<60_000).map { #"{"n":\#($0),"text":"some text to make it long enough"}"# + "\n" }.joined()
        let taken = Mutex<[Int64]>([])
        let records = try records(text).keep("n % 3 == 0").set(["m": "n + 1"]).forEach { record in
            await Task.yield()
            taken.withLock { $0.append(record["m"]?.int ?? 0) }
        }
        let report = try await records.run(workers: workers, state: folder + "/state")
        #expect(taken.withLock { $0 } == stride(from: 1, to: 60_001, by: 3).map { Int64($0) })
        #expect(report.records.written == 20_000)
        #expect(report.status == .complete)
        #expect(try Audit(RunReport(contentsOf: folder + "/state/report.json")).holds)
    }

    @Test func `the error of a closure that takes records ends the run`() async throws {
        let records = try records("{}\n").forEach { _ in throw Refusal() }
        let error = await #expect(throws: RecordsError.self) { try await records.run(state: self.folder + "/state") }
        #expect(error?.description == "the closure that receives the records failed: Refusal()")
    }

    @Test func `a run can be observed, and drained`() async throws {
        let text = (0..<200_000).map { #"{"n":\#($0),"text":"some text to make it long enough"}"# + "\n" }.joined()
        let control = RecordControl()
        let report = try await records(text).forEach { _ in control.drain() }.run(control, workers: 1, state: folder + "/state")
        #expect(report.status == .interrupted)
        #expect(report.records.written < 200_000)
        #expect(control.progress.isDraining)
        #expect(control.progress.records == report.records.read)
    }

    @Test func `damage is salvaged and on record, or ends the run`() async throws {
        let gzip = folder + "/in.gz"
        let text = (0..<1000).map { #"{"n":\#($0)}"# + "\n" }.joined()
        _ = try await records(text).writing(to: gzip).run(state: folder + "/state")
        let whole = try Data(contentsOf: URL(filePath: gzip))
        try whole.prefix(whole.count / 2).write(to: URL(filePath: gzip))
        let salvaged = try await run(
            Records.reading(archives: [gzip], format: .jsonl).writing(to: folder + "/out.jsonl").deadLetters(to: folder + "/dead.jsonl"))
        #expect(salvaged.report.status == .losses)
        #expect(salvaged.report.inputs.first?.damage.first?.kind == "truncated")
        #expect(text.hasPrefix(salvaged.out))
        let strict = Records.reading(archives: [gzip], format: .jsonl, onDamage: .fail).writing(to: folder + "/out.jsonl")
        await #expect(throws: RecordsError.self) { try await strict.run(state: self.folder + "/state") }
        #expect(try String(contentsOfFile: folder + "/out.jsonl", encoding: .utf8) == salvaged.out)
    }

    @Test func `names that only differ in their bytes are two fields`() async throws {
        let text = "{\"caf\u{E9}\":1,\"cafe\u{301}\":2}\n"
        let result = try await run(
            records(text).update { record in
                #expect(record["caf\u{E9}"] == 1)
                #expect(record["cafe\u{301}"] == 2)
                record["cafe\u{301}"] = 3
            })
        #expect(result.out.unicodeScalars.elementsEqual("{\"caf\u{E9}\":1,\"cafe\u{301}\":3}\n".unicodeScalars))
    }

    @Test func `csv is read by the header of each file, and records can be exploded`() async throws {
        let result = try await run(
            records("id;tags\n1;a b\n2;c\n3;d\n", .csv(separator: ";")).set(["tags": "tags.split(' ')"]).explode("tags").head(3).select(["id", "tags"]))
        #expect(result.out == #"{"id":"1","tags":"a"}"# + "\n" + #"{"id":"1","tags":"b"}"# + "\n" + #"{"id":"2","tags":"c"}"# + "\n")
        #expect(result.report.balanced)
        #expect(result.report.records.added == 1)
        let named = try records("1,a\n", .csv(columns: ["id", "id"])).forEach { _ in }
        #expect(throws: RecordsError.self) { try named.check() }
    }

    @Test func `more dead letters than the limit fail the run`() async throws {
        let records = try records("x\ny\n{}\n").limits(deadLetters: .count(1))
        await #expect(throws: RecordsError.self) { try await records.run(state: self.folder + "/state") }
        #expect(!FileManager.default.fileExists(atPath: folder + "/out.jsonl"))
    }
}
