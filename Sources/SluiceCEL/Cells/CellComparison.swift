import CBytes

/// One of the four comparisons, so that each fused shape is written once and compiled four times.
protocol OrderTest: Sendable {
    static func holds<Number: Comparable>(_ left: Number, _ right: Number) -> Bool
    /// The same comparison with its sides swapped: `a < b` is `b > a`.
    associatedtype Mirrored: OrderTest
}

enum Less: OrderTest {
    typealias Mirrored = Greater
    @inline(__always)
    static func holds<Number: Comparable>(_ left: Number, _ right: Number) -> Bool { left < right }
}

enum LessOrEqual: OrderTest {
    typealias Mirrored = GreaterOrEqual
    @inline(__always)
    static func holds<Number: Comparable>(_ left: Number, _ right: Number) -> Bool { left <= right }
}

enum Greater: OrderTest {
    typealias Mirrored = Less
    @inline(__always)
    static func holds<Number: Comparable>(_ left: Number, _ right: Number) -> Bool { left > right }
}

enum GreaterOrEqual: OrderTest {
    typealias Mirrored = LessOrEqual
    @inline(__always)
    static func holds<Number: Comparable>(_ left: Number, _ right: Number) -> Bool { left >= right }
}

extension GenericCall {
    /// `<`, `<=`, `>` or `>=`, fused if a field is compared with a constant.
    func comparison(_ left: Operand, _ right: Operand) -> TestCode? {
        switch name {
        case Operator.less: comparison(Less.self, left, right)
        case Operator.lessOrEqual: comparison(LessOrEqual.self, left, right)
        case Operator.greater: comparison(Greater.self, left, right)
        case Operator.greaterOrEqual: comparison(GreaterOrEqual.self, left, right)
        default: nil
        }
    }

    private func comparison<C: OrderTest>(_: C.Type, _ left: Operand, _ right: Operand) -> TestCode {
        if case .field(let field) = left, case .constant(let constant) = right, let cell = constant.cell {
            return fieldToConstant(C.self, field.slot, cell, isMirrored: false)
        }
        if case .constant(let constant) = left, case .field(let field) = right, let cell = constant.cell {
            return fieldToConstant(C.Mirrored.self, field.slot, cell, isMirrored: true)
        }
        let (left, right) = (left.code, right.code)
        return TestCode { cells, scratch in
            let left = left(cells, scratch)
            if left.kind == .error { return .failed }
            return self.compare(C.self, left, right(cells, scratch), scratch)
        }
    }

    /// `isMirrored`: in the expression the constant comes first, which only matters for messages.
    @inline(__always)
    private func slowly(_ field: Cell, _ constant: Cell, isMirrored: Bool, _ scratch: Scratch) -> Truth {
        Truth(isMirrored ? self(constant, field, scratch) : self(field, constant, scratch))
    }

    private func fieldToConstant<C: OrderTest>(
        _: C.Type, _ slot: Int, _ constant: Cell, isMirrored: Bool
    ) -> TestCode {
        switch constant.kind {
        case .int:
            let whole = constant.intValue
            let double = Double(whole)
            return TestCode { cells, scratch in
                let cell = cells[slot]
                if cell.kind == .int { return Truth(C.holds(cell.intValue, whole)) }
                if cell.kind == .double { return Truth(C.holds(cell.doubleValue, double)) }
                return self.slowly(cell, constant, isMirrored: isMirrored, scratch)
            }
        case .double:
            let double = constant.doubleValue
            return TestCode { cells, scratch in
                let cell = cells[slot]
                if cell.kind == .double { return Truth(C.holds(cell.doubleValue, double)) }
                if cell.kind == .int { return Truth(C.holds(Double(cell.intValue), double)) }
                return self.slowly(cell, constant, isMirrored: isMirrored, scratch)
            }
        default:
            return TestCode { cells, scratch in
                let cell = cells[slot]
                if cell.kind == constant.kind, let order = textOrTimeOrder(cell, constant) { return Truth(C.holds(order, 0)) }
                return self.slowly(cell, constant, isMirrored: isMirrored, scratch)
            }
        }
    }

    @inline(__always)
    private func compare<C: OrderTest>(_: C.Type, _ left: Cell, _ right: Cell, _ scratch: Scratch) -> Truth {
        if left.kind == .int, right.kind == .int { return Truth(C.holds(left.intValue, right.intValue)) }
        if left.kind == .double, right.kind == .double { return Truth(C.holds(left.doubleValue, right.doubleValue)) }
        if left.kind == .int, right.kind == .double { return Truth(C.holds(Double(left.intValue), right.doubleValue)) }
        if left.kind == .double, right.kind == .int { return Truth(C.holds(left.doubleValue, Double(right.intValue))) }
        if left.kind == right.kind, let order = textOrTimeOrder(left, right) { return Truth(C.holds(order, 0)) }
        return Truth(self(left, right, scratch))
    }
}

/// The order of two cells of one kind; nil for kinds that are ordered elsewhere. UTF-8 sorts by
/// code point.
private func textOrTimeOrder(_ left: Cell, _ right: Cell) -> Int? {
    switch left.kind {
    case .string:
        let (left, right) = (left.textBytes, right.textBytes)
        guard let leftStart = left.baseAddress, let rightStart = right.baseAddress else { return left.count - right.count }
        return Int(cbytes_compare(leftStart, left.count, rightStart, right.count))
    case .timestamp:
        if left.intValue != right.intValue { return left.intValue < right.intValue ? -1 : 1 }
        return Int(left.count) - Int(right.count)
    case .duration:
        if left.intValue != right.intValue { return left.intValue < right.intValue ? -1 : 1 }
        return Int(Int32(bitPattern: left.count)) - Int(Int32(bitPattern: right.count))
    default: return nil
    }
}
