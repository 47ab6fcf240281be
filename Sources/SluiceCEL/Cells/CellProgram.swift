/// A program compiled to closures over cells: what the hot loop runs for each record.
///
/// Equivalent to ``Program``. Comparisons, logic, arithmetic and simple text operations allocate
/// nothing but text in the scratch's arena, and count no references. Any number of threads may use
/// it at once, each with its own scratch.
public struct CellProgram: Sendable {
    /// What the caller must store in the cells, by index.
    public let slots: [Slot]
    public let program: Program
    private let code: CellCode
    private let condition: TestCode
    /// Owns the text of the constants, which cells point to.
    private let constants: ConstantPool

    /// - Throws: all problems found in the expression.
    public init(_ text: String, in environment: Environment = Environment()) throws(Diagnostics) {
        self.init(try Program(text, in: environment), in: environment)
    }

    /// `environment` must be the one that the program was created in.
    public init(_ program: Program, in environment: Environment) {
        let layout = SlotLayout(fields: program.fields, root: program.root)
        let constants = ConstantPool()
        let compiler = CellCompiler(program, layout: layout, pool: constants, mixedArithmetic: environment.mixedArithmetic)
        let operand = compiler.operand(program.root)
        self.program = program
        self.constants = constants
        slots = layout.slots
        let code = compiler.optional(program.root) ?? operand.code
        self.code = code
        condition = if case .test(let test) = operand { test } else { Self.condition(code, at: program.root.range) }
    }

    private static func condition(_ code: CellCode, at range: Range<Int>) -> TestCode {
        TestCode { cells, scratch in
            let result = code(cells, scratch)
            let cell = result.kind == .boxed ? scratch.unwrapped(result) : result
            return cell.kind == .bool || cell.kind == .error ? Truth(cell) : notCondition(cell, scratch, at: range)
        }
    }

    @inline(never)
    private static func notCondition(_ cell: Cell, _ scratch: Scratch, at range: Range<Int>) -> Truth {
        do throws(EvaluationError) {
            let type = cell.kind == .absent ? "an empty optional" : try scratch.value(of: cell).type.description
            return Truth(scratch.fail(EvaluationError(.type, "a condition must be true or false, found \(type)", at: range)))
        } catch {
            return Truth(scratch.fail(error))
        }
    }

    /// The expression as it was written.
    public var text: String { program.text }
    /// The type of the result, as far as it is known before evaluation.
    public var type: CELType { program.type }

    /// The result, if it is the same for every record.
    public var constant: Value? {
        if case .constant(let value) = program.root.kind { return value }
        return nil
    }

    /// The result for one record, or a cell of kind `error` if it failed; the scratch then holds
    /// the error.
    ///
    /// An optional is unwrapped: its value, or `absent` if it is empty.
    ///
    /// - Parameters:
    ///   - cells: one for each of ``slots``.
    ///   - hasBegun: whether ``Scratch/begin()`` was called for it. What was made since then is
    ///     invalid after it.
    public func evaluate(_ cells: UnsafePointer<Cell>, _ scratch: Scratch, hasBegun: Bool = false) -> Cell {
        if !hasBegun { scratch.begin() }
        let cell = code(cells, scratch)
        return scratch.settled(cell.kind == .boxed ? scratch.unwrapped(cell) : cell)
    }

    /// Whether a condition holds; nil if it failed or is not a bool, and then the scratch holds the
    /// error. What it has made is invalid after it.
    public func test(_ cells: UnsafePointer<Cell>, _ scratch: Scratch) -> Bool? {
        scratch.begin()
        defer { scratch.discard() }
        return switch condition(cells, scratch) {
        case .yes: true
        case .no: false
        case .failed: nil
        }
    }
}
