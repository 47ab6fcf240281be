import FoundationEssentials
import SluiceDefinition
import SluiceRecords

/// Why there is no dead-letter file, if a report in a state folder says so.
enum UnpublishedLetters {
    /// - Returns: empty if no report mentions the file.
    static func text(_ file: String) -> String {
        for path in reports(for: file) {
            guard let report = try? RunReport(contentsOf: path), report.deadLetters.file == file else { continue }
            let count = report.deadLetters.records == 1 ? "its dead letter is" : "its \(Figures.count(report.deadLetters.records)) dead letters are"
            switch report.status {
            case .failed:
                return "  the last run of '\(report.pipeline)' failed and published nothing, so \(count) not kept; the first of each code:\n"
                    + RunSummary.firsts(report) + "  report: \(path)\n"
            case .interrupted where report.resumable == true:
                return "  the last run of '\(report.pipeline)' was interrupted; run it again to resume it, and \(count) published with the others\n"
            case .interrupted:
                return "  the last run of '\(report.pipeline)' was interrupted and published nothing, so \(count) not kept\n"
            case .complete, .losses:
                return "  the last run of '\(report.pipeline)' has written it, and it was moved or removed since then\n"
            }
        }
        return ""
    }

    /// The report beside the file, and those of the state folders below the current folder.
    private static func reports(for file: String) -> [String] {
        let beside = URL(filePath: file).deletingLastPathComponent().relativePath + "/report.json"
        let folder = URL(filePath: PipelineFile.stateFolder(of: "x")).deletingLastPathComponent().relativePath
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return [beside] + names.sorted().map { "\(folder)/\($0)/report.json" }
    }
}
