import Glibc

/// An output that is being written: to a staged file, which is then renamed to the output's path.
final class OutputFile {
    let path: String
    var records = 0
    private(set) var byteCount: UInt64 = 0
    private(set) lazy var digest = Digest()
    private(set) var isPrepared = false
    private let folder: OutputFolder
    private let name: String
    /// The name of the staged file; `nil` for a device or a pipe, which is written directly.
    private let staged: String?
    private var descriptor: Int32 = -1
    private var isBegun = false
    /// Whether the file is from an earlier process and its digest not computed yet.
    private var isAdopted = false
    /// The digest of a complete file that has the staged name, too.
    private var taken: DigestText?

    init(_ path: String, in folder: OutputFolder, _ staging: Staging) throws(OutputError) {
        self.path = path
        self.folder = folder
        name = NameBytes.lastName(of: path)
        switch try folder.opened().kind(of: name, followingLink: !folder.isConfined) {
        case .folder: throw .failed(path: path, reason: "is a folder")
        case .file(size: nil): staged = nil
        case .file, .link, .missing: staged = staging.name(of: path)
        case .unreadable(let reason): throw .failed(path: path, reason: reason)
        }
    }

    /// Opens the staged file of an earlier process of the run. It must be restored to a mark before
    /// anything else.
    init(adopting path: String, in folder: OutputFolder, _ staging: Staging) throws(OutputError) {
        self.path = path
        self.folder = folder
        name = NameBytes.lastName(of: path)
        let staged = staging.name(of: path)
        self.staged = staged
        guard case .file(size: let size?) = try folder.opened().kind(of: staged) else {
            throw .failed(path: path, reason: "the part that the unfinished run wrote (\(staging.path(of: path))) is gone; --restart starts over")
        }
        byteCount = size
        isBegun = true
        isAdopted = true
    }

    /// The rename that publishes the file; `nil` for a device or a pipe.
    var move: Journal.Move? { staged.map { Journal.Move(staged: path(of: $0), path: path, within: folder.within) } }

    /// The digest of what was written, in 64 hexadecimal digits.
    var sha256: String { taken?.text ?? digest.hex }

    private func path(of name: String) -> String { "\(folder.path)/\(name)" }

