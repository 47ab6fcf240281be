import SluiceCEL

/// The groups as records, in their order.
///
/// `@unchecked Sendable`: the run asks for one batch after the other, and nothing else has the
/// state.
final class SummaryResults: ClosingResults, @unchecked Sendable {
    private let state: SummaryState
    private let by: Int
    /// The groups in the order in which they are given.
    private let order: [UInt32]
    private var given = 0

    init(_ state: SummaryState, by: Int, order: Summarize.Order) {
        self.state = state
        self.by = by
        let all = (0..<UInt32(state.groups.count))
        switch order {
        case .first: self.order = all.sorted { state.groups.first(of: Int($0)) < state.groups.first(of: Int($1)) }
        case .key: self.order = all.sorted { KeyOrder.isLess(state.groups.key(of: Int($0)), state.groups.key(of: Int($1))) }
        }
    }

    func next(_ table: RowTable, _ scratch: Scratch) -> Int {
        let count = min(table.rows, order.count - given)
        for row in 0..<count {
            let group = Int(order[given + row])
            fill(table.row(row), group, scratch)
            for (index, states) in state.states.enumerated() { table.row(row)[by + index] = states.result(of: group, scratch) }
        }
        given += count
        return count
    }

    private func fill(_ cells: UnsafeMutablePointer<Cell>, _ group: Int, _ scratch: Scratch) {
        let written = state.groups.written(of: group)
        if written.count > 0, let found = WrittenKey.cells(by, in: written) {
            for index in 0..<by { cells[index] = Self.copy(found[index], scratch) }
            return
        }
        var reader = GroupKeyReader(state.groups.key(of: group))
        for index in 0..<by { cells[index] = reader.next().map { Self.copy($0.cell, scratch) } ?? .null }
    }

    /// The same cell, its text in the scratch's arena.
    private static func copy(_ cell: Cell, _ scratch: Scratch) -> Cell {
        switch cell.kind {
        case .string, .bytes, .decimal, .json: scratch.text(cell.kind, copying: cell.textBytes)
        default: cell
        }
    }
}

/// The order of keys: numbers by value (NaN last), then text by its bytes, then times, then
/// everything else; what is not there comes last. The first value that differs decides.
enum KeyOrder {
    static func isLess(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Bool {
        var (leftReader, rightReader) = (GroupKeyReader(left), GroupKeyReader(right))
        while true {
            let (leftStart, rightStart) = (leftReader.place, rightReader.place)
            guard let leftValue = leftReader.next(), let rightValue = rightReader.next() else { return false }
            let order = compare(leftValue, rightValue)
            if order != 0 { return order < 0 }
            guard leftValue.cell.kind == .boxed else { continue }
            // Lists, maps and the like stand in the order of their bytes.
            let (leftBytes, rightBytes) = (left[leftStart..<leftReader.place], right[rightStart..<rightReader.place])
            if leftBytes.elementsEqual(rightBytes) { continue }
            return leftBytes.lexicographicallyPrecedes(rightBytes)
        }
    }

    private static func rank(_ tag: GroupKey.Tag) -> Int {
        switch tag {
        case .int, .uint, .double: 0
        case .string: 1
        case .timestamp: 2
        case .duration: 3
        case .null: 4
        case .no: 5
        case .yes: 6
        case .bytes: 7
        case .list, .map, .optional, .other: 8
        case .absent: 9
        }
    }

    private static func compare(_ left: (tag: GroupKey.Tag, cell: Cell), _ right: (tag: GroupKey.Tag, cell: Cell)) -> Int {
        let (leftRank, rightRank) = (rank(left.tag), rank(right.tag))
        guard leftRank == rightRank else { return leftRank < rightRank ? -1 : 1 }
        switch left.tag {
        case .int, .uint, .double: return compareNumbers(left.cell, right.cell)
        case .string, .bytes: return compareText(left.cell.textBytes, right.cell.textBytes)
        case .timestamp, .duration:
            let (leftTime, rightTime) = (time(left.cell), time(right.cell))
            return leftTime == rightTime ? 0 : leftTime < rightTime ? -1 : 1
        default: return 0
        }
    }

    private static func time(_ cell: Cell) -> (Int64, Int32) { (cell.intValue, Int32(bitPattern: cell.count)) }

    private static func compareText(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Int {
        if left.elementsEqual(right) { return 0 }
        return left.lexicographicallyPrecedes(right) ? -1 : 1
    }

    /// Whole numbers that a 64-bit integer holds are never doubles here, so that a double differs
    /// from every one of them.
    private static func compareNumbers(_ left: Cell, _ right: Cell) -> Int {
        switch (left.kind, right.kind) {
        case (.double, .double):
            let (leftValue, rightValue) = (left.doubleValue, right.doubleValue)
            if leftValue.isNaN || rightValue.isNaN { return leftValue.isNaN ? rightValue.isNaN ? 0 : 1 : -1 }
            return leftValue == rightValue ? 0 : leftValue < rightValue ? -1 : 1
        case (.double, _):
            let value = left.doubleValue
            return value < double(right) ? -1 : 1
        case (_, .double): return -compareNumbers(right, left)
        default:
            let (leftValue, rightValue) = (whole(left), whole(right))
            return leftValue == rightValue ? 0 : leftValue < rightValue ? -1 : 1
        }
    }

    private static func whole(_ cell: Cell) -> Int128 { cell.kind == .int ? Int128(cell.intValue) : Int128(cell.payload) }

    private static func double(_ cell: Cell) -> Double { cell.kind == .int ? Double(cell.intValue) : Double(cell.payload) }
}
