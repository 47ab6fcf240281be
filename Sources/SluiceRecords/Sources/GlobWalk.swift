import Glibc

/// Walks the folders that a pattern without braces can match, and collects the paths that it does match.
struct GlobWalk {
    private enum Step {
        case name(NamePattern)
        /// `**`
        case folders
    }

    private let root: String
    private let steps: [Step]
    /// Paths, links to nothing among them.
    private(set) var found: [String] = []

    init(pattern: String) throws(InputError) {
        root = pattern.hasPrefix("/") ? "/" : ""
        var steps: [Step] = []
        for name in pattern.split(separator: "/") where name != "." {
            if name == "**" {
                if case .folders = steps.last { continue }
                steps.append(.folders)
            } else {
                steps.append(.name(try NamePattern(String(name), of: pattern)))
            }
        }
        self.steps = steps
    }

    mutating func run() throws(InputError) {
        try walk(root, steps[...])
    }

    private mutating func walk(_ folder: String, _ steps: ArraySlice<Step>) throws(InputError) {
        guard let step = steps.first else { return }
        let rest = steps.dropFirst()
        switch step {
        case .name(let pattern):
            if let literal = pattern.literal {
                let path = folder + literal
                if rest.isEmpty {
                    if case .missing = PathKind.of(path) {} else { found.append(path) }
                } else if case .folder = PathKind.of(path) {
                    try walk(path + "/", rest)
                }
                return
            }
            for entry in try entries(of: folder) where pattern.matches(entry.name) {
                let path = folder + entry.name
                if rest.isEmpty {
                    found.append(path)
                } else if case .folder = PathKind.of(path) {
                    try walk(path + "/", rest)
                }
            }
        case .folders:
            if !rest.isEmpty { try walk(folder, rest) }
            for entry in try entries(of: folder) where !entry.name.hasPrefix(".") {
                let path = folder + entry.name
                if entry.isFolder {
                    try walk(path + "/", steps)
                } else if rest.isEmpty {
                    found.append(path)
                }
            }
        }
    }

    private struct Entry {
        var name: String
        /// A folder itself, not a link to one.
        var isFolder: Bool
    }

    private func entries(of folder: String) throws(InputError) -> [Entry] {
        let place = folder.isEmpty ? "." : folder
        guard let stream = opendir(place) else {
            if errno == ENOENT || errno == ENOTDIR { return [] }
            throw .unreadable(path: place, reason: describe(error: errno))
        }
        defer { closedir(stream) }
        var entries: [Entry] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw .unreadable(path: place, reason: describe(error: errno)) }
                return entries
            }
            guard let name = entry.name else { throw .unreadable(path: place, reason: "it holds a name that is not UTF-8") }
            guard name != ".", name != ".." else { continue }
            entries.append(Entry(name: name, isFolder: Self.isFolder(folder + name, type: entry.pointee.d_type)))
        }
    }

    private static func isFolder(_ path: String, type: UInt8) -> Bool {
        if type != UInt8(DT_UNKNOWN) { return type == UInt8(DT_DIR) }
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}

extension UnsafeMutablePointer<dirent> {
    /// The entry's name, if it is UTF-8. Unsafe memory: `d_name` ends with a NUL within the entry, as `readdir` promises.
    var name: String? {
        guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { return nil }
        return String(validatingCString: UnsafeRawPointer(self).advanced(by: offset).assumingMemoryBound(to: CChar.self))
    }
}
