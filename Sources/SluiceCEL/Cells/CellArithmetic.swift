/// One of the four operations that work on `int` and on `double`.
protocol ArithmeticOperation: Sendable {
    static func whole(_ left: Int64, _ right: Int64) -> (partialValue: Int64, overflow: Bool)
    static func double(_ left: Double, _ right: Double) -> Double
}

enum Sum: ArithmeticOperation {
    @inline(__always)
    static func whole(_ left: Int64, _ right: Int64) -> (partialValue: Int64, overflow: Bool) {
        left.addingReportingOverflow(right)
    }

    @inline(__always)
    static func double(_ left: Double, _ right: Double) -> Double { left + right }
}

enum Difference: ArithmeticOperation {
    @inline(__always)
    static func whole(_ left: Int64, _ right: Int64) -> (partialValue: Int64, overflow: Bool) {
        left.subtractingReportingOverflow(right)
    }

    @inline(__always)
    static func double(_ left: Double, _ right: Double) -> Double { left - right }
}

enum Product: ArithmeticOperation {
    @inline(__always)
    static func whole(_ left: Int64, _ right: Int64) -> (partialValue: Int64, overflow: Bool) {
        left.multipliedReportingOverflow(by: right)
    }

    @inline(__always)
    static func double(_ left: Double, _ right: Double) -> Double { left * right }
}

/// Overflow here includes division by zero.
enum Quotient: ArithmeticOperation {
    @inline(__always)
    static func whole(_ left: Int64, _ right: Int64) -> (partialValue: Int64, overflow: Bool) {
        left.dividedReportingOverflow(by: right)
    }

    @inline(__always)
    static func double(_ left: Double, _ right: Double) -> Double { left / right }
}

extension GenericCall {
    /// `+ - * / %`; nil for other functions. Overflow and division by zero are left to the generic
    /// function, which reports them.
    func arithmetic(_ left: Operand, _ right: Operand, mixed: Bool) -> CellCode? {
        switch name {
        case Operator.add: arithmetic(Sum.self, left, right, mixed: mixed)
        case Operator.subtract: arithmetic(Difference.self, left, right, mixed: mixed)
        case Operator.multiply: arithmetic(Product.self, left, right, mixed: mixed)
        case Operator.divide: arithmetic(Quotient.self, left, right, mixed: mixed)
        case Operator.remainder: remainder(left.code, right.code)
        default: nil
        }
    }

    private func arithmetic<A: ArithmeticOperation>(_: A.Type, _ left: Operand, _ right: Operand, mixed: Bool) -> CellCode {
        if case .field(let field) = left, case .constant(let constant) = right, let cell = constant.cell, cell.kind.isNumber {
            let slot = field.slot
            return CellCode { cells, scratch in self.compute(A.self, cells[slot], cell, mixed: mixed, scratch) }
        }
        let (left, right) = (left.code, right.code)
        return CellCode { cells, scratch in
            let left = left(cells, scratch)
            if left.kind == .error { return .error }
            return self.compute(A.self, left, right(cells, scratch), mixed: mixed, scratch)
        }
    }

    /// `left + right`; not for two texts.
    @inline(__always)
    func add(_ left: Cell, _ right: Cell, mixed: Bool, _ scratch: Scratch) -> Cell { compute(Sum.self, left, right, mixed: mixed, scratch) }

    @inline(__always)
    private func compute<A: ArithmeticOperation>(_: A.Type, _ left: Cell, _ right: Cell, mixed: Bool, _ scratch: Scratch) -> Cell {
        switch (left.kind, right.kind) {
        case (.int, .int):
            let (value, overflows) = A.whole(left.intValue, right.intValue)
            if !overflows { return .int(value) }
        case (.double, .double): return .double(A.double(left.doubleValue, right.doubleValue))
        case (.int, .double):
            if mixed { return .double(A.double(Double(left.intValue), right.doubleValue)) }
        case (.double, .int):
            if mixed { return .double(A.double(left.doubleValue, Double(right.intValue))) }
        default: break
        }
        return others(left, right, scratch)
    }

    /// Two texts are joined; all else is left to the generic function.
    @inline(never)
    private func others(_ left: Cell, _ right: Cell, _ scratch: Scratch) -> Cell {
        guard name == Operator.add, left.kind == .string, right.kind == .string else { return self(left, right, scratch) }
        return withUnsafeTemporaryAllocation(of: Cell.self, capacity: 2) { texts in
            texts.initializeElement(at: 0, to: left)
            texts.initializeElement(at: 1, to: right)
            return join(UnsafeBufferPointer(texts), scratch)
        }
    }

    private func remainder(_ left: CellCode, _ right: CellCode) -> CellCode {
        CellCode { cells, scratch in
            let left = left(cells, scratch)
            if left.kind == .error { return .error }
            let right = right(cells, scratch)
            if left.kind == .int, right.kind == .int {
                let (value, overflows) = left.intValue.remainderReportingOverflow(dividingBy: right.intValue)
                if !overflows { return .int(value) }
            }
            return self(left, right, scratch)
        }
    }

    func negation(_ operand: Operand) -> CellCode {
        let code = operand.code
        return CellCode { cells, scratch in
            let cell = code(cells, scratch)
            switch cell.kind {
            case .double: return .double(-cell.doubleValue)
            case .int where cell.intValue != .min: return .int(-cell.intValue)
            default: return self(cell, scratch)
            }
        }
    }
}
