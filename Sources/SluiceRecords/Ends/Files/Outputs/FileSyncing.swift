import Glibc

/// What a library that writes a file itself leaves to do.
enum FileSyncing {
    /// Syncs the bytes of a staged file to disk.
    static func sync(_ staged: String, as path: String) throws(OutputError) {
        let descriptor = open(staged, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw .failed(path, "cannot be opened", errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .failed(path, "cannot be synced to disk", errno) }
    }

    static func rename(_ staged: String, to path: String) throws(OutputError) {
        guard Glibc.rename(staged, path) == 0 else { throw .failed(path, "cannot be put in its place", errno) }
    }

    static func remove(_ staged: String) { unlink(staged) }
}
