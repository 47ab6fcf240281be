import CBytes

extension GenericCall {
    /// `==`, or `!=` if `isNegated`.
    func equality(_ left: Operand, _ right: Operand, isNegated: Bool) -> TestCode {
        if case .field(let field) = left, case .constant(let constant) = right, let cell = constant.cell {
            return fieldToConstant(field.slot, cell, constantFirst: false, isNegated: isNegated)
        }
        if case .constant(let constant) = left, case .field(let field) = right, let cell = constant.cell {
            return fieldToConstant(field.slot, cell, constantFirst: true, isNegated: isNegated)
        }
        let (left, right) = (left.code, right.code)
        return TestCode { cells, scratch in
            let left = left(cells, scratch)
            if left.kind == .error { return .failed }
            let right = right(cells, scratch)
            if let equal = areEqual(left, right) { return Truth(equal != isNegated) }
            return Truth(self(left, right, scratch))
        }
    }

    private func fieldToConstant(_ slot: Int, _ constant: Cell, constantFirst: Bool, isNegated: Bool) -> TestCode {
        switch constant.kind {
        case .string:
            let count = constant.count
            return TestCode { cells, scratch in
                let cell = cells[slot]
                if cell.kind == .string {
                    return Truth((cell.count == count && sameText(cell, constant)) != isNegated)
                }
                return self.slowly(cell, constant, constantFirst: constantFirst, isNegated: isNegated, scratch)
            }
        case .int:
            let payload = constant.payload
            return TestCode { cells, scratch in
                let cell = cells[slot]
                if cell.kind == .int { return Truth((cell.payload == payload) != isNegated) }
                return self.slowly(cell, constant, constantFirst: constantFirst, isNegated: isNegated, scratch)
            }
        default:
            return TestCode { cells, scratch in
                self.slowly(cells[slot], constant, constantFirst: constantFirst, isNegated: isNegated, scratch)
            }
        }
    }

    private func slowly(
        _ field: Cell, _ constant: Cell, constantFirst: Bool, isNegated: Bool, _ scratch: Scratch
    ) -> Truth {
        if let equal = areEqual(field, constant) { return Truth(equal != isNegated) }
        return Truth(constantFirst ? self(constant, field, scratch) : self(field, constant, scratch))
    }
}

/// Whether two cells are equal; nil if that requires their values.
func areEqual(_ left: Cell, _ right: Cell) -> Bool? {
    guard left.kind.isPlain, right.kind.isPlain else { return nil }
    guard left.kind == right.kind else { return left.kind.isNumber && right.kind.isNumber ? nil : false }
    switch left.kind {
    case .null: return true
    case .double: return left.doubleValue == right.doubleValue
    case .string, .bytes: return left.count == right.count && sameText(left, right)
    case .timestamp, .duration: return left.payload == right.payload && left.count == right.count
    default: return left.payload == right.payload
    }
}

/// For cells with the same count.
@inline(__always)
func sameText(_ left: Cell, _ right: Cell) -> Bool {
    guard let leftStart = left.textBytes.baseAddress, let rightStart = right.textBytes.baseAddress else { return true }
    return cbytes_equal(leftStart, rightStart, Int(left.count)) != 0
}

extension Cell.Kind {
    /// Whether the cell alone determines its value.
    var isPlain: Bool {
        switch self {
        case .null, .bool, .int, .uint, .double, .string, .bytes, .timestamp, .duration: true
        case .absent, .decimal, .json, .boxed, .error: false
        }
    }

    var isNumber: Bool { self == .int || self == .uint || self == .double }
}
