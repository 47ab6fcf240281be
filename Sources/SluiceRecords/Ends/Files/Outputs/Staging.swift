/// Where the files of a run stand until they are published: beside their places, under hidden
/// names.
///
/// `.sluice-RUN-NAME.part`: RUN is drawn for the run, and NAME is a digest of the output's own
/// name. So an output that a run goes on with has the name that it had, the next run of a pipeline
/// finds what a killed one has left, and no run touches the files of another.
package final class Staging: Sendable {
    let run: String
    /// Where the folders are noted before anything is in them.
    private let list: RunList?

    /// For files that stay if the process dies.
    package convenience init() {
        self.init(run: Self.newRun(), list: nil)
    }

    init(run: String, list: RunList?) {
        self.run = run
        self.list = list
    }

    /// Sixteen hexadecimal digits that no other run has.
    static func newRun() -> String {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// The name of an output that is not published yet.
    func path(of output: String) -> String {
        let name = output.utf8.lastIndex(of: UInt8(ascii: "/")).map { output[output.utf8.index(after: $0)...] } ?? output[...]
        return "\(OutputFolders.folder(of: output))/\(Self.prefix(of: run))\(Digest.of(String(name)).prefix(16))\(Self.suffix)"
    }

    /// Before the first file is staged in a folder.
    func willWrite(in folder: String) throws(OutputError) {
        try list?.note(folder, isMade: false)
    }

    /// Before a folder is made for an output.
    func willMake(_ folder: String) throws(OutputError) {
        try list?.note(folder, isMade: true)
    }

    private static func prefix(of run: String) -> String { ".sluice-\(run)-" }
    private static let suffix = ".part"

    static func isStaged(_ name: String, by run: String) -> Bool { name.hasPrefix(prefix(of: run)) && name.hasSuffix(suffix) }
}
