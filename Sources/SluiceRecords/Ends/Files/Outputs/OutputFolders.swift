import Glibc
import SluiceCEL

/// The folders that contain outputs.
final class OutputFolders {
    private let staging: Staging
    private var known: Swift.Set<Name> = []
    /// Folders created for these outputs, outermost first.
    private var made: [String] = []

    init(_ staging: Staging) {
        self.staging = staging
    }

    /// Creates the folder of an output if it does not exist.
    func prepare(for path: String) throws(OutputError) {
        let folder = Self.folder(of: path)
        guard known.insert(Name(folder)).inserted else { return }
        try staging.willWrite(in: folder)
        try make(folder)
    }

    /// Syncs the directory entries to disk; `discard` no longer removes the folders.
    func sync() throws(OutputError) {
        for folder in known.union(made.map { Name(Self.folder(of: $0)) }).sorted().map(\.text) {
            let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard descriptor >= 0 else { throw .failed(folder, "cannot be opened", errno) }
            defer { close(descriptor) }
            // Some file systems do not support this, and need not.
            if fsync(descriptor) != 0, errno != EINVAL { throw .failed(folder, "cannot be synced to disk", errno) }
        }
        made = []
    }

    /// Removes the folders that were created here, unless they are no longer empty.
    func discard() {
        for folder in made.reversed() { rmdir(folder) }
        made = []
        known = []
    }

    private func make(_ folder: String) throws(OutputError) {
        var missing: [String] = []
        var at = folder
        search: while true {
            switch PathKind.of(at) {
            case .folder: break search
            case .missing:
                missing.append(at)
                guard at != Self.folder(of: at) else { break search }
                at = Self.folder(of: at)
            case .file: throw .failed(path: folder, reason: "cannot be created: \(at) is a file")
            case .unreadable(let reason): throw .failed(path: folder, reason: reason)
            }
        }
        for folder in missing.reversed() {
            try staging.willMake(folder)
            if mkdir(folder, 0o777) == 0 {
                made.append(folder)
                continue
            }
            guard errno == EEXIST else { throw .failed(folder, "cannot be created", errno) }
            if case .missing = PathKind.of(folder) { throw .failed(path: folder, reason: "is a broken link") }
        }
    }

    static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
