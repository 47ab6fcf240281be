import Foundation
import Sluice
import SluiceCEL
import Testing

@testable import SluiceRecords

/// Complete runs over syslog messages and over records of several lines, in a temporary folder.
@Suite("Runs over system logs")
struct SyslogRunTests {
    private final class Folder {
        let path = NSTemporaryDirectory() + "sluice-syslog-\(UUID().uuidString)"

        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(atPath: path) }

        func run(
            _ texts: [String], _ format: any Format, stages: [any Verb] = [], as written: any WritableFormat = JSONL(),
            workers: Int = 3
        ) async throws -> (report: RunReport, output: String) {
            var inputs: [InputFile] = []
            for (index, text) in texts.enumerated() {
                let file = path + "/in\(index)"
                try Data(text.utf8).write(to: URL(filePath: file))
                inputs.append(InputFile(path: file))
            }
            let source = SourceSettings(FileSource(inputs), format: format)
            let pipeline = RecordPipeline(
                name: "test", definition: "sha256:0", source: source, stages: stages.enumerated().map { RecordStage(name: "stage-\($0)", verb: $1) },
                sink: SinkSettings(FileSink(PathTemplate(pieces: [.text(path + "/out")])), format: written), deadLetters: path + "/dead.jsonl",
                limits: Limits(deadLetters: .all))
            let report = try await RecordRun(pipeline, options: RunOptions(workers: workers, state: path + "/state")).run()
            #expect(report.balanced)
            #expect(try Audit(report).findings.filter { !$0.holds } == [])
            return (report, try String(contentsOf: URL(filePath: path + "/out"), encoding: .utf8))
        }

