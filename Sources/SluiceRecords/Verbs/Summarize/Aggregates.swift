import SluiceCEL

/// Computes one value from those of a group. One type and one file per aggregate; ``Aggregates`` is
/// the table.
protocol Aggregate: Sendable {
    /// Reports why the aggregate cannot be computed.
    init?(_ arguments: AggregateArguments, _ checking: inout Checking)

    /// The type of the result, as far as it is known statically.
    var type: CELType { get }

    /// The kinds of values that it accepts; `absent`, if among them, is ignored. Checked before any
    /// state changes.
    var accepted: CellKinds { get }

    /// Why other values are refused, for messages: `not a number`.
    var refusal: String { get }

    /// The form in which values are passed.
    var intake: AggregateIntake { get }

    /// Aggregates with the same name, over the same values, share their states.
    var stateName: String { get }

    /// Makes states for groups numbered from 0. Each worker has its own.
    func makeStates() -> any AggregateStates

    /// The number of values in a list that is the result.
    var listed: Int { get }

    /// The result for a group; `absent` if there is none. Its text must be in the scratch's arena.
    func result(_ states: any AggregateStates, of group: Int, _ scratch: Scratch) -> Cell
}

extension Aggregate {
    var intake: AggregateIntake { .cell }

    var listed: Int { 0 }

    func result(_ states: any AggregateStates, of group: Int, _ scratch: Scratch) -> Cell { states.result(of: group, scratch) }
}

/// The form of values. It is made before any state changes, since that may fail.
enum AggregateIntake: Sendable {
    /// The value unchanged.
    case cell
    /// The value's ``GroupKey``, as a cell of bytes.
    case key
    /// The length of the value's ``GroupKey`` (four bytes, little endian), the key, and the value's
    /// ``WrittenKey`` if the key does not suffice.
    case keyAndWriting
}

/// The name and arguments of an aggregate.
struct AggregateArguments {
    /// As in the pipeline file.
    var name: String
    /// The expression that it is computed from; `nil` if it takes none.
    var value: CellProgram?
    /// The place of the value.
    var place: Leaf
    /// The second argument, a number.
    var number: Double?
    /// The place of the number.
    var numberPlace: Leaf?

    /// The type of the values; `nil`, with a diagnostic, if they cannot be numbers.
    func numberType(_ does: String, _ checking: inout Checking) -> CELType? {
        guard let value else { return nil }
        let type = value.type.optionalValue
        guard [.dyn, .int, .uint, .double].contains(type) else {
            checking.report("'\(name)' \(does) numbers, but '\(value.text)' is of type \(value.type)", at: place.place)
            return nil
        }
        return type
    }
}

/// The declaration of an aggregate.
struct AggregateDeclaration: Sendable {
    enum Takes: Sendable {
        case nothing
        case value
        /// A value and a number.
        case valueAndNumber
    }

    /// As in the pipeline file.
    var name: String
    var takes: Takes
    /// One line for the reference table, without a full stop.
    var summary: String
    /// An example: `sum(bytes)`.
    var example: String
    var make: @Sendable (AggregateArguments, inout Checking) -> (any Aggregate)?
}

/// The states of one aggregate for all groups that one worker has seen. Not for concurrent use.
///
/// A group's state must not depend on the order or the grouping of additions and merges, down to
/// the bit.
protocol AggregateStates: AnyObject {
    /// Makes room for `groups` groups; new ones are empty.
    func grow(to groups: Int)

    /// Adds the value of `rows[i]` to group `groups[i]`. All values are of the accepted kinds, in
    /// the form of the intake; for an aggregate that takes no value, they are meaningless.
    ///
    /// - Parameter values: the values, indexed by row.
    func add(
        _ values: UnsafePointer<Cell>, of rows: UnsafeBufferPointer<UInt32>, to groups: UnsafeBufferPointer<UInt32>, in batch: RecordBatch)

    /// Merges group `i` of `others`, states of the same aggregate, into group `groups[i]`.
    func merge(_ others: any AggregateStates, into groups: [UInt32])

    /// The result for a group. Its text must be in the scratch's arena.
    func result(of group: Int, _ scratch: Scratch) -> Cell

    /// Whether the group's result is an estimate; `nil` for aggregates that never estimate.
    func isSketch(_ group: Int) -> Bool?

    /// Writes the group's state. Equal states give equal bytes.
    func write(_ group: Int, to writer: inout StateWriter)

    /// Reads the state of a group that is still empty.
    func read(_ group: Int, from reader: inout StateReader) throws(CheckpointError)

    /// An estimate of the memory in use, in bytes.
    var bytes: Int { get }

    /// The values themselves, if the states keep them all, however many there are.
    var values: (any GroupedValues)? { get }
}

extension AggregateStates {
    func isSketch(_ group: Int) -> Bool? { nil }

    var values: (any GroupedValues)? { nil }
}

/// Values of groups, each with what is known of it. Since a single group may have more of them than
/// fit in memory, they can be divided.
protocol GroupedValues: AnyObject {
    var count: Int { get }

    /// The numbers of the values, in 256 parts by a byte of the hash of their group's key and
    /// themselves.
    ///
    /// - Parameter byte: which one, from 0 to 7.
    func divided(by byte: Int, _ key: (_ group: Int) -> UnsafeBufferPointer<UInt8>) -> [[UInt32]]

    /// Adds some values of others of the same kind.
    ///
    /// - Parameter number: the number here of a group of the others.
    func add(_ some: [UInt32], of others: any GroupedValues, to number: (_ group: Int) -> Int)

    func removeAll()

    /// Keeps those that a result with `most` values may contain, given all that is known of each.
    func keepFirst(_ most: Int)
}

extension Array {
    /// Grows the array to `count` elements with initial values.
    mutating func grow(to count: Int, _ element: @autoclosure () -> Element) {
        while self.count < count { append(element()) }
    }
}

/// A set of cell kinds.
struct CellKinds: Sendable {
    private var bits: UInt32 = 0

    init(_ kinds: Cell.Kind...) {
        for kind in kinds { bits |= 1 << UInt32(kind.rawValue) }
    }

    /// Every kind of value, and `absent`.
    static let any = CellKinds(
        .absent, .null, .bool, .int, .uint, .double, .string, .bytes, .timestamp, .duration, .decimal, .json, .boxed)
    static let numbers = CellKinds(.absent, .int, .uint, .double, .decimal)

    @inline(__always)
    func contains(_ kind: Cell.Kind) -> Bool { bits >> UInt32(kind.rawValue) & 1 != 0 }
}

/// The table of aggregates.
package enum Aggregates {
    /// In the order of the reference.
    static let all: [AggregateDeclaration] =
        [CountAggregate.declaration, SumAggregate.declaration, MeanAggregate.declaration] + ExtremeAggregate.declarations
        + QuantileAggregate.declarations + [DistinctAggregate.declaration] + EdgeAggregate.declarations + [TopAggregate.declaration]

    static func named(_ name: String) -> AggregateDeclaration? { all.first { $0.name == name } }

    static var names: [String] { all.map { $0.name } }
    static var examples: String { all.prefix(3).map { $0.example }.joined(separator: ", ") }

    /// For the reference: an example and a summary of each.
    package static var reference: [(example: String, summary: String)] { all.map { ($0.example, $0.summary) } }
}
