import Foundation
import Testing

/// Reads what other programs wrote (`Tests/Exchange`, made by `scripts/check-exchange --samples`)
/// with the options that docs/exchange.md names.
@Suite("Files of other programs")
struct ExchangeTests {
    /// A file, and what comes instead of values that the program did not write as they were.
    struct Sample: Sendable, CustomTestStringConvertible {
        var file: String
        var program: String
        var format: String
        var hasSingleColumn: Bool
        var lost: String

        var testDescription: String { "\(file), \(program)" }
    }

    private static let folder = CommandUnderTest.root.appending(path: "Tests/Exchange")
    private static var index: [String: Any] { object(try? Data(contentsOf: folder.appending(path: "index.json"))) }

    static let samples: [Sample] = (index["files"] as? [[String: Any]] ?? []).flatMap { entry -> [Sample] in
        guard let file = entry["file"] as? String, let program = entry["program"] as? String, let format = entry["format"] else { return [] }
        let parts = file.split(separator: ".")
        let lost = text(of: entry["lost"] ?? [:])
        let sample = Sample(file: file, program: program, format: text(of: format), hasSingleColumn: false, lost: lost)
        guard entry["alone"] as? Bool == true else { return [sample] }
        var alone = sample
        (alone.file, alone.hasSingleColumn) = ("\(parts[0])-alone.\(parts[1])", true)
        return [sample, alone]
    }

    @Test("are read as the programs meant them", arguments: samples)
    func read(sample: Sample) throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let path = Self.folder.appending(path: sample.file).path
        let result = try command.run("run", "--files", path, "--format", sample.format, "--progress", "none", "--state", "state")
        // Foundation drops this character from a string, unless it is escaped.
        let output = result.output.replacingOccurrences(of: "\u{FEFF}", with: "\\ufeff", options: .literal)
        let records = output.split(separator: "\n").map { Self.object(Data($0.utf8)) }
        let lost = Self.object(Data(sample.lost.utf8))
        if sample.hasSingleColumn {
            let expected = lost["alone"] as? [Any] ?? Self.index["alone"] as? [Any] ?? []
            #expect(records.map { Self.text(of: $0["value"] ?? NSNull()) } == expected.map(Self.text))
        } else {
            let values = try #require(Self.index["values"] as? [String: Any])
            let names = try #require(Self.index["names"] as? [String])
            var expected: [String] = []
            for (number, name) in names.enumerated() where lost[name] as? String != "no record" {
                let value = try #require(values[name])
                let came = lost[name] as? [Any] ?? [lost[name] ?? value, lost[name] ?? value]
                expected.append("row \(number): \(Self.text(of: came))")
            }
            let found = records.map { "\($0["id"] ?? ""): \(Self.text(of: [$0["first"] ?? NSNull(), $0["last"] ?? NSNull()]))" }
            #expect(found.count == expected.count)
            for (found, expected) in zip(found, expected) { #expect(found == expected) }
        }
        #expect(result.status == (lost.values.contains { $0 as? String == "no record" } && !sample.hasSingleColumn ? 3 : 0))
    }

    @Test("have a row in docs/exchange.md, with the options")
    func page() throws {
        let page = try String(contentsOf: CommandUnderTest.root.appending(path: "docs/exchange.md"), encoding: .utf8)
        #expect(Self.samples.count > 40)
        for sample in Self.samples {
            let options = Self.object(Data(sample.format.utf8)).values.first as? [String: Any] ?? [:]
            let rows = page.split(separator: "\n").filter { $0.hasPrefix("| \(sample.program) |") }
            #expect(rows.contains { row in options.keys.allSatisfy { row.contains("\($0):") } }, "\(sample.testDescription)")
        }
    }

    private static func object(_ json: Data?) -> [String: Any] {
        (json.flatMap { try? JSONSerialization.jsonObject(with: $0) }) as? [String: Any] ?? [:]
    }

    private static func text(of value: Any) -> String {
        let data = try? JSONSerialization.data(withJSONObject: value, options: [.fragmentsAllowed, .sortedKeys])
        return String(decoding: data ?? Data(), as: UTF8.self)
    }
}
