import Testing

@testable import sluice

@Suite("sluice eval")
struct EvalTests {
    private let record = #"{"status": 503, "path": "/api/v1", "big": 12345678901234567890, "tags": ["a", null], "server": {"name": "é"}}"#

    @Test(
        "prints values as JSON",
        arguments: [
            ("1 + 2 * 3", "7"), ("status >= 500 && path.startsWith('/api')", "true"), ("path + '?'", "\"/api/v1?\""), ("big", "12345678901234567890"),
            ("tags", "[\"a\",null]"), ("server.name", "\"é\""), ("{'a': [1, 2.5], 'b': null}", "{\"a\":[1,2.5],\"b\":null}"),
            ("timestamp('2024-02-29T12:00:00Z')", "\"2024-02-29T12:00:00Z\""), ("record.?nope", "null"), ("size(record)", "5"), ("b'hi'", "\"aGk=\""),
        ])
    func json(expression: String, expected: String) {
        #expect(ExpressionEvaluation(expression, record: record, isTyped: false).outcome == .value(expected))
    }

    @Test(
        "prints values in the notation of the language, with their type",
        arguments: [
            ("status", "503 : int"), ("2u", "2u : uint"), ("status / 2.0", "251.5 : double"), ("path", "\"/api/v1\" : string"),
            ("optional.of(1)", "optional.of(1) : optional_type(dyn)"), ("duration('90m')", "duration(\"5400s\") : duration"),
        ])
    func typed(expression: String, expected: String) {
        #expect(ExpressionEvaluation(expression, record: record, isTyped: true).outcome == .value(expected))
    }

    @Test("says why there is no value, with a caret below the position and a suggestion")
    func noValue() {
        let outcome = ExpressionEvaluation("path != '' && statsu > 1", record: record, isTyped: false).outcome
        let expected = """
            no such field 'statsu'
              path != '' && statsu > 1
                            ^~~~~~
            did you mean 'status'?

            """
        #expect(outcome == .noValue(expected))
    }

    @Test("reports everything that does not compile, on its line")
    func wrong() {
        let outcome = ExpressionEvaluation("status\n  + foo(1) * 'é'.sise()", record: nil, isTyped: false).outcome
        guard case .wrong(let message) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        let lines = message.split(separator: "\n").map(String.init)
        #expect(lines.count(where: { $0.hasPrefix("    + foo(1)") }) == 2)
        #expect(lines.contains("      ^~~") || lines.contains("      ^~~~~~"))
        #expect(message.contains("did you mean 'size'?"))
    }

    @Test(
        "gives the fixes that check gives, before and after there are values",
        arguments: [
            ("status > 500 and path != ''", "write && instead of 'and'"), ("not (status > 500)", "write ! instead of 'not': !(…)"),
            ("len(path) > 3", "use size(x) for the length of text, a list or a map"), ("status = 500", "use == to compare"),
            (#"path.matches('\S+')"#, #"write text with backslashes, such as a pattern, as r'…': r'\S'"#),
            ("timestamp('2026-03-01T00:00:00Z') > '2026-03-01'", "convert the text to a time: timestamp('2026-03-01T00:00:00Z')"),
            ("status >= '500'", "convert the text with int(x) or double(x), or quote the number"),
            ("path > timestamp('2026-03-01T00:00:00Z')", "convert the text to a time: timestamp('2026-03-01T00:00:00Z')"),
            ("'api' in path", "write path.contains('api')"), ("status > 1 && 'api' in '/api'", "write '/api'.contains('api')"),
            ("status in path", "write a list after 'in', such as [200, 304] or ['GET', 'HEAD']"),
            ("path.lower() in server.name", "write text.contains(part) to look for a text in another"),
            ("path != None", "write null, or has(record.x) to test whether a record has a field"),
        ])
    func fixes(expression: String, fix: String) {
        let message =
            switch ExpressionEvaluation(expression, record: record, isTyped: false).outcome {
            case .value(let value): value
            case .noValue(let text), .wrong(let text): text
            }
        #expect(message.hasSuffix("\n  fix: \(fix)\n"), "\(message)")
    }

    @Test("refuses a record that is not a JSON object", arguments: ["[1]", "{", "nope", ""])
    func badRecord(record: String) {
        guard case .wrong(let message) = ExpressionEvaluation("1", record: record, isTyped: false).outcome else {
            Issue.record("accepted")
            return
        }
        #expect(message.hasPrefix("sluice eval: --record: "))
    }
}
