import ArgumentParser
import FoundationEssentials
import SluiceRecords

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Make a page of a run's report, to look at in a browser.",
        discussion: """
            Writes one file of HTML that needs nothing but itself: what became of the records, where the time went and what the run waited for, dead \
            letters with examples, damage, inputs and outputs, and the pipeline file. Its tables can be sorted, filtered and copied as CSV.

            Curves over time are drawn from samples.json, which 'sluice run' leaves beside the report. The dead letters are read from their file, \
            whose path in the report is relative to the folder that the run was started in.

            Given a state folder whose last run goes on, or was killed, shows what is known of that: the samples up to then.

            EXAMPLES
              sluice report .sluice/access-errors/report.json
              sluice report .sluice/access-errors -o errors.html
              sluice run pipelines/access-errors.yaml --report errors.html

            EXIT CODES
              0  success
              1  the page could not be written
              2  there is no such report
            """)

    @ArgumentParser.Argument(help: "The report of a run: report.json in its state folder, or the folder.", completion: .file())
    var report: String

    @Option(
        name: .shortAndLong, help: ArgumentHelp("The page to write. (default: beside the report)", valueName: "page.html"),
        completion: .file(extensions: ["html"]))
    var output: String?

    @OptionGroup var log: LogOptions

    func validate() throws {
        if let output, !output.hasSuffix(".html") { throw ValidationError("'--output' needs a file name that ends in .html.") }
    }

    func run() throws {
        var isFolder = false
        let path = FileManager.default.fileExists(atPath: report, isDirectory: &isFolder) && isFolder ? report + "/report.json" : report
        let page: ReportPage
        do throws(RunError) {
            page = isFolder ? try self.page(ofLastRunIn: report) : try self.page(of: path)
        } catch {
            Log.error("\(error)")
            throw ExitStatus.wrong
        }
        let output = output ?? (path.hasSuffix(".json") ? String(path.dropLast(".json".count)) : path) + ".html"
        do {
            try RunReport.write(try page.html, to: output)
        } catch {
            Log.error("\(error)")
            throw ExitStatus.failed
        }
        Terminal.output.write("\(output)\n")
    }

    private func page(ofLastRunIn folder: String) throws(RunError) -> ReportPage {
        let isRunning = StateInspection.isRunning(folder)
        let samples = RunSamples(state: folder).flatMap { $0.report == nil ? $0 : nil }
        if let samples, !samples.samples.isEmpty { return ReportPage(unfinished: samples, state: folder, isRunning: isRunning) }
        let path = folder + "/report.json"
        guard isRunning || samples != nil else { return try page(of: path) }
        // It has not come to its first samples.
        let nothing =
            isRunning ? "a run has just begun there, and nothing is known of it yet" : "the last run there was killed before anything was known of it"
        guard FileManager.default.fileExists(atPath: path) else { throw .report(path: folder, reason: nothing) }
        Log.notice("\(nothing); this is the report of the run before it")
        return try page(of: path)
    }

    private func page(of path: String) throws(RunError) -> ReportPage {
        ReportPage(try RunReport(contentsOf: path), state: URL(filePath: path).deletingLastPathComponent().path)
    }
}
