import Glibc

/// Walks the folders that a pattern without braces can match, and collects the matching paths.
struct GlobWalk {
    private enum Step {
        case name(NamePattern)
        /// `**`
        case folders
    }

    private let root: [UInt8]
    private let steps: [Step]
    /// Matching paths, including dangling links.
    private(set) var found: [[UInt8]] = []

    /// - Parameter whole: the original pattern, for error messages.
    init(pattern: [UInt8], of whole: String) throws(InputError) {
        root = pattern.first == NameBytes.slash ? [NameBytes.slash] : []
        var steps: [Step] = []
        for name in pattern.split(separator: NameBytes.slash) where !name.elementsEqual([NameBytes.dot]) {
            if name.elementsEqual("**".utf8) {
                if case .folders = steps.last { continue }
                steps.append(.folders)
            } else {
                steps.append(.name(try NamePattern(name, of: whole)))
            }
        }
        self.steps = steps
    }

    mutating func run() throws(InputError) {
        try walk(root, steps[...])
    }

    private mutating func walk(_ folder: [UInt8], _ steps: ArraySlice<Step>) throws(InputError) {
        guard let step = steps.first else { return }
        let rest = steps.dropFirst()
        switch step {
        case .name(let pattern):
            if let literal = pattern.literal {
                let path = folder + literal
                if rest.isEmpty {
                    if case .missing = PathKind.of(path) {} else { found.append(path) }
                } else if case .folder = PathKind.of(path) {
                    try walk(path + [NameBytes.slash], rest)
                }
                return
            }
            for entry in try entries(of: folder) where pattern.matches(entry.name) {
                let path = folder + entry.name
                if rest.isEmpty {
                    found.append(path)
                } else if case .folder = PathKind.of(path) {
                    try walk(path + [NameBytes.slash], rest)
                }
            }
        case .folders:
            if !rest.isEmpty { try walk(folder, rest) }
            for entry in try entries(of: folder) where entry.name.first != NameBytes.dot {
                let path = folder + entry.name
                if entry.isFolder {
                    try walk(path + [NameBytes.slash], steps)
                } else if rest.isEmpty {
                    found.append(path)
                }
            }
        }
    }

    private struct Entry {
        var name: [UInt8]
        /// Whether it is a folder itself, not a link to one.
        var isFolder: Bool
    }

    private func entries(of folder: [UInt8]) throws(InputError) -> [Entry] {
        let place = folder.isEmpty ? [NameBytes.dot] : folder
        guard let stream = opendir(NameBytes.terminated(place)) else {
            if errno == ENOENT || errno == ENOTDIR { return [] }
            throw .unreadable(path: NameBytes.shown(place), reason: describe(error: errno))
        }
        defer { closedir(stream) }
        var entries: [Entry] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw .unreadable(path: NameBytes.shown(place), reason: describe(error: errno)) }
                return entries
            }
            let name = entry.nameBytes
            guard !name.elementsEqual(".".utf8), !name.elementsEqual("..".utf8) else { continue }
            entries.append(Entry(name: name, isFolder: Self.isFolder(folder + name, type: entry.pointee.d_type)))
        }
    }

    private static func isFolder(_ path: [UInt8], type: UInt8) -> Bool {
        if type != UInt8(DT_UNKNOWN) { return type == UInt8(DT_DIR) }
        var status = stat()
        return lstat(NameBytes.terminated(path), &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}

extension UnsafeMutablePointer<dirent> {
    /// Unsafe memory: `readdir` guarantees that `d_name` is NUL-terminated within the entry.
    var nameBytes: [UInt8] {
        guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { return [] }
        let start = UnsafeRawPointer(self).advanced(by: offset)
        return Array(UnsafeRawBufferPointer(start: start, count: strlen(start.assumingMemoryBound(to: CChar.self))))
    }

    /// The entry's name, if it is valid UTF-8.
    var name: String? { String(validating: nameBytes, as: UTF8.self) }
}
