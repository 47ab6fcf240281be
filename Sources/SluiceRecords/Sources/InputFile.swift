import SluiceCEL

/// One input of a run. Two are the same if the bytes of their paths are.
public struct InputFile: Sendable {
    /// `-` is standard input.
    public var path: String
    /// Bytes, where it is a regular file.
    public var size: UInt64?

    public init(path: String, size: UInt64? = nil) {
        self.path = path
        self.size = size
    }

    public static let standardInput = InputFile(path: "-")
    public var isStandardInput: Bool { path == "-" }
}

extension InputFile: Hashable {
    public static func == (left: InputFile, right: InputFile) -> Bool { left.path.isSame(as: right.path) && left.size == right.size }

    public func hash(into hasher: inout Hasher) { hasher.combine(Name(path)) }
}
