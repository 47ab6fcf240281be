import ArgumentParser
import SluiceDefinition
import Synchronization

/// What a command says on standard error besides its results: for people, or as a line of JSON for
/// each thing that it says.
enum Log {
    enum Format: String, CaseIterable, ExpressibleByArgument, Sendable {
        case text, json
    }

    private static let format = Mutex(Format.text)

    static var isJSON: Bool { format.withLock { $0 == .json } }

    /// Chooses the format, before anything is said.
    static func use(_ chosen: Format) { format.withLock { $0 = chosen } }

    static func error(_ message: String, _ attributes: LogEntry.Attributes = [:]) { say(.error, message, attributes) }
    static func warning(_ message: String, _ attributes: LogEntry.Attributes = [:]) { say(.warning, message, attributes) }
    static func notice(_ message: String, _ attributes: LogEntry.Attributes = [:]) { say(.info, message, attributes) }

    private static func say(_ severity: LogEntry.Severity, _ message: String, _ attributes: LogEntry.Attributes) {
        if isJSON { write(LogEntry(severity, message, attributes)) } else { Terminal.error.write("sluice: \(message.printable)\n") }
    }

    /// Says what is laid out for people: as it is, or as these entries.
    static func write(_ text: @autoclosure () -> String, or entries: @autoclosure () -> [LogEntry]) {
        if isJSON { for entry in entries() { write(entry) } } else { Terminal.error.write(text()) }
    }

    /// Says what is laid out in lines for people: as it is, or each line as an entry.
    static func write(_ text: String, as severity: LogEntry.Severity) { write(text, or: LogEntry.lines(text, severity)) }

    static func write(_ entry: LogEntry) { Terminal.error.write(entry.json + "\n") }
}

/// `--log`, of every command that says more than its results.
struct LogOptions: ParsableArguments {
    @Option(help: "How to write to standard error: for people (text), or a line of JSON for each message (json).")
    var log = Log.Format.text

    func validate() throws { Log.use(log) }
}
