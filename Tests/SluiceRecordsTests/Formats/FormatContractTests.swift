import Foundation
import Sluice
import SluiceCEL
import Testing

@testable import SluiceRecords

/// The contract of formats. Every format in the table needs a sample here.
struct FormatSample: CustomTestStringConvertible {
    let format: any Format
    /// The header that precedes the records of a file.
    var head = ""
    /// Valid records, each with its fields as JSON.
    let records: [(text: String, object: String)]
    /// Invalid records; none if the format accepts every text.
    let bad: [String]

    var testDescription: String { format.name }

    /// The format bound to the header of its files.
    var completed: any Format {
        (format as? any HeadedFormat)?.completed(by: FileHead(Array(head.utf8))) ?? format
    }

    var columns: [String] { completed.schema.isOpen ? ["a", "b"] : completed.schema.names }

    static let all: [FormatSample] = Formats.all.map { make($0) }

    private static func make(_ format: any Format.Type) -> FormatSample {
        switch format.name {
        case "jsonl":
            FormatSample(
                format: JSONL(), records: [(#"{"a":1,"b":[true]}"#, #"{"a":1,"b":[true]}"#), (#"{ "c" : "x\n" }"#, #"{ "c" : "x\n" }"#)],
                bad: ["{", "[]", "{\"a\":}"])
        case "json":
            FormatSample(
                format: JSON(),
                records: [
                    (#"{"a":1,"b":[true]}"#, #"{"a":1,"b":[true]}"#), (#"{ "c" : "x\n" }"#, #"{ "c" : "x\n" }"#),
                    ("{\n  \"d\": [\n    1 ]\n}", #"{"d":[1]}"#),
                ], bad: ["{\"a\":}", "{\"b\" 1}"])
        case "combined":
            FormatSample(
                format: Combined(),
                records: [
                    (
                        #"10.0.0.1 - - [10/Oct/2025:13:55:36 +0000] "GET /a HTTP/1.1" 200 12 "-" "curl/8""#,
                        #"{"ip":"10.0.0.1","time":"2025-10-10T13:55:36Z","zone":"+0000","method":"GET","path":"/a","protocol":"HTTP/1.1","status":200,"bytes":12,"agent":"curl/8"}"#
                    )
                ], bad: ["hello", "10.0.0.1 - - [x]"])
        case "common":
            FormatSample(
                format: Common(),
                records: [
                    (
                        #"h - bob [10/Oct/2025:13:55:36 +0000] "GET /a HTTP/1.1" 404 -"#,
                        #"{"ip":"h","user":"bob","time":"2025-10-10T13:55:36Z","zone":"+0000","method":"GET","path":"/a","protocol":"HTTP/1.1","status":404}"#
                    )
                ], bad: ["hello"])
        case "access":
            FormatSample(
                format: access,
                records: [
                    (
                        #"h [10/Oct/2025:13:55:36 +0000] "GET /\x22 HTTP/1.1" 404 0.5 "-""#,
                        #"{"remote_addr":"h","time_local":"2025-10-10T13:55:36Z","zone":"+0000","request":"GET /\" HTTP/1.1","method":"GET","path":"/\"","protocol":"HTTP/1.1","status":404,"request_time":0.5}"#
                    )
                ], bad: ["hello", #"h [10/Oct/2025:13:55:36 +0000] "GET / HTTP/1.1" 4x4 0.5 "-""#])
        case "csv":
            FormatSample(
                format: CSV(), head: "a,b", records: [("1,\"x\n\"\"y\"", #"{"a":"1","b":"x\n\"y"}"#), (",\"\"", #"{"b":""}"#)],
                bad: ["1", "1,2,3", "1,\"2\"3"])
        case "tsv":
            FormatSample(
                format: TSV(), head: "a\tb", records: [("1\t\"x\\n\\ty\\\\", #"{"a":"1","b":"\"x\n\ty\\"}"#), ("\\N\t", #"{"b":""}"#)],
                bad: ["1", "1\t2\t3"])
        case "logfmt":
            FormatSample(
                format: Logfmt(),
                records: [
                    (#"a=1 b="x \"y\"""#, #"{"a":"1","b":"x \"y\""}"#), (#"flag c= d==x"#, #"{"flag":true,"c":"","d":"=x"}"#),
                    ("a=1 b=2 a=3", #"{"b":"2","a":"3"}"#),
                ], bad: ["=", "a=\"x", "a=b\"c", "\"a\"=1"])
        case "syslog":
            FormatSample(
                format: Syslog(),
                records: [
                    (
                        #"<34>1 2003-10-11T22:14:15.003+02:00 mymachine su - ID47 [a@1 k="x\]y\"z" l="1" l="2"][b@2] 'su root' failed"#,
                        #"{"priority":34,"facility":"auth","severity":"crit","time":"2003-10-11T20:14:15.003Z","host":"mymachine","app":"su","msgid":"ID47","structured_data":{"a@1":{"k":"x]y\"z","l":["1","2"]},"b@2":{}},"message":"'su root' failed"}"#
                    ), ("<0>1 - - - - - -", #"{"priority":0,"facility":"kern","severity":"emerg"}"#),
                    (
                        "<13>Nov 28 2026 10:48:19 vm app[7]: hello",
                        #"{"priority":13,"facility":"user","severity":"notice","time":"2026-11-28T10:48:19Z","host":"vm","app":"app","pid":"7","message":"hello"}"#
                    ),
                ], bad: ["hello", "<192>1 - - - - - -", "<1>1 - - - -", "<1>1 - - - - - [a", "<1>2 - - - - - x"])
        case "lines": FormatSample(format: Lines(), records: [("any text", #"{"line":"any text"}"#), ("", #"{"line":""}"#)], bad: [])
        case "regex":
            FormatSample(format: regex, records: [("ab=1", #"{"key":"ab","value":"1"}"#), ("x=", #"{"key":"x","value":""}"#)], bad: ["=", "none"])
        default: preconditionFailure("the format '\(format.name)' needs a sample")
        }
    }

    private static var access: Access {
        var checking = Checking(label: "test")
        let definition = #"$remote_addr [$time_local] "$request" $status $request_time "$http_user_agent""#
        guard let format = Access(Arguments(["nginx": .leaf(Leaf(definition))]), &checking) else { preconditionFailure("the definition is right") }
        return format
    }

    private static var regex: RegexFormat {
        var checking = Checking(label: "test")
        guard let format = RegexFormat(Arguments(["pattern": .leaf(Leaf(#"^(?P<key>\w+)=(?P<value>.*)$"#))]), &checking) else {
            preconditionFailure("the pattern is right")
        }
        return format
    }
}

@Suite("Every format")
struct FormatContractTests {
    private final class Folder {
        let path = NSTemporaryDirectory() + "sluice-formats-\(UUID().uuidString)"

        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(atPath: path) }

        func run(_ bytes: [UInt8], _ format: any Format, as written: any WritableFormat = JSONL()) async throws -> (report: RunReport, output: [UInt8]) {
            try Data(bytes).write(to: URL(filePath: path + "/in"))
            let pipeline = RecordPipeline(
                name: "test", definition: "sha256:0", source: SourceSettings(FileSource([InputFile(path: path + "/in")]), format: format), stages: [],
                sink: SinkSettings(FileSink(PathTemplate(pieces: [.text(path + "/out")])), format: written), deadLetters: path + "/dead.jsonl")
            let report = try await RecordRun(pipeline, options: RunOptions(workers: 2, state: path + "/state")).run()
            #expect(report.balanced)
            #expect(try Audit(report).findings.filter { !$0.holds } == [])
            return (report, try [UInt8](Data(contentsOf: URL(filePath: path + "/out"))))
        }
    }

    @Test("is found by its name and its aliases, and describes how it is written")
    func declared() {
        for format in Formats.all {
            let declaration = format.declaration
            for name in [declaration.name] + declaration.aliases { #expect(Formats.named(name)?.name == declaration.name) }
            #expect(declaration.example.contains(declaration.name))
            #expect(!declaration.summary.hasSuffix("."))
        }
        for format in Formats.writable {
            for ending in format.fileExtensions { #expect(Formats.forFile(endingIn: ending)?.name == format.name) }
        }
    }

    @Test("decodes its records to the fields of its schema, and refuses others with its own code", arguments: FormatSample.all)
    func decodes(sample: FormatSample) async throws {
        let folder = try Folder()
        let text = ([sample.head] + sample.records.map(\.text) + sample.bad).map { $0 + "\n" }.joined()
        let bytes = Array((sample.head.isEmpty ? String(text.dropFirst()) : text).utf8)
        let (report, output) = try await folder.run(bytes, sample.format)
        #expect(String(decoding: output, as: UTF8.self) == sample.records.map { $0.object + "\n" }.joined())
        #expect(report.records == .init(read: sample.records.count + sample.bad.count, written: sample.records.count, dead: sample.bad.count))
        #expect(report.deadLetters.byCode == (sample.bad.isEmpty ? [:] : ["parse.\(sample.format.name)": sample.bad.count]))
    }

    @Test("leaves unknown columns absent", arguments: FormatSample.all)
    func unknownColumns(sample: FormatSample) {
        let columns = ["no such field"] + sample.columns
        let decoder = sample.completed.makeDecoder(columns: columns, spans: false)
        for record in sample.records {
            let row = decode(Array(record.text.utf8), columns: columns, with: decoder)
            #expect(row.outcome == .decoded)
            #expect(row.cells[0] == .absent)
        }
        for record in sample.records {
            #expect(decode(Array(record.text.utf8), with: sample.completed.makeDecoder(columns: [], spans: false)).outcome == .decoded)
        }
    }

    @Test("leaves the cells of a refused record empty, reads at most 64 bytes past any record, and says why", arguments: FormatSample.all, 1...4)
    func fuzz(sample: FormatSample, seed: Int) {
        var random = Seeded(UInt64(seed))
        let columns = sample.columns
        let decoder = sample.completed.makeDecoder(columns: columns, spans: false)
        for _ in 0..<300 {
            var bytes = Array((sample.records.randomElement(using: &random)?.text ?? "").utf8)
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                let place = Int.random(in: 0...bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
                case 1: if place < bytes.count { bytes.remove(at: place) }
                default: if place < bytes.count { bytes[place] = Array("\",\\ \u{1}{}[]-9".utf8).randomElement(using: &random) ?? 0 }
                }
            }
            bytes.removeAll { $0 == 0x0A }
            let row = decode(bytes, columns: columns, filler: UInt8.random(in: 0...255, using: &random), with: decoder)
            if row.outcome == .failed {
                #expect(row.cells.allSatisfy { $0 == .absent })
                #expect(row.code == "parse.\(sample.format.name)")
                #expect(row.message?.isEmpty == false)
            }
        }
    }

    @Test("accounts for every record of random bytes", arguments: FormatSample.all)
    func balances(sample: FormatSample) async throws {
        var random = Seeded(7)
        var bytes = Array((sample.head.isEmpty ? "" : sample.head + "\n").utf8)
        for _ in 0..<2000 {
            bytes += Array((sample.records.randomElement(using: &random)?.text ?? "").utf8)
            if Int.random(in: 0..<3, using: &random) == 0 {
                bytes[Int.random(in: bytes.count / 2..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            bytes.append(0x0A)
        }
        let (report, _) = try await Folder().run(bytes, sample.format)
        #expect(report.records.read > 0)
        #expect(report.records.read == report.records.written + report.records.filtered + report.records.dead)
    }

    @Test("its output is read back unchanged", arguments: FormatSample.all.filter { $0.format is any WritableFormat })
    func readsBack(sample: FormatSample) async throws {
        let writable = try #require(sample.format as? any WritableFormat)
        let folder = try Folder()
        let text = (sample.head.isEmpty ? "" : sample.head + "\n") + sample.records.map { $0.text + "\n" }.joined()
        let (_, written) = try await folder.run(Array(text.utf8), sample.format, as: writable)
        let (_, output) = try await folder.run(written, sample.format)
        #expect(String(decoding: output, as: UTF8.self) == sample.records.map { $0.object + "\n" }.joined())
    }
}
