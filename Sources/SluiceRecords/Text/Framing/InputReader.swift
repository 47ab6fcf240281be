import Glibc

/// Reads one input as batches of records.
package protocol InputReader: AnyObject, Sendable {
    var file: InputFile { get }

    /// The index of the input in the run.
    var index: Int { get }

    /// What was read so far; complete once ``next()`` has returned `nil`.
    var summary: InputSummary { get }

    /// The next batch, or `nil` at the end or where ``needsRoom``. See ``BatchReader/next()``.
    func next() throws(InputError) -> Batch?

    /// The size, in bytes, from which on a batch is cut.
    var batchBytes: Int { get set }

    /// Whether it has to ask before it reads a record that is longer than a batch.
    var asksForRoom: Bool { get set }

    /// Whether such a record follows. Once there is room for it, ``takeRoom()`` must be called, and
    /// then ``next()`` again.
    var needsRoom: Bool { get }

    /// There is room for one long record.
    func takeRoom()

    /// Closes the input and drops what was not delivered.
    func close()
}

extension InputReader {
    /// Skips the first batches by reading them again, which restores heads and damage. Their spill
    /// files are removed.
    ///
    /// - Parameter buffers: the pool that the batches' memory is from.
    func skip(_ batches: Int, returningTo buffers: BufferPool) throws(InputError) {
        for _ in 0..<batches {
            guard let batch = try next() else { return }
            for record in batch.spilled { unlink(record.spill) }
            buffers.give(batch.bytes)
        }
    }
}

/// Members that fail their check, found before anything was delivered
/// (``DamagePolicy/setAside``).
package struct UnsoundMembers: Sendable, Equatable {
    /// Those of the input.
    var members: Swift.Set<Int> = []
    /// Those of the files in an archive, by the index of the file.
    var files: [Int: Swift.Set<Int>] = [:]

    package init() {}
}

extension BatchReader.Configuration {
    /// - Parameters:
    ///   - bytes: the input, open at its beginning.
    ///   - archive: `nil`: the input is no archive.
    func reader(
        of file: InputFile, in bytes: any InputBytes, as archive: Archive?, index: Int, buffers: BufferPool,
        unsound: UnsoundMembers = UnsoundMembers()
    ) throws(InputError) -> any InputReader {
        if let archive {
            return try ArchiveReader(file, of: bytes, as: archive, index: index, configuration: self, buffers: buffers, unsound: unsound)
        }
        return try BatchReader(file, of: bytes, index: index, configuration: self, buffers: buffers, unsound: unsound.members)
    }

    /// The members of an input that are damaged or fail their check.
    ///
    /// - Parameter bytes: the input, open at its beginning. It is read to its end and closed.
    func unsoundMembers(of file: InputFile, in bytes: any InputBytes, as archive: Archive?) throws(InputError) -> UnsoundMembers {
        if let archive { return try ArchiveReader.unsoundMembers(of: file, in: bytes, as: archive, configuration: self) }
        defer { bytes.close() }
        return try bytes.read { () throws(InputError) in
            let window = InputWindow { bytes.read(into: $0) }
            let compression = Compression.detect(in: window, name: file.path, encoding: encoding)
            let text = try compression.text(of: file, in: window, library: library, size: bytes.size ?? file.size)
            var unsound = UnsoundMembers()
            if !(text is PlainText) { unsound.members = MemberCheck.unsound(in: text) }
            return unsound
        }
    }
}
