import SluiceRecords
import Testing

@testable import SluiceDefinition

@Suite("Positions of scalars")
struct ScalarPositionsTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// YAML for a map with the single key `k`.
        var yaml: String
        /// A substring of the value.
        var part: String
        var line: Int
        var column: Int
    }

    static let cases = [
        Case(testDescription: "a plain scalar", yaml: "k: status >= 500", part: "500", line: 1, column: 14),
        Case(testDescription: "a plain scalar over two lines", yaml: "k: status >=\n    five", part: "five", line: 2, column: 5),
        Case(testDescription: "single quotes", yaml: "k: 'a == b'", part: "b", line: 1, column: 10),
        Case(testDescription: "a doubled quote in single quotes", yaml: "k: 'a == ''x'' + b'", part: "b", line: 1, column: 18),
        Case(testDescription: "double quotes with escapes", yaml: #"k: "a == \"x\" + \u00e9 + b""#, part: "b", line: 1, column: 27),
        Case(testDescription: "a line break escape in double quotes", yaml: #"k: "a\n== b""#, part: "b", line: 1, column: 11),
        Case(testDescription: "double quotes over two lines", yaml: "k: \"a ==\n  b\"", part: "b", line: 2, column: 3),
        Case(testDescription: "a literal block", yaml: "k: |\n  a == 1\n    && b == 2\n", part: "b", line: 3, column: 8),
        Case(
            testDescription: "a folded block with a comment after its sign", yaml: "k: >-  # note\n   a == 1\n   && bee == 2\n", part: "bee", line: 3, column: 7
        ),
        Case(testDescription: "a scalar with an anchor", yaml: "k: &x a + b", part: "b", line: 1, column: 11),
        Case(testDescription: "a scalar with a tag", yaml: "k: !!str a + b", part: "b", line: 1, column: 14),
        Case(testDescription: "columns count characters, not bytes", yaml: "k: größe + b", part: "b", line: 1, column: 12),
        Case(testDescription: "CRLF line ends", yaml: "j: 1\r\nk: |\r\n  a\r\n  b\r\n", part: "b", line: 4, column: 3),
        Case(testDescription: "a byte order mark", yaml: "\u{FEFF}k: a + b", part: "b", line: 1, column: 8),
        Case(testDescription: "a flow map", yaml: "{j: [x], k: a + b}", part: "b", line: 1, column: 17),
    ]

    @Test("every byte of a value occurs in the file", arguments: cases)
    func found(example: Case) throws {
        let leaf = try leaf("k", of: example.yaml)
        let lower = try #require(leaf.text.utf8.firstRange(of: example.part.utf8)).lowerBound
        let offset = leaf.text.utf8.distance(from: leaf.text.utf8.startIndex, to: lower)
        let place = leaf.place(of: offset..<offset + example.part.utf8.count)
        #expect(place == TextPlace(TextPosition(line: example.line, column: example.column), length: example.part.count))
    }

    @Test("the value of a parameter has the position of its use")
    func substituted() throws {
        let document = YAMLDocument(SourceText("params: {least: 500}\nk: status >= ${least} && bee\n"))
        guard case .map(let map) = try #require(document.root), case .leaf(let leaf) = map["k"] else { return #expect(Bool(false)) }
        var reading = DefinitionReading()
        reading.readParameters(map["params"], settings: [:])
        let result = reading.substituted(leaf)
        #expect(result.text == "status >= 500 && bee")
        #expect(result.place(of: 10..<13).start == TextPosition(line: 2, column: 14))
        #expect(result.place(of: 17..<20) == TextPlace(TextPosition(line: 2, column: 26), length: 3))
    }

    private func leaf(_ key: String, of yaml: String) throws -> Leaf {
        let document = YAMLDocument(SourceText(yaml))
        #expect(document.diagnostics.isEmpty)
        guard case .map(let map) = try #require(document.root), case .leaf(let leaf) = map[key] else {
            throw Missing()
        }
        return leaf
    }

    struct Missing: Error {}
}
