import Glibc
import SluiceCEL

/// The folders that contain outputs.
final class OutputFolders {
    private let staging: Staging
    private let within: String?
    private var known: [Name: OutputFolder] = [:]
    /// Folders created for these outputs, outermost first.
    private var made: [OutputFolder] = []

    /// - Parameter within: the folder below which no links are followed; `nil` to follow them.
    init(_ staging: Staging, within: String? = nil) {
        self.staging = staging
        self.within = within
    }

    /// Creates the folder of an output if it does not exist.
    func prepare(for path: String) throws(OutputError) -> OutputFolder {
        let folder = OutputFolder(of: path, within: within)
        guard known.updateValue(folder, forKey: Name(folder.path)) == nil else { return folder }
        try staging.willWrite(in: folder)
        try make(folder.fixed, for: folder)
        for step in folder.steps { try makeBelow(step, for: folder) }
        return folder
    }

    /// Syncs the directory entries to disk; `discard` no longer removes the folders.
    func sync() throws(OutputError) {
        var folders = known
        for folder in made.map(\.place.folder) { folders[Name(folder.path)] = folder }
        try Self.sync(folders.sorted(by: { $0.key < $1.key }).map(\.value))
        made = []
    }

    /// Syncs the directory entries of folders to disk, of several at a time.
    static func sync(_ folders: [OutputFolder]) throws(OutputError) {
        for start in stride(from: 0, to: folders.count, by: mostOpen) {
            let some = folders[start..<min(start + mostOpen, folders.count)]
            var open: [OpenFolder] = []
            for folder in some { open.append(try folder.opened()) }
            // Some file systems do not support this, and need not.
            for (folder, failure) in zip(some, OpenFolder.sync(open)) where failure != 0 && failure != EINVAL {
                throw .failed(folder.path, "cannot be synced to disk", failure)
            }
        }
    }

    /// Twice as many descriptors are open.
    private static let mostOpen = min(16, OutputSet.usual)

    /// Removes the folders that were created here, unless they are no longer empty.
    func discard() {
        for folder in made.reversed() { folder.remove() }
        made = []
        known = [:]
    }

    /// Creates a folder and those above it; links are followed.
    private func make(_ fixed: String, for folder: OutputFolder) throws(OutputError) {
        var missing: [String] = []
        var at = fixed
        search: while true {
            switch PathKind.of(at) {
            case .folder: break search
            case .missing:
                missing.append(at)
                guard at != Self.folder(of: at) else { break search }
                at = Self.folder(of: at)
            case .file: throw .failed(path: folder.path, reason: "cannot be created: \(at) is a file")
            case .unreadable(let reason): throw .failed(path: folder.path, reason: reason)
            }
        }
        for path in missing.reversed() {
            let new = OutputFolder(path)
            try staging.willMake(new)
            if mkdir(path, 0o777) == 0 {
                made.append(new)
                continue
            }
            guard errno == EEXIST else { throw .failed(path, "cannot be created", errno) }
            if case .missing = PathKind.of(path) { throw .failed(path: path, reason: "is a broken link") }
        }
    }

    /// Creates a folder in one that exists; links are not followed.
    private func makeBelow(_ step: OutputFolder, for folder: OutputFolder) throws(OutputError) {
        let (above, name) = step.place
        let parent = try above.opened()
        guard parent.folder(name) == nil else { return }
        switch parent.kind(of: name) {
        case .folder, .link: _ = try step.opened()
        case .file: throw .failed(path: folder.path, reason: "cannot be created: \(step.path) is a file")
        case .unreadable(let reason): throw .failed(path: folder.path, reason: reason)
        case .missing:
            try staging.willMake(step)
            if parent.makeFolder(name) == 0 {
                made.append(step)
            } else if errno != EEXIST {
                throw .failed(step.path, "cannot be created", errno)
            }
        }
    }

    static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
