import Glibc
import SluiceCEL

package struct PublishedOutput: Equatable {
    var path: String
    var records: Int
    var bytes: UInt64
    /// 64 hexadecimal digits.
    var sha256: String
}

/// The outputs of a run. They appear under their names together, when all of them are whole and on
/// the disk; until then they stand beside their places under hidden names, and what stood there
/// stays.
///
/// A path that is a device or a pipe is written at once, because it cannot be replaced. Folders are
/// made as they are needed, and removed again if nothing is published. Not for use by two threads
/// at once.
final class OutputSet: OpenSink {
    /// Files that are open at the same time; more are closed and opened again, the one that waited
    /// longest first.
    private let mostOpen: Int
    private var files: [FilePlace: OutputFile] = [:]
    /// By every path that was met.
    private var named: [Name: OutputFile] = [:]
    /// In the order in which they were last written to.
    private var open: [OutputFile] = []
    private let staging: Staging
    private let folders: OutputFolders

    /// What stands in a file that nothing was written to. Of a compressed one an empty member,
    /// since no gunzip reads a file without any.
    private let emptyFile: [UInt8]

    init(mostOpen: Int = 64, emptyFile: [UInt8] = [], staging: Staging = Staging()) {
        self.staging = staging
        folders = OutputFolders(staging)
        self.emptyFile = emptyFile
        self.mostOpen = max(1, mostOpen)
        WriteSignals.areErrors
    }

    deinit {
        discard()
    }

    func name(of path: String) throws(OutputError) -> String { try file(path).path }

    /// Adds bytes, perhaps none, to the end of an output, which begins empty with the first of
    /// them.
    func append(_ bytes: UnsafeBufferPointer<UInt8>, records: Int, to path: String) throws(OutputError) {
        let file = try file(path)
        if bytes.count > 0 {
            try use(file)
            try file.write(bytes)
        }
        file.records += records
    }

    func checkpoint() throws(OutputError) -> SinkMark {
        for file in inOrder where !file.isPrepared {
            try use(file)
            try file.prepare()
        }
        return SinkMark(outputs: inOrder.map { SinkMark.Output(path: $0.path, bytes: $0.byteCount, records: $0.records) })
    }

    func restore(to mark: SinkMark) throws(OutputError) {
        let outputs = Dictionary(uniqueKeysWithValues: mark.outputs.map { (Name($0.path), $0) })
        let known = Swift.Set(files.values.map { Name($0.path) })
        if let missing = mark.outputs.first(where: { !known.contains(Name($0.path)) }) {
            throw .failed(path: missing.path, reason: "has less than the mark says")
        }
        for file in inOrder {
            if let output = outputs[Name(file.path)] {
                try use(file)
                try file.restore(bytes: output.bytes, records: output.records)
            } else {
                open.removeAll { $0 === file }
                file.discard()
                files = files.filter { $0.value !== file }
                named = named.filter { $0.value !== file }
            }
        }
    }

    /// Brings all bytes to the disk. What can fail for want of space or of permission fails here,
    /// before anything appears.
    func prepare() throws(OutputError) {
        for file in inOrder where !file.isPrepared || file.byteCount == 0 && !emptyFile.isEmpty {
            try use(file)
            if file.byteCount == 0 { try emptyFile.withUnsafeBufferPointer { (bytes) throws(OutputError) in try file.write(bytes) } }
            try file.prepare()
        }
        closeAll()
    }

    /// Lets the outputs appear, each replacing at once what stood under its name.
    ///
    /// - Returns: in the order of their paths' bytes.
    /// - Throws: Before the first has appeared, unless the system refuses to rename a file that it
    ///   let be made beside.
    func publish() throws(OutputError) -> [PublishedOutput] {
        try prepare()
        let all = inOrder
        for file in all { try file.publish() }
        try folders.sync()
        (files, named) = ([:], [:])
        return all.map { PublishedOutput(path: $0.path, records: $0.records, bytes: $0.byteCount, sha256: $0.digest.hex) }
    }

    /// Removes what was written and not published.
    func discard() {
        closeAll()
        for file in files.values { file.discard() }
        (files, named) = ([:], [:])
        folders.discard()
    }

    private var inOrder: [OutputFile] {
        files.values.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    private func file(_ path: String) throws(OutputError) -> OutputFile {
        if let file = named[Name(path)] { return file }
        let normal = NameBytes.normalized(path)
        try folders.prepare(for: normal)
        let place = try place(of: normal)
        if let file = files[place] {
            named[Name(path)] = file
            return file
        }
        let file = try OutputFile(normal, staging)
        files[place] = file
        named[Name(path)] = file
        try use(file)
        return file
    }

    /// Two paths that take one name in one folder are one output. The folder is there, so that it
    /// is told apart by what it is.
    private func place(of path: String) throws(OutputError) -> FilePlace {
        do throws(InputError) {
            return try FilePlace(path)
        } catch {
            throw .failed(path: path, reason: "cannot be reached: \(error)")
        }
    }

    /// Opens a file if it is not, and makes it the last to be closed.
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
