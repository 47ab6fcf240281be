import CBytes

/// A sum of several terms, from left to right: `'a' + string(b) + c`.
///
/// Terms that are text are joined at once, so that a long sum of long texts takes as much memory as
/// its result.
enum CellSum {
    private enum Term: Sendable {
        case known(Cell)
        case field(Int, CellCode)
        case code(CellCode)

        init(_ operand: Operand) {
            switch operand {
            case .constant(let constant):
                if let cell = constant.cell { self = .known(cell) } else { self = .code(operand.code) }
            case .field(let field): self = .field(field.slot, operand.code)
            case .code, .test: self = .code(operand.code)
            }
        }

        @inline(__always)
        func callAsFunction(_ cells: Cells, _ scratch: Scratch) -> Cell {
            switch self {
            case .known(let cell): return cell
            case .field(let slot, let code):
                let cell = cells[slot]
                return cell.kind == .absent ? code(cells, scratch) : cell
            case .code(let code): return code(cells, scratch)
            }
        }
    }

    /// - Parameter others: the terms after the first, each with the call that adds it to those
    ///   before it.
    static func code(_ first: Operand, _ others: [(add: GenericCall, term: Operand)], mixed: Bool) -> CellCode {
        let terms = ([first] + others.map(\.term)).map(Term.init)
        let calls = others.map(\.add)
        return CellCode { cells, scratch in
            withUnsafeTemporaryAllocation(of: Cell.self, capacity: terms.count) { texts in
                var sum = terms[0](cells, scratch)
                if sum.kind == .error { return .error }
                // The texts since the last term that was none; `sum` is the first of them.
                var count = 0
                for index in 1..<terms.count {
                    let term = terms[index](cells, scratch)
                    if term.kind == .error { return .error }
                    if term.kind == .string, sum.kind == .string {
                        if count == 0 { texts.initializeElement(at: 0, to: sum) }
                        count = max(1, count)
                        texts.initializeElement(at: count, to: term)
                        count += 1
                        continue
                    }
                    if count > 0 { sum = calls[index - 1].join(UnsafeBufferPointer(rebasing: texts[..<count]), scratch) }
                    count = 0
                    if sum.kind != .error { sum = calls[index - 1].add(sum, term, mixed: mixed, scratch) }
                    if sum.kind == .error { return .error }
                }
                return count > 0 ? calls[calls.count - 1].join(UnsafeBufferPointer(rebasing: texts[..<count]), scratch) : sum
            }
        }
    }
}

extension GenericCall {
    /// The texts as one.
    func join(_ parts: UnsafeBufferPointer<Cell>, _ scratch: Scratch) -> Cell {
        var count = 0
        for part in parts { count += Int(part.count) }
        guard scratch.hasRoom(for: count) else { return tooMuch(scratch) }
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
