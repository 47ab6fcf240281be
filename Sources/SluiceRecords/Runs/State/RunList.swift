import FoundationEssentials
import Glibc
import Sluice
import SluiceCEL
import Synchronization

/// `unfinished.jsonl` in a state folder: the run in progress there, and runs that were killed, with
/// the folders that contain files of theirs. One JSON object per line.
///
/// The file is locked for as long as the process lives, however it ends; child processes do not
/// inherit the lock. The run that holds it removes the file when it ends. A process that has
/// locked the file must therefore check that the path still leads to it. Lines are only added, or
/// the file is replaced by another one: whenever a process is killed, what it left is listed.
final class RunList: Sendable {
    static let name = "unfinished.jsonl"

    /// The leftovers of a run that was killed.
    struct Leftovers: Equatable, Sendable {
        var run: String
        var folders: [OutputFolder] = []
        /// Folders that the run created, outermost first.
        var made: [OutputFolder] = []
    }

    /// The leftovers of earlier runs of this pipeline.
    let left: [Leftovers]
    private let path: String
    private let entry: Entry
    /// Lines of other pipelines, kept until those run again.
    private let others: [Entry]
    var run: String { entry.run }
    /// `nil` once the run has ended.
    private let descriptor: Locked<Int32?>

    private struct Entry: Codable {
        var pipeline: String
        var run: String
        var process: Int32?
        /// The current folder of the process, and its state folder: absolute paths.
        var base: String?
        var state: String?
        /// As the process named it.
        var folder: String?
        var isMade: Bool?
        /// The folder below which no links are followed; `nil` to follow them.
        var within: String?
    }

    /// - Parameter choose: returns the identifier of this run, given the leftovers: a new one, or
    ///   that of a run to resume.
    init(in folder: String, pipeline: String, choose: ([Leftovers]) throws(RunError) -> String) throws(RunError) {
        let path = "\(folder)/\(Self.name)"
        let descriptor = try Self.lock(path, state: folder)
        self.descriptor = Locked(descriptor)
        self.path = path
        let entries = Self.entries(path)
        others = entries.filter { !$0.pipeline.isSame(as: pipeline) }
        let own = entries.filter { $0.pipeline.isSame(as: pipeline) }
        left = Self.left(own, in: folder)
        let run: String
        do throws(RunError) {
            run = try choose(left)
        } catch {
            // There is no object yet that would unlock the folder when it goes.
            close(descriptor)
            throw error
        }
        entry = Entry(
            pipeline: pipeline, run: run, process: getpid(), base: FileManager.default.currentDirectoryPath, state: Self.absolute(folder))
        do throws(OutputError) {
            try append([entry], descriptor)
        } catch {
            throw .output(error)
        }
    }

    deinit {
        if let descriptor = descriptor.withLock({ $0 }) { close(descriptor) }
    }

    /// Records a folder that will contain files of the run.
    func note(_ folder: OutputFolder, isMade: Bool) throws(OutputError) {
        var entry = entry
        (entry.process, entry.base, entry.state) = (nil, nil, nil)
        entry.folder = folder.path
        entry.within = folder.within
        entry.isMade = isMade
        try descriptor.withLock { (descriptor) throws(OutputError) in
            if let descriptor { try append([entry], descriptor) }
        }
    }

    private static func absolute(_ path: String, in base: String = FileManager.default.currentDirectoryPath) -> String {
        path.hasPrefix("/") ? path : base + "/" + path
    }

    /// Unlocks the state folder for the next run, which may resume this one.
    func suspend() {
        descriptor.withLock { held in
            if let descriptor = held { close(descriptor) }
            held = nil
        }
    }

    /// Forgets the leftovers of other runs, which have been removed. If that fails, the next run
    /// looks for them again.
    func forgetLeft() {
        guard left.contains(where: { $0.run != run }) else { return }
        let kept = Self.entries(path).filter { !$0.pipeline.isSame(as: entry.pipeline) || $0.run == run }
        descriptor.withLock { held in
            guard let old = held, let new = replace(with: kept) else { return }
            held = new
            close(old)
        }
    }

