extension CellCompiler {
    /// `operand.name`: finds a member of the record's own JSON without reading the rest of it.
    func select(_ node: Node, _ operand: Node, _ name: String) -> Operand {
        if case .source = operand.kind, let slot = layout.sourcePart(name) {
            return .field(FieldRead(slot: slot, name: name, range: node.range, fallback: nil))
        }
        return .code(member(node, operand, name))
    }

    /// Anything not found goes the generic way, which reports the error or handles types that have
    /// other kinds of members.
    private func member(_ node: Node, _ operand: Node, _ name: String) -> CellCode {
        let base = self.operand(operand).code
        let slow = generic(node)
        return CellCode { cells, scratch in
            let base = base(cells, scratch)
            if base.kind == .error { return .error }
            if let found = scratch.member(name, of: base), found.kind != .absent { return found }
            return slow(cells, scratch)
        }
    }

    func presence(_ node: Node, _ operand: Node, _ name: String) -> Operand {
        let base = self.operand(operand).code
        let slow = generic(node)
        return .test(
            TestCode { cells, scratch in
                let base = base(cells, scratch)
                if base.kind == .error { return .failed }
                if let found = scratch.member(name, of: base) { return Truth(found.kind != .absent) }
                return Truth(slow(cells, scratch))
            })
    }

    /// `map['name']`, and `text.split('/')[2]` without building the list.
    func index(_ node: Node, _ operand: Node, _ key: Node) -> Operand {
        guard case .constant(let key) = key.kind else { return .code(generic(node)) }
        switch (operand.kind, key) {
        case (.record, .string), (.source, .string): return .code(generic(node))
        case (_, .string(let name)): return .code(member(node, operand, name))
        case (.call(let call), .int(let index)):
            guard call.name == "split", call.arguments.count == 2, case .constant(let separator) = call.arguments[1].kind else {
                return .code(generic(node))
            }
            let text = self.operand(call.arguments[0])
            let piece = cutPiece(text, separator: pool.constant(separator), index: index, orElse: generic(node))
            return .code(piece ?? generic(node))
        default: return .code(generic(node))
        }
    }
}

extension Scratch {
    /// The member of a map: `absent` if there is none, nil if `cell` is not a map or cannot be
    /// read.
    func member(_ name: String, of cell: Cell) -> Cell? {
        switch cell.kind {
        case .json:
            do throws(EvaluationError) {
                return try reader?.member(name, ofJSON: cell.textBytes, self)
            } catch {
                return nil
            }
        case .boxed:
            guard case .map(let map) = boxedValue(cell) else { return nil }
            guard let member = map[name] else { return .absent }
            return self.cell(of: member)
        default: return nil
        }
    }
}
