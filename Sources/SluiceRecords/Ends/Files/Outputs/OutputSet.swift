import Glibc
import SluiceCEL

package struct PublishedOutput: Equatable {
    var path: String
    var records: Int
    var bytes: UInt64
    /// 64 hexadecimal digits.
    var sha256: String
}

/// The outputs of a run. They are written to hidden files next to their final paths, and renamed
/// together once all of them are complete and on disk. Until then, existing files under those names
/// stay.
///
/// A device or a pipe is written directly, because it cannot be replaced. Folders are created as
/// needed, and removed again if nothing is published. Not for concurrent use.
final class OutputSet: OpenSink {
    /// The limit of open files. Beyond it, the least recently used one is closed, to be reopened
    /// when needed.
    private let mostOpen: Int
    /// The usual limit: fewer files if the system allows few, since there are inputs, children and
    /// other sinks, too.
    static let usual: Int = {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 16 }
        return max(1, min(64, (Int(clamping: limit.rlim_cur) - 32) / 4))
    }()
    private var files: [FilePlace: OutputFile] = [:]
    /// By every spelling of a path seen so far.
    private var named: [Name: OutputFile] = [:]
    /// Least recently written first.
    private var open: [OutputFile] = []
    private let staging: Staging
    /// The folders of files that have a second name there, until it is on disk.
    private var linked: [Name: OutputFolder] = [:]
    private let folders: OutputFolders

    /// The contents of an output that nothing was written to. For a compressed one it is an empty
    /// gzip member, since gunzip rejects a file without any.
    private let emptyFile: [UInt8]

    /// - Parameter within: the folder below which no links are followed; `nil` to follow them.
    init(mostOpen: Int? = nil, emptyFile: [UInt8] = [], staging: Staging = Staging(), within: String? = nil) {
        self.staging = staging
        folders = OutputFolders(staging, within: within.map(NameBytes.normalized))
        self.emptyFile = emptyFile
        self.mostOpen = max(1, mostOpen ?? Self.usual)
        WriteSignals.areErrors
    }

    deinit {
        discard()
    }

    func name(of path: String) throws(OutputError) -> String { try file(path).path }

    /// Appends bytes, possibly none, to an output. The first call creates it.
    func append(_ bytes: UnsafeBufferPointer<UInt8>, records: Int, to path: String) throws(OutputError) {
        let file = try file(path)
        if bytes.count > 0 {
            try use(file)
            try file.write(bytes)
        }
        file.records += records
    }

    func take(_ finished: FinishedFile, as path: String) throws(OutputError) {
        let normal = NameBytes.normalized(path)
        let folder = try folders.prepare(for: normal)
        let place = try place(of: normal, in: folder)
        if let other = files[place] { throw .failed(path: normal, reason: "would also be the output \(other.path); give them names that differ") }
        let file = try OutputFile(normal, in: folder, staging)
        (files[place], named[Name(path)]) = (file, file)
        file.records = finished.records
        if try file.link(finished) {
            linked[Name(folder.path)] = folder
        } else {
            try use(file)
            try file.copy(finished)
        }
    }

    func checkpoint() throws(OutputError) -> SinkMark {
        let files = inOrder
        try prepare(files.filter { !$0.isPrepared })
        return SinkMark(outputs: files.map { SinkMark.Output(path: $0.path, bytes: $0.byteCount, records: $0.records, sha256: $0.sha256) })
    }

    func restore(to mark: SinkMark) throws(OutputError) {
        let outputs = Dictionary(mark.outputs.map { (Name($0.path), $0) }) { first, _ in first }
        let known = Swift.Set(files.values.map { Name($0.path) })
        for output in mark.outputs where !known.contains(Name(output.path)) { try adopt(output.path) }
        for file in inOrder {
            if let output = outputs[Name(file.path)] {
                try use(file)
                try file.restore(to: output)
            } else {
                open.removeAll { $0 === file }
                file.discard()
                files = files.filter { $0.value !== file }
                named = named.filter { $0.value !== file }
            }
        }
    }

    /// Syncs all bytes to disk. Errors for lack of space or permission occur here, before any
    /// output is published.
    func prepare() throws(OutputError) {
        for file in inOrder where file.byteCount == 0 && !emptyFile.isEmpty {
            try use(file)
            try emptyFile.withUnsafeBufferPointer { (bytes) throws(OutputError) in try file.write(bytes) }
        }
        try prepare(inOrder.filter { !$0.isPrepared })
        closeAll()
        try OutputFolders.sync(linked.sorted { $0.key < $1.key }.map(\.value))
        linked = [:]
    }

    /// Syncs files, as many at a time as may be open.
    private func prepare(_ files: [OutputFile]) throws(OutputError) {
        for start in stride(from: 0, to: files.count, by: mostOpen) {
            let some = Array(files[start..<min(start + mostOpen, files.count)])
            for file in some { try use(file) }
            try OutputFile.prepare(some)
        }
    }

    /// Publishes the outputs, each atomically replacing the existing file of that name.
    ///
    /// - Returns: the outputs in the byte order of their paths.
    /// - Throws: before the first output is published, unless the system refuses to rename a file
    ///   in a folder where it could be created.
    func publish() throws(OutputError) -> [PublishedOutput] {
        try prepare()
        let described = described
        for file in inOrder { try file.publish() }
        try folders.sync()
        (files, named) = ([:], [:])
        return described
    }

    func published() throws(OutputError) {
        closeAll()
        (files, named) = ([:], [:])
        try folders.sync()
    }

    /// Removes what was written but not published.
    func discard() {
        closeAll()
        for file in files.values { file.discard() }
        (files, named) = ([:], [:])
        folders.discard()
    }

    func leave() {
        closeAll()
        (files, named) = ([:], [:])
    }

    private var inOrder: [OutputFile] {
        files.values.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    private func file(_ path: String) throws(OutputError) -> OutputFile {
        if let file = named[Name(path)] { return file }
        let normal = NameBytes.normalized(path)
        let folder = try folders.prepare(for: normal)
        let place = try place(of: normal, in: folder)
        if let file = files[place] {
            named[Name(path)] = file
            return file
        }
        let file = try OutputFile(normal, in: folder, staging)
        files[place] = file
        named[Name(path)] = file
        try use(file)
        return file
    }

    /// Takes over a staged file of an earlier process of the run.
    private func adopt(_ path: String) throws(OutputError) {
        let folder = try folders.prepare(for: path)
        let file = try OutputFile(adopting: path, in: folder, staging)
        files[try place(of: path, in: folder)] = file
        named[Name(path)] = file
    }

    /// The renames that publish the outputs.
    var moves: [Journal.Move] { inOrder.compactMap(\.move) }

    /// The outputs as they will be published.
    var described: [PublishedOutput] {
        inOrder.map { PublishedOutput(path: $0.path, records: $0.records, bytes: $0.byteCount, sha256: $0.sha256) }
    }

    /// Two paths to the same entry of one folder are the same output. The folder must exist, so
    /// that it can be identified.
    private func place(of path: String, in folder: OutputFolder) throws(OutputError) -> FilePlace {
        let open = try folder.opened()
        do throws(InputError) {
            return try FilePlace(NameBytes.lastName(of: path), in: open)
        } catch {
            throw .failed(path: path, reason: "cannot be reached: \(error)")
        }
    }

    /// Opens a file if needed, and marks it as the most recently used.
    private func use(_ file: OutputFile) throws(OutputError) {
        if open.last === file { return }
        if let index = open.firstIndex(where: { $0 === file }) {
            open.remove(at: index)
        } else {
            if open.count >= mostOpen { try open.removeFirst().close() }
            try file.open()
        }
        open.append(file)
    }

    private func closeAll() {
        for file in open { file.closeQuietly() }
        open = []
    }
}
