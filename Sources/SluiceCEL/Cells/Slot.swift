/// What a program expects in one of its cells.
public enum Slot: Sendable {
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

extension Slot: Hashable {
    public static func == (left: Slot, right: Slot) -> Bool { left.key == right.key }

    public func hash(into hasher: inout Hasher) { hasher.combine(key) }

    /// Fields are told apart by the bytes of their names, and begin with a dot here, so that none
    /// is taken for another kind of slot.
    private var key: Name {
        switch self {
        case .field(let name): Name("." + name)
        case .record: "record"
        case .sourceFile: "source.file"
        case .sourceLine: "source.line"
        case .sourceOffset: "source.offset"
        }
    }
}
