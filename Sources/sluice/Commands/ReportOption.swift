import ArgumentParser
import FoundationEssentials
import SluiceRecords

/// `--report`: another path for the report.
enum ReportOption {
    /// - Throws: `ValidationError` if no report can be written there.
    static func validate(_ path: String) throws {
        if path.hasSuffix(".html") { throw ValidationError("'--report' cannot write HTML in this version; name a .json file.") }
        if !path.hasSuffix(".json") { throw ValidationError("'--report' needs a file name that ends in .json.") }
        let folder = URL(filePath: path).deletingLastPathComponent().path
        guard FileManager.default.isWritableFile(atPath: folder) else { throw ValidationError("'--report': no folder '\(folder)' to write to.") }
    }

    /// The outputs are already published, so a failure to write this report is only mentioned.
    static func write(_ report: RunReport, to path: String) {
        do {
            try report.write(to: path)
        } catch {
            Terminal.error.write("sluice: the report cannot be written: \(error)\n")
        }
    }
}
