import Foundation
import SluiceCEL
import Testing

/// One line of a `cel` block on the page: an expression and, after `//`, its value or `error: ` and
/// the message.
struct PageExample: Sendable, CustomTestStringConvertible {
    let line: Int
    let expression: String
    let expected: String
    /// The latest JSON block.
    let record: String

    var testDescription: String { "line \(line): \(expression)" }

    static func examples(of page: String) -> [PageExample] {
        var examples: [PageExample] = []
        var record = "{}"
        var language: Substring?
        var block = ""
        for (index, line) in page.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.hasPrefix("```") {
                if language == "json" { record = block }
                language = language == nil ? line.dropFirst(3) : nil
                block = ""
            } else if language == "cel", let mark = line.range(of: " // ", options: .backwards) {
                let expression = line[..<mark.lowerBound].trimmingCharacters(in: .whitespaces)
                let expected = String(line[mark.upperBound...])
                examples.append(PageExample(line: index + 1, expression: expression, expected: expected, record: record))
            } else if language == "cel", !line.isEmpty {
                examples.append(PageExample(line: index + 1, expression: String(line), expected: "a value after ' // '", record: record))
            } else {
                block += line + "\n"
            }
        }
        return examples
    }
}

@Suite("docs/expressions.md")
struct ExpressionsPageTests {
    static let examples: [PageExample] = {
        let page = URL(filePath: #filePath).appending(path: "../../../docs/expressions.md").standardized
        // Without the page there are no examples, and `hasExamples` fails.
        let text = FileManager.default.contents(atPath: page.path).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return PageExample.examples(of: text)
    }()

    @Test("has examples")
    func hasExamples() {
        #expect(Self.examples.count > 100)
    }

    @Test("shows correct values", arguments: examples)
    func example(_ example: PageExample) throws {
        // JSON is CEL.
        guard case .map(let record) = try value(example.record) else {
            Issue.record("the record is no map")
            return
        }
        let program = try Program(example.expression)
        switch program.evaluate(MapLookup(record, for: program)) {
        case .success(let value):
            let expected = try self.value(example.expected)
            #expect(value == expected && value.type == expected.type, "it is \(value)")
        case .failure(let error):
            #expect("error: \(error.message)" == example.expected)
        }
    }

    @Test("shows correct values over cells too", arguments: examples)
    func overCells(_ example: PageExample) throws {
        guard case .map(let record) = try value(example.record) else { return }
        let program = try CellProgram(example.expression)
        let scratch = Scratch()
        var cells = program.slots.map { slot -> Cell in
            switch slot {
            case .field(let name): record[name].map(scratch.cell) ?? .absent
            case .record: scratch.box(.map(record))
            case .sourceFile, .sourceLine, .sourceOffset: .null
            }
        }
        cells.append(.absent)
        let result = program.evaluate(cells, scratch)
        if result.kind == .error {
            #expect("error: \(scratch.takeError().message)" == example.expected)
        } else {
            let expected = try self.value(example.expected)
            let value: Value = result.kind == .absent ? .optional(nil) : try scratch.value(of: result)
            #expect(value == expected || .optional(value) == expected, "it is \(value)")
        }
    }

    private func value(_ text: String) throws -> Value {
        try Program(text, in: .strict()).evaluate(MapLookup(ValueMap(), for: Program("0"))).get()
    }
}
