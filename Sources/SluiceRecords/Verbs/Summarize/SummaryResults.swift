import SluiceCEL

/// The groups as records, in order.
///
/// `@unchecked Sendable`: the run asks for one batch at a time, and nothing else refers to the
/// state.
final class SummaryResults: ClosingRows, @unchecked Sendable {
    private let state: SummaryState
    private let by: Int
    private let values: [Value]
    /// The groups in output order.
    private let order: [UInt32]
    private var given = 0
    /// The text, in bytes, of a full batch.
    private let batchText: Int

    struct Value {
        var aggregate: any Aggregate
        /// The index of the state that it is the result of.
        var state: Int
    }

    init(_ state: SummaryState, by: Int, _ values: [Value], order: Summarize.Order, batchText: Int) {
        self.state = state
        self.by = by
        self.values = values
        self.batchText = batchText
        let all = (0..<UInt32(state.groups.count))
        switch order {
        case .first: self.order = all.sorted { state.groups.first(of: Int($0)) < state.groups.first(of: Int($1)) }
        case .key: self.order = all.sorted { KeyOrder.isLess(state.groups.key(of: Int($0)), state.groups.key(of: Int($1))) }
        }
    }

    func next(_ table: RowTable, _ scratch: Scratch) -> Int {
        var row = 0
        while row < table.rows, given < order.count, scratch.byteCount < batchText {
            fill(table.row(row), Int(order[given]), scratch)
            given += 1
            row += 1
        }
        return row
    }

    /// A cell for each value of the key, and for each value of the group.
    func fill(_ cells: UnsafeMutablePointer<Cell>, _ group: Int, _ scratch: Scratch) {
        fillKey(cells, group, scratch)
        for (index, value) in values.enumerated() {
            cells[by + index] = value.aggregate.result(state.states[value.state], of: group, scratch)
        }
    }

    private func fillKey(_ cells: UnsafeMutablePointer<Cell>, _ group: Int, _ scratch: Scratch) {
        let written = state.groups.written(of: group)
        if written.count > 0, let found = WrittenKey.cells(by, in: written) {
            for index in 0..<by { cells[index] = found[index].copied(to: scratch) }
            return
        }
        var reader = GroupKeyReader(state.groups.key(of: group))
        for index in 0..<by { cells[index] = reader.next().map { $0.cell.copied(to: scratch) } ?? .null }
    }
}

/// Orders keys by their values (``CellOrder``). The first value that differs decides.
enum KeyOrder {
    /// Appends bytes whose order is that of the keys (``OrderKey``).
    static func append(_ key: UnsafeBufferPointer<UInt8>, to buffer: ByteBuffer) {
        var reader = GroupKeyReader(key)
        var start = reader.place
        while let value = reader.next() {
            OrderKey.append(value.cell, own: UnsafeBufferPointer(rebasing: key[start..<reader.place]), to: buffer)
            start = reader.place
        }
    }

    static func isLess(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Bool {
        var (leftReader, rightReader) = (GroupKeyReader(left), GroupKeyReader(right))
        while true {
            let (leftStart, rightStart) = (leftReader.place, rightReader.place)
            guard let leftValue = leftReader.next(), let rightValue = rightReader.next() else { return false }
            let order = CellOrder.compare(leftValue.cell, rightValue.cell)
            if order != 0 { return order < 0 }
            guard leftValue.cell.kind == .boxed else { continue }
            // Lists, maps and the like are ordered by their bytes.
            let (leftBytes, rightBytes) = (left[leftStart..<leftReader.place], right[rightStart..<rightReader.place])
            if leftBytes.elementsEqual(rightBytes) { continue }
            return leftBytes.lexicographicallyPrecedes(rightBytes)
        }
    }
}
