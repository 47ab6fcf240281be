/// Where a record stands: its input, the byte that it begins at, and which of those that were made
/// of it.
///
/// Records that a closing stage gave come after all inputs, by their number.
struct RecordPlace: BitwiseCopyable, Comparable {
    var input: UInt32
    var offset: UInt64
    var part: UInt32

    /// After all records.
    static let none = RecordPlace(input: .max, offset: .max, part: .max)

    static func < (left: RecordPlace, right: RecordPlace) -> Bool {
        (left.input, left.offset, left.part) < (right.input, right.offset, right.part)
    }
}
