import CBytes

/// Text concatenated from several parts at once: `'a' + string(b) + c`.
enum CellConcatenation {
    private enum Part: Sendable {
        case known(Cell)
        case field(Int)
        case code(CellCode)

        init(_ operand: Operand) {
            switch operand {
            case .constant(let constant):
                if let cell = constant.cell { self = .known(cell) } else { self = .code(operand.code) }
            case .field(let field): self = .field(field.slot)
            case .code, .test: self = .code(operand.code)
            }
        }
    }

    /// Longer results are left to the generic evaluator and its cost limit.
    private static let longest = 64 << 20

    /// `pairwise` adds the parts two at a time; it is used if a part turns out not to be text.
    static func code(_ operands: [Operand], pairwise: CellCode) -> CellCode {
        let parts = operands.map(Part.init)
        return CellCode { cells, scratch in
            withUnsafeTemporaryAllocation(of: Cell.self, capacity: parts.count) { values in
                var count = 0
                for index in parts.indices {
                    let cell =
                        switch parts[index] {
                        case .known(let cell): cell
                        case .field(let slot): cells[slot]
                        case .code(let code): code(cells, scratch)
                        }
                    guard cell.kind == .string else {
                        return cell.kind == .error && index == 0 ? .error : pairwise(cells, scratch)
                    }
                    values.initializeElement(at: index, to: cell)
                    count += Int(cell.count)
                }
                guard count <= longest else { return pairwise(cells, scratch) }
                return join(UnsafeBufferPointer(values), count, scratch)
            }
        }
    }

    private static func join(_ parts: UnsafeBufferPointer<Cell>, _ count: Int, _ scratch: Scratch) -> Cell {
        let start = scratch.text.allocate(count)
        var end = start
        for part in parts {
            guard let source = part.textBytes.baseAddress else { continue }
            cbytes_copy(end, source, Int(part.count))
            end += Int(part.count)
        }
        return .text(.string, start, count: count)
    }
}
