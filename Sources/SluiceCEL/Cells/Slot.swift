/// What a program expects in one of its cells.
public enum Slot: Hashable, Sendable {
    /// A top-level field of the record; `absent` where the record has none.
    case field(String)
    /// The whole record, as `json` or boxed. Only requested if an expression reads it as a whole.
    case record
    /// The name of the file that the record came from, as `string`.
    case sourceFile
    /// The line in that file, counted from 1, as `int`.
    case sourceLine
    /// The offset in that file, in decompressed bytes, as `int`.
    case sourceOffset
}
