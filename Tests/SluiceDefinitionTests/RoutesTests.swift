import Foundation
import Sluice
import SluiceRecords
import Testing

@testable import SluiceDefinition

@Suite("Routes")
struct RoutesTests {
    /// A route of a generated pipeline.
    struct Route {
        var condition: String?
        var stages: [String]
    }

    static let conditions: [String?] = ["a > 50", "b == 'x'", nil, "a % 3 == 0", "b.startsWith('y') || a < 10", "1000 / a > 20"]
    static let stages = [
        "keep: a % 2 == 0", "drop: b == 'z'", "set: {e: a * 2, b: \"b + '!'\"}", "set: {a: a + 1}", "remove: [c]", "rename: {a: z}", "select: [b, a]",
        "set: {fields: size(record)}", "head: 7", "parse: {field: text, format: jsonl, into: p}",
        "summarize: {by: {b: b}, values: {n: count(), s: sum(a)}}",
    ]

    /// The text of each file, keyed by name. Half of the CSV files have their columns in a
    /// different order.
    static func inputs(_ format: String, _ random: inout some RandomNumberGenerator) -> [String] {
        (0..<4).map { file in
            var lines: [String] = []
            let isTurned = file % 2 == 1
            if format == "csv" { lines.append(isTurned ? "text,c,b,a" : "a,b,c,text") }
            for _ in 0..<400 {
                let (a, b, c) = (Int.random(in: 0...99, using: &random), ["x", "y1", "z"][Int.random(in: 0..<3, using: &random)], "c")
                let text = ["{}", "{\"n\":1}", "none"][Int.random(in: 0..<3, using: &random)]
                let quoted = text.replacing("\"", with: "\"\"")
                switch format {
                case "csv": lines.append(isTurned ? "\"\(quoted)\",\(c),\(b),\(a)" : "\(a),\(b),\(c),\"\(quoted)\"")
                default: lines.append("{\"a\":\(a),\"b\":\"\(b)\",\"c\":\"\(c)\",\"text\":\"\(text.replacing("\"", with: "\\\""))\"}")
                }
            }
            return lines.joined(separator: "\n") + "\n"
        }
    }

    @Test("each writes what a pipeline of its own would write", arguments: 0..<12)
    func likePipelines(seed: Int) async throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let folder = NSTemporaryDirectory() + "sluice-routes-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let format = seed % 2 == 0 ? "jsonl" : "{csv: {types: {a: int}}}"
        for (index, text) in Self.inputs(seed % 2 == 0 ? "jsonl" : "csv", &random).enumerated() {
            try text.write(toFile: "\(folder)/in\(index).txt", atomically: true, encoding: .utf8)
        }
        let match = seed % 4 < 2 ? "first" : "all"
        let trunk = (0..<Int.random(in: 0...1, using: &random)).map { _ in Self.stages[...3].randomElement(using: &random)! }
        let head = "name: test\nsource: {files: \(folder)/in*.txt, format: \(format)}\ndead_letter: \(folder)/dead.jsonl\n"
        let ending = ["jsonl", "csv"].randomElement(using: &random)!
        let routes = (0..<Int.random(in: 1...4, using: &random)).map { _ in
            // A stage may refer to a field that the previous one removed.
            while true {
                let stages = (0..<Int.random(in: 0...3, using: &random)).map { _ in Self.stages.randomElement(using: &random)! }
                let text = head + "stages: \(list(trunk + stages))\nsink: {file: \(folder)/out/x.\(ending)}\n"
                guard PipelineFile(path: "test.yaml", text: text).check().pipeline != nil else { continue }
                return Route(condition: Self.conditions.randomElement(using: &random)!, stages: stages)
            }
        }
        func list(_ stages: [String]) -> String { "[" + stages.map { "{\($0)}" }.joined(separator: ", ") + "]" }
        let divided =
            head + "stages: \(list(trunk))\nmatch: \(match)\nroutes:\n"
            + routes.enumerated().map { index, route in
                let condition = route.condition.map { "when: \"\($0)\", " } ?? ""
                return "  - {name: r\(index), \(condition)stages: \(list(route.stages)), sink: {file: \(folder)/out/r\(index).\(ending)}}\n"
            }.joined()
        let one = try await run(divided, folder, workers: 1)
        let many = try await run(divided, folder, workers: 4)
        #expect(one == many, "\(divided)")
        for (index, route) in routes.enumerated() {
            var stages = trunk
            for (other, before) in routes.enumerated() {
                guard let condition = before.condition else { if match == "first", other < index { stages.append("keep: \"false\"") }; continue }
                if match == "all" { stages.append("keep: \"(\(condition)) ? true : true\"") }
                if match == "first", other < index { stages.append("drop: \"\(condition)\"") }
            }
            if let condition = route.condition { stages.append("keep: \"\(condition)\"") }
            let alone = head + "stages: \(list(stages + route.stages))\nsink: {file: \(folder)/out/r\(index).\(ending)}\n"
            let expected = try await run(alone, folder, workers: 2)
            #expect(one["r\(index).\(ending)"] == expected["r\(index).\(ending)"], "route \(index) of\n\(divided)")
        }
    }

    /// - Returns: the outputs, keyed by name.
    private func run(_ text: String, _ folder: String, workers: Int) async throws -> [String: String] {
        try? FileManager.default.removeItem(atPath: folder + "/out")
        let checked = PipelineFile(path: "test.yaml", text: text).check()
        guard let pipeline = checked.pipeline else { throw Wrong(text: text, diagnostics: checked.rendered()) }
        let report = try await RecordRun(pipeline, options: RunOptions(workers: workers, state: folder + "/state")).run()
        #expect(report.balanced)
        #expect(report.status == .complete || report.status == .losses, "\(report.error ?? "")")
        let wrong = try Audit(report).findings.filter { !$0.holds }
        #expect(wrong == [])
        var outputs: [String: String] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder + "/out") {
            outputs[name] = try String(contentsOfFile: "\(folder)/out/\(name)", encoding: .utf8)
        }
        return outputs
    }
}

private struct Wrong: Error {
    var text: String
    var diagnostics: String
}

/// A deterministic generator: the same seed gives the same numbers.
private struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
