import Glibc

/// Reads one input as batches of records: detects its compression, verifies it, and cuts it into
/// records.
///
/// Batches end as ``Batch`` says, whatever the sizes in which bytes are read or inflated. A byte
/// order mark at the start is skipped. A last record without a line feed is delivered. A record
/// over the size limit is a batch of its own without frames, or comes between the frames of a batch
/// (``Batch/spilled``).
///
/// Damage that cuts the text ends the batch. What is left of the cut record is not delivered
/// (``Damage/lostText``), but its line is counted. The text continues with a new record only if it
/// is known to: what follows up to the next line feed is refused as torn (``Batch/spilled``)
/// - if the text continues inside a member whose flushes are not known to be between lines,
/// - if a member of this input was seen to begin or end inside a record, before the damage or in
///   the first MiB after it,
/// - or if no border of members was seen at all (``MemberBorders``), unless the gap is too small to
///   contain text.
///
/// Damage that does not cut the text (`crc`, `length`, `trailing-garbage`) is reported in the batch
/// that contains its position. A record that such a member leaves unfinished is lost, unless it is
/// the input's last or members have begun inside records before.
///
/// Unsafe memory: reads and writes its own ``ByteBuffer`` within the room that it has reserved.
/// `@unchecked Sendable`: it is called by one job at a time.
package final class BatchReader: InputReader, @unchecked Sendable {
    package struct Configuration: Sendable {
        package var onDamage = DamagePolicy.salvage
        /// In bytes, without the line feed. At most 1 GiB.
        package var maxRecord = 16 << 20
        /// The folder for records over the size limit; created for the first one.
        package var spillFolder: String
        package var library = DeflateLibrary.preferred
        package var framing = Framing.lines
        package var encoding = TextEncoding.utf8
        /// Whether the input is not compressed, whatever its first bytes.
        package var isPlain = false
        /// The size from which on dead letters have only the beginning of a record.
        var mostRaw = UInt64.max
        var bombs: BombLimit?
        /// The number of records that a batch may have at most.
        var mostRecords = Int.max
        /// The size from which on a batch is cut.
        var batchBytes = Batch.targetBytes
        /// Who may inflate blocks before they are read.
        var helpers: BlocksAhead.Helpers?

        /// Whether that folder is for this process alone.
        private(set) var spillsInScratch = false

        package init(spillFolder: String) {
            self.spillFolder = spillFolder
        }

        init(scratch: ScratchFolder) {
            spillFolder = scratch.path
            spillsInScratch = true
        }

        /// Bounds what is read and kept of a long record, as for the inputs of runs.
        mutating func bound() {
            mostRaw = Self.mostRaw
            bombs = BombLimit()
        }

        /// 64 MiB.
        private static let mostRaw: UInt64 = 64 << 20
    }

    package let file: InputFile
    /// The index of the input in the run.
    package let index: Int
    let configuration: Configuration
    package var batchBytes: Int
    let maxRecord: Int
    private let buffers: BufferPool
    private let bytes: (any InputBytes)?
    let ahead: BlocksAhead?
    let text: any TextSource

    var buffer: ByteBuffer
    let scan: any RecordScan
    let quoting: Quoting?
    /// The file's head, once it was read.
    var head: FileHead?
    /// Whether the head is still to be read.
    var wantsHead: Bool
    /// What `#` lines have said so far, if the file has such lines.
    var directives: LogDirectives?
    /// The frame of the next `#` line that changes the head, and how many frames were searched.
    var nextDirective: Int?
    var searchedFrames = 0
    /// Whether a `#` line was torn by damage after the frames of the last batch.
    var isDirectiveTorn = false
    /// The limit of records in a batch. Unless stages ask for less, it is reached only if records
    /// are very short, or lack most of their fields.
    var mostRecords: Int
    /// The offset of the buffer's first byte in the text, and its line number.
    var offset: UInt64 = 0
    var line: UInt64 = 1
    /// The members in the buffer, beginning with the one of its first byte.
    var members = MemberPlaces()
    var borders = MemberBorders()
    /// Damage to report with the batch that contains its place in the buffer.
    var damage: [(place: Int, damage: Damage)] = []
    /// The event after the buffer's last byte.
    var event: TextEvent?
    /// The number of events so far.
    var eventCount = 0
    var suspects = SuspectRecords()
    /// Members that fail their check, found before anything was delivered.
    let unsound: Swift.Set<Int>
    /// The size of the texts before this one, if it is of a file in an archive.
    var precedingText: UInt64 = 0
    /// Whether the last event was a failed check of the text before it.
    var isUnsure = false
    var isFresh = true
    private var isFinished = false
    package var asksForRoom = false
    package private(set) var needsRoom = false
    /// Whether there is room for a record that is longer than a batch.
    private var hasRoom = false
    var hasDelivered = false
    var totals: InputSummary
    var delivered = 0

    /// Opens the input and checks its first bytes.
    ///
    /// - Parameters:
    ///   - index: the index of the input in the run.
    ///   - buffers: the pool for batches' memory. Return ``Batch/bytes`` to it when a batch is no
    ///     longer needed.
    package convenience init(
        _ file: InputFile, index: Int, configuration: Configuration, buffers: BufferPool
    ) throws(InputError) {
        try self.init(file, of: try InputFiles.open(file), index: index, configuration: configuration, buffers: buffers)
    }

    /// - Parameter bytes: the input, open at its beginning.
    convenience init(
        _ file: InputFile, of bytes: any InputBytes, index: Int, configuration: Configuration, buffers: BufferPool, unsound: Swift.Set<Int> = []
    ) throws(InputError) {
        let window = InputWindow { bytes.read(into: $0) }
        let ahead = BlocksAhead(bytes, configuration)
        do throws(InputError) {
            try self.init(
                file, index: index, configuration: configuration, buffers: buffers, window: window, bytes: bytes, ahead: ahead, unsound: unsound)
        } catch {
            throw bytes.failure ?? error
        }
    }

    /// - Parameters:
    ///   - window: the input's bytes from their beginning.
    ///   - most: the number of bytes to decompress at a time.
    convenience init(
        _ file: InputFile, index: Int, configuration: Configuration, buffers: BufferPool, window: InputWindow, bytes: (any InputBytes)?,
        ahead: BlocksAhead? = nil, inflateAtMost most: Int = 256 << 10, unsound: Swift.Set<Int> = []
    ) throws(InputError) {
        let compression = configuration.isPlain ? .none : Compression.detect(in: window, name: file.path, encoding: configuration.encoding)
        let text = try InputText(
            of: file, as: compression, in: window, library: configuration.library, size: bytes?.size ?? file.size,
            most: most, ahead: ahead)
        self.init(file, index: index, configuration: configuration, buffers: buffers, text: text, bytes: bytes, ahead: ahead, unsound: unsound)
    }

    /// - Parameters:
    ///   - text: read from its beginning.
    ///   - bytes: what is to be closed at the end.
    init(
        _ file: InputFile, index: Int, configuration: Configuration, buffers: BufferPool, text: InputText, bytes: (any InputBytes)?,
        ahead: BlocksAhead? = nil, unsound: Swift.Set<Int>
    ) {
        totals = InputSummary(file: file.path)
        totals.isPlainDespiteName = text.isPlainDespiteName
        self.text = configuration.encoding == .utf8 ? text.source : DecodedText(text.source, configuration.encoding)
        self.unsound = unsound
        self.file = file
        self.index = index
        self.configuration = configuration
        self.buffers = buffers
        self.bytes = bytes
        self.ahead = ahead
        maxRecord = min(max(configuration.maxRecord, 1), 1 << 30)
        batchBytes = configuration.batchBytes
        scan = configuration.framing.makeScan(maxRecord: maxRecord)
        quoting = configuration.framing.quoting
        wantsHead = quoting?.hasHead ?? false
        mostRecords = min(configuration.mostRecords, quoting?.fieldCount.map(Self.mostRecords) ?? Self.mostRecords)
        buffer = buffers.take()
    }

    /// To be called before anything is read: the text begins inside this member, and members begin
    /// anywhere in records.
    func continueMember(_ member: Int) {
        members.begin(member, at: 0)
        borders.cut()
    }

    deinit {
        if buffer.capacity >= batchBytes { buffers.give(buffer) }
    }

    /// What was read so far; complete once ``next()`` has returned `nil`.
    package var summary: InputSummary {
        var summary = totals
        summary.bytes = text.position
        summary.textBytes = offset
        return summary
    }

    /// The next batch, or `nil` at the end. Inflates about 512 KiB, which takes half a millisecond,
    /// or the whole of a record over the limit, however long.
    ///
    /// A batch may have no frames if it carries an oversized record or damage.
    /// - Throws: ``InputError/damaged(path:_:)`` under ``DamagePolicy/fail``,
    ///   ``InputError/spill(path:reason:)``, ``InputBytes/failure``. Does not throw for damage that
    ///   is salvaged.
    package func next() throws(InputError) -> Batch? {
        needsRoom = false
        let read = Result { () throws(InputError) in try nextBatch() }
        if let failure = bytes?.failure {
            // What looks like damage, or like the end, is neither.
            if case .success(let batch?) = read { for record in batch.spilled { unlink(record.spill) } }
            throw failure
        }
        guard let batch = try read.get() else { return nil }
        hasRoom = false
        batch.compressedBytesRead = text.position
        batch.end = Position(member: members.first, offset: offset, line: line)
        batch.head = head
        batch.number = delivered
        delivered += 1
        hasDelivered = true
        totals.records += UInt64(batch.frames.count)
        totals.spilled += UInt64(batch.spilled.count)
        totals.suspect += batch.suspect
        if !batch.damage.isEmpty { totals.damage += batch.damage }
        batch.readerState = state
        return batch
    }

    package func takeRoom() { hasRoom = true }

    private func nextBatch() throws(InputError) -> Batch? {
        while !isFinished {
            scan.advance(over: buffer)
            if isFresh, buffer.count >= 3 || event == .end { leaveOutMark() }
            while wantsHead, !isFresh, !scan.frames.isEmpty { takeHead() }
            if directives != nil { takeDirectives() }
            if !isFresh { dropIdle() }
            if let nextDirective { return try cut(after: min(nextDirective, framesThatFit)) }
            let isFull = buffer.count >= batchBytes && !scan.frames.isEmpty
            if isFull || scan.frames.count > mostRecords { return try cut(after: framesThatFit) }
            if buffer.count > mostInBuffer { return try setAside() }
            if let event {
                if let batch = try handle(event) { return batch }
            } else {
                needsRoom = asksForRoom && !hasRoom && buffer.count >= Batch.targetBytes
                if needsRoom { return nil }
                fill()
            }
        }
        return nil
    }

    /// Closes the input and drops what was not delivered.
    package func close() {
        isFinished = true
        ahead?.stop()
        bytes?.close()
    }

    /// How long an unfinished record may be before it is set aside, so that what becomes of one
    /// does not depend on the size of batches.
    private var mostInBuffer: Int { max(maxRecord, Batch.targetBytes - 1) }

    /// Reads text after the buffer's last byte: up to the target size or, inside a longer record,
    /// until it is too long.
    private func fill() {
        let wanted = buffer.count < batchBytes ? batchBytes - buffer.count : min(Batch.targetBytes, mostInBuffer + 1 - buffer.count)
        read(atMost: wanted)
    }

    func read(atMost wanted: Int) {
        buffer.reserve(wanted)
        let step = text.read(into: buffer.start + buffer.count, room: wanted)
        buffer.count += step.count
        event = step.event
        if event != nil { eventCount += 1 }
    }

    private func dropIdle() {
        let idle = scan.dropIdle()
        guard idle.bytes > 0 else { return }
        line += UInt64(idle.lines)
        pass(idle.bytes)
    }

    /// Skips a byte order mark.
    private func leaveOutMark() {
        isFresh = false
        guard buffer.count >= 3, buffer.start[0] == 0xEF, buffer.start[1] == 0xBB, buffer.start[2] == 0xBF else { return }
        pass(3)
        scan.reset()
        scan.advance(over: buffer)
    }

    /// The number of frames that end within the target size; at least one.
    private var framesThatFit: Int {
        var (low, high) = (0, scan.frames.count)
        while low < high {
            let middle = (low + high) / 2
            let frame = scan.frames[middle]
            if Int(frame.start) + Int(frame.count) < batchBytes { low = middle + 1 } else { high = middle }
        }
        return min(max(1, low), mostRecords)
    }

    private func handle(_ event: TextEvent) throws(InputError) -> Batch? {
        switch event {
        case .member(let member):
            let isInside = scan.fragmentStart < buffer.count
            // The rest of a member that failed its check is not the beginning of the next member's
            // first record.
            if isInside, isUnsure, !borders.cutRecords, !damage.isEmpty { return try tear() }
            if isInside || !isUnsure { borders.pass(at: offset + UInt64(buffer.count), isInside: isInside) }
            if isInside { suspects.share(member, recordAt: offset + UInt64(scan.recordStart)) }
            begin(member)
            return nil
        case .damage(let damage, let cutsText):
            try note(damage)
            return cutsText ? try tear() : nil
        case .end:
            scan.endRecord(of: buffer)
            if wantsHead { takeHead() }
            if directives != nil { takeDirectives() }
            // A quote that was given up may have left many records.
            let count = min(scan.frames.count, framesThatFit)
            isFinished = count == scan.frames.count
            // A file that has only a head is reported by an empty batch.
            let hasNews = buffer.count > 0 || !scan.frames.isEmpty || !damage.isEmpty || (head != nil && !hasDelivered)
            return hasNews ? try cut(after: count) : nil
        }
    }

    func begin(_ member: Int) {
        event = nil
        isUnsure = false
        totals.members += 1
        if text.lacksChecksum { totals.lacksChecksum = true }
        members.begin(member, at: buffer.count)
    }

    func note(_ damage: Damage) throws(InputError) {
        event = nil
        guard configuration.onDamage != .fail else {
            isFinished = true
            throw .damaged(path: file.path, damage)
        }
        self.damage.append((buffer.count, damage))
        isUnsure = damage.kind == .crc || damage.kind == .length
        if isUnsure || text.isUnproved { suspects.fail(damage.member) }
    }

    /// Makes a batch of the first `count` frames; what follows them begins the next batch.
    private func cut(after count: Int) throws(InputError) -> Batch {
        let end = count < scan.frames.count ? Int(scan.frames[count].start) : scan.recordStart
        let lines = scan.lines(of: count)
        let batch = Batch(bytes: split(at: end), input: index, offset: offset, line: line)
        batch.faults = scan.faults(of: count)
        batch.spansLines = scan.spansLines
        batch.frames = scan.take(count)
        if directives != nil { leaveOutDirectives(of: batch) }
        if maxRecord < end { try setAsideLongFrames(of: batch) }
        batch.members = members.runs(of: batch.frames)
        if unsound.isEmpty {
            batch.suspect = suspects.deliver(batch.members, count: batch.frames.count, until: offset + UInt64(end))
        } else {
            batch.setAside = members.frames(batch.frames, in: unsound)
        }
        batch.damage = damage.prefix { isFinished || $0.place < end }.map(\.damage)
        damage = damage.dropFirst(batch.damage.count).map { ($0.place - end, $0.damage) }
        members.move(back: end)
        offset += UInt64(end)
        line += UInt64(lines)
        return batch
    }

    /// Takes the first `end` bytes out of the buffer. If what remains is large, these bytes are
    /// copied; else what remains is.
    private func split(at end: Int) -> ByteBuffer {
        if buffer.count - end > batchBytes {
            let front = buffers.take()
            front.append(UnsafeBufferPointer(rebasing: buffer.filled[..<end]))
            buffer.dropFirst(end)
            return front
        }
        let front = buffer
        buffer = isFinished ? ByteBuffer(capacity: 0) : buffers.take()
        buffer.append(UnsafeBufferPointer(rebasing: front.filled[end...]))
        front.count = end
        return front
    }

    /// Makes a batch of the whole records before the damage that was just noted. The rest, part of
    /// a record, is lost.
    private func tear() throws(InputError) -> Batch {
        if wantsHead { loseHead("was lost to damage") }
        let torn = buffer.count - scan.recordStart
        isDirectiveTorn = torn > 0 && buffer.start[scan.recordStart] == LogDirectives.mark
        let tornLines = scan.feedsInRecord + (torn > 0 && buffer.start[buffer.count - 1] != 0x0A ? 1 : 0)
        buffer.count = scan.recordStart
        let met = damage.map(\.damage)
        damage = []
        // A member that fails its check may have lost its end.
        let isSure = !isUnsure && !met.contains { $0.kind == .crc || $0.kind == .length }
        let isInside: Bool? = text.wasCutBetweenMembers && isSure ? torn > 0 : nil
        let batch = try cut(after: scan.frames.count)
        suspects.lose(recordAt: offset)
        offset += UInt64(torn)
        line += UInt64(tornLines)
        (isFresh, isUnsure) = (false, false)
        try end(batch, after: met, lost: UInt64(torn), isInside: isInside)
        return batch
    }

    /// Removes the buffer's first `count` bytes.
    func pass(_ count: Int) {
        buffer.dropFirst(count)
        offset += UInt64(count)
        members.move(back: count)
        damage = damage.map { (max(0, $0.place - count), $0.damage) }
    }
}

extension ByteBuffer {
    func dropFirst(_ bytes: Int) {
        start.update(from: start + bytes, count: count - bytes)
        count -= bytes
    }

    var lineFeedCount: Int {
        var (feeds, place) = (0, 0)
        while let feed = firstLineFeed(from: place) { (feeds, place) = (feeds + 1, feed + 1) }
        return feeds
    }

    func firstLineFeed(from place: Int = 0) -> Int? {
        memchr(start + place, 0x0A, count - place).map { UnsafeRawPointer(start).distance(to: UnsafeRawPointer($0)) }
    }
}
