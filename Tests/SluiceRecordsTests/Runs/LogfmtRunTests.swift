import Foundation
import Sluice
import SluiceCEL
import Testing

@testable import SluiceRecords

/// Complete runs that read and write logfmt, in a temporary folder.
@Suite("Runs from and to logfmt")
struct LogfmtRunTests {
    private static func json(_ text: String) -> String {
        let buffer = ByteBuffer(capacity: 64)
        JSONText.write(text, to: buffer)
        return buffer.withFilled { String(decoding: $0, as: UTF8.self) }
    }

    @Test("text fields are read back as they were written", arguments: 1...10 as ClosedRange<UInt64>)
    func roundTrip(seed: UInt64) async throws {
        var random = Seeded(seed)
        let pieces = ["a", "é", " ", "\t", "\"", "=", "\n", "\r", "\\", "\\n", "\\u00e9", "null", "true", "\u{0}", "\u{1F}", "\u{7F}", "long long text "]
        let keys = ["a", "é", ".", "\\", "[0]", "#", "'", "k"]
        func text(of pieces: [String], _ counts: ClosedRange<Int>) -> String {
            (0..<Int.random(in: counts, using: &random)).map { _ in pieces[Int.random(in: 0..<pieces.count, using: &random)] }.joined()
        }
        var expected = ""
        for _ in 0..<300 {
            var names: [String] = []
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let name = text(of: keys, 1...3)
                if name.index(in: names) == nil { names.append(name) }
            }
            expected += "{" + names.map { Self.json($0) + ":" + Self.json(text(of: pieces, 0...4)) }.joined(separator: ",") + "}\n"
        }
        let folder = try FormatRunFolder()
        let (written, bytes) = try await folder.run(Array(expected.utf8), JSONL(), as: Logfmt())
        #expect(written.records == .init(read: 300, written: 300))
        let (report, back) = try await folder.run(bytes, Logfmt(), as: JSONL())
        #expect(report.records == .init(read: 300, written: 300))
        #expect(String(decoding: back, as: UTF8.self) == expected)
        #expect(try await folder.run(bytes, Logfmt(), as: Logfmt()).output == bytes)
    }

    @Test("values that are not text: numbers with their digits, no null, lists and maps as JSON")
    func values() async throws {
        let text = #"{"a":1.50,"b":12345678901234567890123,"c":[1,"x y"],"d":true,"e":"","f":null,"g":"x=y","h":{"k":1}}"# + "\n"
        let written = try await FormatRunFolder().run(text, JSONL(), as: Logfmt())
        #expect(written == #"a=1.50 b=12345678901234567890123 c="[1,\"x y\"]" d=true e="" g="x=y" h="{\"k\":1}""# + "\n")
    }

    @Test("a record that logfmt cannot hold is a dead letter")
    func impossible() async throws {
        let folder = try FormatRunFolder()
        let text = [
            #"{"a b":1}"#, #"{"a=":1}"#, #"{"":1}"#, #"{"a\u0001":1}"#, #"{"\"":1}"#, #"{"\ufeffa":1}"#, #"{"a":null}"#, #"{}"#, #"{"a":1,"a b":null}"#,
        ]
        let (report, output) = try await folder.run(Array(text.map { $0 + "\n" }.joined().utf8), JSONL(), as: Logfmt())
        #expect(String(decoding: output, as: UTF8.self) == "a=1\n")
        #expect(report.deadLetters.byCode == ["sink.field": 8])
        let letters = try folder.deadLetters
        let messages = [
            "'a b': its name contains a blank", "'a=': its name contains '='", "'': its name is empty", "its name contains a control character",
            "its name contains a quote", "its name begins with a byte order mark", "the record has no value", "the record has no value",
        ]
        for (letter, message) in zip(letters, messages) { #expect(letter.contains(message), "\(letter)") }
    }

    @Test("records that no stage changes are written as they were read, others as few quotes as they need")
    func copies() async throws {
        let folder = try FormatRunFolder()
        let text = "a=1   b=\"x\"  flag\r\nlevel=warn\n"
        #expect(try await folder.run(text, Logfmt(), [Keep(CellProgram("has(record.a)"))], as: Logfmt()) == "a=1   b=\"x\"  flag\n")
        #expect(
            try await folder.run(text, Logfmt(), [SetFields([("b", CellProgram("'y z'"))])], as: Logfmt()) == "a=1 b=\"y z\" flag=true\nlevel=warn b=\"y z\"\n")
        #expect(try await folder.run("a=1 b=2 a=3\n", Logfmt(), as: JSONL()) == "{\"b\":\"2\",\"a\":\"3\"}\n")
        #expect(try await folder.run("a=1 b=2 a=3\n", Logfmt(), as: CSV()) == "b,a\n2,3\n")
    }

    @Test("a field of a record may be logfmt")
    func parsed() async throws {
        let folder = try FormatRunFolder()
        let text = #"{"line":"a=1 b=\"x y\" a=2","b":0}"# + "\n" + #"{"line":"=","b":0}"# + "\n" + #"{"line":" ","b":0}"# + "\n"
        let merged = try await folder.run(text, JSONL(), [Parse(field: "line", format: Logfmt())], as: JSONL())
        #expect(merged == #"{"line":"a=1 b=\"x y\" a=2","b":"x y","a":"2"}"# + "\n" + #"{"line":" ","b":0}"# + "\n")
        #expect(try folder.deadLetters[0].contains("field 'line': expected a key at byte 0, found '='"))
        let nested = try await folder.run(text, JSONL(), [Parse(field: "line", format: Logfmt(), into: "m"), Remove(["line"])], as: JSONL())
        #expect(nested == #"{"b":0,"m":{"b":"x y","a":"2"}}"# + "\n" + #"{"b":0,"m":null}"# + "\n")
    }

    @Test("dead letters have the bytes that were read, and the fields as they reached the stage")
    func deadLetters() async throws {
        let folder = try FormatRunFolder()
        _ = try await folder.run(Array("a=x  b=\"1\"\n".utf8), Logfmt(), [Keep(CellProgram("int(a) > 1"))], as: Logfmt())
        let letter = try folder.deadLetters[0]
        #expect(letter.contains(#""raw":"a=x  b=\"1\"""#))
        #expect(letter.contains(#""record":{"a":"x","b":"1"}"#))
    }

    @Test("records of random bytes are all accounted for, and read back", arguments: 1...6 as ClosedRange<UInt64>)
    func fuzz(seed: UInt64) async throws {
        var random = Seeded(seed)
        let alphabet = Array("abbc===  \"\"\n\n\r\t\\\\xu0'".utf8) + [0xC3, 0xA9, 0xFF, 0x00]
        let bytes = (0..<50_000).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
        let folder = try FormatRunFolder()
        let (report, first) = try await folder.run(bytes, Logfmt(), as: JSONL())
        #expect(report.records.read > 100)
        #expect(report.records.written > 100)
        // A key without a value is written as `key=true`, whose value is text.
        let texts = String(decoding: first, as: UTF8.self).replacing("\":true", with: "\":\"true\"")
        let written = try await folder.run(texts, JSONL(), as: Logfmt())
        let (again, back) = try await folder.run(Array(written.utf8), Logfmt(), as: JSONL())
        #expect(again.records == .init(read: report.records.written, written: report.records.written))
        let unescaped = { (text: [UInt8]) in Value.all(in: text) }
        #expect(unescaped(back) == unescaped(Array(texts.utf8)))
    }
}

extension Value {
    fileprivate static func all(in lines: [UInt8]) -> [Value?] {
        lines.split(separator: 0x0A).map { Value(json: String(decoding: $0, as: UTF8.self)) }
    }
}
