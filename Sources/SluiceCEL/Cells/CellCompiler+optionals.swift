/// Optional fields, members and matches as cells: `absent` is an empty optional, any other cell is
/// the value itself, and nothing is boxed.
extension CellCompiler {
    /// Code for `record.?a`, `record.?a.?b`, `a.?b`, `record.?a.b` and `regex.extract` with a
    /// constant pattern, which may return `absent`; nil for other expressions.
    func optional(_ node: Node) -> CellCode? {
        switch node.kind {
        case .optionalField(let index):
            let slot = layout.field(index)
            return CellCode { cells, _ in cells[slot] }
        case .optionalSelect(let operand, let name):
            return member(name, of: optional(operand) ?? self.operand(operand).code, orElse: genericOptional(node))
        case .select(let operand, let name):
            return optional(operand).map { member(name, of: $0, orElse: genericOptional(node)) }
        case .call(let call): return extraction(call, orElse: genericOptional(node))
        default: return nil
        }
    }

    /// `regex.extract` with a constant pattern, compiled once, here: the match stays where it is in
    /// the text.
    private func extraction(_ call: Node.Call, orElse slow: CellCode) -> CellCode? {
        guard call.name == "regex.extract", call.arguments.count == 2, case .constant(.string(let source)) = call.arguments[1].kind else { return nil }
        guard let pattern = Pattern(ifValid: source), pattern.groupCount <= 1 else { return nil }
        let text = operand(call.arguments[0]).code
        let group = pattern.groupCount
        return CellCode { cells, scratch in
            let cell = text(cells, scratch)
            guard cell.kind == .string, let start = cell.textBytes.baseAddress else { return cell.kind == .error ? cell : slow(cells, scratch) }
            return withUnsafeTemporaryAllocation(of: Pattern.Capture.self, capacity: 1 + group) { captures in
                captures.initialize(repeating: .unmatched)
                guard pattern.find(in: cell.textBytes, into: captures), captures[group].isMatched else { return .absent }
                return .text(.string, start + captures[group].start, count: captures[group].count)
            }
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
        if case .optionalField(let index) = target.kind, case .constant(let constant) = other, let value = constant.cell {
            let slot = layout.field(index)
            return CellCode { cells, _ in
                let cell = cells[slot]
                return cell.kind == .absent ? value : cell
            }
        }
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
