import ArgumentParser
import FoundationEssentials
import SluiceRecords

struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Watch a run on the terminal.",
        discussion: """
            Shows the stages of a run with their rates, queues, workers, the part of the time that they are busy, and curves, and dead letters by kind. \
            It works for a run that goes on, and for one that has ended or was killed; the arrow keys go back and forth in time. '?' lists the keys.

            Given a state folder, it reads the samples that a run leaves there every ten seconds. Given the address of a dashboard, which 'sluice run \
            --dashboard' prints, it follows the run every second, and can drain it and change the workers of its stages. Without an argument, it takes \
            the newest run below .sluice that goes on, or else the last one.

            Where there is no terminal, a run that goes on is shown as lines, and one that has ended as a table.

            EXAMPLES
              sluice top
              sluice top .sluice/access-errors
              sluice top .sluice/access-errors | less
              sluice top 'http://127.0.0.1:40123/?token=…'

            EXIT CODES
              0        it was quit, or the run has ended
              1        nothing can be learned of the run any more: the connection was lost
              2        there is no such run
              130, 143 interrupted; the run goes on (129, 131 by SIGHUP, SIGQUIT)
            """)

    @ArgumentParser.Argument(
        help: ArgumentHelp(
            "The state folder of a run, or the address of its dashboard. (default: the newest state folder below .sluice)", valueName: "run"),
        completion: .directory)
    var run: String?

    func run() async throws {
        let (watch, notice) = try chosen(isTerminal: TopSession.hasTerminal)
        let session = TopSession(watch: watch, notice: notice)
        if let status = await session.run() { throw status }
        if let notice { Log.notice("\(TerminalText.safe(notice))") }
        try await writeLines(watch)
    }

    /// A view asks for a lost run again and again; lines end.
    private static let mostFailures = 5

    private func chosen(isTerminal: Bool) throws -> (watch: any RunWatch, notice: String?) {
        guard let run else {
            let runs = KnownRuns(below: ".sluice")
            guard let best = runs.best else {
                Log.error("there is no run below .sluice; name the state folder of one")
                throw ExitStatus.wrong
            }
            return (FolderWatch(folder: best.folder), runs.notice)
        }
        if run.hasPrefix("http://") || run.hasPrefix("https://") {
            do throws(HTTPClient.Failure) {
                return (try DashboardWatch(run, mostFailures: isTerminal ? nil : Self.mostFailures), nil)
            } catch {
                Log.error("\(error)")
                throw ExitStatus.wrong
            }
        }
        let folder = run.hasSuffix("/report.json") || run.hasSuffix("/\(RunSamples.name)") ? URL(filePath: run).deletingLastPathComponent().relativePath : run
        guard StateInspection.isRunning(folder) || RunCourse(state: folder, isRunning: false) != nil else {
            Log.error("'\(run)' is not the state folder of a run: it has neither \(RunSamples.name) nor report.json")
            throw ExitStatus.wrong
        }
        return (FolderWatch(folder: folder), nil)
    }

    /// A line for each new moment; at the end everything.
    private func writeLines(_ watch: any RunWatch) async throws {
        var last: RunCourse?
        var problem: String?
        for await event in watch.updates() {
            switch event {
            case .course(let course):
                problem = nil
                if course.isOpen, !course.moments.isEmpty, course.seconds > last?.seconds ?? -1 { Terminal.output.write(TopLines.line(course)) }
                guard Terminal.outputFailure == nil else { throw ExitStatus.failed }
                last = course
            case .problem(let text):
                if text != problem { Log.error("\(TerminalText.safe(text))") }
                problem = text
            case .key, .size, .done: break
            }
        }
        guard let last, problem == nil else { throw ExitStatus.failed }
        Terminal.output.write(TopLines.whole(last))
    }
}
