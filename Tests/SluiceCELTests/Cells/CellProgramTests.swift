import SluiceCEL
import Testing

@Suite("Programs over cells")
struct CellProgramTests {
    private let fixture = CellFixture()

    private var record: [String: Cell] {
        [
            "status": .int(503), "seconds": .double(0.25), "method": fixture.text("GET"), "path": fixture.text("/api/v1/users/42"),
            "ok": .bool(true), "nothing": .null, "big": fixture.text(.decimal, "123456789012345678901234567890"),
            "server": fixture.text(.json, #"{"host":"a.example","port":8080,"tags":["x",1],"none":null}"#),
            "list": fixture.text(.json, #"[1,"two",3.5]"#), "time": .timestamp(seconds: 1_700_000_000, nanoseconds: 500_000_000),
            "bytes": .int(2048), "name": fixture.text("Zoë"),
        ]
    }

    private static let computed: [(String, Value)] = [
        ("status >= 500 && path.startsWith('/api')", .bool(true)), ("500 <= status", .bool(true)), ("status != 503", .bool(false)),
        ("method in ['GET', 'HEAD']", .bool(true)), ("status in [1, 2, 3]", .bool(false)),
        ("path.matches('^/api/v[0-9]+/users/[0-9]+$')", .bool(true)), ("path.contains('users') && !path.endsWith('43')", .bool(true)),
        ("status / 100 == 5 ? 'server' : 'other'", .string("server")), ("path.split('/')[3]", .string("users")),
        ("method + ' ' + path + ' ' + string(status + 1)", .string("GET /api/v1/users/42 504")), ("'a' + method", .string("aGET")),
        ("status * 2 - 6", .int(1000)), ("status / 2.0", .double(251.5)), ("seconds * 4", .double(1)), ("status % 100", .int(3)),
        ("-status", .int(-503)), ("size(name)", .int(3)), ("name.substring(1, 3)", .string("oë")), ("name.substring(2)", .string("ë")),
        ("method.lowerAscii()", .string("get")), ("name.upper()", .string("ZOË")), ("string(status)", .string("503")),
        ("int('-12') + int(seconds)", .int(-12)), ("double(status)", .double(503)), ("server['port'] + 1", .int(8081)),
        ("server.port == 8080 && server.host.startsWith('a.')", .bool(true)), ("has(server.none)", .bool(true)),
        ("has(server.missing)", .bool(false)), ("has(record.status) && !has(record.nope)", .bool(true)),
        ("record.?nope.orValue('-')", .string("-")), ("record.?status.orValue(0)", .int(503)), ("nope > 1 || ok", .bool(true)),
        ("!(nope > 1 && !ok)", .bool(true)), ("big > 1e29", .bool(true)), ("list[1]", .string("two")),
        ("list.exists(x, x == 'two' && status > 1)", .bool(true)), ("[status, method]", .list([.int(503), .string("GET")])),
        ("nothing == null && ok != false && method > 'A'", .bool(true)), ("bytes > 1000", .bool(true)),
        ("time > timestamp('2023-11-14T00:00:00Z') && time.getFullYear() == 2023", .bool(true)),
        ("status == 503.0 && status == 503u", .bool(true)), ("string(time).substring(0, 10)", .string("2023-11-14")),
        ("method == 'GET' && method != 'POST' && 'GET' == method && method != 5", .bool(true)),
        ("server.tags.map(t, t == 'x')", .list([.bool(true), .bool(false)])),
        ("regex.extract(path, r'users/(\\d+)').orValue('-')", .string("42")), ("regex.extract(path, r'v\\d').orValue('-')", .string("v1")),
        ("regex.extract(path, 'nobody').orValue('-')", .string("-")), ("regex.extract(method, 'X|GET()').orValue('-')", .string("")),
        ("regex.extract(method, '(X)|GET').orValue('-')", .string("-")), ("regex.extract(path, 'v(1)').hasValue()", .bool(true)),
        ("regex.extract(name, 'Z.*').orValue('').size()", .int(3)), ("regex.extract(string(status), '5(.)').orValue('')", .string("0")),
    ]

    @Test("compute what the language says", arguments: computed)
    func computes(text: String, expected: Value) throws {
        let program = try CellProgram(text)
        let result = fixture.evaluate(program, record)
        #expect(areSame(result, .success(expected)), "\(result)")
    }

    @Test(
        "name the field that is not there, with its place",
        arguments: [
            ("latency > 5", 0..<7), ("status > 0 && latency == 1", 14..<21), ("'a' + latency", 6..<13),
            ("latency", 0..<7), ("ok ? latency : 1", 5..<12), ("latency in ['a']", 0..<7),
            ("latency.startsWith('x')", 0..<7), ("!latency", 1..<8), ("latency.matches('x')", 0..<7),
        ])
    func absentField(text: String, range: Range<Int>) throws {
        let program = try CellProgram(text)
        guard case .failure(let error) = fixture.evaluate(program, record) else {
            Issue.record("no error")
            return
        }
        #expect(error == EvaluationError(.noSuchField, "no such field 'latency'", at: range))
    }

    @Test(
        "report types that do not go together, overflow and division by zero",
        arguments: [
            ("method >= 500", EvaluationError.Code.type), ("status && ok", .type), ("status + method", .type), ("bytes * 9223372036854775807", .overflow),
            ("status / (bytes - 2048)", .divisionByZero), ("status % (bytes - 2048)", .divisionByZero), ("path.split('/')[9]", .invalidArgument),
            ("method.substring(7)", .invalidArgument), ("nothing.startsWith('a')", .type), ("server.missing", .noSuchKey), ("int(method)", .invalidArgument),
        ])
    func errors(text: String, code: EvaluationError.Code) throws {
        let program = try CellProgram(text)
        guard case .failure(let error) = fixture.evaluate(program, record) else {
            Issue.record("no error")
            return
        }
        #expect(error.code == code, "\(error)")
    }

    @Test(
        "ask for the fields that are named, and for the whole record only where it is read whole",
        arguments: [
            ("status > 1 && record.path != '' && status < 5", [Slot.field("status"), .field("path")]), ("1 + 1", []),
            ("record.?a.hasValue() || has(record.b)", [.field("a"), .field("b")]), ("record[method]", [.field("method"), .record]),
            ("source.file + string(source.line)", [.sourceFile, .sourceLine]), ("size(source)", [.sourceFile, .sourceLine, .sourceOffset]),
            ("[1].map(x, x + status)", [.field("status")]),
        ])
    func slots(text: String, expected: [Slot]) throws {
        #expect(try CellProgram(text).slots == expected)
    }

    @Test("read where the record came from and the record as a whole")
    func recordAndSource() throws {
        let whole = fixture.text(.json, "{}")
        let others: [Slot: Cell] = [.sourceFile: fixture.text("a.gz"), .sourceLine: .int(7), .sourceOffset: .int(99), .record: whole]
        let line = fixture.evaluate(try CellProgram("source.file + ':' + string(source.line)"), [:], others: others)
        #expect(areSame(line, .success(.string("a.gz:7"))))
        let size = fixture.evaluate(try CellProgram("size(source) + source.offset + size(record)"), [:], others: others)
        #expect(areSame(size, .success(.int(102))))
    }

    @Test("unwrap an optional result")
    func optionals() throws {
        let program = try CellProgram("record.?status")
        #expect(areSame(fixture.evaluate(program, record), .success(.int(503))))
        #expect(areSame(fixture.evaluate(program, [:]), .success(.optional(nil))))
    }

    @Test("return nil and an error for a condition that fails or is not a bool")
    func conditions() throws {
        #expect(fixture.test(try CellProgram("ok"), record) == true)
        #expect(fixture.test(try CellProgram("status < 5"), record) == false)
        #expect(fixture.test(try CellProgram("status"), record) == nil)
        #expect(fixture.scratch.takeError().code == .type)
        #expect(fixture.test(try CellProgram("nope && ok"), record) == nil)
        #expect(fixture.scratch.takeError().code == .noSuchField)
    }

    @Test("read a field named like a type if the record has one")
    func fieldsNamedLikeTypes() throws {
        let program = try CellProgram("bytes == 2048")
        #expect(fixture.test(program, record) == true)
        #expect(fixture.test(program, [:]) == false)
        #expect(areSame(fixture.evaluate(try CellProgram("bytes"), [:]), .success(.type(.bytes))))
    }

    @Test("what was made since a mark is forgotten, what was made before stays")
    func rewinding() throws {
        let scratch = Scratch()
        let first = scratch.text(copying: "first")
        let mark = scratch.mark
        for count in [10, 100_000, 10_000_000] {
            _ = scratch.text.allocate(count)
            _ = scratch.box(.list([.int(Int64(count))]))
        }
        #expect(scratch.text.count == 10_100_015 && mark.byteCount == 5)
        #expect(scratch.byteCount == 10_100_015 + 3 * (32 + MemoryLayout<Value>.stride))
        scratch.rewind(to: mark)
        #expect(scratch.text.count == 5 && scratch.byteCount == 5)
        let (next, boxed) = (scratch.text(copying: "next"), scratch.box(.list([])))
        let values = try [first, next, boxed].map { try scratch.value(of: $0) }
        #expect(values == [.string("first"), .string("next"), .list([])])
    }

    @Test("keep results valid until the scratch is reset, whatever is evaluated later")
    func lifetime() throws {
        let program = try CellProgram("method + string(status)")
        var results: [Cell] = []
        let record = record
        var cells = program.slots.map { slot -> Cell in
            if case .field(let name) = slot { return record[name] ?? .absent }
            return .absent
        }
        let statusPlace = try #require(program.slots.firstIndex(of: .field("status")))
        for number in 0..<20_000 {
            cells[statusPlace] = .int(Int64(number))
            results.append(program.evaluate(cells, fixture.scratch))
        }
        let texts = try results.map { try fixture.scratch.value(of: $0) }
        #expect(texts == (0..<20_000).map { .string("GET\($0)") })
    }

    @Test(
        "of what an evaluation makes, only its result is kept",
        arguments: [
            ("s.split('a').join('bb')", 200_000), ("s.split('a').join('bb').upperAscii() + s", 300_000), ("(s + s).lowerAscii().size()", 0),
            ("s.upperAscii().lowerAscii().substring(1)", 99_999), ("no_such + s.upperAscii()", 0), ("s", 0),
        ])
    func onlyResults(text: String, size: Int) throws {
        let fixture = CellFixture()
        let program = try CellProgram(text)
        let fields = ["s": fixture.text(String(repeating: "a", count: 100_000))]
        let expected = fixture.evaluate(program, fields)
        var kept: [Cell] = []
        for number in 0..<20 {
            kept.append(fixture.scratch.text(copying: "kept \(number)"))
            let before = fixture.scratch.byteCount
            #expect(areSame(fixture.evaluate(program, fields), expected))
            // A little may stay where it is not worth the work; half of a result is.
            #expect(fixture.scratch.byteCount - before <= max(1024, 2 * size))
        }
        #expect(try kept.map { try fixture.scratch.value(of: $0) } == (0..<20).map { .string("kept \($0)") })
    }

    @Test("results are of lists, too, and earlier ones stay")
    func onlyListResults() throws {
        let fixture = CellFixture()
        let program = try CellProgram("(s + s).split('b').map(x, x.size())")
        let fields = ["s": fixture.text(String(repeating: "ab", count: 1_000))]
        var results: [Cell] = []
        let values = Value.list((0..<2_001).map { .int($0 < 2_000 ? 1 : 0) })
        for _ in 0..<50 { #expect(areSame(fixture.evaluate(program, fields), .success(values))) }
        let one = fixture.scratch.byteCount(of: fixture.scratch.cell(of: values))
        let before = fixture.scratch.byteCount
        _ = fixture.evaluate(program, fields)
        #expect(fixture.scratch.byteCount - before <= one + 1024)
        results.append(fixture.scratch.cell(of: values))
        #expect(try fixture.scratch.value(of: results[0]) == values)
    }

    @Test("a sum of many texts takes no more than its result, and fails where that has no room")
    func longSums() throws {
        let fixture = CellFixture()
        fixture.scratch.room = 1 << 20
        let fields = ["s": fixture.text(String(repeating: "a", count: 100_000)), "n": Cell.int(1)]
        let ten = try CellProgram(Array(repeating: "s", count: 10).joined(separator: " + "))
        for _ in 0..<3 { #expect(areSame(fixture.evaluate(ten, fields), .success(.string(String(repeating: "a", count: 1_000_000))))) }
        for text in [Array(repeating: "s", count: 11).joined(separator: " + "), "s + s + s + s + s + (s + s + s + s + s + s)"] {
            guard case .failure(let error) = fixture.evaluate(try CellProgram(text), fields) else {
                Issue.record("\(text) has a result")
                continue
            }
            #expect(error.code == .costLimit && error.message == "the expression would hold more than 1 MiB; 'limits.memory' allows more")
        }
        #expect(areSame(fixture.evaluate(try CellProgram("n + n + n * 2 + n"), fields), .success(.int(5))))
        for text in ["s + n + s", "n + s + s", "s + s + n", "n + n + s", "s + missing + s", "missing + s + s"] {
            let program = try CellProgram(text)
            #expect(areSame(fixture.evaluate(program, fields), fixture.evaluateGenerically(program, fields)), "\(text)")
        }
    }
}
