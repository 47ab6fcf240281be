import FoundationEssentials
import Glibc
import SluiceRecords

/// The command that submits a plan's tasks to Spark.
struct SparkSubmit {
    /// As Spark names it: `spark://HOST:PORT`, `local[N]`, `yarn`, `k8s://…`.
    var master: String
    var plan: PlanFolder
    /// `name=value`, for Spark's `--conf`.
    var settings: [String]
    var isQuiet: Bool

    private static let runnerName = "spark-runner.py"
    private static let loggingName = "spark-log4j2.properties"
    /// Without it, Spark writes some fifty lines to standard error.
    private static let logging = """
        rootLogger.level = error
        rootLogger.appenderRef.stderr.ref = stderr
        appender.stderr.type = Console
        appender.stderr.name = stderr
        appender.stderr.target = SYSTEM_ERR
        appender.stderr.layout.type = PatternLayout
        appender.stderr.layout.pattern = spark: %p %c{1}: %m%n

        """

    /// Writes the runner into the plan's folder.
    func prepare() throws(RunError) {
        do {
            try plan.write(PackageResources.runner_py, to: Self.runnerName)
            try plan.write(Array(Self.logging.utf8), to: Self.loggingName)
            // Executors know the file by its name.
            guard !Self.ownPath.hasSuffix("/sluice"), !FileManager.default.fileExists(atPath: "\(plan.path)/sluice") else { return }
            try FileManager.default.copyItem(atPath: Self.ownPath, toPath: "\(plan.path)/sluice")
        } catch {
            throw .plan("the runner for Spark cannot be written into '\(plan.path)'")
        }
    }

    var arguments: [String] {
        let binary = Self.ownPath.hasSuffix("/sluice") ? Self.ownPath : "\(plan.path)/sluice"
        var words = [
            "--master", master, "--name", "sluice", "--files", binary, "--conf", "spark.ui.showConsoleProgress=false", "--driver-java-options",
            "-Dlog4j2.configurationFile=file:\(plan.path)/\(Self.loggingName)",
        ]
        for setting in settings { words += ["--conf", setting] }
        return words + ["\(plan.path)/\(Self.runnerName)", plan.path] + (isQuiet ? ["quiet"] : [])
    }

    private static var ownPath: String {
        do {
            return try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        } catch {
            return CommandLine.arguments[0]
        }
    }

    /// The command as a shell takes it.
    var text: String { (["spark-submit"] + arguments).map(Self.quoted).joined(separator: " ") }

    /// The word as a shell takes it.
    static func quoted(_ word: String) -> String {
        let isPlain = word.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || "-_./:=,#".utf8.contains(byte)
        }
        return isPlain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
    }

    /// Where `spark-submit` is: below SPARK_HOME, in PATH, or in a Python that has pyspark.
    static func program() -> String? {
        let environment = ProcessInfo.processInfo.environment
        var candidates: [String] = []
        if let home = environment["SPARK_HOME"] { candidates.append("\(home)/bin/spark-submit") }
        let folders = (environment["PATH"] ?? "").split(separator: ":").map(String.init)
        candidates += folders.map { "\($0)/spark-submit" }
        if let virtual = environment["VIRTUAL_ENV"] { candidates.append("\(virtual)/bin/spark-submit") }
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Runs the command and waits for it.
    ///
    /// - Parameter started: called with the process once it runs.
    /// - Returns: its exit code, or 128 and the number of the signal that ended it.
    func run(_ program: String, started: (pid_t) -> Void) throws(RunError) -> Int32 {
        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process = pid_t()
        let failure = posix_spawn(&process, program, nil, nil, &words, environ)
        guard failure == 0 else { throw .plan("'\(program)' cannot be started: \(String(cString: strerror(failure)))") }
        started(process)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
    }
}
