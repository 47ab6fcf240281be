import Foundation
import Testing

@testable import SluiceRecords

/// Reports are written in pieces, but as one encoder would write them.
@Suite("The text of a report")
struct ReportTextTests {
    private static let names = [
        "in/1.jsonl", "", "a \"b\" \\c/d", "tab\tand\u{0}\u{1F}\u{7F}\r\n", "é\u{2028}\u{1F600}e\u{301}", String(repeating: "long/", count: 300),
    ]

    private static func input(_ number: Int) -> RunReport.Input {
        var damage = Damage(kind: .truncated, offset: UInt64.max, member: number, lostBytes: 5, lostText: 0)
        damage.file = number % 2 == 0 ? names[number % names.count] : nil
        var archive = SluiceRecords.ArchiveContents()
        (archive.files, archive.skipped) = (number, number % 4 == 0 ? [:] : ["symbolic links": 1, "Folders": 2, "folders": 3, "10": 1, "9": number])
        return RunReport.Input(
            file: names[number % names.count], bytes: UInt64(number) << 50, members: number, records: number * 7, written: 1, filtered: 0,
            dead: number % 3, absorbed: -1, added: Int.max,
            damage: number % 5 == 0 ? [damage, damage].map { RunReport.DamageRecord($0) } : [], whole: number % 7 != 0,
            endsDigest: number % 3 == 0 ? nil : DigestText(number % 3 == 1 ? Digest.of("\(number)") : names[number % names.count]),
            version: number % 3 == 0 ? names[number % names.count] : nil,
            archive: number % 4 < 2 ? nil : RunReport.ArchiveContents(archive), note: number % 6 == 0 ? names[3] : nil)
    }

    private static func report(inputs: Int) -> RunReport {
        RunReport(
            pipeline: "text", definition: "sha256:0", status: .losses, balanced: true, elapsedSeconds: 0.1, records: RunReport.Records(),
            inputs: (0..<inputs).map(input), stages: [], outputs: [],
            deadLetters: RunReport.DeadLetters(file: "dead", records: 0, byCode: ["inputs": 1]), error: "\n  \"inputs\" : [\n\n  ]")
    }

    private static func encoded(_ report: RunReport) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(report)) + [UInt8(ascii: "\n")]
    }

    @Test("has the bytes that an encoder gives", arguments: [0, 1, 2, 500])
    func bytes(inputs: Int) throws {
        var report = Self.report(inputs: inputs)
        let text = try ReportText(report)
        #expect(text.digest == "sha256:" + Digest.of(String(decoding: try Self.encoded(report), as: UTF8.self)))
        report.digest = text.digest
        #expect(String(decoding: text.bytes, as: UTF8.self) == String(decoding: try Self.encoded(report), as: UTF8.self))
        var pieces: [UInt8] = []
        text.forEachPiece { pieces += $0 }
        #expect(pieces == text.bytes)
        #expect(pieces.count == text.byteCount)
        #expect(try ReportText(report).digest == text.digest)
    }

    @Test("is read as it was written")
    func roundTrip() throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        let report = Self.report(inputs: 30)
        try report.write(to: "\(folder.path)/report.json")
        let read = try RunReport(contentsOf: "\(folder.path)/report.json")
        #expect(read.inputs.map(\.ends) == report.inputs.map(\.ends))
        #expect(try ReportText(read).bytes == ReportText(report).bytes)
        #expect(read.digest == read.ownDigest)
    }

    @Test("a digest's text stays the same", arguments: names + ["0123456789abcdef", String(repeating: "0", count: 64), String(repeating: "F", count: 64)])
    func digest(text: String) throws {
        for text in [text, Digest.of(text)] {
            #expect(DigestText(text).text == text)
            #expect(try JSONDecoder().decode([DigestText].self, from: JSONEncoder().encode([text])) == [DigestText(text)])
        }
        #expect(MemoryLayout<DigestText?>.stride == 40)
    }
}
