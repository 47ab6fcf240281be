/// One input of a run.
package struct InputFile: Hashable, Sendable {
    /// `-` is standard input.
    package var path: String
    /// Bytes, where it is a regular file.
    package var size: UInt64?

    package init(path: String, size: UInt64? = nil) {
        self.path = path
        self.size = size
    }

    package static let standardInput = InputFile(path: "-")
    package var isStandardInput: Bool { path == "-" }
}
