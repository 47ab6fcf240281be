import Foundation

/// Runs the conformance cases and exits with 1 unless all plain ones pass.
@main
enum CELConformance {
    static func main() throws {
        let directory = URL(filePath: FileManager.default.currentDirectoryPath)
        guard let file = ConformanceCase.file(from: directory) else {
            FileHandle.standardError.write(Data("no cases: set SLUICE_CEL_CASES to a file of them\n".utf8))
            exit(2)
        }
        let report = ConformanceReport(try ConformanceLine.read(file))
        print(report.lines.joined(separator: "\n"))
        if !report.isComplete { exit(1) }
    }
}
