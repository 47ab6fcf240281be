import Glibc
import SluiceCEL

/// Resolves the paths and patterns of a definition to files.
package enum InputFiles {
    /// Expands paths and patterns: `*` and `?` within a name, `[a-z]` and `[!a-z]`, `{a,b}`, `**`
    /// for any number of folders, `\` to escape a character; `-` is standard input. A pattern that
    /// is the path of an existing file means that file.
    ///
    /// - Returns: each file once, with its path normalized, in the byte order of the paths. Hidden
    ///   names match only if the pattern's name begins with a dot. `**` does not follow links to
    ///   folders. Folders that a pattern matches are skipped, and so are the matches in
    ///   ``Matches/passedOver``.
    /// - Throws: for a pattern that matches no file, a path that does not exist, a folder, and a
    ///   file that may not be read.
    package static func expand(_ patterns: [String]) throws(InputError) -> [InputFile] {
        try matches(of: patterns).files
    }

    /// The matches of patterns.
    package struct Matches: Equatable, Sendable {
        /// As returned by ``InputFiles/expand(_:)``.
        package var files: [InputFile] = []
        /// Matches that are neither files nor folders, each as a sentence: `logs/feed is a named
        /// pipe`. Such a file is read only if it is named by its own path.
        package var passedOver: [String] = []
    }

    package static func matches(of patterns: [String]) throws(InputError) -> Matches {
        var files: [Name: InputFile] = [:]
        var passedOver: Set<Name> = []
        for pattern in patterns {
            let matches = try matches(of: pattern)
            for file in matches.files { files[Name(file.path)] = file }
            passedOver.formUnion(matches.passedOver.map { Name($0) })
        }
        return Matches(files: files.sorted { $0.key < $1.key }.map(\.value), passedOver: passedOver.sorted().map(\.text))
    }

    private static func matches(of pattern: String) throws(InputError) -> Matches {
        if pattern.isSame(as: "-") { return Matches(files: [.standardInput]) }
        guard !pattern.isEmpty, !pattern.utf8.contains(0) else {
            throw .badPattern(pattern: pattern, reason: pattern.isEmpty ? "it is empty" : "it contains a NUL character")
        }
        if Address.isAddress(pattern) { return Matches(files: try Fetcher.shared.list(pattern)) }
        switch PathKind.of(Array(pattern.utf8)) {
        case .folder: throw .folder(path: pattern)
        case .missing where !NamePattern.isPattern(pattern): throw .missing(path: pattern)
        case .unreadable(let reason) where !NamePattern.isPattern(pattern): throw .unreadable(path: pattern, reason: reason)
        case .file(let size): return Matches(files: [try readable(NameBytes.normalized(pattern), size: size)])
        case .missing, .unreadable: break
        }
        var matches = Matches()
        for alternative in try Braces.expand(pattern) {
            var walk = try GlobWalk(pattern: alternative, of: pattern)
            try walk.run()
            for path in walk.found { try add(path, to: &matches) }
        }
        guard !matches.files.isEmpty else { throw .noMatch(pattern: pattern, passedOver: matches.passedOver) }
        return matches
    }

    /// Opens a file, or what is behind an address.
    ///
    /// - Parameter offset: where reading begins, in bytes.
    static func open(_ file: InputFile, at offset: UInt64 = 0) throws(InputError) -> any InputBytes {
        if Address.isAddress(file.path) { return try Fetcher.shared.open(file, at: offset) }
        return try InputDescriptor(file, at: offset)
    }

    /// The file at a literal path, which is not a pattern.
    static func named(_ path: String) throws(InputError) -> InputFile {
        if Address.isAddress(path) { return try Fetcher.shared.objects(at: [path])[0].get() }
        switch PathKind.of(path) {
        case .folder: throw .folder(path: path)
        case .missing: throw .missing(path: path)
        case .unreadable(let reason): throw .unreadable(path: path, reason: reason)
        case .file(let size):
            let name = NameBytes.normalized(path)
            // A file of this name is not standard input.
            return try readable(name.isSame(as: "-") ? "./-" : name, size: size)
        }
    }

    private static func add(_ path: [UInt8], to matches: inout Matches) throws(InputError) {
        switch PathKind.of(path) {
        case .folder: return
        case .file(nil): matches.passedOver.append("\(NameBytes.shown(path)) is \(PathKind.words(of: path))")
        case .missing: throw .unreadable(path: NameBytes.shown(path), reason: "it is a broken link")
        case .unreadable(let reason): throw .unreadable(path: NameBytes.shown(path), reason: reason)
        case .file(let size?):
            guard let text = String(validating: path, as: UTF8.self) else {
                throw .unreadable(path: NameBytes.shown(path), reason: "its name is not UTF-8; rename it")
            }
            matches.files.append(try readable(text, size: size))
        }
    }

    private static func readable(_ path: String, size: UInt64?) throws(InputError) -> InputFile {
        guard access(path, R_OK) == 0 else { throw .unreadable(path: path, reason: describe(error: errno)) }
        return InputFile(path: path, size: size)
    }
}

/// The kind of file at a path, with links followed.
enum PathKind {
    case folder
    /// `size` is that of a regular file, `nil` for a pipe or a device.
    case file(size: UInt64?)
    case missing
    case unreadable(reason: String)

    static func of(_ path: String) -> PathKind { of(Array(path.utf8)) }

    static func of(_ path: [UInt8]) -> PathKind {
        var status = stat()
        guard stat(NameBytes.terminated(path), &status) == 0 else {
            return errno == ENOENT || errno == ENOTDIR ? .missing : .unreadable(reason: describe(error: errno))
        }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: return .folder
        case S_IFREG: return .file(size: UInt64(status.st_size))
        default: return .file(size: nil)
        }
    }

    /// A description, for users, of a file without a size.
    static func words(of path: [UInt8]) -> String {
        var status = stat()
        stat(NameBytes.terminated(path), &status)
        return switch status.st_mode & S_IFMT {
        case S_IFIFO: "a named pipe"
        case S_IFSOCK: "a socket"
        case S_IFCHR, S_IFBLK: "a device"
        default: "not a regular file"
        }
    }
}
