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
    /// What was lost with an earlier run that is discarded although it had ended.
    let discarded: String?
    let checkpointFile: StateFile
    let journal: StateFile
    private let list: RunList

    /// - Parameters:
    ///   - restarts: whether to discard an unfinished run.
    ///   - canResume: whether this run can be resumed from a checkpoint.
    /// - Throws: ``RunError/busy(state:process:)`` if another run uses the folder,
    ///   ``RunError/unfinished(reason:)`` if it contains an unfinished run that cannot be resumed,
    ///   ``RunError/unpublishedBefore(_:)`` if it contains one whose outputs can't be published.
    init(_ path: String, _ pipeline: RecordPipeline, restarts: Bool, canResume: Bool) throws(RunError) {
        try RunReport.prepare(folder: path)
        let file = StateFile(Self.checkpoint, in: path)
        let journal = StateFile(Journal.name, in: path)
        var found: Checkpoint?
        var finished: RunReport?
        var discarded: String?
        list = try RunList(in: path, pipeline: pipeline.name) { (left) throws(RunError) in
            do throws(RunError) {
                finished = try Self.finishPublishing(journal, checkpoint: file, in: path)
            } catch {
                guard restarts, !Self.isUnread(journal, error) else { throw error }
                discarded = Self.discarding(because: error)
                journal.remove()
            }
            // Earlier versions left a checkpoint of a replay, which lacks what is dealt with.
            if restarts || pipeline.source.replay != nil { file.remove() }
            guard case .from(let checkpoint) = try Resumption(file, pipeline, canResume: canResume) else { return Staging.newRun() }
            guard left.contains(where: { $0.run == checkpoint.run }) else { return Staging.newRun() }
            found = checkpoint
            return checkpoint.run
        }
        checkpoint = found
        checkpointFile = file
        self.journal = journal
        self.finished = finished
        self.discarded = discarded
        let staging = Staging(run: found?.run ?? list.run, list: list)
        self.staging = staging
        for left in list.left { Self.sweep(left, keeping: left.run == found?.run ? found : nil, staging) }
        list.forgetLeft()
        if found == nil { file.remove() }
        Self.sweep(OutputFolder(path + "/\(Self.spill)")) { name, _ in SpillFile.isName(name) }
        unlink("\(path)/\(LetterSpool.name)")
    }

    /// Finishes publishing the outputs of a run whose process died or failed while it did.
    private static func finishPublishing(_ file: StateFile, checkpoint: StateFile, in folder: String) throws(RunError) -> RunReport? {
        let found: Journal?
        do {
            found = try file.read(Journal.self)
        } catch let error as OutputError {
            throw .output(error)
        } catch {
            throw .report(path: file.path, reason: unreadable)
        }
        guard let journal = found else { return nil }
        checkpoint.remove()
        do throws(PublishingFailure) {
            try journal.finish()
        } catch {
            throw .unpublishedBefore(error)
        }
        do throws(OutputError) {
            if let read = journal.read { try FilesRead.record(read, in: folder) }
        } catch {
            throw .output(error)
        }
        let reportFile = folder + "/report.json"
        try RunReport.write(journal.report.withBytes(Array.init), to: reportFile)
        let report = try RunReport(contentsOf: reportFile)
        RunSamples.claim(report, in: folder)
        file.remove()
        return report
    }

    /// Whether the journal could not be opened, so that nobody knows what it lists.
    private static func isUnread(_ journal: StateFile, _ error: RunError) -> Bool {
        if case .output(.failed(journal.path, _)) = error { true } else { false }
    }

    private static let unreadable = """
        it lists outputs of an earlier run that are to be published, and is damaged or from another version of sluice; --restart discards it, \
        and the outputs that are not in place yet
        """

    /// What to say of outputs that are discarded because they cannot be published.
    private static func discarding(because error: RunError) -> String {
        let reason =
            switch error {
            case .unpublishedBefore(let failure): failure.text
            case .report(let path, unreadable): "\(path) is damaged or from another version of sluice"
            default: error.description
            }
        return "the outputs of an earlier run that were not in place yet are lost: \(reason)"
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
    ///
    /// These are known by their places: an output may have the same name in another folder.
    private static func sweep(_ left: RunList.Leftovers, keeping checkpoint: Checkpoint?, _ staging: Staging) {
        let outputs = checkpoint.map { ($0.sinks + [$0.deadLetters]).flatMap(\.mark.outputs) } ?? []
        let kept = Swift.Set(outputs.compactMap { place(of: staging.path(of: $0.path)) })
        for folder in left.folders {
            sweep(folder) { name, folder throws(InputError) in
                guard Staging.isStaged(name, by: left.run) else { return false }
                return kept.isEmpty ? true : !kept.contains(try FilePlace(name, in: folder))
            }
        }
        // Removes only those that are empty again.
        for folder in left.made.reversed() { folder.remove() }
    }

    private static func place(of path: String) -> FilePlace? {
        do throws(InputError) {
            return try FilePlace(path)
        } catch {
            // What is not there need not be kept; the run says so when it looks for it.
            return nil
        }
    }

    private static func sweep(_ folder: OutputFolder, _ isLeft: (String, OpenFolder) throws(InputError) -> Bool) {
        do {
            let folder = try folder.opened()
            for name in folder.names where try isLeft(name, folder) { folder.remove(name) }
        } catch {
            // It is gone, or a link that leads elsewhere.
        }
    }
}