    /// Unlocks the state folder for the next run.
    func end() {
        descriptor.withLock { held in
            guard let descriptor = held else { return }
            held = nil
            unlink(beside)
            if others.isEmpty { unlink(path) } else if let new = replace(with: others) { close(new) }
            close(descriptor)
        }
    }

    private var beside: String { path + ".new" }

    /// Replaces the file.
    ///
    /// - Returns: the new one, locked; `nil` if the old one is still there.
    private func replace(with entries: [Entry]) -> Int32? {
        let new = open(beside, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o666)
        guard new >= 0 else { return nil }
        do throws(OutputError) {
            try append(entries, new)
            if flock(new, LOCK_EX | LOCK_NB) == 0, rename(beside, path) == 0 { return new }
        } catch {
            // Disk space, for example.
        }
        unlink(beside)
        close(new)
        return nil
    }

    private static func lock(_ path: String, state: String) throws(RunError) -> Int32 {
        while true {
            let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o666)
            guard descriptor >= 0 else { throw .report(path: path, reason: "cannot be opened: \(describe(error: errno))") }
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
                if isThere(path, descriptor) { return descriptor }
                close(descriptor)
                continue
            }
            let reason = errno
            close(descriptor)
            guard reason == EWOULDBLOCK else { throw .report(path: path, reason: "cannot be locked: \(describe(error: reason))") }
            throw .busy(state: state, process: entries(path).last(where: { $0.process != nil })?.process)
        }
    }

    private static func isThere(_ path: String, _ descriptor: Int32) -> Bool {
        var (here, there) = (stat(), stat())
        return fstat(descriptor, &here) == 0 && stat(path, &there) == 0 && here.st_ino == there.st_ino && here.st_dev == there.st_dev
    }

    /// Skips what cannot be parsed: a process may have been killed while it wrote the last line.
    private static func entries(_ path: String) -> [Entry] {
        guard let text = FileManager.default.contents(atPath: path) else { return [] }
        let decoder = JSONDecoder()
        return text.split(separator: UInt8(ascii: "\n")).compactMap { line in
            do {
                return try decoder.decode(Entry.self, from: line)
            } catch {
                return nil
            }
        }
    }

    /// - Parameter folder: this state folder.
    private static func left(_ entries: [Entry], in folder: String) -> [Leftovers] {
        var left: [Leftovers] = []
        var origin = Origin()
        for entry in entries {
            if left.last?.run != entry.run { left.append(Leftovers(run: entry.run)) }
            if entry.process != nil { origin = Origin(entry, found: folder) }
            guard let name = entry.folder, let path = origin.path(name) else { continue }
            let folder = OutputFolder(path, within: entry.within.flatMap(origin.path))
            if entry.isMade == true { left[left.count - 1].made.append(folder) } else { left[left.count - 1].folders.append(folder) }
        }
        return left
    }

    /// Where a run was that left files.
    ///
    /// If the state folder is a copy of that run's, or was moved, its relative paths are those of
    /// the copy's files. Its absolute ones lead to the other folder's files, which are not touched
    /// while that folder is there.
    private struct Origin {
        private var base = FileManager.default.currentDirectoryPath
        private var isOthers = false

        init() {}

        init(_ entry: Entry, found folder: String) {
            guard let state = entry.state else { return }
            do throws(InputError) {
                let (recorded, own) = (try FileIdentity(state), try FileIdentity(folder))
                isOthers = recorded.exists && recorded != own
                if recorded == own, let base = entry.base { self.base = base }
            } catch {
                // It is gone.
            }
        }

        func path(_ name: String) -> String? {
            name.hasPrefix("/") && isOthers ? nil : RunList.absolute(name, in: base)
        }
    }

    private func append(_ entries: [Entry], _ descriptor: Int32) throws(OutputError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Another process may have been killed while it wrote the last line.
        var bytes = [UInt8(ascii: "\n")]
        do {
            for entry in entries { bytes += try encoder.encode(entry) + [UInt8(ascii: "\n")] }
        } catch {
            throw .failed(path: path, reason: "cannot be written: \(error)")
        }
        if let failure = bytes.withUnsafeBufferPointer({ writeAll($0, to: descriptor) }) { throw .failed(path, "cannot be written", failure) }
    }
}
