import SluiceCEL

/// `min(x)` and `max(x)`.
struct ExtremeAggregate: Aggregate {
    static let declarations = [
        AggregateDeclaration(
            name: "min", takes: .value, summary: "the least value; of numbers, text, times or bools", example: "min(time)",
            make: { ExtremeAggregate($0, &$1) }),
        AggregateDeclaration(
            name: "max", takes: .value, summary: "the greatest value", example: "max(duration_ms)", make: { ExtremeAggregate($0, &$1) }),
    ]

    let type: CELType
    let stateName: String
    private let isGreatest: Bool

    init?(_ arguments: AggregateArguments, _ checking: inout Checking) {
        guard let value = arguments.value else { return nil }
        let type = value.type.optionalValue
        guard [.dyn, .int, .uint, .double, .string, .bool, .bytes, .timestamp, .duration].contains(type) else {
            checking.report("'\(arguments.name)' needs values that can be ordered, but '\(value.text)' is of type \(value.type)", at: arguments.place.place)
            return nil
        }
        self.type = type
        stateName = arguments.name
        isGreatest = arguments.name == Self.declarations[1].name
    }

    var accepted: CellKinds { Self.ordered }
    static let ordered = CellKinds(.absent, .int, .uint, .double, .decimal, .string, .bool, .bytes, .timestamp, .duration)
    var refusal: String { "which cannot be ordered" }

    func makeStates() -> any AggregateStates { ExtremeStates(isGreatest: isGreatest) }
}

private final class ExtremeStates: AggregateStates {
    private let cells = StoredCells()
    private let isGreatest: Bool

    init(isGreatest: Bool) {
        self.isGreatest = isGreatest
    }

    func grow(to groups: Int) { cells.grow(to: groups) }
    var bytes: Int { cells.bytes }

    func add(
        _ values: UnsafePointer<Cell>, of rows: UnsafeBufferPointer<UInt32>, to groups: UnsafeBufferPointer<UInt32>, in batch: RecordBatch
    ) {
        for index in rows.indices { take(values[Int(rows[index])], in: Int(groups[index])) }
    }

    @inline(__always)
    private func take(_ cell: Cell, in group: Int) {
        guard cell.kind != .absent else { return }
        let kept = cells[group]
        guard kept.kind != .absent else { return cells.store(cell, in: group) }
        let order = CellOrder.compare(cell, kept)
        if order == 0 ? Self.isWrittenBefore(cell, kept) : (order > 0) == isGreatest { cells.store(cell, in: group) }
    }

    /// Decides which of two equal values is kept, independently of their order: an int before a
    /// double.
    private static func isWrittenBefore(_ left: Cell, _ right: Cell) -> Bool {
        if left.kind != right.kind { return left.kind.rawValue < right.kind.rawValue }
        guard left.kind == .decimal else { return left.kind == .double && left.payload < right.payload }
        return left.textBytes.lexicographicallyPrecedes(right.textBytes)
    }

    func merge(_ others: any AggregateStates, into groups: [UInt32]) {
        guard let others = others as? ExtremeStates else { return }
        for (other, group) in groups.enumerated() where other < others.cells.count { take(others.cells[other], in: Int(group)) }
    }

    func result(of group: Int, _ scratch: Scratch) -> Cell { cells[group].copied(to: scratch) }

    func write(_ group: Int, to writer: inout StateWriter) { cells.write(group, to: &writer) }

    func read(_ group: Int, from reader: inout StateReader) throws(CheckpointError) {
        try cells.read(group, from: &reader, ExtremeAggregate.ordered)
    }
}