        var deadLetters: [String] {
            get throws { try String(contentsOf: URL(filePath: path + "/dead.jsonl"), encoding: .utf8).split(separator: "\n").map(String.init) }
        }
    }

    private static func syslog(year: Int? = nil, zone: Int? = nil) -> any Format { Syslog().completed(by: TimeDefaults(year: year, zone: zone)) }

    private static func times(in output: String) -> [String] {
        output.split(separator: "\n").map { line in
            guard let start = line.firstRange(of: "\"time\":\"")?.upperBound else { return "-" }
            return String(line.suffix(from: start).prefix { $0 != "\"" })
        }
    }

    @Test("years are counted on over batches and files, in their order", arguments: [1, 8])
    func years(workers: Int) async throws {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let padding = String(repeating: "x", count: 70_000)
        var texts = ["", "", ""]
        var expected: [String] = []
        for (file, years) in [(0, 2024...2025), (1, 2026...2026), (2, 2027...2028)] {
            for year in years {
                for (index, month) in months.enumerated() {
                    texts[file] += "\(month) 15 10:00:00 h app: \(padding)\n"
                    expected.append("\(year)-\(index < 9 ? "0" : "")\(index + 1)-15T09:00:00Z")
                }
            }
        }
        let (report, output) = try await Folder().run(texts, Self.syslog(year: 2024, zone: 3600), workers: workers)
        #expect(report.records == .init(read: 60, written: 60))
        #expect(Self.times(in: output) == expected)
    }

    @Test("a late message is in the year before, one with a year is left alone, and 29 February needs a leap year")
    func oddYears() async throws {
        let folder = try Folder()
        let lines = ["Dec 31 23:59:59", "Jan  1 00:00:00", "Dec 31 23:59:58", "2030-05-05T00:00:00Z", "Jan  1 00:00:01", "Feb 29 00:00:00", "Mar  1 00:00:00"]
        let text = lines.map { "<13>\($0) h app: x\n" }.joined()
        let (report, output) = try await folder.run([text], Self.syslog(year: 2025))
        #expect(
            Self.times(in: output) == [
                "2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "2025-12-31T23:59:58Z", "2030-05-05T00:00:00Z", "2026-01-01T00:00:01Z", "2026-03-01T00:00:00Z",
            ])
        #expect(report.deadLetters.byCode == ["parse.syslog": 1])
        #expect(try folder.deadLetters[0].contains("\"line\":6"))
        let (_, leap) = try await folder.run([text], Self.syslog(year: 2027))
        #expect(Self.times(in: leap)[5] == "2028-02-29T00:00:00Z")
        let (_, undated) = try await folder.run([text], Self.syslog())
        #expect(Self.times(in: undated)[0] == "Dec 31 23:59:59")
    }

    @Test("years are counted although no stage looks at the time, and head ends the run")
    func unusedTimes() async throws {
        let text = "Dec 31 23:59:59 h a: 1\nFeb 29 00:00:00 h a: 2\nMar  1 00:00:00 h a: 3\nMar  1 00:00:00 h a: 4\n"
        let (report, output) = try await Folder().run([text], Self.syslog(year: 2025), stages: [Select(["message"]), Head(2)])
        #expect(output == "{\"message\":\"1\"}\n{\"message\":\"3\"}\n")
        #expect(report.records == .init(read: 3, written: 2, dead: 1))
    }

    @Test("messages that are written are read back", arguments: 1...6 as ClosedRange<UInt64>)
    func roundTrip(seed: UInt64) async throws {
        var random = Seeded(seed)
        func pick(_ pieces: [String], _ counts: ClosedRange<Int>) -> String {
            (0..<Int.random(in: counts, using: &random)).map { _ in pieces[Int.random(in: 0..<pieces.count, using: &random)] }.joined()
        }
        func json(_ text: String) -> String {
            let buffer = ByteBuffer(capacity: 64)
            JSONText.write(text, to: buffer)
            return buffer.withFilled { String(decoding: $0, as: UTF8.self) }
        }
        let words = ["a", "-b", "7", ":", "[", "]", "\"", "=", "<1>"]
        let texts = ["a", " ", "é", "\"", "\\", "]", "[", "=", "\t", "\u{1}", "\u{FEFF}", "<1>", "\\]"]
        var expected = ""
        for _ in 0..<200 {
            let priority = Int.random(in: 0...191, using: &random)
            var fields = [
                "\"priority\":\(priority)", "\"facility\":\"\(SyslogNames.facilities[priority / 8])\"",
                "\"severity\":\"\(SyslogNames.severities[priority % 8])\"",
            ]
            if Bool.random(using: &random) { fields.append("\"time\":\"2026-11-28T10:48:19.\(Int.random(in: 1...9, using: &random))Z\"") }
            for name in ["host", "app", "pid", "msgid"] where Bool.random(using: &random) { fields.append("\"\(name)\":\(json(pick(words, 1...4)))") }
            if Bool.random(using: &random) {
                let parameters = ["k", "l@1"].filter { _ in Bool.random(using: &random) }.map { name in
                    let values = (0..<Int.random(in: 1...3, using: &random)).map { _ in json(pick(texts, 0...4)) }
                    return "\"\(name)\":" + (values.count == 1 ? values[0] : "[" + values.joined(separator: ",") + "]")
                }
                fields.append("\"structured_data\":{\"e@1\":{\(parameters.joined(separator: ","))}}")
            }
            if Bool.random(using: &random) { fields.append("\"message\":\(json(pick(texts, 0...5)))") }
            expected += "{" + fields.joined(separator: ",") + "}\n"
        }
        let folder = try Folder()
        let (written, messages) = try await folder.run([expected], JSONL(), as: Syslog())
        #expect(written.records == .init(read: 200, written: 200))
        let (_, back) = try await folder.run([messages], Syslog())
        #expect(back == expected)
        let (_, again) = try await folder.run([messages], Syslog(), as: Syslog())
        #expect(again == messages)
    }

    @Test("what a message cannot hold is a dead letter")
    func impossible() async throws {
        let folder = try Folder()
        let records = [
            (#"{"level":"x"}"#, "a message cannot hold the field 'level'"), (#"{"time":"Nov 28 10:00:00"}"#, "'time' is not a timestamp"),
            (#"{"host":"a b"}"#, "'host' contains a blank"), (#"{"app":"é"}"#, "'app' contains a blank"),
            (#"{"msgid":"123456789012345678901234567890123"}"#, "longer than 32"),
            (#"{"priority":192}"#, "'priority' is not a known value"), (#"{"severity":"loud"}"#, "'severity' is not a known value"),
            (#"{"message":"a\nb"}"#, "contains a line end"),
            (#"{"message":"a\r"}"#, "contains a line end"), (#"{"structured_data":"x"}"#, "is not a map"), (#"{"structured_data":{"a":1}}"#, "is not a map"),
            (#"{"structured_data":{"a b":{}}}"#, "with an invalid name"), (#"{"structured_data":{"a":{"b=":1}}}"#, "with an invalid name"),
            (#"{"structured_data":{"a":{"b":"\n"}}}"#, "a line feed"),
        ]
        let (report, output) = try await folder.run([records.map { $0.0 + "\n" }.joined()], JSONL(), as: Syslog())
        #expect(output == "")
        #expect(report.deadLetters.byCode == ["sink.field": 12, "sink.line": 2])
        for (letter, message) in zip(try folder.deadLetters, records.map(\.1)) { #expect(letter.contains(message), "\(letter)") }
    }

    @Test("facility and severity by name or number make the priority, and values become text")
    func priorities() async throws {
        let text = [
            #"{"facility":"mail","severity":"error","pid":7,"message":5}"#, #"{"facility":4,"severity":2,"host":""}"#, #"{"message":"x","level":null}"#,
            #"{"structured_data":{"a":{"n":1.50,"b":true,"l":[1,"x"],"m":{"k":"]"},"z":null},"c":null}}"#, #"{"structured_data":{}}"#,
        ].map { $0 + "\n" }.joined()
        let (_, output) = try await Folder().run([text], JSONL(), as: Syslog())
        #expect(
            output == "<19>1 - - - 7 - - 5\n<34>1 - - - - - -\n<13>1 - - - - - - x\n"
                + #"<13>1 - - - - - [a n="1.50" b="true" l="1" l="x" m="{\"k\":\"\]\"}"]"# + "\n<13>1 - - - - - -\n")
    }

    @Test("records of random bytes are all accounted for", arguments: 1...4 as ClosedRange<UInt64>)
    func fuzz(seed: UInt64) async throws {
        var random = Seeded(seed)
        let parts = [
            "\n", "<34>", "1 ", "- ", "Nov 28 10:00:00 ", "h ", "app[1]: ", "[a b=\"", "\"] ", "\\", "é", "21 <34>", "2026-11-28T10:00:00Z ", "x", "]",
        ]
        let text = (0..<20_000).map { _ in parts[Int.random(in: 0..<parts.count, using: &random)] }.joined()
        let (report, output) = try await Folder().run([text], Self.syslog(year: 2026), as: Syslog())
        #expect(report.records.written > 20)
        let (again, second) = try await Folder().run([output], Self.syslog(year: 2026), as: Syslog())
        #expect(again.records == .init(read: report.records.written, written: report.records.written))
        #expect(second == output)
    }
}

@Suite("Runs over records of several lines")
struct MultilineRunTests {
    private func run(
        _ texts: [(String, [UInt8])], _ format: any Format, _ lines: Multiline.Lines, _ pattern: String, maxRecord: Int = 16 << 20,
        as written: any WritableFormat = JSONL()
    ) async throws -> (report: RunReport, output: String, letters: String) {
        let folder = NSTemporaryDirectory() + "sluice-multiline-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, bytes) in texts { try Data(bytes).write(to: URL(filePath: folder + "/" + name)) }
        var source = SourceSettings(FileSource(texts.map { InputFile(path: folder + "/" + $0.0) }), format: format, maxRecord: maxRecord)
        var checking = Checking(label: "test")
        let joins = source.join(linesOf: Arguments([lines.rawValue: .leaf(Leaf(pattern))]), &checking)
        #expect(joins && checking.diagnostics.isEmpty)
        let pipeline = RecordPipeline(
            name: "test", definition: "sha256:0", source: source, stages: [],
            sink: SinkSettings(FileSink(PathTemplate(pieces: [.text(folder + "/out")])), format: written), deadLetters: folder + "/dead.jsonl",
            limits: Limits(deadLetters: .all))
        let report = try await RecordRun(pipeline, options: RunOptions(workers: 3, state: folder + "/state")).run()
        #expect(report.balanced)
        #expect(try Audit(report).findings.filter { !$0.holds } == [])
        let text = { (name: String) in try String(contentsOf: URL(filePath: folder + "/" + name), encoding: .utf8) }
        return (report, try text("out"), try text("dead.jsonl"))
    }

    @Test("no record spans two files, and each file's last one may lack its line end")
    func files() async throws {
        let texts = [
            ("a", Array("1 a\n  b\n1 c\n  d".utf8)), ("b", Array("  e\n1 f\n".utf8)), ("c", GzipSamples.member("1 g\n") + GzipSamples.member("  h\n")),
        ]
        let (report, output, _) = try await run(texts, Lines(), .starts, "^1")
        #expect(
            output == #"{"line":"1 a\n  b"}"# + "\n" + #"{"line":"1 c\n  d"}"# + "\n{\"line\":\"  e\"}\n{\"line\":\"1 f\"}\n" + #"{"line":"1 g\n  h"}"# + "\n")
        #expect(report.inputs.map(\.records) == [2, 2, 1])
    }

    @Test("records of many sizes over many batches are the same as if they were joined by hand")
    func batches() async throws {
        var random = Seeded(3)
        var text = ""
        var expected = ""
        for number in 0..<3000 {
            let lines = (0..<Int.random(in: 0...5, using: &random)).map { " \($0) " + String(repeating: "y", count: Int.random(in: 0...1000, using: &random)) }
            let record = (["# \(number)"] + lines).joined(separator: "\n")
            text += record + "\n"
            expected += "{\"line\":\"" + record.replacing("\n", with: "\\n") + "\"}\n"
        }
        for (kind, pattern) in [(Multiline.Lines.starts, "^#"), (.continues, "^ ")] {
            let (report, output, _) = try await run([("in", Array(text.utf8))], Lines(), kind, pattern)
            #expect(report.records == .init(read: 3000, written: 3000))
            #expect(output == expected)
        }
    }

    @Test("a record over the limit ends with its line, and dead letters say where it began", arguments: [2000, 3 << 20])
    func bounded(limit: Int) async throws {
        let line = " " + String(repeating: "x", count: 999) + "\n"
        let text = "# 1\n" + String(repeating: line, count: limit / 1000 + 3) + "# 2\n y\n"
        let (report, output, letters) = try await run([("in", Array(text.utf8))], Lines(), .starts, "^#", maxRecord: limit)
        #expect(report.deadLetters.byCode["record.too_long"] ?? 0 >= 1)
        #expect(letters.contains("\"line\":1}"))
        #expect(output.hasSuffix("{\"line\":\"# 2\\n y\"}\n"))
        // Nothing is read twice, and nothing is left out.
        #expect(report.records.read == report.records.written + report.records.dead)
    }

    @Test("lines of JSON are joined to objects and written as one line")
    func json() async throws {
        let text = "{\n  \"a\": \"x  \\\" y\",\n  \"b\": [1, 2.50]\n}\n{ \"a\": 2,\n \"a\": 3 }\n{\n \"a\": 1 2\n}\n{\n \"a\": \"x\n\"}\n"
        let (report, output, letters) = try await run([("in", Array(text.utf8))], JSONL(), .starts, #"^\{"#)
        #expect(output == #"{"a":"x  \" y","b":[1,2.50]}"# + "\n{\"a\":3}\n")
        #expect(report.deadLetters.byCode == ["parse.jsonl": 2])
        #expect(letters.contains(#""raw":"{\n \"a\": 1 2\n}""#))
    }

    @Test("logfmt separates at line feeds; a sink of lines refuses several lines")
    func others() async throws {
        let (_, output, _) = try await run([("in", Array("a=1\n b=2\na=3\n".utf8))], Logfmt(), .continues, "^ ")
        #expect(output == "{\"a\":\"1\",\"b\":\"2\"}\n{\"a\":\"3\"}\n")
        let (report, lines, _) = try await run([("in", Array("a\n b\nc\n".utf8))], Lines(), .continues, "^ ", as: Lines())
        #expect(lines == "c\n")
        #expect(report.deadLetters.byCode == ["sink.line": 1])
    }

    @Test("what damage cuts is lost, with all lines of its record; reading resumes after it")
    func damaged() async throws {
        let bytes = Array(GzipSamples.member("# 1\n a\n# 2\n b\n c").prefix(30)) + GzipSamples.member("# 3\n d\n# 4\n e\n")
        let (report, output, _) = try await run([("in.gz", bytes)], Lines(), .starts, "^#")
        #expect(!report.inputs[0].damage.isEmpty)
        #expect(output.hasSuffix("{\"line\":\"# 4\\n e\"}\n"))
    }
}
