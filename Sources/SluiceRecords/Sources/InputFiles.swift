import Glibc

/// From what a definition names to the files that are read.
package enum InputFiles {
    /// Expands paths and patterns: `*` and `?` within a name, `[a-z]` and `[!a-z]`, `{a,b}`, `**` for any number of folders, `\` before a character
    /// that stands for itself; `-` is standard input. A pattern that is the path of a file is that file.
    ///
    /// - Returns: each file once, `.` and doubled slashes taken out of its path, in the order of the paths' bytes.
    ///   Hidden names match only where the pattern's name begins with a dot. `**` does not follow links to folders.
    ///   Folders that a pattern matches are passed over.
    /// - Throws: for a pattern that matches no file, a path that is not there, a folder, and a file that may not be read.
    package static func expand(_ patterns: [String]) throws(InputError) -> [InputFile] {
        var found: [String: InputFile] = [:]
        for pattern in patterns {
            for file in try expand(pattern) { found[file.path] = file }
        }
        return found.values.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    private static func expand(_ pattern: String) throws(InputError) -> [InputFile] {
        if pattern == "-" { return [.standardInput] }
        guard !pattern.isEmpty, !pattern.utf8.contains(0) else {
            throw .badPattern(pattern: pattern, reason: pattern.isEmpty ? "it is empty" : "it contains a NUL character")
        }
        switch PathKind.of(pattern) {
        case .folder: throw .folder(path: pattern)
        case .missing where !NamePattern.isPattern(pattern): throw .missing(path: pattern)
        case .unreadable(let reason) where !NamePattern.isPattern(pattern): throw .unreadable(path: pattern, reason: reason)
        case .file(let size): return [try readable(OutputFolders.normalized(pattern), size: size)]
        case .missing, .unreadable: break
        }
        var files: [InputFile] = []
        for alternative in try Braces.expand(pattern) {
            var walk = try GlobWalk(pattern: alternative)
            try walk.run()
            for path in walk.found {
                switch PathKind.of(path) {
                case .folder: continue
                case .file(let size): files.append(try readable(path, size: size))
                case .missing: throw .unreadable(path: path, reason: "it is a link to nothing")
                case .unreadable(let reason): throw .unreadable(path: path, reason: reason)
                }
            }
        }
        guard !files.isEmpty else { throw .noMatch(pattern: pattern) }
        return files
    }

    private static func readable(_ path: String, size: UInt64?) throws(InputError) -> InputFile {
        guard access(path, R_OK) == 0 else { throw .unreadable(path: path, reason: describe(error: errno)) }
        return InputFile(path: path, size: size)
    }
}

/// What stands at a path, links followed.
enum PathKind {
    case folder
    /// Of a regular file, its size; a pipe or a device has none.
    case file(size: UInt64?)
    case missing
    case unreadable(reason: String)

    static func of(_ path: String) -> PathKind {
        var status = stat()
        guard stat(path, &status) == 0 else {
            return errno == ENOENT || errno == ENOTDIR ? .missing : .unreadable(reason: describe(error: errno))
        }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: return .folder
        case S_IFREG: return .file(size: UInt64(status.st_size))
        default: return .file(size: nil)
        }
    }
}
