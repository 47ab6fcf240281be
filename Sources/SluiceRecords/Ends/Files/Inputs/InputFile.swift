import SluiceCEL

/// An input of a run. Equality compares the bytes of the paths, and the sizes.
package struct InputFile: Sendable {
    /// `-` is standard input.
    package var path: String
    /// The size in bytes, if it is a regular file.
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
