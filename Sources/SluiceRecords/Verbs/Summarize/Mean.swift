import SluiceCEL

/// `mean(x)`: the exact sum divided by the number of values, rounded once.
struct MeanAggregate: Aggregate {
    static let declaration = AggregateDeclaration(
        name: "mean", takes: .value, summary: "the mean of the numbers: their exact sum divided by their count, rounded once to a double",
        example: "mean(bytes)", make: { MeanAggregate($0, &$1) })

    init?(_ arguments: AggregateArguments, _ checking: inout Checking) {
        guard arguments.numberType("takes", &checking) != nil else { return nil }
    }

    var type: CELType { .double }
    var accepted: CellKinds { .numbers }
    var refusal: String { "not a number" }
    var stateName: String { Self.declaration.name }

    func makeStates() -> any AggregateStates { MeanStates() }
}

private final class MeanStates: AggregateStates {
    private let sums = SumStates()
    @exclusivity(unchecked) private var counts: [UInt64] = []

    func grow(to groups: Int) {
        sums.grow(to: groups)
        counts.grow(to: groups, 0)
    }

    var bytes: Int { sums.bytes + 8 * counts.capacity }

    func add(
        _ values: UnsafePointer<Cell>, of rows: UnsafeBufferPointer<UInt32>, to groups: UnsafeBufferPointer<UInt32>, in batch: RecordBatch
    ) {
        sums.add(values, of: rows, to: groups, in: batch)
        for index in rows.indices where values[Int(rows[index])].kind != .absent { counts[Int(groups[index])] &+= 1 }
    }

    func merge(_ others: any AggregateStates, into groups: [UInt32]) {
        guard let others = others as? MeanStates else { return }
        sums.merge(others.sums, into: groups)
        for (group, count) in zip(groups, others.counts) { counts[Int(group)] &+= count }
    }

    func result(of group: Int, _ scratch: Scratch) -> Cell {
        guard counts[group] > 0 else { return .absent }
        switch sums.total(of: group) {
        case .infinite(let value): return .double(value)
        case .finite(let digits): return .double(digits.mean(of: counts[group]))
        }
    }

    func write(_ group: Int, to writer: inout StateWriter) {
        writer.write(counts[group])
        sums.write(group, to: &writer)
    }

    func read(_ group: Int, from reader: inout StateReader) throws(CheckpointError) {
        counts[group] = try reader.number()
        try sums.read(group, from: &reader)
    }
}
