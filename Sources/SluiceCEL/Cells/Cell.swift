/// One value on the path of every record: 16 bytes, no reference counting.
///
/// A cell that holds text points into memory that its creator keeps alive for as long as the cell
/// is used: the bytes of a batch or the arena of a ``Scratch``. A cell owns nothing.
@frozen
public struct Cell: BitwiseCopyable, Sendable {
    @frozen
    public enum Kind: UInt8, Sendable {
        /// No such field. Not a value: reading it is an error, except through `?.` or `has`.
        case absent
        case null
        case bool
        case int
        case uint
        case double
        /// UTF-8 text, unescaped.
        case string
        case bytes
        /// Seconds since 1970 in `payload`, nanoseconds (0 ..< 1_000_000_000) in `count`.
        case timestamp
        /// Seconds in `payload`, nanoseconds with the same sign (as `Int32` bits) in `count`.
        case duration
        /// A number's own decimal text, if neither a 64-bit integer nor a double holds it exactly.
        /// Computed with as a double; written back as its text.
        case decimal
        /// The JSON text of a list or a map, valid but not yet read.
        case json
        /// Any other value: `payload` is its index in the ``Scratch``.
        case boxed
        /// Evaluation failed; the ``Scratch`` holds the error.
        case error
    }

    public var payload: UInt64
    public var count: UInt32
    public var kind: Kind

    @inlinable
    public init(kind: Kind, payload: UInt64 = 0, count: UInt32 = 0) {
        self.payload = payload
        self.count = count
        self.kind = kind
    }

    public static var absent: Cell { @inlinable get { Cell(kind: .absent) } }
    public static var null: Cell { @inlinable get { Cell(kind: .null) } }
    public static var error: Cell { @inlinable get { Cell(kind: .error) } }

    @inlinable
    public static func bool(_ value: Bool) -> Cell { Cell(kind: .bool, payload: value ? 1 : 0) }

    @inlinable
    public static func int(_ value: Int64) -> Cell { Cell(kind: .int, payload: UInt64(bitPattern: value)) }

    @inlinable
    public static func uint(_ value: UInt64) -> Cell { Cell(kind: .uint, payload: value) }

    @inlinable
    public static func double(_ value: Double) -> Cell { Cell(kind: .double, payload: value.bitPattern) }

    /// A cell over text stored elsewhere. `kind` is one of `string`, `bytes`, `decimal`, `json`; at
    /// most 4 GiB.
    @inlinable
    public static func text(_ kind: Kind, _ start: UnsafePointer<UInt8>, count: Int) -> Cell {
        Cell(kind: kind, payload: UInt64(UInt(bitPattern: start)), count: UInt32(truncatingIfNeeded: count))
    }

    @inlinable
    public static func timestamp(seconds: Int64, nanoseconds: UInt32) -> Cell {
        Cell(kind: .timestamp, payload: UInt64(bitPattern: seconds), count: nanoseconds)
    }

    @inlinable
    public static func duration(seconds: Int64, nanoseconds: Int32) -> Cell {
        Cell(kind: .duration, payload: UInt64(bitPattern: seconds), count: UInt32(bitPattern: nanoseconds))
    }

    public var boolValue: Bool { @inlinable get { payload != 0 } }
    public var intValue: Int64 { @inlinable get { Int64(bitPattern: payload) } }
    public var doubleValue: Double { @inlinable get { Double(bitPattern: payload) } }

    /// The bytes of a text cell. Valid as long as the memory it points into.
    public var textBytes: UnsafeBufferPointer<UInt8> {
        @inlinable get {
            UnsafeBufferPointer(start: UnsafePointer(bitPattern: UInt(payload)), count: Int(count))
        }
    }
}
