import Glibc

/// An open folder, for calls that take a name in it: they find this folder, whatever its path leads
/// to by now. Links are not followed unless said otherwise.
final class OpenFolder {
    /// `O_PATH`, which the C library's module does not export. It opens a folder that may be
    /// searched but not read.
    static let searchOnly: Int32 = 0o10_000_000

    let descriptor: Int32

    private init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Opens the folder that a path leads to, through links. If that fails, `errno` says why.
    static func at(_ path: String) -> OpenFolder? {
        opened(Glibc.open(path, searchOnly | O_DIRECTORY | O_CLOEXEC))
    }

    /// Opens a folder in this one. If that fails, `errno` says why: it is `ENOTDIR` for a link.
    func folder(_ name: String) -> OpenFolder? {
        Self.opened(openat(descriptor, name, Self.searchOnly | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))
    }

    private static func opened(_ descriptor: Int32) -> OpenFolder? { descriptor < 0 ? nil : OpenFolder(descriptor) }

    enum Kind {
        case folder
        /// `size` is that of a regular file, `nil` for a pipe or a device.
        case file(size: UInt64?)
        case link
        case missing
        case unreadable(reason: String)
    }

    func kind(of name: String, followingLink: Bool = false) -> Kind {
        var status = stat()
        guard fstatat(descriptor, name, &status, followingLink ? 0 : AT_SYMLINK_NOFOLLOW) == 0 else {
            return errno == ENOENT ? .missing : .unreadable(reason: describe(error: errno))
        }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: return .folder
        case S_IFREG: return .file(size: UInt64(status.st_size))
        case S_IFLNK: return .link
        default: return .file(size: nil)
        }
    }

    /// - Returns: the descriptor; negative if that fails, and `errno` says why.
    func open(_ name: String, _ flags: Int32, followingLink: Bool = false) -> Int32 {
        openat(descriptor, name, flags | (followingLink ? 0 : O_NOFOLLOW) | O_CLOEXEC | O_NOCTTY, 0o666)
    }

    // As for the system, 0 is success; else `errno` says why not.

    func makeFolder(_ name: String) -> Int32 { mkdirat(descriptor, name, 0o777) }
    func rename(_ name: String, to other: String) -> Int32 { renameat(descriptor, name, descriptor, other) }

    /// Gives a file, or a link itself, a second name.
    func link(_ name: String, to other: String) -> Int32 { linkat(descriptor, name, descriptor, other, 0) }

    /// Gives the file that a path leads to a name in this folder.
    func link(from path: String, to name: String) -> Int32 { linkat(AT_FDCWD, path, descriptor, name, 0) }

    /// Whether names can be changed in it; if not, `errno` says why.
    var isWritable: Bool { faccessat(descriptor, ".", W_OK | X_OK, AT_EACCESS) == 0 }

    @discardableResult
    func remove(_ name: String) -> Int32 { unlinkat(descriptor, name, 0) }

    /// Removes a folder in this one if it is empty.
    @discardableResult
    func removeFolder(_ name: String) -> Int32 { unlinkat(descriptor, name, AT_REMOVEDIR) }

    /// - Returns: for each folder 0, or the code of the error.
    static func sync(_ folders: [OpenFolder]) -> [Int32] {
        var failures = [Int32](repeating: 0, count: folders.count)
        var open: [(index: Int, descriptor: Int32)] = []
        defer { for folder in open { close(folder.descriptor) } }
        for (index, folder) in folders.enumerated() {
            let readable = openat(folder.descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            if readable >= 0 { open.append((index, readable)) } else { failures[index] = errno }
        }
        for (folder, failure) in zip(open, FileSyncing.sync(open.map(\.descriptor))) { failures[folder.index] = failure }
        return failures
    }

    /// The names in the folder; none if it cannot be read.
    var names: [String] {
        let readable = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard readable >= 0 else { return [] }
        guard let stream = fdopendir(readable) else {
            close(readable)
            return []
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            if let name = entry.name { names.append(name) }
        }
        return names
    }
}
