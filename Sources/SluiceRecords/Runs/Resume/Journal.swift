import FoundationEssentials
import Glibc
import Sluice

/// `publish.json` in the state folder: the renames that publish the outputs of a successful run.
///
/// All files are complete and on disk when it is written, so that another process can finish the
/// renames. This makes publishing a set of files atomic, even if the process dies in between.
package struct Journal: Codable, Sendable {
    static let name = "publish.json"

    package struct Move: Codable, Sendable {
        /// The path of the staged file.
        var staged: String
        var path: String
    }

    /// The working directory of the run, since paths may be relative.
    var folder: String
    var moves: [Move]
    var report: RunReport
    /// The path to write the report to.
    var reportFile: String
    /// The inputs to record as read; `nil` without `new_only`.
    var read: [FilesRead.File]?

    /// Performs the renames that are still missing.
    ///
    /// - Throws: for the first rename that fails; those before it are done.
    func finish() throws(OutputError) {
        var folders: Swift.Set<String> = []
        for move in moves {
            let (staged, path) = (absolute(move.staged), absolute(move.path))
            if rename(staged, path) != 0 {
                let reason = errno
                // If the staged file is gone, it was renamed already.
                guard reason == ENOENT, access(staged, F_OK) != 0, access(path, F_OK) == 0 else {
                    throw .failed(move.path, "cannot be renamed into place", reason)
                }
            }
            folders.insert(OutputFolders.folder(of: path))
        }
        for folder in folders { StateFile.sync(folder: folder) }
    }

    private func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "\(folder)/\(path)" }
}
