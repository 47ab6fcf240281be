import ArgumentParser
import CProcess
import Glibc
import SluiceCEL
import SluiceRecords

@main
struct SluiceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sluice",
        abstract: "Runs gzip archives of records through stages, each with its own worker pool, and proves that nothing was lost.",
        discussion: """
            A pipeline file (YAML) defines a source of records, the stages they pass through and the sink they are written to. 'sluice run' runs it; \
            every input record is written, filtered, or in the dead-letter file, and the ledger at the end accounts for all of them.

            EXAMPLES
              sluice check pipelines/access-errors.yaml
              sluice test pipelines/access-errors.yaml
              sluice run pipelines/access-errors.yaml --set 'logs=/var/log/nginx/*.gz'
              sluice run pipelines/app-warnings.yaml | head
              sluice run --files 'logs/*.gz' --format combined --stage 'keep: status >= 500' --stage 'select: [time, path]'
              sluice audit .sluice/access-errors/report.json
              sluice report .sluice/access-errors/report.json
              sluice top
              sluice replay .sluice/access-errors/dead-letter.jsonl.gz --with pipelines/access-errors.yaml

            \(ExitStatus.manual)

            ENVIRONMENT
              SLUICE_INFLATE=zlib  read and write gzip without ISA-L
              NO_COLOR=1           do not use colors on a terminal

            COMPLETIONS
              sluice --generate-completion-script bash > /etc/bash_completion.d/sluice
              (or zsh, or fish)
            """,
        version: "sluice \(Version.text)\n\(RunReport.Libraries(level: .standard).sentence)\n\(RunReport.Libraries.others.joined(separator: ", "))",
        subcommands: [
            RunCommand.self, CheckCommand.self, TestCommand.self, ExplainCommand.self, GraphCommand.self, ShowCommand.self, ReplayCommand.self,
            PlanCommand.self, TaskCommand.self, GatherCommand.self, InitCommand.self, SchemaCommand.self, EvalCommand.self, AuditCommand.self,
            ReportCommand.self, TopCommand.self,
        ])

    /// ArgumentParser exits with 64 for an invalid command line; this maps it to 2, as for an
    /// invalid definition.
    static func main() async {
        // With glibc's eight for each processor, a thousand outputs took 138 MiB with 8 workers and
        // `memory: 32MiB` on two processors, and 115 with two.
        cprocess_set_arenas(Int32(max(2, System.processors)))
        // More than the buffers of usual batches, which come and go all the time.
        cprocess_set_large(4 << 20)
        Memory.onRefusal { bytes in
            let size = bytes.map { " for \($0) bytes" } ?? ""
            Log.error(
                "the system refuses memory\(size), so the command ends as if it were killed; run it again with less to hold "
                    + "(limits: {memory: …}, source: {max_record: …}, --workers), or with more memory (ulimit -v)")
            _exit(ExitStatus.failed.code)
        }
        occupyStandardStreams()
        do {
            var command = try parsed(CommandWords(CommandLine.arguments.dropFirst()).arguments)
            try RunDescriptors.check()
            if var command = command as? any AsyncParsableCommand {
                try RecordRun.checkThreads()
                try await command.run()
            } else {
                try command.run()
            }
            end(.complete)
        } catch let status as ExitStatus {
            end(status)
        } catch let error as RunError {
            Log.error("\(error)")
            end(.failed)
        } catch {
            let code = exitCode(for: error)
            guard code != .success else {
                Terminal.output.write(fullMessage(for: error) + "\n")
                end(.complete)
            }
            Log.write(fullMessage(for: error) + "\n", as: .error)
            end(code == .validationFailure ? .wrong : .failed)
        }
    }

    /// Keeps any file from getting the number of a standard stream that is closed, and with it what
    /// is written there.
    private static func occupyStandardStreams() {
        for stream in STDIN_FILENO...STDERR_FILENO where fcntl(stream, F_GETFD) < 0 {
            // It gets the lowest free number, and is as useless as a closed one.
            _ = open("/dev/null", (stream == STDIN_FILENO ? O_WRONLY : O_RDONLY) | O_CLOEXEC)
        }
    }

    /// Ends the process; with an error if standard output has not taken all results.
    private static func end(_ status: ExitStatus) -> Never {
        guard let failure = Terminal.outputFailure else { Glibc.exit(status.code) }
        Log.error("standard output: cannot be written: \(failure)")
        Glibc.exit(status == .complete || status == .losses ? ExitStatus.failed.code : status.code)
    }

    /// `run` is parsed by itself first: on the way from the root, the library builds the arguments
    /// of each command several times, which a short run can tell. What it refuses is parsed again
    /// from the root, whose messages name the whole command.
    private static func parsed(_ words: [String]) throws -> any ParsableCommand {
        if words.first == RunCommand.configuration.commandName, let run = try? RunCommand.parse(Array(words.dropFirst())) { return run }
        return try parseAsRoot(words)
    }
}

enum Version {
    static let text = "0.1.0"
}