    /// Opens the file to append to what was written before.
    func open() throws(OutputError) {
        let flags = staged == nil ? O_WRONLY : isBegun ? O_WRONLY | O_APPEND : O_WRONLY | O_CREAT | O_EXCL
        descriptor = try folder.opened().open(staged ?? name, flags, followingLink: staged == nil && !folder.isConfined)
        if descriptor < 0, errno == EEXIST { throw .failed(path: path, reason: "another sink of this run writes it, too; give each its own path") }
        guard descriptor >= 0 else { throw .failed(path, isBegun ? "cannot be reopened" : "cannot be created", errno) }
        guard isBegun, let staged else {
            isBegun = true
            return
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_size == Int(byteCount) else {
            throw .failed(path: path, reason: "its temporary file (\(path(of: staged))) was changed by another program")
        }
    }

    func write(_ bytes: UnsafeBufferPointer<UInt8>) throws(OutputError) {
        isPrepared = false
        if let failure = writeAll(bytes, to: descriptor) { throw .failed(path, "cannot be written", failure) }
        digest.update(bytes)
        byteCount += UInt64(bytes.count)
    }

    /// Gives a complete file, which must be on disk, the staged name as its second one.
    ///
    /// - Returns: false if that cannot be: the file is on another file system, or this one has no
    ///   second names, or does not let this user give any. Also if the file is another user's, or
    ///   has a second name already, under which it may have been changed since.
    func link(_ file: FinishedFile) throws(OutputError) -> Bool {
        guard let staged else { throw .failed(path: path, reason: "is a device or a pipe, and a part must be a file") }
        var status = stat()
        guard lstat(file.path, &status) == 0, status.st_nlink == 1, status.st_uid == geteuid() else { return false }
        guard try folder.opened().link(from: file.path, to: staged) == 0 else { return false }
        (isBegun, isPrepared) = (true, true)
        (byteCount, taken) = (file.bytes, file.sha256)
        return true
    }

    /// Appends a copy of a complete file.
    ///
    /// - Throws: also if its bytes are not those that were written.
    func copy(_ file: FinishedFile) throws(OutputError) {
        let source = Glibc.open(file.path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard source >= 0 else { throw .failed(path, "\(file.path) cannot be copied", errno) }
        defer { Glibc.close(source) }
        let piece = ByteBuffer(capacity: 1 << 20)
        while true {
            piece.count = read(source, piece.start, piece.capacity)
            if piece.count < 0, errno == EINTR { continue }
            guard piece.count >= 0 else { throw .failed(path, "\(file.path) cannot be copied", errno) }
            guard piece.count > 0 else { break }
            try write(piece.filled)
        }
        guard digest.hex == file.sha256.text else {
            throw .failed(path: path, reason: "\(file.path) was changed since a task wrote it; remove that task's folder, and do the task again")
        }
    }

    /// Truncates the file to its length at the mark.
    ///
    /// What was written to a device or a pipe cannot be taken back.
    ///
    /// - Throws: also if the file is from an earlier process and has other bytes than that wrote.
    func restore(to mark: SinkMark.Output) throws(OutputError) {
        let bytes = mark.bytes
        records = mark.records
        let wasAdopted = isAdopted
        guard bytes != byteCount || isAdopted else { return }
        guard let staged, bytes <= byteCount else {
            let reason = isAdopted ? "bytes that the unfinished run wrote are gone; --restart starts over" : "what was written cannot be taken back"
            throw .failed(path: path, reason: reason)
        }
        isAdopted = false
        guard ftruncate(descriptor, off_t(bytes)) == 0, lseek(descriptor, off_t(bytes), SEEK_SET) >= 0 else {
            throw .failed(path, "cannot be truncated", errno)
        }
        digest = try digest(ofFile: staged)
        byteCount = bytes
        isPrepared = false
        guard wasAdopted, let sha256 = mark.sha256, sha256 != digest.hex else { return }
        let part = path(of: staged)
        throw .failed(path: path, reason: "the part that the unfinished run wrote (\(part)) was changed by another program; --restart starts over")
    }

    private func digest(ofFile staged: String) throws(OutputError) -> Digest {
        let digest = Digest()
        let readable = try folder.opened().open(staged, O_RDONLY)
        defer { if readable >= 0 { Glibc.close(readable) } }
        guard readable >= 0, digest.update(fromFile: readable) else { throw .failed(path, "its temporary file cannot be read", errno) }
        return digest
    }

    /// Syncs all bytes of open files to disk.
    static func prepare(_ files: [OutputFile]) throws(OutputError) {
        let staged = files.filter { $0.staged != nil }
        for (file, failure) in zip(staged, FileSyncing.sync(staged.map(\.descriptor))) where failure != 0 {
            throw .failed(file.path, "cannot be synced to disk", failure)
        }
        for file in files { file.isPrepared = true }
    }

    func close() throws(OutputError) {
        defer { descriptor = -1 }
        if Glibc.close(descriptor) != 0, errno != EINTR { throw .failed(path, "cannot be written", errno) }
    }

    /// Closes the file and ignores errors: its bytes are on disk already, or discarded.
    func closeQuietly() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    func publish() throws(OutputError) {
        guard let staged else { return }
        guard try folder.opened().rename(staged, to: name) == 0 else { throw .failed(path, "cannot be renamed into place", errno) }
    }

    func discard() {
        closeQuietly()
        guard let staged, isBegun else { return }
        do throws(OutputError) {
            try folder.opened().remove(staged)
        } catch {
            // Its folder is gone, or a link that leads elsewhere.
        }
    }
}
