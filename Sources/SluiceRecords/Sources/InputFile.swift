/// One input of a run.
public struct InputFile: Hashable, Sendable {
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
