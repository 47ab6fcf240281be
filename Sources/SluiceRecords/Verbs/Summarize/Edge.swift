import SluiceCEL

/// `first(x)` and `last(x)`, in the order of the records in the input.
struct EdgeAggregate: Aggregate {
    static let declarations = [
        AggregateDeclaration(
            name: "first", takes: .value, summary: "the value of the first record that has one", example: "first(time)",
            make: { EdgeAggregate($0, &$1) }),
        AggregateDeclaration(
            name: "last", takes: .value, summary: "the value of the last record that has one", example: "last(status)",
            make: { EdgeAggregate($0, &$1) }),
    ]

    let type: CELType
    let stateName: String
    private let isLast: Bool

    init?(_ arguments: AggregateArguments, _ checking: inout Checking) {
        guard let value = arguments.value else { return nil }
        type = value.type.optionalValue
        stateName = arguments.name
        isLast = arguments.name == Self.declarations[1].name
    }

    var accepted: CellKinds { .any }
    var refusal: String { "" }

    func makeStates() -> any AggregateStates { EdgeStates(isLast: isLast) }
}

private final class EdgeStates: AggregateStates {
    private let cells = StoredCells()
    /// The place of the record that the value is from; meaningless while there is no value.
    @exclusivity(unchecked) private var places: [RecordPlace] = []
    private let isLast: Bool

    init(isLast: Bool) {
        self.isLast = isLast
    }

    func grow(to groups: Int) {
        cells.grow(to: groups)
        places.grow(to: groups, .none)
    }

    var bytes: Int { cells.bytes + places.capacity * MemoryLayout<RecordPlace>.stride }

    func add(
        _ values: UnsafePointer<Cell>, of rows: UnsafeBufferPointer<UInt32>, to groups: UnsafeBufferPointer<UInt32>, in batch: RecordBatch
    ) {
        for index in rows.indices {
            let cell = values[Int(rows[index])]
            guard cell.kind != .absent else { continue }
            let group = Int(groups[index])
            let place = batch.place(ofRow: Int(rows[index]))
            if cells[group].kind == .absent || isWanted(place, over: places[group]) {
                cells.store(WrittenKey.plain(cell, batch.scratch), in: group)
                places[group] = place
            }
        }
    }

    @inline(__always)
    private func isWanted(_ place: RecordPlace, over other: RecordPlace) -> Bool { isLast ? other < place : place < other }

    func merge(_ others: any AggregateStates, into groups: [UInt32]) {
        guard let others = others as? EdgeStates else { return }
        for (other, group) in groups.enumerated() where other < others.places.count && others.cells[other].kind != .absent {
            let group = Int(group)
            guard cells[group].kind == .absent || isWanted(others.places[other], over: places[group]) else { continue }
            cells.store(others.cells[other], in: group)
            places[group] = others.places[other]
        }
    }

    func result(of group: Int, _ scratch: Scratch) -> Cell { cells[group].copied(to: scratch) }

    func write(_ group: Int, to writer: inout StateWriter) {
        cells.write(group, to: &writer)
        if cells[group].kind != .absent { places[group].write(to: &writer) }
    }

    func read(_ group: Int, from reader: inout StateReader) throws(CheckpointError) {
        try cells.read(group, from: &reader, .any)
        if cells[group].kind != .absent { places[group] = try RecordPlace(from: &reader) }
    }
}

extension RecordPlace {
    func write(to writer: inout StateWriter) {
        writer.write(UInt64(input))
        writer.write(offset)
        writer.write(UInt64(part))
    }

    init(from reader: inout StateReader) throws(CheckpointError) {
        self.init(
            input: UInt32(truncatingIfNeeded: try reader.number()), offset: try reader.number(),
            part: UInt32(truncatingIfNeeded: try reader.number()))
    }
}
