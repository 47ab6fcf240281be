import FoundationEssentials
import Glibc

/// A plan is removed by renaming `plan.json` first: from then on there is none, for any other
/// process. Its parts follow, that name last. So a process that makes a plan in the folder of one
/// whose removal was cut short finishes that, and takes nothing that is left for its own.
extension PlanFolder {
    static let removedName = "plan.json.removed"
    private var removed: String { "\(path)/\(Self.removedName)" }

    private static let files = ["inputs.jsonl", "inputs.index", "sluice"] + filesForSpark
    private static let folders = ["tasks", "attempts"]

    /// Whether a name in the folder is one of a plan, as far as the name says.
    static func isPart(_ name: String) -> Bool {
        files.contains(name) || folders.contains(name) || isPartBeingWritten(name) || isFolderBeingRemoved(name)
    }

    private static func isFolderBeingRemoved(_ name: String) -> Bool { folders.contains { name.hasPrefix($0 + ".") } }

    /// Whether there is a plan, which results can be added to.
    package var isThere: Bool { access(planFile.path, F_OK) == 0 && access("\(path)/tasks", F_OK) == 0 }

    /// The reason of a failure, if it is that another process has removed the plan; else the
    /// failure itself.
    package func reason(of failure: RunError) -> RunError { isThere ? failure : wasRemoved }

    package var wasRemoved: RunError {
        .plan("the plan in '\(path)' was removed meanwhile, as by another run of this file once it has published the outputs")
    }

    /// Removes the plan with all results, if there is one, and the folder, if nothing else is in
    /// it.
    ///
    /// - Throws: if the folder is not a plan's, or a part cannot be removed.
    package func remove() throws(RunError) {
        guard access(planFile.path, F_OK) == 0 else { return }
        _ = try plan()
        guard rename(planFile.path, removed) == 0 || errno == ENOENT else { throw cannotRemove(planFile.path) }
        try finishRemoval()
        // It may be the root of a file system.
        rmdir(path)
    }

    /// Removes what is left of a plan whose removal has begun, in any process.
    func finishRemoval() throws(RunError) {
        guard access(removed, F_OK) == 0 else { return }
        // What takes no time first: another process may soon make a new plan.
        let left = names.filter { Self.isPartBeingWritten($0) && $0 != Self.removedName }
        for file in left + Self.files { try unlinkPart(file) }
        for folder in Self.folders { rename("\(path)/\(folder)", Self.name(beside: "\(path)/\(folder)")) }
        for folder in names.filter(Self.isFolderBeingRemoved) { try removeTree(folder) }
        try unlinkPart(Self.removedName)
    }

    private var names: [String] { OpenFolder.at(path)?.names ?? [] }

    private func unlinkPart(_ name: String) throws(RunError) {
        guard unlink("\(path)/\(name)") == 0 || errno == ENOENT else { throw cannotRemove("\(path)/\(name)") }
    }

    private func removeTree(_ name: String) throws(RunError) {
        let part = "\(path)/\(name)"
        do {
            try FileManager.default.removeItem(atPath: part)
        } catch {
            // Another process may be removing it, too.
            if access(part, F_OK) == 0 { throw cannotRemove(part) }
        }
    }

    private func cannotRemove(_ part: String) -> RunError { .plan("'\(part)' cannot be removed") }
}
