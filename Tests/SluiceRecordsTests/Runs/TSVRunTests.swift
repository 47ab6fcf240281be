import Foundation
import Sluice
import SluiceCEL
import Testing

@testable import SluiceRecords

/// Complete runs that read and write TSV, in a temporary folder.
@Suite("Runs from and to TSV")
struct TSVRunTests {
    private static func json(_ text: String) -> String {
        let buffer = ByteBuffer(capacity: 64)
        JSONText.write(text, to: buffer)
        return buffer.withFilled { String(decoding: $0, as: UTF8.self) }
    }

    private static func object(_ fields: [(name: String, value: String?)]) -> String {
        "{" + fields.compactMap { field in field.value.map { json(field.name) + ":" + json($0) } }.joined(separator: ",") + "}\n"
    }

    @Test("any text is read back as it was written", arguments: 1...10 as ClosedRange<UInt64>)
    func roundTrip(seed: UInt64) async throws {
        var random = Seeded(seed)
        let pieces = ["a", "é", " ", "\t", "\"", ",", "\n", "\r", "\r\n", "\\", "\\N", "\\t", "#", "\u{FEFF}", "\u{0}", "long long text "]
        func text(_ most: Int) -> String {
            (0..<Int.random(in: 0...most, using: &random)).map { _ in pieces[Int.random(in: 0..<pieces.count, using: &random)] }.joined()
        }
        let count = Int.random(in: 1...5, using: &random)
        var names: [String] = []
        while names.count < count {
            let name = text(3)
            // A single column whose name is only blanks would make the header a blank line.
            if name.contains(where: { $0 != " " }), name.index(in: names) == nil { names.append(name) }
        }
        let records = (0..<300).map { index in
            names.map { (name: $0, value: index > 0 && Int.random(in: 0..<5, using: &random) == 0 ? nil : text(index % 20 == 0 ? 40 : 4)) }
        }
        let expected = records.map { Self.object($0) }.joined()
        let folder = try FormatRunFolder()
        let (written, bytes) = try await folder.run(Array(expected.utf8), JSONL(), as: TSV())
        #expect(written.records == .init(read: 300, written: 300))
        let (report, back) = try await folder.run(bytes, TSV(), as: JSONL())
        #expect(report.records == .init(read: 300, written: 300))
        #expect(String(decoding: back, as: UTF8.self) == expected)
        let (_, again) = try await folder.run(bytes, TSV(), as: TSV())
        #expect(again == bytes)
    }

    @Test("numbers keep their digits, lists and maps are JSON, no value is \\N")
    func values() async throws {
        let text = #"{"a":1.50,"b":12345678901234567890123,"c":[1,"x\ty"],"d":true,"e":"","f":"\"q\""}"# + "\n{\"a\":null}\n"
        let (_, bytes) = try await FormatRunFolder().run(Array(text.utf8), JSONL(), as: TSV())
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == "a\tb\tc\td\te\tf\n1.50\t12345678901234567890123\t" + #"[1,"x\\ty"]"# + "\ttrue\t\t\"q\"\n" + #"\N"# + "\t"
                + Array(repeating: #"\N"#, count: 5).joined(separator: "\t") + "\n")
    }

    @Test("files with or without a header, and ragged rows", arguments: [true, false])
    func headers(hasHead: Bool) async throws {
        let format = hasHead ? TSV() : try TSV.with(["columns": CSVOptions.texts(["x", "y"])])
        let (report, bytes) = try await FormatRunFolder().run(Array("x\ty\r\n1\t2\r\n3\r\n\r\n4\t5\t6".utf8), format, as: JSONL())
        #expect(report.deadLetters.byCode == ["parse.tsv": 2])
        let first = hasHead ? "" : "{\"x\":\"x\",\"y\":\"y\"}\n"
        #expect(String(decoding: bytes, as: UTF8.self) == first + "{\"x\":\"1\",\"y\":\"2\"}\n")
    }

    @Test("records of random bytes are all accounted for", arguments: 1...4 as ClosedRange<UInt64>)
    func fuzz(seed: UInt64) async throws {
        var random = Seeded(seed)
        let alphabet = Array("abc\t\t\\\\tnN\"\n\n\r# ".utf8) + [0xC3, 0xA9, 0xFF, 0x00]
        let bytes = (0..<50_000).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
        let folder = try FormatRunFolder()
        let (report, output) = try await folder.run(Array("a\tb\n".utf8) + bytes, TSV(), as: TSV())
        #expect(report.records.read > 100)
        #expect(report.records.written > 0)
        let (again, second) = try await folder.run(output, TSV(), as: TSV())
        #expect(again.records == .init(read: report.records.written, written: report.records.written))
        #expect(second == output)
    }
}
