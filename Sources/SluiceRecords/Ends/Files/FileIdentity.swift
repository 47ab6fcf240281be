import Glibc

/// The file that a path leads to, however it is spelled: two paths with equal identities lead to
/// the same file.
///
/// Symbolic links are followed, even to a target that does not exist; `.` and `..` are resolved as
/// the system does. An existing file is identified by device and inode, so that hard links, and
/// names under a bind mount, are the same file. A missing file is identified by the nearest
/// existing folder above it and the bytes of the remaining names. Nothing is opened for reading or
/// changed.
///
/// Valid as long as files and folders stay where they are. On a case-insensitive file system, names
/// that differ in case are recognized as the same only if the files exist.
package struct FileIdentity: Hashable, Sendable {
    private let device: UInt64
    private let number: UInt64
    /// The names below the nearest existing folder; empty if the file exists.
    private let missing: [[UInt8]]

    package var exists: Bool { missing.isEmpty }

    /// - Throws: if the path goes through a file, through a folder that may not be searched, or
    ///   through a cycle of links.
    package init(_ path: String) throws(InputError) {
        var status = stat()
        // The system resolves an existing path; only a missing one must be walked here.
        if !path.utf8.contains(0), stat(path, &status) == 0 {
            self.init(status, missing: [])
            return
        }
        var walk = try PathWalk(path)
        try walk.run(followingLast: true)
        self = try walk.identity()
    }

    /// The file that is open, such as the one behind standard input.
    package init(descriptor: Int32) throws(InputError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .unreadable(path: "descriptor \(descriptor)", reason: describe(error: errno)) }
        self.init(status, missing: [])
    }

    init(_ status: stat, missing: [[UInt8]]) {
        device = UInt64(status.st_dev)
        number = UInt64(status.st_ino)
        self.missing = missing
    }
}

/// The directory entry that a path names: what renaming a file to the path would replace. A link at
/// the end of the path is not followed.
///
/// Two hard links are two places of one file; so are a symbolic link and its target.
package struct FilePlace: Hashable, Sendable {
    package let folder: FileIdentity
    /// `nil` if the path ends with the folder itself, as `/` and `a/..` do.
    package let name: [UInt8]?

    /// The place of a name in an open folder.
    init(_ name: String, in folder: OpenFolder) throws(InputError) {
        self.folder = try FileIdentity(descriptor: folder.descriptor)
        self.name = Array(name.utf8)
    }

    /// - Parameter followingLinks: whether to return the place of the file that a link at the end
    ///   of the path leads to, instead of the link's own.
    /// - Throws: like ``FileIdentity/init(_:)``.
    package init(_ path: String, followingLinks: Bool = false) throws(InputError) {
        var walk = try PathWalk(path)
        try walk.run(followingLast: followingLinks)
        (folder, name) = try walk.place()
    }
}

/// Walks a path name by name, as the system does. After the first missing name it continues without
/// the file system.
private struct PathWalk: ~Copyable {
    /// The limit of Linux.
    private static let mostLinks = 40
    private let path: String
    /// Names still to visit, the next one last.
    private var ahead: [[UInt8]]
    /// The folder reached so far, opened for searching only.
    private var folder: Int32
    private var missing: [[UInt8]] = []
    /// The last entry of the path, if it exists and is not a folder.
    private var last: (name: [UInt8], status: stat)?
    /// The name of the current folder and its parent, for the place of a folder.
    private var above: (folder: FileIdentity, name: [UInt8])?
    private var links = 0

    init(_ path: String) throws(InputError) {
        guard !path.isEmpty else { throw .missing(path: path) }
        guard !path.utf8.contains(0) else { throw .unreadable(path: path, reason: "it contains a NUL character") }
        let start = try Self.start(isAbsolute: path.utf8.first == UInt8(ascii: "/"), of: path)
        self.path = path
        ahead = Self.names(Array(path.utf8))
        folder = start
    }

    deinit { close(folder) }

    mutating func run(followingLast: Bool) throws(InputError) {
        while let name = ahead.popLast() {
            if name == [UInt8(ascii: "."), UInt8(ascii: ".")] {
                try goUp()
            } else if !missing.isEmpty {
                missing.append(name)
            } else {
                try go(name, followsLink: followingLast || !ahead.isEmpty)
            }
        }
    }

    func identity() throws(InputError) -> FileIdentity {
        if let last { return FileIdentity(last.status, missing: []) }
        return FileIdentity(try status(), missing: missing)
    }

    func place() throws(InputError) -> (FileIdentity, [UInt8]?) {
        if let last { return (FileIdentity(try status(), missing: []), last.name) }
        if let name = missing.last { return (FileIdentity(try status(), missing: missing.dropLast()), name) }
        if let above { return (above.folder, above.name) }
        return (FileIdentity(try status(), missing: []), nil)
    }

    private mutating func goUp() throws(InputError) {
        above = nil
        // The parent of a missing folder is the one that it would be created in.
        if missing.popLast() != nil { return }
        try enter([CChar(UInt8(ascii: ".")), CChar(UInt8(ascii: ".")), 0])
    }

    private mutating func go(_ bytes: [UInt8], followsLink: Bool) throws(InputError) {
        // A link's target need not be UTF-8.
        let name = bytes.map { CChar(bitPattern: $0) } + [0]
        var status = stat()
        guard fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            guard errno == ENOENT else { throw failed(errno) }
            missing = [bytes]
            return
        }
        switch status.st_mode & S_IFMT {
        case S_IFDIR:
            above = (FileIdentity(try self.status(), missing: []), bytes)
            try enter(name)
        case S_IFLNK where followsLink: try follow(name)
        default:
            guard ahead.isEmpty else { throw failed(ENOTDIR) }
            last = (bytes, status)
        }
    }

    private mutating func follow(_ name: [CChar]) throws(InputError) {
        links += 1
        guard links <= Self.mostLinks else { throw failed(ELOOP) }
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlinkat(folder, name, &buffer, buffer.count)
        guard count > 0 else { throw failed(count < 0 ? errno : ENOENT) }
        let target = buffer.prefix(count).map { UInt8(bitPattern: $0) }
        ahead += Self.names(target)
        above = nil
        if target.first == UInt8(ascii: "/") { stand(in: try Self.start(isAbsolute: true, of: path)) }
    }

    private mutating func enter(_ name: [CChar]) throws(InputError) {
        let opened = openat(folder, name, OpenFolder.searchOnly | O_DIRECTORY | O_CLOEXEC)
        guard opened >= 0 else { throw failed(errno) }
        stand(in: opened)
    }

    private mutating func stand(in opened: Int32) {
        close(folder)
        folder = opened
    }

    private func status() throws(InputError) -> stat {
        var status = stat()
        guard fstat(folder, &status) == 0 else { throw failed(errno) }
        return status
    }

    private func failed(_ error: Int32) -> InputError { .unreadable(path: path, reason: describe(error: error)) }

    private static func start(isAbsolute: Bool, of path: String) throws(InputError) -> Int32 {
        let opened = open(isAbsolute ? "/" : ".", OpenFolder.searchOnly | O_DIRECTORY | O_CLOEXEC)
        guard opened >= 0 else { throw .unreadable(path: path, reason: describe(error: errno)) }
        return opened
    }

    /// The names of a path in reverse order, without `.` and empty names.
    private static func names(_ path: [UInt8]) -> [[UInt8]] {
        path.split(separator: UInt8(ascii: "/")).filter { !$0.elementsEqual([UInt8(ascii: ".")]) }.map(Array.init).reversed()
    }
}
