import ArgumentParser
import FoundationEssentials
import SluiceRecords

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Prove a finished run again from its files.",
        discussion: """
            Reads the report, every input, every output and the dead letters, counts, and compares with what the report says. Takes about as long as \
            reading those files once. Standard input cannot be read again and is passed over.

            EXAMPLES
              sluice audit .sluice/access-errors/report.json

            EXIT CODES
              0  everything is as the report says
              1  something is not
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
