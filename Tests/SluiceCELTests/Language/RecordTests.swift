import SluiceCEL
import Testing

@Suite("Expressions over a record")
struct RecordTests {
    private let record: ValueMap = [
        "status": .int(503), "duration_ms": .int(1_500), "path": .string("/api/v1/users"), "bytes": .int(12), "agent": .null,
        "id.orig_h": .string("10.0.0.1"), "tags": .list([.string("a")]), "geo": .map(["city": .string("Oslo")]),
    ]

    @Test(
        "a field is a variable, and record.x the same",
        arguments: [
            ("status >= 500 && path.startsWith('/api')", "true"),
            ("record.status == status && record['status'] == status", "true"),
            ("duration_ms / 1000.0", "1.5"),
            ("status + 0.5 > 503 && 2u * 1.5 == 3", "true"),
            ("path.split('/')[1]", "\"api\""),
            ("geo.city + tags[0]", "\"Osloa\""),
            ("agent == null", "true"),
            ("`id.orig_h` + record.`id.orig_h`", "\"10.0.0.110.0.0.1\""),
            ("size(record)", "8"),
            ("'status' in record && !('latency' in record)", "true"),
            ("record.map(k, k)[0]", "\"status\""),
        ])
    func fields(text: String, value: String) {
        #expect(evaluated(text, record) == value)
    }

    @Test(
        "a missing field is an error unless it is asked for",
        arguments: [
            ("latency > 5", "no_such_field: no such field 'latency'"),
            ("record.latency > 5", "no_such_field: no such field 'latency'"),
            ("latency > 5 || status == 503", "true"),
            ("latency > 5 && status == 503", "no_such_field: no such field 'latency'"),
            ("has(record.latency)", "false"),
            ("has(record.status) && has(geo.city) && !has(geo.country)", "true"),
            ("record.?latency", "optional.none()"),
            ("record.?latency.orValue(0)", "0"),
            ("record[?'status'].orValue(0)", "503"),
            ("record.?geo.city", "optional.of(\"Oslo\")"),
            ("record.?geo.country.orValue('?')", "\"?\""),
            ("geo.country", "no_such_key: no such key: \"country\""),
            ("status.code", "no_such_key: no such key \"code\": a value of type int has no fields"),
        ])
    func missingFields(text: String, value: String) {
        #expect(evaluated(text, record) == value)
    }

    @Test("an error says which part failed")
    func errorPlace() throws {
        let text = "path == '' || status / (status - 503) > 1"
        let program = try Program(text)
        guard case .failure(let error) = program.evaluate(MapLookup(record, for: program)) else {
            Issue.record("no error")
            return
        }
        let range = try #require(error.range)
        #expect(String(decoding: Array(text.utf8)[range], as: UTF8.self) == "status / (status - 503")
        #expect(error.code == .divisionByZero)
    }

    @Test("a name of a type is a field if the record has one of that name")
    func fieldsNamedLikeTypes() {
        #expect(evaluated("bytes + 1", record) == "13")
        #expect(evaluated("type(status) == int", record) == "true")
        #expect(evaluated("type(path) == string && bytes == 12", record) == "true")
        #expect(evaluated("bytes(path) == b'/api/v1/users'", record) == "true")
    }

    @Test("source says where the record came from")
    func source() throws {
        let program = try Program("source.file + ':' + string(source.line)")
        let lookup = MapLookup(record, for: program, source: ["file": .string("a.gz"), "line": .int(7), "offset": .int(900)])
        #expect(program.evaluate(lookup) == .success(.string("a.gz:7")))
    }

    @Test("constants are found by name and folded")
    func constants() throws {
        let environment = Environment(constants: ["params": .map(["limit": .int(500)])])
        #expect(evaluated("status > params.limit", record, in: environment) == "true")
        let program = try Program("params.limit * 2 + 1", in: environment)
        guard case .constant(.int(1_001)) = program.root.kind else {
            Issue.record("not folded: \(program.root.kind)")
            return
        }
    }

    @Test("only the fields that an expression names are listed")
    func listedFields() throws {
        let program = try Program("status > 1 && record.path == '' || has(record.agent) || record.?x.hasValue() || tags.exists(status, status == 'a')")
        #expect(program.fields == ["status", "path", "agent", "x", "tags"])
    }
}
