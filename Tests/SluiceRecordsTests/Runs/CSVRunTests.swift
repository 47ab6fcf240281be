import Foundation
import Sluice
import SluiceCEL
import Testing

@testable import SluiceRecords

/// Complete runs that read and write CSV, in a temporary folder.
@Suite("Runs from and to CSV")
struct CSVRunTests {
    private final class Folder {
        let path = NSTemporaryDirectory() + "sluice-csv-\(UUID().uuidString)"

        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(atPath: path) }

        func write(_ bytes: [UInt8], to name: String) throws -> InputFile {
            try Data(bytes).write(to: URL(filePath: path + "/" + name))
            return InputFile(path: path + "/" + name)
        }

        /// The contents of an output, decompressed if it is compressed.
        func text(of name: String) throws -> String {
            let bytes = try [UInt8](Data(contentsOf: URL(filePath: path + "/" + name)))
            let read = try ReadAll(bytes, framing: .lines, name: name)
            return read.texts.map { $0 + "\n" }.joined()
        }

        /// Runs the stages over the inputs; the output is the sink's name in `out/`.
        func run(
            _ inputs: [InputFile], _ format: any Format, _ stages: [any Verb] = [], into name: String = "out.csv", as written: any WritableFormat,
            columns: [String]? = nil, key: String? = nil, workers: Int = 2
        ) async throws -> RunReport {
            var pieces: [PathTemplate.Piece] = [.text(path + "/out/")]
            if let key { pieces += [.value(try CellProgram(key)), .text("/")] }
            let sink = FileSink(PathTemplate(pieces: pieces + [.text(name)]), compression: name.hasSuffix(".gz") ? .standard : nil)
            let pipeline = RecordPipeline(
                name: "test", definition: "sha256:0", source: SourceSettings(FileSource(inputs), format: format),
                stages: stages.enumerated().map { RecordStage(name: "stage-\($0)", verb: $1) },
                sink: SinkSettings(sink, format: written, columns: columns), deadLetters: path + "/dead.jsonl")
            let report = try await RecordRun(pipeline, options: RunOptions(workers: workers, state: path + "/state")).run()
            #expect(report.balanced)
            #expect(try Audit(report).findings.filter { !$0.holds } == [])
            return report
        }

