/// Optional fields and members as cells: `absent` is an empty optional, any other cell is the value
/// itself, and nothing is boxed.
extension CellCompiler {
    /// Code for `record.?a`, `record.?a.?b`, `a.?b` and `record.?a.b`, which may return `absent`;
    /// nil for other expressions.
    func optional(_ node: Node) -> CellCode? {
        switch node.kind {
        case .optionalField(let index):
            let slot = layout.field(index)
            return CellCode { cells, _ in cells[slot] }
        case .optionalSelect(let operand, let name):
            return member(name, of: optional(operand) ?? self.operand(operand).code, orElse: genericOptional(node))
        case .select(let operand, let name):
            return optional(operand).map { member(name, of: $0, orElse: genericOptional(node)) }
        default: return nil
        }
    }

    private func member(_ name: String, of base: CellCode, orElse slow: CellCode) -> CellCode {
        CellCode { cells, scratch in
            let base = base(cells, scratch)
            if base.kind == .absent || base.kind == .error { return base }
            return scratch.member(name, of: base) ?? slow(cells, scratch)
        }
    }

    /// The generic evaluator's optional, unwrapped.
    private func genericOptional(_ node: Node) -> CellCode {
        let slow = generic(node)
        return CellCode { cells, scratch in
            let cell = slow(cells, scratch)
            return cell.kind == .boxed ? scratch.unwrapped(cell) : cell
        }
    }

    /// `optional.orValue(other)`; nil if the optional has no fast shape.
    func orValue(_ target: Node, _ other: Operand) -> CellCode? {
        guard let optional = optional(target) else { return nil }
        let other = other.code
        return CellCode { cells, scratch in
            let cell = optional(cells, scratch)
            return cell.kind == .absent ? other(cells, scratch) : cell
        }
    }

    func hasValue(_ target: Node) -> TestCode? {
        guard let optional = optional(target) else { return nil }
        return TestCode { cells, scratch in
            let cell = optional(cells, scratch)
            return cell.kind == .error ? .failed : Truth(cell.kind != .absent)
        }
    }
}
