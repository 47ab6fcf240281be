import SluiceCEL

/// What makes one value of those of a group. One type an aggregate, one file; the table is
/// ``Aggregates``.
protocol Aggregate: Sendable {
    /// Reports what keeps it from being computed.
    init?(_ arguments: AggregateArguments, _ checking: inout Checking)

    /// The type of the result, as far as it is known before.
    var type: CELType { get }

    /// The values that it takes in; `absent` among them is left out. Looked at before any state
    /// changes.
    var accepted: CellKinds { get }

    /// What is wrong with others, for messages: `not a number`.
    var refusal: String { get }

    /// The form in which it takes them.
    var intake: AggregateIntake { get }

    /// Aggregates of the same name here, of the same values, share their states.
    var stateName: String { get }

    /// States for groups that are numbered from 0; one such thing for each worker.
    func makeStates() -> any AggregateStates

    /// Text must live in the scratch's arena. `absent` where there is nothing to give.
    func result(_ states: any AggregateStates, of group: Int, _ scratch: Scratch) -> Cell
}

extension Aggregate {
    var intake: AggregateIntake { .cell }

    func result(_ states: any AggregateStates, of group: Int, _ scratch: Scratch) -> Cell { states.result(of: group, scratch) }
}

/// What values are made of before any state changes, since that may fail.
enum AggregateIntake: Sendable {
    /// As they are.
    case cell
    /// Its ``GroupKey``, as a cell of bytes.
    case key
    /// How many bytes its ``GroupKey`` has (four bytes, the lowest first), the key, and its
    /// ``WrittenKey`` where the key does not tell.
    case keyAndWriting
}

/// What an aggregate is written with.
struct AggregateArguments {
    /// As in the pipeline file.
    var name: String
    /// What it is computed of; `nil` where it takes nothing.
    var value: CellProgram?
    /// Where the value stands.
    var place: Leaf
    /// The number that follows it.
    var number: Double?
    /// Where that stands.
    var numberPlace: Leaf?

    /// The type of the values; nil, and reported, where they can be no numbers.
    func numberType(_ does: String, _ checking: inout Checking) -> CELType? {
        guard let value else { return nil }
        let type = value.type.optionalValue
        guard [.dyn, .int, .uint, .double].contains(type) else {
            checking.report("'\(name)' \(does) numbers, and '\(value.text)' is of type \(value.type)", at: place.place)
            return nil
        }
        return type
    }
}

/// What an aggregate says of itself.
struct AggregateDeclaration: Sendable {
    enum Takes: Sendable {
        case nothing
        case value
        /// And a number.
        case valueAndNumber
    }

    /// As in the pipeline file.
    var name: String
    var takes: Takes
    /// One line for the reference table, without a full stop.
    var summary: String
    /// How it may be written: `sum(bytes)`.
    var example: String
    var make: @Sendable (AggregateArguments, inout Checking) -> (any Aggregate)?
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
    /// accepts, in the form of its intake; of an aggregate that takes no value, they mean nothing.
    ///
    /// - Parameter values: by row.
    func add(
        _ values: UnsafePointer<Cell>, of rows: UnsafeBufferPointer<UInt32>, to groups: UnsafeBufferPointer<UInt32>, in batch: RecordBatch)

    /// Merges group `i` of the others, which are of the same aggregate, into group `groups[i]`.
    func merge(_ others: any AggregateStates, into groups: [UInt32])

    /// Text must live in the scratch's arena.
    func result(of group: Int, _ scratch: Scratch) -> Cell

    /// Whether the group's result is an estimate; nil for aggregates that never give one.
    func isSketch(_ group: Int) -> Bool?

    /// Writes the group's state: equal states, equal bytes.
    func write(_ group: Int, to writer: inout StateWriter)

    /// Reads the state of a group that has taken in nothing yet.
    func read(_ group: Int, from reader: inout StateReader) throws(CheckpointError)

    /// Bytes of memory, about.
    var bytes: Int { get }
}

extension AggregateStates {
    func isSketch(_ group: Int) -> Bool? { nil }
}

extension Array {
    /// Makes room for so many, each as it begins.
    mutating func grow(to count: Int, _ element: @autoclosure () -> Element) {
        while self.count < count { append(element()) }
    }
}

/// Kinds of cells.
struct CellKinds: Sendable {
    private var bits: UInt32 = 0

    init(_ kinds: Cell.Kind...) {
        for kind in kinds { bits |= 1 << UInt32(kind.rawValue) }
    }

    /// Every value, and none.
    static let any = CellKinds(
        .absent, .null, .bool, .int, .uint, .double, .string, .bytes, .timestamp, .duration, .decimal, .json, .boxed)
    static let numbers = CellKinds(.absent, .int, .uint, .double, .decimal)

    @inline(__always)
    func contains(_ kind: Cell.Kind) -> Bool { bits >> UInt32(kind.rawValue) & 1 != 0 }
}

/// The table of the aggregates.
package enum Aggregates {
    /// In the order of the reference.
    static let all: [AggregateDeclaration] =
        [CountAggregate.declaration, SumAggregate.declaration, MeanAggregate.declaration] + ExtremeAggregate.declarations
        + QuantileAggregate.declarations + [DistinctAggregate.declaration] + EdgeAggregate.declarations + [TopAggregate.declaration]

    static func named(_ name: String) -> AggregateDeclaration? { all.first { $0.name == name } }

    static var names: [String] { all.map { $0.name } }
    static var examples: String { all.prefix(3).map { $0.example }.joined(separator: ", ") }

    /// For the reference: how each may be written, and what it is.
    package static var reference: [(example: String, summary: String)] { all.map { ($0.example, $0.summary) } }
}
