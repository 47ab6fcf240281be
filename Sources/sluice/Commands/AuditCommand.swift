import ArgumentParser
import SluiceDefinition
import SluiceRecords

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Verify the report of a finished run against its files.",
        discussion: """
            Reads all inputs, outputs and dead letters, recomputes what they show, and compares it with the report: sizes, records, checksums and \
            damage; the bytes of dead letters with those in the inputs; the sums of all counts. Says what no file shows. Takes about as long as \
            reading those files once. Standard input cannot be read again, so it is skipped.

            With the pipeline file, the definition and the stages are compared, too.

            EXAMPLES
              sluice audit .sluice/access-errors/report.json
              sluice audit .sluice/access-errors/report.json --with pipelines/access-errors.yaml

            EXIT CODES
              0  everything agrees with the report
              1  something does not, or the audit could not be finished
              2  there is no such report
            """)

    @ArgumentParser.Argument(help: "The report of a run: report.json in its state folder.", completion: .file(extensions: ["json"]))
    var report: String

    @Option(
        name: .customLong("with"), help: ArgumentHelp("The pipeline file that was run.", valueName: "pipeline"), completion: .file(extensions: ["yaml", "yml"]))
    var file: String?

    @OptionGroup var settings: SettingOptions

    @OptionGroup var log: LogOptions

    func run() throws {
        let report: RunReport
        do {
            report = try RunReport(contentsOf: self.report)
        } catch {
            Log.error("\(error)")
            throw ExitStatus.wrong
        }
        let pipeline = try file.flatMap { try settings.checked($0, mayLackInputs: true).pipeline }
        do {
            let audit = try Audit(report, pipeline: pipeline)
            Terminal.output.write(AuditSummary.text(audit, of: report))
            guard audit.holds else { throw ExitStatus.failed }
        } catch let error as RunError {
            Log.error("\(error)")
            throw ExitStatus.failed
        }
    }
}
