import CBytes

/// The strings of a constant list, for `in`: a few are compared one by one, many are looked up by
/// hash.
///
/// Safe to share because nothing changes after `init`; the cells point into the program's
/// constants.
struct TextSet: Sendable {
    private let members: [Cell]
    /// Open addressing: indices of `members`, -1 if free. Empty for a small set.
    private let table: [Int32]
    private static let searched = 6

    init(_ members: [Cell]) {
        self.members = members
        guard members.count > Self.searched else {
            table = []
            return
        }
        var size = 16
        while size < members.count * 2 { size *= 2 }
        var table = [Int32](repeating: -1, count: size)
        for (index, member) in members.enumerated() {
            var at = Self.hash(member) & (size - 1)
            while table[at] >= 0 { at = (at + 1) & (size - 1) }
            table[at] = Int32(index)
        }
        self.table = table
    }

    func contains(_ cell: Cell) -> Bool {
        if table.isEmpty {
            for member in members where member.count == cell.count && sameText(member, cell) { return true }
            return false
        }
        var at = Self.hash(cell) & (table.count - 1)
        while table[at] >= 0 {
            let member = members[Int(table[at])]
            if member.count == cell.count, sameText(member, cell) { return true }
            at = (at + 1) & (table.count - 1)
        }
        return false
    }

    private static func hash(_ cell: Cell) -> Int {
        let bytes = cell.textBytes
        guard let start = bytes.baseAddress else { return 0 }
        return Int(truncatingIfNeeded: cbytes_hash(start, bytes.count))
    }
}

extension GenericCall {
    /// `x in [constants]`; nil unless all of them are strings, or all are of type `int`.
    func membership(_ element: Operand, _ list: Constant, _ pool: ConstantPool) -> TestCode? {
        guard case .list(let values) = list.value, !values.isEmpty else { return nil }
        let cells = values.compactMap { pool.constant($0).cell }
        guard cells.count == values.count, let kind = cells.first?.kind, cells.allSatisfy({ $0.kind == kind }) else { return nil }
        switch kind {
        case .string:
            let set = TextSet(cells)
            return membership(element, list.value, .string) { set.contains($0) }
        case .int:
            let set = Set(cells.map(\.intValue))
            let few = Array(set)
            if few.count <= 8 { return membership(element, list.value, .int) { few.contains($0.intValue) } }
            return membership(element, list.value, .int) { set.contains($0.intValue) }
        default: return nil
        }
    }

    @inline(__always)
    private func membership(
        _ element: Operand, _ list: Value, _ kind: Cell.Kind, _ contains: @escaping @Sendable (Cell) -> Bool
    ) -> TestCode {
        if case .field(let field) = element {
            let slot = field.slot
            return TestCode { cells, scratch in
                let cell = cells[slot]
                if cell.kind == kind { return Truth(contains(cell)) }
                return Truth(self(cell, scratch.box(list), scratch))
            }
        }
        let code = element.code
        return TestCode { cells, scratch in
            let cell = code(cells, scratch)
            if cell.kind == kind { return Truth(contains(cell)) }
            return Truth(self(cell, scratch.box(list), scratch))
        }
    }
}
