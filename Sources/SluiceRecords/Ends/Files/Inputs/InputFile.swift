import SluiceCEL

/// An input of a run. Equality compares the bytes of the paths, and the sizes.
package struct InputFile: Sendable {
    /// A path, or an ``Address``; `-` is standard input.
    package var path: String
    /// The size in bytes, if it is a regular file or an object.
    package var size: UInt64?
    /// Of an object behind an address: its ETag or modification time.
    package var version: String?

    package init(path: String, size: UInt64? = nil, version: String? = nil) {
        self.path = path
        self.size = size
        self.version = version
    }

    package static let standardInput = InputFile(path: "-")
    package var isStandardInput: Bool { path == "-" }
}

extension InputFile {
    /// Refuses a file that might have to be waited for: a pipe, a socket or a device. Standard
    /// input and what a shell has opened (`<(…)`) are what the user means.
    package func checkIsRegular() throws(InputError) {
        guard case .file(size: nil) = PathKind.of(path), !isStandardInput else { return }
        let opened = ["/dev/fd/", "/proc/self/fd/", "/dev/stdin", "/dev/null"]
        guard !opened.contains(where: { path.hasPrefix($0) }) else { return }
        throw .unreadable(path: path, reason: "it is \(PathKind.words(of: Array(path.utf8))); this command reads only regular files and '-'")
    }
}

extension InputFile: Hashable {
    package static func == (left: InputFile, right: InputFile) -> Bool { left.path.isSame(as: right.path) && left.size == right.size }

    package func hash(into hasher: inout Hasher) { hasher.combine(Name(path)) }
}
