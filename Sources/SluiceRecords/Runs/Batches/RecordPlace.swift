/// The position of a record in the order of the run: its input, the offset of its first byte, and
/// its index among the records made from the same bytes.
///
/// Records that a closing stage produced come after those of all inputs, ordered by their index.
struct RecordPlace: BitwiseCopyable, Comparable {
    var input: UInt32
    var offset: UInt64
    var part: UInt32

    /// After every record.
    static let none = RecordPlace(input: .max, offset: .max, part: .max)

    static func < (left: RecordPlace, right: RecordPlace) -> Bool {
        (left.input, left.offset, left.part) < (right.input, right.offset, right.part)
    }
}
