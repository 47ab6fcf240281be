typealias Cells = UnsafePointer<Cell>

/// A compiled expression. Never returns an `absent` cell: a missing field has become an error.
///
/// A struct around the closure, because closures in arrays and optionals are each called through a
/// thunk.
struct CellCode: Sendable {
    private let run: @Sendable (Cells, Scratch) -> Cell

    init(_ run: @escaping @Sendable (Cells, Scratch) -> Cell) { self.run = run }

    @inline(__always)
    func callAsFunction(_ cells: Cells, _ scratch: Scratch) -> Cell { run(cells, scratch) }
}

/// A compiled condition.
struct TestCode: Sendable {
    private let run: @Sendable (Cells, Scratch) -> Truth

    init(_ run: @escaping @Sendable (Cells, Scratch) -> Truth) { self.run = run }

    @inline(__always)
    func callAsFunction(_ cells: Cells, _ scratch: Scratch) -> Truth { run(cells, scratch) }
}

/// The result of a condition; if it failed, the scratch holds the error.
enum Truth: UInt8, Sendable {
    case no
    case yes
    case failed

    @inline(__always)
    init(_ value: Bool) { self = value ? .yes : .no }

    /// From a cell that is a bool or an error.
    @inline(__always)
    init(_ cell: Cell) {
        self = cell.kind == .bool ? Truth(cell.boolValue) : .failed
    }

    @inline(__always)
    var cell: Cell {
        switch self {
        case .no: .bool(false)
        case .yes: .bool(true)
        case .failed: .error
        }
    }
}

/// Part of an expression while it is compiled, classified so that operations on fields and
/// constants can be fused.
enum Operand: Sendable {
    case constant(Constant)
    case field(FieldRead)
    case code(CellCode)
    case test(TestCode)
}

/// A value known at compile time, with its cell if it fits one.
struct Constant: Sendable {
    let value: Value
    /// nil for a value that has to be boxed.
    let cell: Cell?
}

/// A top-level field of the record, or one of the parts of `source`.
struct FieldRead: Sendable {
    let slot: Int
    let name: String
    let range: Range<Int>
    /// What the name means if the record has no such field: `string` and the like are also types.
    let fallback: Value?

    @inline(never)
    func absent(_ scratch: Scratch) -> Cell {
        if let fallback { return scratch.box(fallback) }
        return scratch.fail(EvaluationError.noSuchField(name).located(at: range))
    }
}

extension Operand {
    /// Code for any use; reading an absent field is an error.
    var code: CellCode {
        switch self {
        case .constant(let constant):
            if let cell = constant.cell { return CellCode { _, _ in cell } }
            let value = constant.value
            return CellCode { _, scratch in scratch.box(value) }
        case .field(let field):
            let slot = field.slot
            return CellCode { cells, scratch in
                let cell = cells[slot]
                return cell.kind == .absent ? field.absent(scratch) : cell
            }
        case .code(let code): return code
        case .test(let test): return CellCode { cells, scratch in test(cells, scratch).cell }
        }
    }
}
