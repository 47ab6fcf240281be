import ArgumentParser
import FoundationEssentials
import SluiceRecords

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Verify the report of a finished run against its files.",
        discussion: """
            Reads all inputs, outputs and dead letters, and compares them with the report. Takes about as long as \
            reading those files once. Standard input cannot be read again, so it is skipped.

            EXAMPLES
              sluice audit .sluice/access-errors/report.json

            EXIT CODES
              0  everything agrees with the report
              1  something does not
              2  there is no such report
            """)

    @ArgumentParser.Argument(help: "The report of a run: report.json in its state folder.", completion: .file(extensions: ["json"]))
    var report: String

    func run() throws {
        let report: RunReport
        do {
            report = try RunReport(contentsOf: self.report)
        } catch {
            Terminal.error.write("sluice: \(error)\n")
            throw ExitStatus.wrong
        }
        do {
            let audit = try Audit(report, scratchFolder: FileManager.default.temporaryDirectory.path)
            Terminal.output.write(AuditSummary.text(audit, of: report))
            guard audit.holds else { throw ExitStatus.failed }
        } catch let error as RunError {
            Terminal.error.write("sluice: \(error)\n")
            throw ExitStatus.failed
        }
    }
}
