import Testing

@testable import SluiceCEL

@Suite("Numbers that fit neither 64 bits nor a double")
struct DecimalTests {
    private static let record: ValueMap = ["b": .decimal("18446744073709551616"), "h": .decimal("1e400"), "z": .decimal("-0"), "i": .int(1)]

    @Test(
        "keep their digits wherever they are passed on, and are doubles wherever something is computed",
        arguments: [
            ("b", Value.decimal("18446744073709551616")), ("[b, [h]]", .list([.decimal("18446744073709551616"), .list([.decimal("1e400")])])),
            ("{'z': z}", .map(["z": .decimal("-0")])), ("i == 1 ? h : 0.0", .decimal("1e400")), ("[b].map(x, x)[0]", .decimal("18446744073709551616")),
            ("[h, b].sort()[0]", .decimal("18446744073709551616")), ("[b].filter(x, x > 5.0)[0]", .decimal("18446744073709551616")),
            ("optional.of(z).orValue(i)", .decimal("-0")), ("record.?h.value()", .decimal("1e400")), ("record.b", .decimal("18446744073709551616")),
            ("dyn(z)", .decimal("-0")), ("cel.bind(x, b, [x])[0]", .decimal("18446744073709551616")),
            ("[b].flatten().slice(0, 1).reverse()[0]", .decimal("18446744073709551616")),
            ("string(b)", .string("18446744073709551616")), ("string(h) + string(z)", .string("1e400-0")),
            ("'%s'.format([b])", .string("18446744073709551616")),
            ("type(b) == double", .bool(true)), ("double(b)", .double(0x1p64)), ("b + 1", .double(0x1p64)), ("-h", .double(-.infinity)),
            ("b == 18446744073709551616.0", .bool(true)), ("b > i && b < h", .bool(true)), ("z == 0", .bool(true)), ("z in [0]", .bool(true)),
            ("'%.1f'.format([z])", .string("-0.0")), ("math.greatest(b, i)", .double(0x1p64)), ("[1, 2][z]", .int(1)),
            ("optional.ofNonZeroValue(z).hasValue()", .bool(false)), ("[b, b].distinct().size()", .int(1)),
        ])
    func digits(text: String, value: Value) throws {
        let program = try CellProgram(text)
        let generic = try program.program.evaluate(MapLookup(Self.record, for: program.program)).get()
        #expect(isSame(generic, value), "\(generic)")
        let scratch = Scratch()
        let cells = program.slots.map { slot -> Cell in
            if case .field(let name) = slot { return Self.record[name].map(scratch.cell) ?? .absent }
            return scratch.box(.map(Self.record))
        }
        let fast = try scratch.value(of: program.evaluate(cells, scratch))
        #expect(isSame(fast, value), "\(fast)")
    }

    /// `==` of values takes a decimal and its double for the same.
    private func isSame(_ left: Value, _ right: Value) -> Bool { left.description == right.description && left == right }

    @Test("a literal beyond all doubles is refused, as the conversion of its text is")
    func literals() {
        for text in ["1e400", "-1e400", "[1, 2e308 + 1.0]"] {
            #expect(problems(text).contains { $0.contains("is out of range for a double") }, "\(text)")
        }
        #expect(problems("double('1e400')") == ["double('1e400') – \"1e400\" is out of range for double"])
        #expect(evaluated("1e-400") == "0.0")
        #expect(evaluated("double('1e-400')") == "0.0")
        #expect(evaluated("int(b)", Self.record) == "overflow: 18446744073709552000.0 is out of range for int")
    }
}
