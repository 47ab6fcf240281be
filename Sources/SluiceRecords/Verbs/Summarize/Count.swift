import SluiceCEL

/// `count()`: the number of records in the group.
struct CountAggregate: Aggregate {
    static let declaration = AggregateDeclaration(
        name: "count", takes: .nothing, summary: "the number of records", example: "count()", make: { CountAggregate($0, &$1) })

    init?(_ arguments: AggregateArguments, _ checking: inout Checking) {}

    var type: CELType { .int }

    var accepted: CellKinds { CellKinds() }
    var refusal: String { "" }
    var stateName: String { Self.declaration.name }

    func makeStates() -> any AggregateStates { CountStates() }
}

private final class CountStates: AggregateStates {
    @exclusivity(unchecked) private var counts: [UInt64] = []

    func grow(to groups: Int) { counts.grow(to: groups, 0) }

    var bytes: Int { 8 * counts.capacity }

    func add(
        _ values: UnsafePointer<Cell>, of rows: UnsafeBufferPointer<UInt32>, to groups: UnsafeBufferPointer<UInt32>, in batch: RecordBatch
    ) {
        counts.withUnsafeMutableBufferPointer { counts in
            for group in groups { counts[Int(group)] &+= 1 }
        }
    }

    func merge(_ others: any AggregateStates, into groups: [UInt32]) {
        guard let others = others as? CountStates else { return }
        for (group, count) in zip(groups, others.counts) { counts[Int(group)] &+= count }
    }

    func result(of group: Int, _ scratch: Scratch) -> Cell { .int(Int64(clamping: counts[group])) }

    func write(_ group: Int, to writer: inout StateWriter) { writer.write(counts[group]) }

    func read(_ group: Int, from reader: inout StateReader) throws(CheckpointError) { counts[group] = try reader.number() }
}
