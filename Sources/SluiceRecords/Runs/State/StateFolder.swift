import Glibc

/// The state folder of a run, which one run at a time may use.
///
/// While a run goes on, `unfinished.jsonl` in it is locked, and names the run and the folders that
/// hold files of it. The file of a run that was killed stays, and its lock does not: the next run
/// of that pipeline here removes those files and begins anew.
final class StateFolder: Sendable {
    let staging: Staging
    private let list: RunList

    /// - Throws: ``RunError/busy(state:process:)`` where another run uses it.
    init(_ path: String, pipeline: String) throws(RunError) {
        try RunReport.prepare(folder: path)
        let run = Staging.newRun()
        list = try RunList(in: path, pipeline: pipeline, run: run)
        staging = Staging(run: run, list: list)
        for left in list.left { Self.sweep(left) }
        Self.sweepSpill(path + "/\(Self.spill)")
    }

    /// Where records over the limit are set aside.
    static let spill = "spill"

    /// After everything was published or discarded: nothing is left to be found by the next run.
    func end() {
        list.end()
    }

    private static func sweep(_ left: RunList.Left) {
        for folder in left.folders {
            for name in names(in: folder) where Staging.isStaged(name, by: left.run) { unlink("\(folder)/\(name)") }
        }
        // Only those that are empty again.
        for folder in left.made.reversed() { rmdir(folder) }
    }

    private static func sweepSpill(_ folder: String) {
        for name in names(in: folder) where SpillFile.isName(name) { unlink("\(folder)/\(name)") }
    }

    private static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            if let name = entry.name { names.append(name) }
        }
        return names
    }
}
