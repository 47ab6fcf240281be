import SluiceCEL

/// Reads the files in an archive as batches of records, one file after the other, each as if it
/// were unpacked: with its own head, lines and offsets, and decompressed if it is compressed.
///
/// The archive is the input: its batches are numbered and its books are kept as a whole.
///
/// `@unchecked Sendable`: it is called by one job at a time.
package final class ArchiveReader: InputReader, @unchecked Sendable {
    package let file: InputFile
    package let index: Int
    private var configuration: BatchReader.Configuration
    private let archive: Archive
    private let buffers: BufferPool
    private let bytes: (any InputBytes)?
    private let ahead: BlocksAhead?
    private let tar: TarText
    private let unsound: UnsoundMembers
    /// Reads only the files of this name.
    private let only: String?

    private var current: Current?
    /// The size of the texts of the files before the current one.
    private var textBytes: UInt64 = 0
    /// Damage between files.
    private var pending: [Damage] = []
    private var suspects = SuspectRecords()
    private var totals: InputSummary
    private var contents = ArchiveContents()
    private var delivered = 0
    private var head: FileHead?
    private var isFinished = false
    package var batchBytes: Int {
        get { configuration.batchBytes }
        set {
            configuration.batchBytes = newValue
            current?.reader.batchBytes = newValue
        }
    }
    package var asksForRoom = false
    package var needsRoom: Bool { current?.reader.needsRoom ?? false }
    /// The number that the next file of each name may get, by the name's hash.
    private var names: [UInt64: UInt32] = [:]

    /// A file that is being read.
    private struct Current {
        var name: RecordFields.InputName
        var reader: BatchReader
        var bytes: EntryBytes
        /// Whether it has a compression of its own, whose members are those of its records.
        var isCompressed: Bool
    }

    /// - Parameters:
    ///   - bytes: the archive, open at its beginning.
    ///   - only: the name of the files to read; `nil`: all that are not excluded.
    package init(
        _ file: InputFile, of bytes: any InputBytes, as archive: Archive, index: Int, configuration: BatchReader.Configuration, buffers: BufferPool,
        unsound: UnsoundMembers = UnsoundMembers(), only: String? = nil
    ) throws(InputError) {
        self.file = file
        self.index = index
        self.configuration = configuration
        self.archive = archive
        self.buffers = buffers
        self.bytes = bytes
        self.unsound = unsound
        self.only = only
        totals = InputSummary(file: file.path)
        ahead = BlocksAhead(bytes, configuration)
        tar = try Self.open(file, bytes, configuration, ahead)
    }

    /// What comes of reading the archive, unless that fails.
    private func read<Result>(_ body: () throws(InputError) -> Result) throws(InputError) -> Result {
        guard let bytes else { return try body() }
        return try bytes.read(body)
    }

    private static func open(
        _ file: InputFile, _ bytes: any InputBytes, _ configuration: BatchReader.Configuration, _ ahead: BlocksAhead? = nil
    ) throws(InputError) -> TarText {
        try bytes.read { () throws(InputError) in
            let window = InputWindow { bytes.read(into: $0) }
            let compression = Compression.detect(in: window, name: file.path, readsArchives: true)
            let text = try compression.text(of: file, in: window, library: configuration.library, size: bytes.size ?? file.size, ahead: ahead)
            return TarText(text, path: file.path)
        }
    }

    /// The members of an archive, and those of the files in it, that are damaged or fail their
    /// check.
    ///
    /// - Parameter bytes: the archive, open at its beginning. It is read to its end and closed.
    static func unsoundMembers(
        of file: InputFile, in bytes: any InputBytes, as archive: Archive, configuration: BatchReader.Configuration
    ) throws(InputError) -> UnsoundMembers {
        defer { bytes.close() }
        return try bytes.read { () throws(InputError) in try unsoundMembers(of: try open(file, bytes, configuration), file, archive, configuration) }
    }

    private static func unsoundMembers(
        of tar: TarText, _ file: InputFile, _ archive: Archive, _ configuration: BatchReader.Configuration
    ) throws(InputError) -> UnsoundMembers {
        var unsound = UnsoundMembers()
        while let entry = try tar.next() {
            let name = "\(file.path)/\(entry.name)"
            guard !archive.excludes(name) else { continue }
            let opened = try OpenedEntry(entry, name: name, of: tar, configuration)
            let found = MemberCheck.unsound(in: opened.text.source)
            if opened.isCompressed, !found.isEmpty { unsound.files[entry.index] = found }
        }
        for failure in tar.takeFailures() { unsound.members.insert(failure.member) }
        return unsound
    }

    /// The text of the first file that is not empty; `nil` if there is none.
    func firstText() throws(InputError) -> (any TextSource)? { try read(firstTextOfEntry) }

    private func firstTextOfEntry() throws(InputError) -> (any TextSource)? {
        while let (entry, name) = try nextEntry() {
            if entry.size > 0 { return try OpenedEntry(entry, name: name, of: tar, configuration).text.source }
        }
        return nil
    }

    package var summary: InputSummary {
        var summary = totals
        summary.bytes = tar.text.position
        summary.textBytes = textBytes + (current?.reader.summary.textBytes ?? 0)
        summary.members = tar.members
        if tar.text.lacksChecksum || current?.reader.summary.lacksChecksum == true { summary.lacksChecksum = true }
        summary.archive = contents
        summary.archive?.skipped = tar.skipped
        return summary
    }

    package func next() throws(InputError) -> Batch? { try read(nextBatch) }

    private func nextBatch() throws(InputError) -> Batch? {
        while !isFinished {
            if let current {
                if let batch = try nextBatch(of: current) { return deliver(batch) }
                if needsRoom { return nil }
                let read = current.reader.summary
                textBytes += read.textBytes
                if read.lacksChecksum == true { totals.lacksChecksum = true }
                self.current = nil
            }
            if let (entry, name) = try nextEntry() {
                current = try open(entry, name)
            } else {
                isFinished = true
                if let batch = lastBatch() { return deliver(batch) }
            }
        }
        return nil
    }

    package func takeRoom() { current?.reader.takeRoom() }

    package func close() {
        isFinished = true
        ahead?.stop()
        bytes?.close()
    }

    /// The next file that is to be read. The second of one name has the name with `#2`, or with the
    /// next number that no file has had.
    private func nextEntry() throws(InputError) -> (entry: TarEntry, name: String)? {
        while true {
            let entry = try tar.next()
            try note(tar.takeDamage())
            guard let entry else { return nil }
            let name = "\(file.path)/\(entry.name)"
            let unique = makeUnique(name)
            if let only, !only.isSame(as: unique) { continue }
            guard archive.excludes(name) else {
                contents.files += 1
                return (entry, unique)
            }
            contents.excluded += 1
        }
    }

    private func makeUnique(_ name: String) -> String {
        let hash = Self.hash(name)
        guard var number = names[hash] else {
            names[hash] = 2
            return name
        }
        // Files may have names like this of their own.
        while names[Self.hash("\(name)#\(number)")] != nil { number += 1 }
        let unique = "\(name)#\(number)"
        names[hash] = number + 1
        names[Self.hash(unique)] = 2
        return unique
    }

    private static func hash(_ name: String) -> UInt64 {
        var name = name
        return name.withUTF8 { bytes in bytes.baseAddress.map { SipHash.fixed.hash($0, bytes.count).low } ?? 0 }
    }

    private func note(_ damage: [Damage]) throws(InputError) {
        if configuration.onDamage == .fail, let first = damage.first { throw .damaged(path: file.path, first) }
        pending += damage
    }

    private func open(_ entry: TarEntry, _ name: String) throws(InputError) -> Current {
        // What is read ahead may be of later members.
        let member = tar.member
        let opened = try OpenedEntry(entry, name: name, of: tar, configuration)
        let reader = BatchReader(
            InputFile(path: name, size: entry.size), index: index, configuration: configuration, buffers: buffers, text: opened.text, bytes: nil,
            unsound: (opened.isCompressed ? unsound.files[entry.index] : unsound.members) ?? [])
        reader.precedingText = textBytes
        reader.asksForRoom = asksForRoom
        if !opened.isCompressed { reader.continueMember(member) }
        return Current(name: RecordFields.InputName(name), reader: reader, bytes: opened.bytes, isCompressed: opened.isCompressed)
    }

    private func nextBatch(of current: Current) throws(InputError) -> Batch? {
        let batch: Batch?
        do throws(InputError) {
            batch = try current.reader.next()
        } catch {
            throw placed(error, in: current)
        }
        if current.isCompressed { try note(current.bytes.takeDamage()) }
        guard let batch else { return nil }
        batch.name = current.name
        batch.precedingText = textBytes
        for place in batch.spilled.indices { batch.spilled[place].file = current.name.text }
        let failures = tar.takeFailures()
        for failure in failures where !failure.isCut { suspects.fail(failure.member) }
        if current.isCompressed {
            batch.damage = batch.damage.map { placed($0, in: current) }
            batch.suspect += suspects.deliver([], count: 0)
        } else {
            batch.suspect = suspects.deliver(batch.members, count: batch.frames.count)
        }
        for failure in failures where failure.isCut { suspects.cut(failure.member) }
        head = batch.head
        return batch
    }

    /// Says of damage that a file's own compression met whether it is the file's or the archive's.
    private func placed(_ damage: Damage, in current: Current) -> Damage {
        var placed = damage
        placed.file = current.name.text
        guard damage.kind == .readError, var end = current.bytes.end else { return placed }
        end.lostText = damage.lostText
        return end
    }

    private func placed(_ error: InputError, in current: Current) -> InputError {
        guard case .damaged(let path, let damage) = error else { return error }
        guard current.isCompressed else { return .damaged(path: file.path, damage) }
        let placed = placed(damage, in: current)
        return .damaged(path: placed.file == nil ? file.path : path, placed)
    }

    /// A batch without records for what was met after the last file.
    private func lastBatch() -> Batch? {
        for failure in tar.takeFailures() where !failure.isCut { suspects.fail(failure.member) }
        let suspect = suspects.deliver([], count: 0)
        guard suspect > 0 || !pending.isEmpty else { return nil }
        let batch = Batch(bytes: ByteBuffer(capacity: 0), input: index, offset: 0, line: 1)
        batch.precedingText = textBytes
        batch.suspect = suspect
        batch.head = head
        return batch
    }

    private func deliver(_ batch: Batch) -> Batch {
        batch.damage = pending + batch.damage
        pending = []
        batch.compressedBytesRead = tar.text.position
        batch.number = delivered
        delivered += 1
        totals.records += UInt64(batch.frames.count)
        totals.spilled += UInt64(batch.spilled.count)
        totals.suspect += batch.suspect
        totals.damage += batch.damage
        return batch
    }
}

/// A file in an archive, opened.
private struct OpenedEntry {
    let text: InputText
    let bytes: EntryBytes
    let isCompressed: Bool

    init(_ entry: TarEntry, name: String, of tar: TarText, _ configuration: BatchReader.Configuration) throws(InputError) {
        let bytes = EntryBytes(tar)
        self.bytes = bytes
        let chunk = Int(min(max(entry.size, 4 << 10), 256 << 10))
        let window = InputWindow(chunk: chunk) { bytes.read(into: $0) }
        let compression = Compression.detect(in: window, name: name, encoding: configuration.encoding)
        isCompressed = !compression.isNone
        guard isCompressed else {
            text = InputText(EntryText(bytes, in: window), isPlainDespiteName: compression == .plainDespiteName)
            return
        }
        do throws(InputError) {
            text = try InputText(
                of: InputFile(path: name, size: entry.size), as: compression, in: window, library: configuration.library, size: entry.size)
        } catch {
            guard case .unsupported(let path, let compression) = error else { throw error }
            throw .unsupportedInside(path: path, compression: compression)
        }
    }
}
