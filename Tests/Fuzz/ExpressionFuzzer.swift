import SluiceCEL

/// Compiles text as an expression, and evaluates it in both ways, which must agree.
struct ExpressionFuzzer: Fuzzer {
    static let name = "expression"

    init() {}

    var seeds: [[UInt8]] {
        [
            "a + 1", "s.split(' ').map(x, upper(x)).filter(x, x != 'a')", "status >= 500 && path.startsWith('/a')", "record.?k.orValue(0) % 3",
            "parse_time(s, '%Y-%m-%d')", "format_time(t, '%d/%b/%Y:%H:%M:%S %z')", "s.extract('(?P<a>[0-9]+)(b)?')", "[1, 2.5, 'x'][0] in {1: true}",
            "has(record.m.n) ? size(record) : -9223372036854775808", "timestamp('2025-01-01T00:00:00Z') + duration('1h30m')", "parse_url(s).query",
            "ip('10.0.0.1').isIPv4()", "s.matches('^a+$') || b\"\\xff\" == bytes(s)", "double('nan') < 1.0", "l.exists_one(x, x > 1)", "\"\\u00e9\".lower()",
            "sha256(s).substring(0, 8)", "string(l)", "int(s)", "error('x')", "parse_query('a=1&b=%20')", "d.getHours('Europe/Berlin')",
        ].map { Array($0.utf8) }
    }

    private static let fields: [String: Value] = [
        "a": .int(1), "s": .string("a b c 12"), "status": .int(503), "path": .string("/a/b?c=d"),
        "l": .list([.int(1), .double(2.5), .string("x")]), "b": .bool(true), "n": .null, "x": .double(0.1), "u": .uint(7), "y": .bytes([0, 255]),
    ]

    private struct Fields: FieldLookup {
        let names: [String]

        func field(_ index: Int) -> Value? { ExpressionFuzzer.fields[names[index]] }
        func record() -> Value { .null }
        func source() -> Value { .null }
    }

    func run(_ bytes: [UInt8]) {
        guard let text = String(validating: bytes, as: UTF8.self) else { return }
        var environment = Environment()
        environment.costLimit = 20_000
        guard let program = try? CellProgram(text, in: environment) else { return }
        let scratch = Scratch(reader: nil)
        let cells = UnsafeMutablePointer<Cell>.allocate(capacity: program.slots.count + 1)
        defer { cells.deallocate() }
        for (index, slot) in program.slots.enumerated() {
            guard case .field(let name) = slot else { return }
            cells[index] = Self.fields[name].map { scratch.cell(of: $0) } ?? .absent
        }
        let cell = program.evaluate(cells, scratch)
        let value = program.program.evaluate(Fields(names: program.program.fields))
        let one = cell.kind == .error ? "an error" : cell.kind == .absent ? "absent" : (try? scratch.value(of: cell)).map { "\($0)" } ?? "an error"
        let other: String
        switch value {
        case .success(let value): other = value.unwrapped.map { "\($0)" } ?? "absent"
        case .failure: other = "an error"
        }
        require(one == other, "over cells: \(one)\nover values: \(other)")
    }
}

extension Value {
    /// The value of an optional; `nil` if it is empty.
    fileprivate var unwrapped: Value? {
        guard case .optional(let inner) = self else { return self }
        return inner?.unwrapped
    }
}
