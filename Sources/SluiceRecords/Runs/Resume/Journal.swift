import FoundationEssentials
import Glibc
import Sluice

/// `publish.json` in the state folder: the outputs of a run that has ended well, on their way to
/// their names.
///
/// All of them are whole and on disk when it is written, so that whoever finds it can finish what
/// the run has begun: publishing a set of files is one step, even if the process dies in between.
package struct Journal: Codable, Sendable {
    static let name = "publish.json"

    package struct Move: Codable, Sendable {
        /// Where the file stands until then.
        var staged: String
        var path: String
    }

    /// The working folder of the run: paths may be relative.
    var folder: String
    var moves: [Move]
    var report: RunReport
    /// Where the report goes.
    var reportFile: String

    /// Puts every file in its place that is not there yet.
    ///
    /// - Throws: for the first that cannot be put there; those before it are.
    func finish() throws(OutputError) {
        var folders: Swift.Set<String> = []
        for move in moves {
            let (staged, path) = (absolute(move.staged), absolute(move.path))
            if rename(staged, path) != 0 {
                let reason = errno
                // One that is gone from where it stood is in its place.
                guard reason == ENOENT, access(staged, F_OK) != 0, access(path, F_OK) == 0 else {
                    throw .failed(move.path, "cannot be put in its place", reason)
                }
            }
            folders.insert(OutputFolders.folder(of: path))
        }
        for folder in folders { StateFile.sync(folder: folder) }
    }

    private func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "\(folder)/\(path)" }
}
