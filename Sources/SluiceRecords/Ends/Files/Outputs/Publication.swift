import Glibc
import SluiceCEL

/// Why files could not be published, and how many of them are in place nevertheless.
package struct PublishingFailure: Error, Sendable, Equatable {
    package var error: OutputError
    /// The number of files under their final names.
    package var done: Int
    /// The number of files to publish.
    package var of: Int
    /// Whether a complete file is gone, so that repairing something does not help.
    package var isLost = false

    /// The reason, and what is in place.
    var text: String { "\(error); \(done == 0 ? "none" : "\(done)") of \(of == 1 ? "1 file" : "\(of) files") \(done > 1 ? "are" : "is") in place" }
}

/// Publishes complete files: renames all of them to their final names, or none.
///
/// What can be known to fail is found before the first rename. If a rename fails nevertheless,
/// those before it are taken back: until the last one, the files that they replace keep a hidden
/// name beside them.
struct Publication {
    private let moves: [Journal.Move]
    private let working: String?
    private let isAgain: Bool

    /// - Parameters:
    ///   - working: the folder that relative paths begin in; `nil`: the current one.
    ///   - isAgain: whether an earlier process may have renamed some of the files.
    init(_ moves: [Journal.Move], in working: String? = nil, isAgain: Bool = false) {
        self.moves = moves
        self.working = working
        self.isAgain = isAgain
    }

    /// What stands under a file's final name.
    private enum Target {
        /// The file itself: an earlier process has renamed it.
        case file
        case nothing
        case another
    }

    /// What became of the file that a rename has replaced.
    private enum Replaced {
        case none
        /// It has a hidden name.
        case kept
        case lost
    }

    /// Renames the files. Their folders are not synced to disk.
    ///
    /// - Throws: with the number of files in place: unless some were before, it is 0, or those that
    ///   could not be taken back.
    func run() throws(PublishingFailure) {
        let targets = try look()
        let before = targets.count { $0 == .file }
        var renamed: [(move: Journal.Move, replaced: Replaced)] = []
        var stand = Stand(working)
        for (move, target) in zip(moves, targets) where target != .file {
            do throws(OutputError) {
                renamed.append((move, try rename(move, replacing: target, in: stand.folder(of: move))))
            } catch {
                throw PublishingFailure(error: error, done: before + takeBack(renamed), of: moves.count)
            }
        }
        do throws(OutputError) {
            for (move, replaced) in renamed where replaced == .kept { try forgetReplaced(move, in: stand.folder(of: move)) }
        } catch {
            throw PublishingFailure(error: error, done: moves.count, of: moves.count)
        }
    }

    /// Syncs the folders to disk. Some file systems do not support this, and need not.
    func sync() throws(OutputError) {
        var folders: [Name: OutputFolder] = [:]
        for move in moves {
            let folder = Stand.folder(of: move, in: working)
            folders[Name(folder.path)] = folder
        }
        try OutputFolders.sync(folders.sorted { $0.key < $1.key }.map(\.value))
    }

    /// Finds what would make a rename fail.
    private func look() throws(PublishingFailure) -> [Target] {
        // What else needs descriptors from here on: folders in one another, and syncing them.
        let spare = (0..<2).map { _ in open("/dev/null", O_RDONLY | O_CLOEXEC) }
        let refusal = spare.allSatisfy { $0 >= 0 } ? 0 : errno
        defer { for descriptor in spare where descriptor >= 0 { close(descriptor) } }
        var failure: (error: OutputError, isLost: Bool)?
        if refusal != 0, let first = moves.first { failure = (OutputError.failed(first.path, "its folder cannot be opened", refusal), false) }
        var targets: [Target] = []
        var stand = Stand(working)
        for move in moves {
            do throws(OutputError) {
                targets.append(try target(of: move, in: stand.folder(of: move)))
            } catch {
                if failure == nil { failure = (error, Self.isGone(stand.absolute(move.staged))) }
            }
        }
        guard let failure else { return targets }
        throw PublishingFailure(error: failure.error, done: targets.count { $0 == .file }, of: moves.count, isLost: failure.isLost)
    }

    private static func isFile(_ kind: OpenFolder.Kind) -> Bool { if case .file(size: _?) = kind { true } else { false } }

    private static func isGone(_ staged: String) -> Bool { if case .missing = PathKind.of(staged) { true } else { false } }

