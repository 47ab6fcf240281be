/// The names that the files of a run have until they are published: hidden files next to their
/// final paths.
///
/// The name is `.sluice-RUN-NAME.part`, where RUN is random and NAME is a digest of the output's
/// own name. So a staged output keeps its name for the whole run, the next run of a pipeline finds
/// the leftovers of a killed one, and no run touches the files of another.
package final class Staging: Sendable {
    let run: String
    /// Records the folders before any file is created in them.
    private let list: RunList?

    /// For files that need not be cleaned up if the process dies.
    package convenience init() {
        self.init(run: Self.newRun(), list: nil)
    }

    init(run: String, list: RunList?) {
        self.run = run
        self.list = list
    }

    /// A random identifier of sixteen hexadecimal digits.
    static func newRun() -> String {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// The path of an output's staged file.
    func path(of output: String) -> String { "\(OutputFolders.folder(of: output))/\(name(of: output))" }

    /// The name of an output's staged file, in the output's folder.
    func name(of output: String) -> String {
        Self.prefix(of: run) + Digest.of(NameBytes.lastName(of: output)).prefix(16) + Self.suffix
    }

    /// To be called before the first file is staged in a folder.
    func willWrite(in folder: OutputFolder) throws(OutputError) {
        try list?.note(folder, isMade: false)
    }

    /// To be called before a folder is created for an output.
    func willMake(_ folder: OutputFolder) throws(OutputError) {
        try list?.note(folder, isMade: true)
    }

    /// The name of a file that is replaced, until all of a run's files are in place.
    static func keptName(of staged: String) -> String { staged + ".old" + suffix }

    private static func prefix(of run: String) -> String { ".sluice-\(run)-" }
    private static let suffix = ".part"

    static func isStaged(_ name: String, by run: String) -> Bool { name.hasPrefix(prefix(of: run)) && name.hasSuffix(suffix) }
}
