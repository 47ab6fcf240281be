import SluiceCEL
import Testing

/// `é` as one code point, and as `e` with U+0301 after it: equal to Swift, two names to us.
private let (composed, decomposed) = ("\u{E9}", "e\u{301}")

@Suite("Names")
struct NameTests {
    @Test("are equal only if their bytes are")
    func equality() {
        #expect(composed == decomposed, "what this is all about")
        #expect(Name(composed) != Name(decomposed))
        #expect(Name(composed) == Name("\u{E9}"))
        #expect(!composed.isSame(as: decomposed))
        #expect([composed].containsSame(as: composed))
        #expect(![composed].containsSame(as: decomposed))
        #expect(Set([Name(composed), Name(decomposed), Name(composed)]).count == 2)
    }

    @Test("sort by their bytes")
    func order() {
        let names = ["\u{1F600}", "\u{FB01}", composed, decomposed, "z", "Z", ""]
        #expect(names.map { Name($0) }.sorted().map(\.text) == names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    }

    @Test("of fields that an expression reads are told apart")
    func fields() throws {
        let program = try Program("record['\(decomposed)'] + record['\(composed)'] * 10")
        #expect(program.fields.map { Array($0.utf8) } == [Array(decomposed.utf8), Array(composed.utf8)])
        let record: ValueMap = [composed: .int(1), decomposed: .int(2)]
        #expect(try program.evaluate(MapLookup(record, for: program)).get() == .int(12))
    }

    @Test("of an environment are told apart")
    func environment() throws {
        var environment = Environment(fields: .known([Name(composed): .int]))
        #expect(throws: Diagnostics.self) { try Program("record.`\(decomposed)`", in: environment) }
        environment.constants[Name(composed)] = .int(5)
        #expect(throws: Diagnostics.self) { try Program("`\(decomposed)`", in: environment) }
        #expect(try Program("`\(composed)`", in: environment).type == .int)
    }

    @Test(
        "in data: text is compared, looked up and cut by code points",
        arguments: [
            ("'\(composed)' == '\(decomposed)'", Value.bool(false)),
            ("'\(composed)' != '\(decomposed)'", .bool(true)),
            ("'\(decomposed)' < '\(composed)'", .bool(true)),
            ("'\(composed)' <= '\(decomposed)'", .bool(false)),
            ("'\(composed)' in ['\(decomposed)']", .bool(false)),
            ("'\(composed)' in {'\(decomposed)': 1}", .bool(false)),
            ("{'\(composed)': 1, '\(decomposed)': 2}['\(composed)']", .int(1)),
            ("{'\(composed)': 1}.?`\(decomposed)`.hasValue()", .bool(false)),
            ("['\(composed)', '\(decomposed)'].distinct().size()", .int(2)),
            ("sets.contains(['\(composed)'], ['\(decomposed)'])", .bool(false)),
            ("['\(composed)', '\(decomposed)', 'z'].sort()[0]", .string(decomposed)),
            ("'\(decomposed)'.startsWith('e')", .bool(true)),
            ("'\(composed)'.startsWith('\(decomposed)')", .bool(false)),
            ("'\(decomposed)'.endsWith('\u{301}')", .bool(true)),
            ("'\(decomposed)'.contains('\u{301}')", .bool(true)),
            ("'\(composed)'.contains('e')", .bool(false)),
            ("'\(decomposed)'.indexOf('\u{301}')", .int(1)),
            ("'\(decomposed)'.size()", .int(2)),
            ("'\(composed)'.replace('\(decomposed)', 'x')", .string(composed)),
            ("'a\(decomposed)b'.split('\(composed)').size()", .int(1)),
            ("'\\r\\n'.size()", .int(2)),
            ("'\\r\\n'.contains('\\n')", .bool(true)),
            ("'/\u{301}'.split('/').size()", .int(2)),
            ("'\u{212A}' == 'K'", .bool(false)),
            ("parse_url('http://\u{301}x/').host", .string("\u{301}x")),
            ("parse_query('?\u{301}a=1')['\u{301}a']", .string("1")),
        ])
    func data(_ expression: String, _ expected: Value) throws {
        let program = try Program(expression)
        #expect(try program.evaluate(MapLookup([:], for: program)).get() == expected)
    }
}
