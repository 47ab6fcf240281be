/// Turns a checked expression into closures over cells, fused where a field meets a constant.
///
/// What has no fast shape goes to the generic evaluator: a function with its arguments, everything
/// else as a whole. Shapes are chosen by the expression alone; types are checked in the cells,
/// because fields have whatever type the record gives them.
struct CellCompiler {
    let layout: SlotLayout
    let pool: ConstantPool
    let mixedArithmetic: Bool
    private let program: Program

    init(_ program: Program, layout: SlotLayout, pool: ConstantPool, mixedArithmetic: Bool) {
        self.program = program
        self.layout = layout
        self.pool = pool
        self.mixedArithmetic = mixedArithmetic
    }

    var costLimit: Int { program.costLimit }

    func operand(_ node: Node) -> Operand {
        switch node.kind {
        case .constant(let value): return .constant(pool.constant(value))
        case .field(let index): return .field(field(index, node))
        case .fieldOr(let index, let value): return .field(field(index, node, fallback: value))
        case .fieldPresence(let index):
            let slot = layout.field(index)
            return .test(TestCode { cells, _ in Truth(cells[slot].kind != .absent) })
        case .select(let operand, let name): return select(node, operand, name)
        case .presence(let operand, let name): return presence(node, operand, name)
        case .index(let operand, let key): return index(node, operand, key)
        case .call(let call): return self.call(node, call)
        case .all(let operands): return .test(CellLogic.all(operands.map { condition($0, of: "_&&_") }))
        case .any(let operands): return .test(CellLogic.any(operands.map { condition($0, of: "_||_") }))
        case .conditional(let test, let then, let otherwise):
            return .code(CellLogic.conditional(condition(test, of: "_?_:_"), operand(then).code, operand(otherwise).code))
        case .failure(let error): return .code(CellCode { _, scratch in scratch.fail(error) })
        case .record, .source, .optionalField, .local, .optionalSelect, .optionalIndex, .list, .map, .comprehension, .bind, .optionalMap:
            return .code(generic(node))
        }
    }

    private func field(_ index: Int, _ node: Node, fallback: Value? = nil) -> FieldRead {
        FieldRead(slot: layout.field(index), name: program.fields[index], range: node.range, fallback: fallback)
    }

    /// The generic evaluator for a whole part of the expression.
    func generic(_ node: Node) -> CellCode {
        let part = program.part(node)
        let layout = layout
        return CellCode { cells, scratch in
            switch part.evaluate(CellLookup(cells: cells, scratch: scratch, layout: layout)) {
            case .success(let value): scratch.result(value)
            case .failure(let error): scratch.fail(error)
            }
        }
    }

    /// An operand of the operator `name`; a value that is not a bool is an error.
    private func condition(_ node: Node, of name: String) -> TestCode {
        let operand = operand(node)
        if case .test(let test) = operand { return test }
        let code = operand.code
        let range = node.range
        return TestCode { cells, scratch in
            let cell = code(cells, scratch)
            return cell.kind == .bool || cell.kind == .error ? Truth(cell) : notBool(cell, name, range, scratch)
        }
    }
}

@inline(never)
private func notBool(_ cell: Cell, _ name: String, _ range: Range<Int>, _ scratch: Scratch) -> Truth {
    do throws(EvaluationError) {
        throw EvaluationError.noOverload(name, try scratch.value(of: cell)).located(at: range)
    } catch {
        return Truth(scratch.fail(error))
    }
}
