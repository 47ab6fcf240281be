/// Gives the generic evaluator the record stored in the cells.
struct CellLookup: FieldLookup {
    let cells: Cells
    let scratch: Scratch
    let layout: SlotLayout

    func field(_ index: Int) throws(EvaluationError) -> Value? {
        let cell = cells[layout.field(index)]
        return cell.kind == .absent ? nil : try scratch.value(of: cell)
    }

    func record() throws(EvaluationError) -> Value {
        try scratch.value(of: cells[layout.record])
    }

    func source() -> Value {
        var map = ValueMap()
        for (name, slot) in [("file", layout.sourceFile), ("line", layout.sourceLine), ("offset", layout.sourceOffset)] {
            let cell = cells[slot]
            switch cell.kind {
            case .string: map.set(name, to: .string(String(decoding: cell.textBytes, as: UTF8.self)))
            case .int: map.set(name, to: .int(cell.intValue))
            default: continue
            }
        }
        return .map(map)
    }
}
