import Foundation
import Sluice
import SluiceCEL
import Testing

@testable import SluiceRecords

/// Complete runs that read and write lines, in a temporary folder.
@Suite("Runs from and to lines")
struct LinesRunTests {
    private static func object(_ text: String) -> String {
        let buffer = ByteBuffer(capacity: 64)
        JSONText.write(text, to: buffer)
        return "{\"line\":" + buffer.withFilled { String(decoding: $0, as: UTF8.self) } + "}\n"
    }

    /// Whether a line may have this text. Characters are compared by their bytes, since Swift takes
    /// CR LF for one.
    private static func isLine(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return !bytes.contains(0x0A) && bytes.last != 0x0D && !bytes.starts(with: [0xEF, 0xBB, 0xBF])
    }

    @Test("any text is read back as it was written, or is a dead letter", arguments: 1...10 as ClosedRange<UInt64>)
    func roundTrip(seed: UInt64) async throws {
        var random = Seeded(seed)
        let pieces = ["a", "é", " ", "\t", "\"", "\\", "\\n", "\r", "\u{FEFF}", "\u{0}", "\u{85}", "\u{2028}", "🎉", "long long text "]
        let rare = ["\n", "\r\n"]
        let texts = (0..<400).map { index in
            (0..<Int.random(in: 0...(index % 20 == 0 ? 40 : 4), using: &random)).map { _ in
                let isRare = Int.random(in: 0..<20, using: &random) == 0
                return (isRare ? rare : pieces)[Int.random(in: 0..<(isRare ? rare : pieces).count, using: &random)]
            }.joined()
        }
        let possible = texts.filter(Self.isLine)
        let folder = try FormatRunFolder()
        let (written, bytes) = try await folder.run(Array(texts.map(Self.object).joined().utf8), JSONL(), as: Lines())
        #expect(possible.count > 200 && possible.count < 400)
        #expect(written.records.written == possible.count && written.deadLetters.byCode == ["sink.line": 400 - possible.count])
        let (report, back) = try await folder.run(bytes, Lines(), as: JSONL())
        #expect(report.records == .init(read: possible.count, written: possible.count))
        #expect(String(decoding: back, as: UTF8.self) == possible.map(Self.object).joined())
        #expect(try await folder.run(bytes, Lines(), as: Lines()).output == bytes)
    }

    @Test("lines that no stage changes are refused, too, if they would be read differently")
    func copies() async throws {
        let folder = try FormatRunFolder()
        let input = Array("\u{FEFF}a\r\nb\r\r\n\u{FEFF}c\n\u{FEFF}\n\r\nd".utf8)
        let (report, output) = try await folder.run(input, Lines(), as: Lines())
        #expect(String(decoding: output, as: UTF8.self) == "a\n\nd\n")
        #expect(report.deadLetters.byCode == ["sink.line": 3])
        let letters = try folder.deadLetters
        #expect(letters.count { $0.contains("ends in a carriage return") } == 1)
        #expect(letters.count { $0.contains("begins with a byte order mark") } == 2)
    }
}
