import FoundationEssentials
import Glibc
import Sluice
import SluiceCEL

/// `publish.json` in the state folder: the renames that publish the outputs of a successful run.
///
/// All files are complete and on disk when it is written, so that another process can finish the
/// renames. This makes publishing a set of files atomic, even if the process dies in between.
package struct Journal: Codable, Sendable {
    static let name = "publish.json"

    package struct Move: Sendable {
        /// The path of the staged file.
        var staged: String
        var path: String
        /// The folder below which no links are followed; `nil` to follow them.
        var within: String?
    }

    /// The working directory of the run, since paths may be relative.
    var folder: String
    private var moved: Moves
    /// The contents of the report.
    var report: StoredBytes
    /// The path to write it to.
    var reportFile: String
    /// The inputs to record as read; `nil` without `new_only`.
    var read: [FilesRead.File]?

    init(folder: String, moves: [Move], report: [UInt8], reportFile: String, read: [FilesRead.File]?) {
        self.folder = folder
        moved = Moves(all: moves)
        self.report = StoredBytes(Data(report))
        self.reportFile = reportFile
        self.read = read
    }

    var moves: [Move] { moved.all }

    /// Performs the renames that are still missing.
    ///
    /// - Throws: for the first rename that fails; those before it are done.
    func finish() throws(OutputError) { try Self.finish(moves, in: folder) }

    static func finish(_ moves: [Move], in working: String) throws(OutputError) {
        func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "\(working)/\(path)" }
        var folders: [Name: OutputFolder] = [:]
        for move in moves {
            let folder = OutputFolder(of: absolute(move.path), within: move.within.map(absolute))
            let open = try folder.opened()
            let (staged, name) = (NameBytes.lastName(of: move.staged), NameBytes.lastName(of: move.path))
            if open.rename(staged, to: name) != 0 {
                let reason = errno
                // If the staged file is gone, it was renamed already.
                guard reason == ENOENT, case .missing = open.kind(of: staged), isThere(name, in: open) else {
                    throw .failed(move.path, "cannot be renamed into place", reason)
                }
            }
            folders[Name(folder.path)] = folder
        }
        // Some file systems do not support this, and need not. The renames are done.
        try? OutputFolders.sync(Array(folders.values))
    }

    private static func isThere(_ name: String, in folder: OpenFolder) -> Bool {
        if case .missing = folder.kind(of: name) { false } else { true }
    }
}
