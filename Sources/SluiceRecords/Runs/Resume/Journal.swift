import FoundationEssentials
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
    /// The path that it was to be written to.
    var reportFile: String
    /// The inputs to record as read; `nil` without `new_only`.
    var read: [FilesRead.File]?

    init(folder: String, moves: [Move], report: ReportText, reportFile: String, read: [FilesRead.File]?) {
        self.folder = folder
        moved = Moves(all: moves)
        self.report = StoredBytes(report)
        self.reportFile = reportFile
        self.read = read
    }

    var moves: [Move] { moved.all }

    /// Performs the renames that are still missing.
    func finish() throws(PublishingFailure) { try Self.finish(moves, in: folder) }

    static func finish(_ moves: [Move], in working: String) throws(PublishingFailure) {
        let publication = Publication(moves, in: working, isAgain: true)
        try publication.run()
        do throws(OutputError) {
            try publication.sync()
        } catch {
            // Some file systems do not support this, and need not. The renames are done.
        }
    }
}
