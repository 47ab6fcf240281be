import SluiceCEL

/// One input of a run. Two are the same if the bytes of their paths are.
package struct InputFile: Sendable {
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

extension InputFile: Hashable {
    package static func == (left: InputFile, right: InputFile) -> Bool { left.path.isSame(as: right.path) && left.size == right.size }

    package func hash(into hasher: inout Hasher) { hasher.combine(Name(path)) }
}
