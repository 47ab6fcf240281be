import Glibc
import Sluice
import Synchronization

/// The spill files of a run's stages.
///
/// A file is unlinked right after it was created, so that nothing remains however the run ends. The
/// files of a run that can be resumed keep their names, in the subfolder `stages` of the state
/// folder, until no stage and no checkpoint needs them.
package final class StageFolder: Sendable {
    /// The state folder, or another one if there is no run.
    let path: String
    private let kept = Locked<Kept?>(nil)

    private struct Kept {
        /// The number of the last file.
        var last = 0
        /// The files of the last checkpoint.
        var marked: Swift.Set<Int> = []
        /// Those of them that no stage uses any more.
        var released: Swift.Set<Int> = []
    }

    /// The name of the subfolder.
    static let name = "stages"

    init(_ path: String) {
        self.path = path
    }

    private var subfolder: String { "\(path)/\(Self.name)" }
    private func path(of number: Int) -> String { "\(subfolder)/\(number)" }

    /// Keeps files for a checkpoint from here on.
    ///
    /// - Parameter marks: the files of the checkpoint that the run is resumed from.
    func keepFiles(of marks: [StageFile.Mark]) {
        kept.withLock { $0 = Kept(last: marks.map(\.number).max() ?? 0, marked: Swift.Set(marks.map(\.number))) }
    }

    /// Leaves all files as they are from here on: another run may own the folder.
    func retire() { kept.withLock { $0 = nil } }

    func makeFile() throws(RunError) -> StageFile {
        let number = kept.withLock { kept -> Int? in
            kept?.last += 1
            return kept?.last
        }
        guard let number else {
            let unnamed = "\(path)/.sluice-\(UInt64.random(in: .min ... .max)).room"
            let file = try StageFile(in: self, number: nil, open(unnamed, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600))
            unlink(unnamed)
            return file
        }
        mkdir(subfolder, 0o777)
        return try StageFile(in: self, number: number, open(path(of: number), O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600))
    }

    /// Opens a file of a checkpoint, with its size at that time.
    func openFile(_ mark: StageFile.Mark) throws(RunError) -> StageFile {
        let file = try StageFile(in: self, number: mark.number, open(path(of: mark.number), O_RDWR | O_NOFOLLOW | O_CLOEXEC))
        try file.truncate(to: mark.bytes)
        return file
    }

    /// Records the files that the run's new checkpoint refers to, and removes those that only the
    /// one before did.
    func mark(_ files: [StageFile]) {
        let marked = Swift.Set(files.compactMap(\.number))
        let gone = kept.withLock { kept -> Swift.Set<Int> in
            guard let before = kept else { return [] }
            kept?.marked = marked
            kept?.released = before.released.intersection(marked)
            return before.released.subtracting(marked)
        }
        for number in gone { unlink(path(of: number)) }
    }

    /// Makes the names of new files durable.
    func sync() { StateFile.sync(folder: subfolder) }

    /// Called when nothing refers to the file any more.
    fileprivate func release(_ number: Int) {
        let isNeeded = kept.withLock { kept -> Bool in
            guard let known = kept else { return true }
            guard known.marked.contains(number) else { return false }
            kept?.released.insert(number)
            return true
        }
        if !isNeeded { unlink(path(of: number)) }
    }

    /// Removes the files that earlier processes have left, except for those of a checkpoint.
    func sweep(keeping marks: [StageFile.Mark]) {
        let kept = Swift.Set(marks.map { "\($0.number)" })
        guard let stream = opendir(subfolder) else { return }
        while let entry = readdir(stream) {
            guard let name = entry.name, Int(name) != nil, !kept.contains(name) else { continue }
            unlink("\(subfolder)/\(name)")
        }
        closedir(stream)
        rmdir(subfolder)
    }
}

/// A spill file of a stage.
///
/// Written by one thread at a time; read at any position by any number of threads. What is written
/// does not change any more.
package final class StageFile: Sendable {
    /// A file in a checkpoint.
    struct Mark: Codable, Sendable, Equatable {
        var number: Int
        var bytes: Int
    }

    private let folder: StageFolder
    /// `nil` if the file has no name.
    let number: Int?
    private let descriptor: Int32
    private let sizes = Locked((written: 0, synced: 0))

    fileprivate init(in folder: StageFolder, number: Int?, _ descriptor: Int32) throws(RunError) {
        guard descriptor >= 0 else { throw .room(folder: folder.path, reason: describe(error: errno)) }
        self.folder = folder
        self.number = number
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
        if let number { folder.release(number) }
    }

    /// In bytes.
    var count: Int { sizes.withLock { $0.written } }

    /// `nil` if the file has no name.
    var mark: Mark? { number.map { Mark(number: $0, bytes: count) } }

    func append(_ bytes: UnsafeBufferPointer<UInt8>) throws(RunError) {
        if let failure = writeAll(bytes, to: descriptor) { throw error(describe(error: failure)) }
        sizes.withLock { $0.written += bytes.count }
    }

    /// Reads from a position until `room` is full or the file ends.
    ///
    /// - Returns: the number of bytes read.
    func read(at place: Int, into start: UnsafeMutablePointer<UInt8>, room: Int) throws(RunError) -> Int {
        var done = 0
        while done < room {
            let count = pread(descriptor, start + done, room - done, off_t(place + done))
            if count < 0 {
                if errno == EINTR { continue }
                throw .room(folder: folder.path, reason: describe(error: errno))
            }
            if count == 0 { break }
            done += count
        }
        return done
    }

    func error(_ reason: String) -> RunError { .room(folder: folder.path, reason: reason) }

    /// Makes what was written durable.
    func sync() throws(RunError) {
        let written = count
        guard sizes.withLock({ $0.synced }) < written else { return }
        guard fdatasync(descriptor) == 0 else { throw error(describe(error: errno)) }
        sizes.withLock { $0.synced = max($0.synced, written) }
    }

    fileprivate func truncate(to bytes: Int) throws(RunError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .room(folder: folder.path, reason: describe(error: errno)) }
        guard Int(status.st_size) >= bytes else { throw .room(folder: folder.path, reason: "a file is shorter than it was") }
        guard ftruncate(descriptor, off_t(bytes)) == 0, lseek(descriptor, 0, SEEK_END) >= 0 else {
            throw .room(folder: folder.path, reason: describe(error: errno))
        }
        sizes.withLock { $0 = (bytes, bytes) }
    }
}
