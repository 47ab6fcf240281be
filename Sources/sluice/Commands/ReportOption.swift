import ArgumentParser
import FoundationEssentials
import SluiceRecords

/// `--report`: another path for the report, as JSON or as a page of HTML.
enum ReportOption {
    static let extensions = ["html", "json"]

    /// - Throws: `ValidationError` if no report can be written there.
    static func validate(_ path: String) throws {
        guard extensions.contains(where: { path.hasSuffix("." + $0) }) else {
            throw ValidationError("'--report' needs a file name that ends in .html or .json.")
        }
        let folder = URL(filePath: path).deletingLastPathComponent().path
        guard FileManager.default.fileExists(atPath: folder) else { throw ValidationError("'--report': there is no folder '\(folder)'.") }
        guard FileManager.default.isWritableFile(atPath: folder) else { throw ValidationError("'--report': the folder '\(folder)' cannot be written to.") }
    }

    /// The outputs are already published, so a failure to write this report is only mentioned.
    ///
    /// - Parameter state: the state folder of the run.
    static func write(_ report: RunReport, to path: String, state: String) {
        do {
            if path.hasSuffix(".html") { try RunReport.write(try ReportPage(report, state: state).html, to: path) } else { try report.write(to: path) }
        } catch {
            Log.warning("the copy of the report is missing: \(error)")
        }
    }
}
