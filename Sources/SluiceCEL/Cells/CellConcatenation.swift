/// Text put together from several parts in one go: `'a' + string(b) + c`.
enum CellConcatenation {
    /// Longer results are left to the generic evaluator and its cost limit.
    private static let longest = 64 << 20

    /// `pairwise` adds the parts two at a time; it is asked whenever a part turns out not to be text.
    static func code(_ parts: [CellCode], pairwise: @escaping CellCode) -> CellCode {
        if parts.count == 2 {
            let (first, second) = (parts[0], parts[1])
            return { cells, scratch in
                let first = first(cells, scratch)
                if first.kind == .error { return .error }
                let second = second(cells, scratch)
                guard first.kind == .string, second.kind == .string else { return pairwise(cells, scratch) }
                guard Int(first.count) + Int(second.count) <= longest else { return pairwise(cells, scratch) }
                return join(first, second, scratch)
            }
        }
        return { cells, scratch in
            withUnsafeTemporaryAllocation(of: Cell.self, capacity: parts.count) { values in
                var count = 0
                for index in parts.indices {
                    let cell = parts[index](cells, scratch)
                    guard cell.kind == .string else { return cell.kind == .error && index == 0 ? .error : pairwise(cells, scratch) }
                    values[index] = cell
                    count += Int(cell.count)
                }
                guard count <= longest else { return pairwise(cells, scratch) }
                let start = scratch.text.allocate(count)
                var end = start
                for index in parts.indices { append(values[index], &end) }
                return .text(.string, start, count: count)
            }
        }
    }

    @inline(__always)
    private static func join(_ first: Cell, _ second: Cell, _ scratch: Scratch) -> Cell {
        let count = Int(first.count) + Int(second.count)
        let start = scratch.text.allocate(count)
        var end = start
        append(first, &end)
        append(second, &end)
        return .text(.string, start, count: count)
    }

    @inline(__always)
    private static func append(_ cell: Cell, _ end: inout UnsafeMutablePointer<UInt8>) {
        guard let source = cell.textBytes.baseAddress else { return }
        end.update(from: source, count: Int(cell.count))
        end += Int(cell.count)
    }
}
