import Glibc
import Sluice
import SluiceCEL
import Synchronization

/// The files of one run, compared by identity, not by spelling: no run overwrites what it reads, or
/// another file of its own.
///
/// ``conflict()`` checks the files that the definition names, before anything is read;
/// ``refusal(of:in:)`` checks outputs that a record's values name. A file is the input if it is the
/// same file, even by a symbolic or hard link. Two files to be written are the same if they have
/// the same name in the same folder: a link there is replaced, and its target stays.
package final class RunFiles: Sendable {
    private let pipeline: RecordPipeline
    /// Files that the run writes, except for outputs that records name. In a conflict, the earlier
    /// one is to be renamed.
    private let written: [WrittenFile]
    /// Files that the run reads; computed when first needed.
    private let read = Locked<[FileIdentity: RunFile]?>(nil)
    /// Outputs that records have named, and why they are refused, if they are.
    private let named = Locked<[NamedOutput: String?]>([:])

    private struct NamedOutput: Hashable {
        var sink: Int
        var name: Name
    }

    private struct WrittenFile: Sendable {
        var file: RunFile
        var sink: (any RecordSink)?
        /// `nil` if it is not a regular file or does not exist.
        var identity: FileIdentity?
        /// `nil` if it has no directory entry of its own: standard output, a device or a pipe.
        var place: FilePlace?

        /// The same file as it is found now: its folder may have been created.
        func again() throws(InputError) -> WrittenFile {
            guard let place, !place.folder.exists else { return self }
            return try RunFiles.output(file.part, file.path, of: sink, number: file.sink)
        }

        func isSame(as other: WrittenFile) -> Bool {
            if let place, let taken = other.place { return place == taken }
            // Closures write no file.
            if sink is ClosureSink || other.sink is ClosureSink { return false }
            // Standard output may be no file that could be compared.
            if file.part == .sink, other.file.part == .sink, place == nil, file.path == "-", other.file.path == "-" { return true }
            return identity != nil && identity == other.identity
        }
    }

    /// - Parameters:
    ///   - state: the run's state folder.
    ///   - reportCopy: another path that the report is written to.
    package init(_ pipeline: RecordPipeline, state: String, reportCopy: String? = nil) throws(InputError) {
        self.pipeline = pipeline
        var written: [WrittenFile] = []
        if let path = reportCopy { written.append(try Self.file(.reportCopy, path)) }
        written.append(try Self.output(.deadLetters, pipeline.deadLetters, of: pipeline.deadLetterSink))
        for (number, settings) in pipeline.sinks.enumerated() {
            guard let path = settings.sink.path.constant.map({ settings.sink.first(of: $0) }) else { continue }
            written.append(try Self.output(.sink, path, of: settings.sink, number: number))
        }
        written.append(try Self.file(.report, state + "/report.json"))
        for name in [RunList.name, StateFolder.spill, StateFolder.checkpoint, Journal.name, FilesRead.name, RunSamples.name] {
            written.append(try Self.file(.state, "\(state)/\(name)"))
        }
        self.written = written
    }

    private static func file(_ part: RunFile.Part, _ path: String) throws(InputError) -> WrittenFile {
        WrittenFile(file: RunFile(part: part, path: path), identity: try .ofRegularFile(path), place: try .ofOutput(path))
    }

    private static func output(
        _ part: RunFile.Part, _ path: String, of sink: (any RecordSink)?, number: Int = 0
    ) throws(InputError) -> WrittenFile {
        guard let sink else { return try file(part, path) }
        return WrittenFile(
            file: RunFile(part: part, path: path, sink: number), sink: sink, identity: try sink.file(of: path), place: try sink.place(of: path))
    }

    /// Two files named by the definition or the command line that are the same.
    package func conflict() throws(InputError) -> FileConflict? {
        for (index, writer) in written.enumerated() {
            if let identity = writer.identity, let other = try reads(identity) { return FileConflict(file: writer.file, other: other) }
            for other in written[(index + 1)...] where writer.isSame(as: other) { return FileConflict(file: writer.file, other: other.file) }
            guard writer.place != nil else { continue }
            for other in written {
                if try Self.isPath(writer.file.path, below: other) { return FileConflict(file: writer.file, other: other.file, isBelow: true) }
            }
        }
        return nil
    }

    /// As ``conflict()``, among the parts that tasks would write of these sinks' outputs, other
    /// than the first.
    ///
    /// Looks only at files that are there or that the definition names, however many tasks there
    /// are. With a limit of size, every name that a part could have counts.
    package func conflict(ofParts sinks: Swift.Set<Int>, from tasks: Int) throws(InputError) -> FileConflict? {
        for number in sinks.sorted() {
            let sink = pipeline.sinks[number].sink
            guard let output = sink.path.constant.map({ NameBytes.normalized($0) }) else { continue }
            let (folder, first) = (OutputFolders.folder(of: output), sink.first(of: output))
            guard let place = try sink.place(of: first) else { continue }
            let named = written.compactMap { $0.place?.folder == place.folder ? $0.place?.name : nil }.map { String(decoding: $0, as: UTF8.self) }
            for name in (OpenFolder.at(folder)?.names ?? []) + named {
                let path = TaskParts.path(of: name, in: folder)
                guard TaskParts.isPart(path, of: output, from: tasks, areLimited: sink.part != nil), !path.isSame(as: first) else { continue }
                if let found = try conflict(of: Self.output(.sink, path, of: sink, number: number)) { return found }
            }
        }
        return nil
    }

    /// Why no record may go to an output: as ``refusal(of:in:)``, of the file that it begins with.
    func refusal(ofFirst output: String, in sink: Int) -> String? { refusal(of: pipeline.sinks[sink].sink.first(of: output), in: sink) }

    /// Why no record may go to this file: it is another file of the run, or the sink refuses it.
    ///
    /// Checks the file system once per output. If that fails, the output is accepted, and writing
    /// it will report the error.
    func refusal(of output: String, in sink: Int) -> String? {
        let key = NamedOutput(sink: sink, name: Name(output))
        if let known = named.withLock({ $0[key] }) { return known }
        let refusal: String?
        do throws(InputError) {
            refusal = try newRefusal(of: output, in: sink)
        } catch {
            refusal = nil
        }
        named.withLock { $0[key] = .some(refusal) }
        return refusal
    }

    private func newRefusal(of output: String, in number: Int) throws(InputError) -> String? {
        let sink = pipeline.sinks[number].sink
        var file = try Self.output(.sink, output, of: sink, number: number)
        while true {
            if let found = try conflict(of: file) { return found.message }
            // A folder that is created between two looks at the file system makes two places of
            // one.
            let now = try file.again()
            if now.place == file.place, now.identity == file.identity { return try sink.refusal(of: output) }
            file = now
        }
    }

    private func conflict(of file: WrittenFile) throws(InputError) -> FileConflict? {
        if let identity = file.identity, let other = try reads(identity) { return FileConflict(file: file.file, other: other) }
        for other in written {
            let other = try other.again()
            if file.isSame(as: other) { return FileConflict(file: file.file, other: other.file) }
            guard file.place != nil, try Self.isPath(file.file.path, below: other) else { continue }
            return FileConflict(file: file.file, other: other.file, isBelow: true)
        }
        return nil
    }

    /// Whether a folder to be created for the path would have the name of a file of the run.
    private static func isPath(_ path: String, below file: WrittenFile) throws(InputError) -> Bool {
        guard let taken = file.place else { return false }
        var folder = OutputFolders.folder(of: path)
        while case .missing = PathKind.of(folder) {
            if try FilePlace(folder, followingLinks: true) == taken { return true }
            folder = OutputFolders.folder(of: folder)
        }
        return false
    }

    /// What the run reads with this identity: an input, a list of inputs, a table, the pipeline
    /// file.
    private func reads(_ identity: FileIdentity) throws(InputError) -> RunFile? {
        if let read = read.withLock({ $0 }) { return read[identity] }
        var files: [FileIdentity: RunFile] = [:]
        if let path = pipeline.file, let identity = try FileIdentity.ofRegularFile(path) {
            files[identity] = RunFile(part: .definition, path: path)
        }
        for path in pipeline.flow.allStages.flatMap(\.verb.files) {
            if let identity = try FileIdentity.ofRegularFile(path) { files[identity] = RunFile(part: .table, path: path) }
        }
        if let path = pipeline.source.source.list, let identity = try FileIdentity.ofRegularFile(path) {
            files[identity] = RunFile(part: .list, path: path)
        }
        files.reserveCapacity(files.count + pipeline.source.inputs.count)
        for input in pipeline.source.inputs {
            guard let identity = try pipeline.source.source.file(of: input) else { continue }
            files[identity] = RunFile(part: .input, path: input.path)
        }
        read.withLock { [files] in $0 = files }
        return files[identity]
    }
}

extension FileIdentity {
    /// The identity of an open file, if it is a regular one.
    static func ofRegularFile(descriptor: Int32) throws(InputError) -> FileIdentity? {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return try FileIdentity(descriptor: descriptor)
    }

    /// The identity of the file that the path leads to, if it is a regular one.
    static func ofRegularFile(_ path: String) throws(InputError) -> FileIdentity? {
        guard !path.utf8.contains(0) else { return try FileIdentity(path) }
        // One question to the file system, as there may be a million inputs.
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return FileIdentity(status, missing: [])
    }
}

extension FilePlace {
    /// The place of a file that is written to the path; `nil` for a device or a pipe, which is
    /// written directly.
    static func ofOutput(_ path: String) throws(InputError) -> FilePlace? {
        if case .file(size: nil) = PathKind.of(path) { return nil }
        return try FilePlace(path)
    }
}
