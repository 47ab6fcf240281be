import Glibc

/// The state folder of a run. Only one run at a time may use it.
///
/// During a run, `unfinished.jsonl` in the folder is locked and lists the run and the folders that
/// contain files of it. If the run is killed, the file remains without its lock: the next run of
/// the same pipeline removes those files and starts from the beginning.
final class StateFolder: Sendable {
    let staging: Staging
    private let list: RunList

    /// - Throws: ``RunError/busy(state:process:)`` if another run uses the folder.
    init(_ path: String, pipeline: String) throws(RunError) {
        try RunReport.prepare(folder: path)
        let run = Staging.newRun()
        list = try RunList(in: path, pipeline: pipeline, run: run)
        staging = Staging(run: run, list: list)
        for left in list.left { Self.sweep(left) }
        Self.sweepSpill(path + "/\(Self.spill)")
    }

    /// The subfolder where records over the size limit are spilled.
    static let spill = "spill"

    /// Ends the use of the folder, after everything was published or discarded: the next run finds
    /// nothing to clean up.
    func end() {
        list.end()
    }

    private static func sweep(_ left: RunList.Left) {
        for folder in left.folders {
            for name in names(in: folder) where Staging.isStaged(name, by: left.run) { unlink("\(folder)/\(name)") }
        }
        // Removes only those that are empty again.
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
