import Glibc

/// The state folder of a run. Only one run at a time may use it.
///
/// During a run, `unfinished.jsonl` in the folder is locked and lists the run and the folders that
/// contain files of it. If the run is killed, the file remains without its lock: the next run of
/// the same pipeline resumes it from its checkpoint, or removes its files and starts from the
/// beginning.
final class StateFolder: Sendable {
    let staging: Staging
    /// The checkpoint of an unfinished run that is resumed.
    let checkpoint: Checkpoint?
    /// The report of an earlier run that had ended, and whose outputs were published just now.
    let finished: RunReport?
    let checkpointFile: StateFile
    let journal: StateFile
    private let list: RunList

    /// - Parameters:
    ///   - restarts: whether to discard an unfinished run.
    ///   - canResume: whether this run can be resumed from a checkpoint.
    /// - Throws: ``RunError/busy(state:process:)`` if another run uses the folder,
    ///   ``RunError/unfinished(reason:)`` if it contains an unfinished run that cannot be resumed.
    init(_ path: String, _ pipeline: RecordPipeline, restarts: Bool, canResume: Bool) throws(RunError) {
        try RunReport.prepare(folder: path)
        let file = StateFile(Self.checkpoint, in: path)
        let journal = StateFile(Journal.name, in: path)
        var found: Checkpoint?
        var finished: RunReport?
        list = try RunList(in: path, pipeline: pipeline.name) { (left) throws(RunError) in
            finished = try Self.finishPublishing(journal, checkpoint: file, in: path)
            if restarts { file.remove() }
            guard case .from(let checkpoint) = try Resumption(file, pipeline, canResume: canResume) else { return Staging.newRun() }
            guard left.contains(where: { $0.run == checkpoint.run }) else { return Staging.newRun() }
            found = checkpoint
            return checkpoint.run
        }
        checkpoint = found
        checkpointFile = file
        self.journal = journal
        self.finished = finished
        let staging = Staging(run: found?.run ?? list.run, list: list)
        self.staging = staging
        for left in list.left { Self.sweep(left, keeping: left.run == found?.run ? found : nil, staging) }
        if found == nil { file.remove() }
        Self.sweep(OutputFolder(path + "/\(Self.spill)"), SpillFile.isName)
    }

    /// Finishes publishing the outputs of a run whose process died while it did.
    private static func finishPublishing(_ file: StateFile, checkpoint: StateFile, in folder: String) throws(RunError) -> RunReport? {
        do {
            guard let journal = try file.read(Journal.self) else { return nil }
            checkpoint.remove()
            try journal.finish()
            if let read = journal.read { try FilesRead.record(read, in: folder) }
            try RunReport.write(journal.report.withBytes(Array.init), to: journal.reportFile)
            let report = try RunReport(contentsOf: journal.reportFile)
            // They know nothing of the end of the run.
            unlink("\(folder)/\(RunSamples.name)")
            file.remove()
            return report
        } catch let error as OutputError {
            throw .output(error)
        } catch let error as RunError {
            throw error
        } catch {
            let fix = "finish with the version of sluice that wrote it, or remove it to leave its outputs unpublished"
            throw .report(path: file.path, reason: "it cannot be read: \(error); \(fix)")
        }
    }

    /// The subfolder where records over the size limit are spilled.
    static let spill = "spill"
    /// The file that an unfinished run is resumed from.
    static let checkpoint = "checkpoint.json"

    /// Ends the use of the folder, after everything was published or discarded: the next run finds
    /// nothing to clean up.
    func end() {
        checkpointFile.remove()
        list.end()
    }

    /// Unlocks the folder for the next run, which may resume this one.
    func suspend() { list.suspend() }

    /// Removes the leftovers of an unfinished run, except for outputs of a run that is resumed.
    private static func sweep(_ left: RunList.Leftovers, keeping checkpoint: Checkpoint?, _ staging: Staging) {
        let outputs = checkpoint.map { ($0.sinks + [$0.deadLetters]).flatMap(\.mark.outputs) } ?? []
        let kept = Swift.Set(outputs.map { staging.name(of: $0.path) })
        for folder in left.folders {
            sweep(folder) { Staging.isStaged($0, by: left.run) && !kept.contains($0) }
        }
        // Removes only those that are empty again.
        for folder in left.made.reversed() { folder.remove() }
    }

    private static func sweep(_ folder: OutputFolder, _ isLeft: (String) -> Bool) {
        do throws(OutputError) {
            let folder = try folder.opened()
            for name in folder.names where isLeft(name) { folder.remove(name) }
        } catch {
            // It is gone, or a link that leads elsewhere.
        }
    }
}
