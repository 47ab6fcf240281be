import SluiceCEL

/// What makes one value of those of a group. One type an aggregate, one file; the table is
/// ``Aggregates``.
protocol Aggregate: Sendable {
    static var declaration: AggregateDeclaration { get }

    /// Reports what keeps it from being computed.
    ///
    /// - Parameter value: what it is computed of; `nil` where it takes nothing.
    init?(_ value: CellProgram?, at leaf: Leaf, _ checking: inout Checking)

    /// The type of the result, as far as it is known before.
    var type: CELType { get }

    /// The values that it takes in; `absent` among them is left out. Looked at before any state
    /// changes.
    var accepted: CellKinds { get }

    /// What is wrong with others, for messages: `not a number`.
    var refusal: String { get }

    /// States for groups that are numbered from 0; one such thing for each worker.
    func makeStates() -> any AggregateStates
}

/// What an aggregate says of itself.
struct AggregateDeclaration: Sendable {
    /// As in the pipeline file.
    var name: String
    /// Whether it is computed of an expression.
    var takesValue: Bool
    /// One line for the reference table, without a full stop.
    var summary: String
    /// How it may be written: `sum(bytes)`.
    var example: String
}

/// The states of one aggregate for all groups that one worker has seen. Used by one thread at a
/// time.
///
/// What a group's state comes to must not depend on the order or the grouping of additions and
/// merges, to the bit.
protocol AggregateStates: AnyObject {
    /// Makes room for so many groups; new ones have taken in nothing.
    func grow(to groups: Int)

    /// Takes in the value of `rows[i]` for `groups[i]`. All are of the kinds that the aggregate
    /// accepts; of an aggregate that takes no value, they mean nothing.
    ///
    /// - Parameter values: by row.
    func add(_ values: UnsafePointer<Cell>, of rows: UnsafeBufferPointer<UInt32>, to groups: UnsafeBufferPointer<UInt32>)

    /// Merges group `i` of the others, which are of the same aggregate, into group `groups[i]`.
    func merge(_ others: any AggregateStates, into groups: [UInt32])

    /// Text must live in the scratch's arena.
    func result(of group: Int, _ scratch: Scratch) -> Cell

    /// Writes the group's state: equal states, equal bytes.
    func write(_ group: Int, to writer: inout StateWriter)

    /// Reads the state of a group that has taken in nothing yet.
    func read(_ group: Int, from reader: inout StateReader) throws(CheckpointError)
}

/// Kinds of cells.
struct CellKinds: Sendable {
    private var bits: UInt32 = 0

    init(_ kinds: Cell.Kind...) {
        for kind in kinds { bits |= 1 << UInt32(kind.rawValue) }
    }

    @inline(__always)
    func contains(_ kind: Cell.Kind) -> Bool { bits >> UInt32(kind.rawValue) & 1 != 0 }
}

/// The table of the aggregates.
enum Aggregates {
    /// In the order of the reference.
    static let all: [any Aggregate.Type] = [CountAggregate.self, SumAggregate.self]

    /// Named in the contract of the pipeline file, and not built yet.
    static let later = ["min", "max", "mean", "p50", "p90", "p95", "p99", "quantile", "distinct", "first", "last", "top"]

    static func named(_ name: String) -> (any Aggregate.Type)? { all.first { $0.declaration.name == name } }

    static var names: [String] { all.map { $0.declaration.name } }
    static var examples: String { all.map { $0.declaration.example }.joined(separator: ", ") }
}