    private func target(of move: Journal.Move, in folder: OpenFolder) throws(OutputError) -> Target {
        let there = folder.kind(of: move.name)
        switch folder.kind(of: move.stagedName) {
        case .file(size: _?): break
        case .missing where isAgain && Self.isFile(there): return .file
        case .missing: throw .failed(path: move.path, reason: "its complete file (\(move.staged)) is gone")
        case .unreadable(let reason): throw .failed(path: move.path, reason: reason)
        case .folder, .link, .file: throw .failed(path: move.path, reason: "its complete file (\(move.staged)) was replaced by another program")
        }
        guard folder.isWritable else { throw .failed(move.path, "cannot be put in its folder", errno) }
        switch there {
        case .missing: return .nothing
        case .file, .link: return .another
        case .folder: throw .failed(path: move.path, reason: "is a folder")
        case .unreadable(let reason): throw .failed(path: move.path, reason: reason)
        }
    }

    private func rename(_ move: Journal.Move, replacing target: Target, in folder: OpenFolder) throws(OutputError) -> Replaced {
        var replaced = Replaced.none
        if target == .another {
            // A process that died here has left the name to the same file. Some file systems have
            // no second names.
            let isKept = folder.link(move.name, to: move.keptName) == 0 || errno == EEXIST
            replaced = isKept ? .kept : errno == ENOENT ? .none : .lost
        }
        guard folder.rename(move.stagedName, to: move.name) == 0 else {
            let reason = errno
            if replaced == .kept { folder.remove(move.keptName) }
            throw .failed(move.path, "cannot be renamed into place", reason)
        }
        // If both names are of one file, renaming does nothing.
        if target == .another { folder.remove(move.stagedName) }
        return replaced
    }

    /// - Returns: the number of files that stay in place.
    private func takeBack(_ renamed: [(move: Journal.Move, replaced: Replaced)]) -> Int {
        var stand = Stand(working)
        var left = 0
        for (move, replaced) in renamed.reversed() {
            if !takeBack(move, replaced, &stand) { left += 1 }
        }
        return left
    }

    /// If the process dies in it, the next one finds the complete file under one name or the other.
    private func takeBack(_ move: Journal.Move, _ replaced: Replaced, _ stand: inout Stand) -> Bool {
        do throws(OutputError) {
            let folder = try stand.folder(of: move)
            switch replaced {
            case .none: return folder.rename(move.name, to: move.stagedName) == 0
            case .lost: return false
            case .kept:
                guard folder.link(move.name, to: move.stagedName) == 0 else { return false }
                if folder.rename(move.keptName, to: move.name) == 0 {
                    // Which does nothing if both names are of one file.
                    folder.remove(move.keptName)
                    return true
                }
                folder.remove(move.stagedName)
                return false
            }
        } catch {
            return false
        }
    }

    private func forgetReplaced(_ move: Journal.Move, in folder: OpenFolder) throws(OutputError) {
        guard folder.remove(move.keptName) == 0 || errno == ENOENT else {
            throw .failed(move.path, "the file that it replaces cannot be removed", errno)
        }
    }

    /// The folder of the file at hand, open until one of another folder comes.
    private struct Stand {
        private let working: String?
        private var last: (folder: OutputFolder, open: OpenFolder)?

        init(_ working: String?) { self.working = working }

        static func folder(of move: Journal.Move, in working: String?) -> OutputFolder {
            let stand = Stand(working)
            return OutputFolder(of: stand.absolute(move.path), within: move.within.map(stand.absolute))
        }

        func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : working.map { "\($0)/\(path)" } ?? path }

        mutating func folder(of move: Journal.Move) throws(OutputError) -> OpenFolder {
            let folder = Self.folder(of: move, in: working)
            if let last, last.folder.path.isSame(as: folder.path), last.folder.fixed.isSame(as: folder.fixed),
                last.folder.isConfined == folder.isConfined
            {
                return last.open
            }
            last = nil
            let open = try folder.opened()
            last = (folder, open)
            return open
        }
    }
}

extension Journal.Move {
    fileprivate var name: String { NameBytes.lastName(of: path) }
    fileprivate var stagedName: String { NameBytes.lastName(of: staged) }
    /// The hidden name of the file that is replaced.
    fileprivate var keptName: String { Staging.keptName(of: stagedName) }
}
