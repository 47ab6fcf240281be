import FoundationEssentials
import Glibc
import SluiceCEL

/// `read.json` in the state folder: the input files that finished runs with `new_only` have read.
package struct FilesRead: Codable, Sendable, Equatable {
    static let name = "read.json"

    /// A file as it was when a run began to read it.
    package struct File: Codable, Sendable, Equatable {
        var stamp: InputStamp
        var device: UInt64
        var inode: UInt64

        /// - Returns: `nil` if it is not a readable regular file.
        init?(_ file: InputFile) {
            guard let stamp = InputStamp(file) else { return nil }
            var status = stat()
            guard stat(file.path, &status) == 0 else { return nil }
            self.stamp = stamp
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
        }

        fileprivate var content: Content { Content(size: stamp.size, ends: stamp.ends) }
        fileprivate var identity: Identity { Identity(device: device, inode: inode, modified: stamp.modified) }
    }

    fileprivate struct Content: Hashable {
        var size: Int
        var ends: String
    }

    fileprivate struct Identity: Hashable {
        var device: UInt64
        var inode: UInt64
        var modified: Int
    }

    private(set) var files: [File] = []

    /// Which of the files to read.
    struct Choice: Equatable {
        var new: [InputFile] = []
        /// How many are left out.
        var known = 0
        /// Those among the new ones that were read before and have changed since.
        var changed: [String] = []
    }

    /// A file is known if a file of its path was read with the same size and the same first and
    /// last 4 KiB; or if it was renamed: the same file of the file system, not modified since, with
    /// that content.
    func choice(of inputs: [InputFile]) -> Choice {
        let byPath = Dictionary(files.map { (Name($0.stamp.path), $0.content) }, uniquingKeysWith: { $1 })
        let byIdentity = Dictionary(files.map { ($0.identity, $0.content) }, uniquingKeysWith: { $1 })
        var choice = Choice()
        for input in inputs {
            guard let file = File(input) else {
                // Standard input and pipes are always new; what cannot be read is reported later.
                choice.new.append(input)
                continue
            }
            let earlier = byPath[Name(input.path)]
            if earlier == file.content || byIdentity[file.identity] == file.content {
                choice.known += 1
                continue
            }
            if earlier != nil, !isRenamed(input.path, now: inputs) { choice.changed.append(input.path) }
            choice.new.append(input)
        }
        return choice
    }

    /// Whether the file that was read under this path is among the inputs under another one, as
    /// after a rotation of logs.
    private func isRenamed(_ path: String, now inputs: [InputFile]) -> Bool {
        guard let earlier = files.last(where: { $0.stamp.path.isSame(as: path) }) else { return false }
        return inputs.contains { other in
            !other.path.isSame(as: path) && File(other).map { $0.identity == earlier.identity && $0.content == earlier.content } == true
        }
    }

    /// Adds files. What was known of a path stays if it was another file, which may have another
    /// name by now.
    mutating func add(_ read: [File]) {
        let now = Dictionary(read.map { (Name($0.stamp.path), $0) }, uniquingKeysWith: { $1 })
        files.removeAll { file in
            now[Name(file.stamp.path)].map { $0.device == file.device && $0.inode == file.inode } ?? false
        }
        files += read
    }
}

extension FilesRead {
    /// - Throws: if the list exists and cannot be read.
    package init(in folder: String) throws(RunError) {
        let file = StateFile(Self.name, in: folder)
        do {
            self = try file.read(FilesRead.self) ?? FilesRead()
        } catch let error as OutputError {
            throw .output(error)
        } catch {
            throw .report(path: file.path, reason: Self.unreadable)
        }
    }

    private static let unreadable =
        "the list of files that were read is damaged, or from another version of sluice; remove it to read all files again"

    /// Adds files to the list in a state folder. May be repeated.
    static func record(_ read: [File], in folder: String) throws(OutputError) {
        let file = StateFile(name, in: folder)
        var known: FilesRead
        do {
            known = try file.read(FilesRead.self) ?? FilesRead()
        } catch let error as OutputError {
            throw error
        } catch {
            throw .failed(path: file.path, reason: unreadable)
        }
        known.add(read)
        try file.write(known)
    }
}

extension SourceSettings {
    /// What `new_only` has left out.
    package struct NewOnly: Sendable, Equatable {
        package var known: Int
        /// Files that are read again, because they have changed.
        package var changed: [String]

        /// For the user.
        package var notices: [String] {
            let who = known == 1 ? "1 file was read by an earlier run and is left out" : "\(known) files were read by earlier runs and are left out"
            return (known == 0 ? [] : [who]) + changed.map { "'\($0)' has changed since it was read, and is read again from its beginning" }
        }
    }

    /// Leaves out the inputs that earlier finished runs with this state folder have read.
    package mutating func keepNew(in folder: String) throws(RunError) {
        let choice = try FilesRead(in: folder).choice(of: inputs)
        source = FileSource(choice.new)
        newOnly = NewOnly(known: choice.known, changed: choice.changed)
    }
}