        var deadLetters: [String] {
            get throws { try text(of: "dead.jsonl").split(separator: "\n").map(String.init) }
        }
    }

    private static func json(_ text: String) -> String {
        let buffer = ByteBuffer(capacity: 64)
        JSONText.write(text, to: buffer)
        return buffer.withFilled { String(decoding: $0, as: UTF8.self) }
    }

    private static func object(_ fields: [(name: String, value: String?)], nulls: Bool = false) -> String {
        let members = fields.compactMap { field -> String? in
            field.value.map { json(field.name) + ":" + json($0) } ?? (nulls ? json(field.name) + ":null" : nil)
        }
        return "{" + members.joined(separator: ",") + "}\n"
    }

    @Test("any text is read back as it was written", arguments: 1...12 as ClosedRange<UInt64>)
    func roundTrip(seed: UInt64) async throws {
        var random = Seeded(seed)
        let pieces = [
            "a", "é", " ", "\t", "\"", "\"\"", ",", ";", "\n", "\r", "\r\n", "\\", "\\N", "NA", "#", "\\.", "\u{FEFF}", "'", "=1", "0", "\u{0}",
            "long long text ",
        ]
        func text(_ most: Int) -> String {
            (0..<Int.random(in: 0...most, using: &random)).map { _ in pieces[Int.random(in: 0..<pieces.count, using: &random)] }.joined()
        }
        var names: [String] = []
        while names.count < Int.random(in: 1...5, using: &random) || names.isEmpty {
            let name = text(3)
            if !name.isEmpty, name.index(in: names) == nil { names.append(name) }
        }
        let records = (0..<300).map { index in
            names.map { (name: $0, value: index > 0 && Int.random(in: 0..<5, using: &random) == 0 ? nil : text(index % 20 == 0 ? 40 : 4)) }
        }
        var options: [String: Argument] = [:]
        if Bool.random(using: &random) { options["separator"] = CSVOptions.text(";") }
        if Bool.random(using: &random) { options["escape"] = CSVOptions.text("\\") }
        if Bool.random(using: &random) { options["nulls"] = CSVOptions.texts(["\\N", "NA"]) }
        if Bool.random(using: &random) { options["quote"] = CSVOptions.text("'") }
        let reading = try CSV.with(options)
        options["quoting"] = CSVOptions.text(["minimal", "all", "nonnumeric"][Int.random(in: 0..<3, using: &random)])
        let writing = try CSV.with(options)
        let folder = try Folder()
        let input = try folder.write(Array(records.map { Self.object($0, nulls: Bool.random(using: &random)) }.joined().utf8), to: "in.jsonl")
        let written = try await folder.run([input], JSONL(), as: writing)
        #expect(written.records == .init(read: 300, written: 300))
        let report = try await folder.run([InputFile(path: folder.path + "/out/out.csv")], reading, into: "back.jsonl", as: JSONL())
        #expect(report.records == .init(read: 300, written: 300))
        #expect(try folder.text(of: "out/back.jsonl") == records.map { Self.object($0) }.joined())
    }

    @Test("values of every kind, and quotes by the option", arguments: ["minimal", "all", "nonnumeric"])
    func kinds(quoting: String) async throws {
        let folder = try Folder()
        let stage = SetFields(
            try [
                ("i", "1"), ("d", "2.0"), ("n", "double('NaN')"), ("t", "timestamp('2025-10-10T13:55:36.5Z')"), ("u", "duration('90s')"), ("b", "true"),
                ("x", "b'\\xff'"), ("l", "[1, 'a']"), ("m", "{'k': ip('::1')}"), ("a", "ip('10.0.0.1')"), ("e", "''"), ("z", "null"), ("s", "'x,y'"),
            ].map { ($0.0, try CellProgram($0.1)) })
        let input = try folder.write(Array("v\n7\n".utf8), to: "in.csv")
        let report = try await folder.run([input], CSV(), [stage], as: CSV.with(["quoting": CSVOptions.text(quoting)]))
        #expect(report.records.written == 1)
        let bytes = try [UInt8](Data(contentsOf: URL(filePath: folder.path + "/out/out.csv")))
        let lines = bytes.split(separator: 0x0A)
        let row = Array(lines[1])
        let expected =
            switch quoting {
            case "minimal": #"7,1,2.0,NaN,2025-10-10T13:55:36.5Z,90s,true,\#u{1},"[1,""a""]","{""k"":""::1""}",10.0.0.1,"",,"x,y""#
            case "all": #""7","1","2.0","NaN","2025-10-10T13:55:36.5Z","90s","true","\#u{1}","[1,""a""]","{""k"":""::1""}","10.0.0.1","",,"x,y""#
            default: #""7",1,2.0,NaN,"2025-10-10T13:55:36.5Z","90s","true","\#u{1}","[1,""a""]","{""k"":""::1""}","10.0.0.1","",,"x,y""#
            }
        #expect(row.map { $0 == 0xFF ? 1 : $0 } == Array(expected.utf8))
        let head = "v,i,d,n,t,u,b,x,l,m,a,e,z,s"
        #expect(
            String(decoding: lines[0], as: UTF8.self) == (quoting == "minimal" ? head : head.split(separator: ",").map { "\"\($0)\"" }.joined(separator: ",")))
    }

    @Test("a separator that occurs in numbers")
    func awkwardSeparator() async throws {
        let folder = try Folder()
        let input = try folder.write(Array("{\"a\":1.5,\"b\":-2,\"c\":\"x\"}\n".utf8), to: "in.jsonl")
        _ = try await folder.run([input], JSONL(), as: CSV.with(["separator": CSVOptions.text(".")]))
        #expect(try folder.text(of: "out/out.csv") == "a.b.c\n\"1.5\".-2.x\n")
    }

    @Test("numbers of JSON keep their digits, lists and maps are JSON")
    func digits() async throws {
        let folder = try Folder()
        let text = #"{"a":1.50,"b":12345678901234567890123,"c":1e2,"d":[1, {"x": "y"}],"\u0065":"\u00e9\n"}"#
        let input = try folder.write(Array(text.utf8), to: "in.jsonl")
        _ = try await folder.run([input], JSONL(), [SetFields([("f", CellProgram("a + 1.0"))])], as: CSV())
        #expect(try folder.text(of: "out/out.csv") == "a,b,c,d,e,f\n1.50,12345678901234567890123,1e2,\"[1, {\"\"x\"\": \"\"y\"\"}]\",\"é\n\",2.5\n")
    }

    @Test("the columns are those of the first records; a later field is a dead letter", arguments: [1, 8])
    func lateField(workers: Int) async throws {
        let folder = try Folder()
        let early = (0..<30_000).map { #"{"n":\#($0),"text":"some text to fill a batch \#($0)"}"# + "\n" }.joined()
        let late = early + "{\"late\":1,\"n\":7}\n{\"late\":null,\"n\":8}\n{}\n{\"text\":\"t\"}\n"
        let input = try folder.write(Array(("{\"m\":1}\n" + late).utf8), to: "in.jsonl")
        let report = try await folder.run([input], JSONL(), into: "out.csv.gz", as: CSV(), workers: workers)
        #expect(report.deadLetters.byCode == ["sink.columns": 1])
        let lines = try folder.text(of: "out/out.csv.gz").split(separator: "\n")
        #expect(lines.prefix(3) == ["m,n,text", "1,,", ",0,some text to fill a batch 0"])
        #expect(lines.suffix(3) == [",8,", ",,", ",,t"])
        #expect(try folder.deadLetters[0].contains("the output has no column 'late', because its first records had no such field"))
    }

    @Test("each output has the columns of its own first records", arguments: [1, 8])
    func partitions(workers: Int) async throws {
        let folder = try Folder()
        let text =
            (0..<20_000).map { index in
                let extra = index % 3 == 0 ? "" : #","f\#(index % 3)":"\#(index)""#
                return #"{"k":"p\#(index % 3)","filler":"some text to fill a batch, some more text to fill it"\#(extra)}"# + "\n"
            }.joined() + #"{"k":"p0","f1":"late"}"# + "\n" + #"{"k":7}"# + "\n"
        let input = try folder.write(Array(text.utf8), to: "in.jsonl")
        let report = try await folder.run([input], JSONL(), as: CSV(), key: "record.k.matches('p') ? k : 'other'", workers: workers)
        #expect(report.records.written == 20_000)
        #expect(report.deadLetters.byCode["sink.columns"] == 1)
        #expect(try folder.text(of: "out/p0/out.csv").hasPrefix("k,filler\np0,"))
        #expect(try folder.text(of: "out/p1/out.csv").hasPrefix("k,filler,f1\np1,"))
        #expect(try folder.text(of: "out/p2/out.csv").hasPrefix("k,filler,f2\np2,"))
    }

    @Test("files with headers of their own: columns by name, what has none is a dead letter where it has a value")
    func ownHeaders() async throws {
        let folder = try Folder()
        let inputs = try [
            folder.write(Array("a,b\n1,2\n".utf8), to: "1.csv"), folder.write(Array("b,a\n3,4\n".utf8), to: "2.csv"),
            folder.write(Array("c,a\n,5\n6,7\n".utf8), to: "3.csv"),
        ]
        let report = try await folder.run(inputs, CSV(), as: CSV())
        #expect(try folder.text(of: "out/out.csv") == "a,b\n1,2\n4,3\n5,\n")
        #expect(report.deadLetters.byCode == ["sink.columns": 1])
        let back = try await folder.run(inputs, CSV(), into: "out.jsonl", as: JSONL())
        #expect(back.records.written == 4)
        #expect(try folder.text(of: "out/out.jsonl") == "{\"a\":\"1\",\"b\":\"2\"}\n{\"b\":\"3\",\"a\":\"4\"}\n{\"a\":\"5\"}\n{\"c\":\"6\",\"a\":\"7\"}\n")
    }

    @Test("only the columns of the definition are written")
    func chosenColumns() async throws {
        let folder = try Folder()
        let input = try folder.write(Array("{\"a\":1,\"b\":2,\"c\":3}\n{\"c\":4}\n".utf8), to: "in.jsonl")
        let chosen = try CSV.with(["columns": CSVOptions.texts(["c", "x", "a"])])
        _ = try await folder.run([input], JSONL(), as: chosen)
        #expect(try folder.text(of: "out/out.csv") == "c,x,a\n3,,1\n4,,\n")
        let table = try folder.write(Array("a,b,c\n1,2,3\n".utf8), to: "in.csv")
        _ = try await folder.run([table], CSV(), as: chosen)
        #expect(try folder.text(of: "out/out.csv") == "c,x,a\n3,,1\n")
        _ = try await folder.run([table], CSV(), as: CSV.with(["header": CSVOptions.flag(false)]))
        #expect(try folder.text(of: "out/out.csv") == "1,2,3\n")
    }

    @Test("an output without records has its header where the fields are known", arguments: ["out.csv", "out.csv.gz"])
    func emptyOutputs(name: String) async throws {
        let folder = try Folder()
        let head = try folder.write(Array("a,\"b c\"\n".utf8), to: "head.csv")
        _ = try await folder.run([head], CSV(), into: name, as: CSV())
        #expect(try folder.text(of: "out/" + name) == "a,b c\n")
        let rows = try folder.write(Array("a\n1\n".utf8), to: "rows.csv")
        _ = try await folder.run([rows], CSV(), [Drop(CellProgram("true"))], into: name, as: CSV())
        #expect(try folder.text(of: "out/" + name) == "a\n")
        let none = try folder.write([], to: "none.txt")
        _ = try await folder.run([none], Lines(), into: name, as: CSV(), columns: ["line"])
        #expect(try folder.text(of: "out/" + name) == "line\n")
        _ = try await folder.run([none], JSONL(), into: name, as: CSV())
        #expect(try folder.text(of: "out/" + name) == "")
    }

    @Test("a file whose header is lost or wrong gives only dead letters")
    func badHeaders() async throws {
        let folder = try Folder()
        let wrong = try folder.write(Array("\"a\"x,b\n1,2\n".utf8), to: "wrong.csv")
        let lost = try folder.write(Array(GzipSamples.member("a,b\n1,2\n").prefix(13)) + GzipSamples.member("1,2\n3,4\n"), to: "lost.csv.gz")
        let good = try folder.write(Array("a,b\n5,6\n".utf8), to: "good.csv")
        let report = try await folder.run([wrong, lost, good], CSV(), as: CSV())
        #expect(report.records == .init(read: 5, written: 1, dead: 4))
        #expect(report.deadLetters.byCode["record.torn"] == 1)
        #expect(try folder.text(of: "out/out.csv") == "a,b\n5,6\n")
        #expect(
            try folder.deadLetters.filter { $0.contains("the file's header cannot be read: expected ',' after the closing quote at byte 3, found 'x'") }.count
                == 2)
        #expect(try folder.deadLetters[3].contains("the file's header was lost to damage"))
    }

    @Test("a field of a record may contain fields")
    func parsed() async throws {
        let folder = try Folder()
        let input = try folder.write(Array("{\"line\":\"1,\\\"a\\nb\\\"\",\"n\":1}\n{\"line\":\"1,2,3\"}\n".utf8), to: "in.jsonl")
        let format = try CSV.with(["columns": CSVOptions.texts(["id", "name"]), "types": CSVOptions.entries(["id": "int"])])
        let report = try await folder.run([input], JSONL(), [Parse(field: "line", format: format)], into: "out.jsonl", as: JSONL())
        #expect(try folder.text(of: "out/out.jsonl") == #"{"line":"1,\"a\nb\"","n":1,"id":1,"name":"a\nb"}"# + "\n")
        #expect(report.deadLetters.byCode == ["parse.csv": 1])
        #expect(try folder.deadLetters[0].contains("field 'line': the record has 3 fields, but 'columns' has 2"))
    }

    @Test("records of random bytes are all accounted for", arguments: 1...6 as ClosedRange<UInt64>)
    func fuzz(seed: UInt64) async throws {
        var random = Seeded(seed)
        let alphabet = Array("abc,,,\"\"\n\n\r;\\# ".utf8) + [0xC3, 0xA9, 0xFF, 0x00]
        let bytes = (0..<50_000).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
        let folder = try Folder()
        let input = try folder.write(Array("a,b\n".utf8) + bytes, to: "in.csv")
        let report = try await folder.run([input], CSV(), as: CSV())
        #expect(report.records.read > 100)
        #expect(report.records.written > 0)
        let again = try await folder.run([InputFile(path: folder.path + "/out/out.csv")], CSV(), into: "again.csv", as: CSV())
        #expect(again.records == .init(read: report.records.written, written: report.records.written))
        let first = try Data(contentsOf: URL(filePath: folder.path + "/out/out.csv"))
        #expect(try Data(contentsOf: URL(filePath: folder.path + "/out/again.csv")) == first)
    }
}
