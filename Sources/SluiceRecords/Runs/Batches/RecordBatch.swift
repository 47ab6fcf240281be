import Sluice
import SluiceCEL

/// A batch in the stages: the source's bytes, the fields decoded from them, and the fate of each
/// record so far.
///
/// Where a flow divides, the batch continues as ``parts``, one for each route that got records.
///
/// `@unchecked Sendable`: the batch and its parts belong to one job at a time, as ``Batch`` says.
package final class RecordBatch: @unchecked Sendable {
    /// The batch as the source delivered it. Kept until the batch is written, since dead letters
    /// contain the original bytes of their records.
    let source: Batch
    /// The current layout of the records.
    private(set) var segment: BoundSegment
    /// The stages that the batch is passing through.
    private(set) var stretch: BoundStretch
    /// One row for each element of ``frames``.
    private(set) var table: RowTable
    /// Whether the table belongs to this part alone. A part shares the table of the batch that was
    /// divided until its records get new bytes.
    private var ownsTable = true
    /// The frames that the rows were decoded from: the source's, those of the JSON objects that its
    /// records were rewritten as, or those of a stage that gave the records new bytes.
    private(set) var frames: [Frame]
    private var rebased: ByteBuffer?
    /// The index of each row's frame in the source; `nil` while it equals the row's own index.
    private var origins: [UInt32]?
    /// The rows that have not been filtered out and have not failed, ascending.
    var rows: [UInt32] = []
    /// Whether dead letters must omit the records' original bytes, because a stage has redacted
    /// parts of them.
    var withholdsRaw = false
    /// Holds the text and the values of computed cells until the batch is written.
    let scratch: Scratch
    /// The records for a sink that is a closure.
    var records: [Record] = []
    /// Whether to take a checkpoint once the batch is committed.
    var takesCheckpoint = false
    /// The states of the ordered stages after this batch, if a checkpoint is taken.
    var steps: [Checkpoint.StepState] = []
    /// For each sink, the columns of its outputs after this batch, if a checkpoint is taken.
    var columns: [Int: [SinkCheckpoint.Columns]] = [:]
    /// The output of each record, if it is determined before the records are encoded.
    var routing: Routing?
    /// The counters of the batch, shared by all its parts.
    private let tally: BatchTally
    /// The parts that the batch was divided into.
    private(set) var parts: [RecordBatch] = []
    /// The fates of single records, kept only where a stage may end the run: see
    /// ``end(afterRows:at:)``.
    fileprivate(set) var fates: [Fate]?
    /// The place in the books where the records enter: the source, or the closing stage that
    /// produced them.
    private let first: Int

    /// - Parameters:
    ///   - places: the number of places in the books: the source, the stages and the sinks.
    ///   - tracksFates: whether ``end(afterRows:at:)`` may be called.
    init(source: Batch, in segment: BoundSegment, scratch: Scratch, places: Int, tracksFates: Bool) {
        self.source = source
        self.segment = segment
        stretch = segment.stretch
        self.scratch = scratch
        let compact = source.onSingleLines()
        let decoded = compact?.frames ?? source.frames
        table = segment.decoding.decode(decoded, of: UnsafePointer((compact?.bytes ?? source.bytes).start))
        frames = table.objects?.frames ?? decoded
        rebased = table.objects?.bytes ?? compact?.bytes
        tally = BatchTally(places: places)
        fates = tracksFates ? [] : nil
        first = 0
        if compact != nil { nameFailuresByOwnBytes() }
        if !source.faults.isEmpty { table.refuse(source.faults.compactMap(failure)) }
    }

    /// Takes the messages about records that were made single lines from their own bytes.
    private func nameFailuresByOwnBytes() {
        for index in table.failures.indices {
            let frame = source.frames[table.failures[index].row]
            let again = segment.decoding.decode([frame], of: UnsafePointer(source.bytes.start))
            if let failure = again.failures.first { table.failures[index].message = failure.message }
            segment.decoding.giveBack(again)
        }
    }

    private func failure(_ fault: FramingFault) -> RowTable.Failure? {
        let index = source.frames.firstIndex(from: fault.start)
        guard index < source.frames.count, source.frames[index].start == fault.start else { return nil }
        guard fault.isFirst || table.outcomes[index] != .failed else { return nil }
        return RowTable.Failure(row: index, code: fault.code, message: fault.message)
    }

    /// A batch of records that a closing stage produced. They belong to no input.
    ///
    /// - Parameters:
    ///   - texts: the bytes that the rows were decoded from, if they were decoded.
    ///   - before: the number of records in earlier batches of these results.
    ///   - index: the stage's place in the books.
    init(
        results table: RowTable, rows: Int, _ texts: RecordTexts?, before: Int, of index: Int, in segment: BoundSegment, scratch: Scratch,
        places: Int, tracksFates: Bool
    ) {
        source = Batch(bytes: ByteBuffer(capacity: 0), input: -1, offset: UInt64(before), line: 0)
        self.segment = segment
        stretch = segment.stretch
        self.scratch = scratch
        self.table = table
        frames = texts?.frames ?? []
        rebased = texts?.bytes
        self.rows = Array(0..<UInt32(rows))
        tally = BatchTally(places: places)
        fates = tracksFates ? [] : nil
        first = index
        counts[index] = StageCounts(out: rows, added: rows)
    }

    /// A part: some rows of a batch that is divided.
    private init(of batch: RecordBatch, _ rows: [UInt32], in stretch: BoundStretch) {
        source = batch.source
        segment = batch.segment
        self.stretch = stretch
        table = batch.table
        ownsTable = false
        frames = batch.frames
        rebased = batch.rebased
        origins = batch.origins
        withholdsRaw = batch.withholdsRaw
        self.rows = rows
        scratch = batch.scratch
        tally = batch.tally
        first = batch.first
    }

    /// One element for each place in the books.
    var counts: [StageCounts] {
        _read { yield tally.counts }
        _modify { yield &tally.counts }
    }

    /// For each place in the books, the number of records that exceeded their stage's timeout.
    var timeouts: [Int] {
        _read { yield tally.timeouts }
        _modify { yield &tally.timeouts }
    }

    /// The dead letters of all parts.
    var deadLetters: [DeadLetter] { tally.deadLetters }

    /// The part that is in the given flow; `nil` if none of the records are.
    func part(in flow: Int) -> RecordBatch? {
        if stretch.flow == flow { return self }
        for part in parts {
            if let found = part.part(in: flow) { return found }
        }
        return nil
    }

    /// Divides the batch into parts, each with its own rows.
    func divide(_ divided: [(stretch: BoundStretch, rows: [UInt32])]) {
        parts = divided.map { RecordBatch(of: self, $0.rows, in: $0.stretch) }
        rows = []
    }

    /// The index of the records' input; `nil` after a closing stage.
    var input: Int? { source.input < 0 ? nil : source.input }

    /// An estimate of the memory in bytes: the text, what was decoded from it, what stages made of
    /// it, and dead letters.
    var weight: Int { max(source.weight, 6 * rebasedBytes) + scratch.byteCount + 512 * deadLetters.count }

    /// The capacity of the buffers that stages gave the records, each buffer counted once.
    private var rebasedBytes: Int {
        parts.reduce(rebased?.capacity ?? 0) { $0 + ($1.rebased === rebased ? 0 : $1.rebasedBytes) }
    }

    /// The bytes that the frames refer to.
    var base: UnsafePointer<UInt8> { UnsafePointer((rebased ?? source.bytes).start) }

    @inline(__always)
    func text(_ row: Int) -> UnsafeBufferPointer<UInt8> {
        let frame = frames[row]
        return UnsafeBufferPointer(start: base + Int(frame.start), count: Int(frame.count))
    }

    /// The size of the text that the frames refer to, in bytes.
    var textCount: Int { (rebased ?? source.bytes).count }

    /// The bytes that the source read for the row's record.
    func sourceText(_ row: Int) -> UnsafeBufferPointer<UInt8> {
        let frame = source.frames[origin(row)]
        return UnsafeBufferPointer(start: UnsafePointer(source.bytes.start) + Int(frame.start), count: Int(frame.count))
    }

    /// The index of the row's frame in the source.
    func origin(_ row: Int) -> Int { origins.map { Int($0[row]) } ?? row }

    /// Where the row's record begins in its input; `nil` after a closing stage.
    func position(ofRow row: Int) -> Position? {
        input == nil ? nil : source.position(ofFrame: origin(row))
    }

    /// The place of the batch: before all its records.
    var beginning: RecordPlace {
        RecordPlace(input: UInt32(truncatingIfNeeded: source.inputsBefore + source.input), offset: source.precedingText + source.offset, part: 0)
    }

    /// The place of the row's record in the order of all records of the run.
    func place(ofRow row: Int) -> RecordPlace {
        let frame = origin(row)
        var place = beginning
        place.offset += input == nil ? UInt64(frame) : UInt64(source.frames[frame].start)
        place.part = UInt32(row - firstRow(of: frame, upTo: row))
        return place
    }

    /// The first row made from `frame`. A binary search: origins are ascending.
    private func firstRow(of frame: Int, upTo row: Int) -> Int {
        guard let origins else { return row }
        var (low, high) = (0, row)
        while low < high {
            let middle = (low + high) / 2
            if Int(origins[middle]) < frame { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Takes over what earlier stages did, in another process.
    func resume(rows: [UInt32], counts: [StageCounts], timeouts: [Int], deadLetters: [DeadLetter], fates: [Fate]?) {
        self.rows = rows
        (tally.counts, tally.timeouts, tally.deadLetters) = (counts, timeouts, deadLetters)
        self.fates = fates
    }

    /// Replaces the remaining rows with new ones, decoded from new bytes into `table`.
    ///
    /// - Parameter origins: for each frame, the row that it was made from.
    func rebase(onto bytes: ByteBuffer, frames: [Frame], origins: [UInt32], table: RowTable, in next: BoundSegment) {
        precondition(frames.count == origins.count)
        if ownsTable { segment.decoding.giveBack(self.table) }
        ownsTable = true
        self.origins = origins.map { UInt32(origin(Int($0))) }
        rebased = bytes
        self.frames = frames
        self.table = table
        segment = next
        stretch = next.stretch
        rows = Array(0..<UInt32(frames.count))
    }

    /// Removes all rows, which a closing stage has absorbed.
    func absorbRows(at index: Int, next: BoundSegment) {
        counts[index].absorbed += rows.count
        rebase(onto: ByteBuffer(capacity: 0), frames: [], origins: [], table: next.decoding.table(rows: 0), in: next)
    }

    /// Returns tables, scratch and buffer for reuse once the batch is written. Invalidates its
    /// cells.
    func release(scratches: ScratchPool, buffers: BufferPool) {
        giveBackTables()
        scratch.reset()
        scratches.give(scratch)
        if input != nil { buffers.give(source.bytes) }
    }

    private func giveBackTables() {
        for part in parts { part.giveBackTables() }
        if ownsTable { segment.decoding.giveBack(table) }
    }

    /// Copies a cell's text, which is about to be overwritten, so that it lives as long as the
    /// batch.
    func kept(_ cell: Cell) -> Cell {
        switch cell.kind {
        case .string, .bytes, .decimal, .json: scratch.text(cell.kind, copying: cell.textBytes)
        default: cell
        }
    }

    /// Makes dead letters of rows that the source has counted as decoded.
    func refuseAtSource(_ refused: [UInt32], with failure: RecordFailure) {
        counts[0].dead += refused.count
        counts[0].out -= refused.count
        let gone = Swift.Set(refused)
        rows.removeAll { gone.contains($0) }
        for row in refused {
            note(.dead, Int(row), at: 0)
            refuse(Int(row), at: SourceStage.name, with: failure, record: nil)
        }
    }

    /// - Parameter record: the fields as they reached the stage, as a JSON object.
    func refuse(_ row: Int, at stage: String, with failure: RecordFailure, record: ByteBuffer?) {
        refuse(RefusedRecord(frame: origin(row), record: record, withholdsRaw: withholdsRaw), at: stage, with: failure)
    }

    func refuse(_ record: RefusedRecord, at stage: String, with failure: RecordFailure) {
        tally.deadLetters.append(
            DeadLetter(
                element: record, stage: stage, error: failure, attempts: failure.attempts,
                place: Place(part: source.input, index: record.frame)))
    }
}

extension [Frame] {
    /// The index of the last frame that begins at the position, or of the first after it.
    fileprivate func firstIndex(from start: UInt32) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].start < start { low = middle + 1 } else { high = middle }
        }
        while low + 1 < count, self[low + 1].start == start { low += 1 }
        return low
    }
}

/// The counters and dead letters of a batch so far.
private final class BatchTally {
    var counts: [StageCounts]
    var timeouts: [Int]
    var deadLetters: [DeadLetter] = []

    init(places: Int) {
        counts = Array(repeating: StageCounts(), count: places)
        timeouts = Array(repeating: 0, count: places)
    }
}

// A stage that has enough records closes the books after the record that completed them.
extension RecordBatch {
    /// What a stage did with a record.
    struct Fate {
        var kind: FateKind
        var stage: UInt16
        var frame: UInt32
        var count: UInt32 = 1
    }

    enum FateKind: UInt8 {
        case filtered, dropped, dead, added
    }

    @inline(__always)
    func note(_ kind: FateKind, _ row: Int, at stage: Int, count: Int = 1) {
        if fates != nil { keepFate(kind, frame: origin(row), stage, count) }
    }

    func note(_ kind: FateKind, frame: Int, at stage: Int) {
        if fates != nil { keepFate(kind, frame: frame, stage, 1) }
    }

    private func keepFate(_ kind: FateKind, frame: Int, _ stage: Int, _ count: Int) {
        fates?.append(Fate(kind: kind, stage: UInt16(stage), frame: UInt32(frame), count: UInt32(count)))
    }

    /// Ends the batch after the first `count` rows that reached stage `index`. Source records after
    /// the one that the last of these rows came from are taken out of all counts. Further rows of
    /// that same record count as filtered by the stage.
    func end(afterRows count: Int, at index: Int) {
        precondition(count > 0 && fates != nil, "a batch must end after a row, at a known position")
        let last = origin(Int(rows[count - 1]))
        for row in rows[count...] where origin(Int(row)) == last { note(.filtered, Int(row), at: index) }
        rows.removeSubrange(count...)
        fates?.removeAll { Int($0.frame) > last }
        tally.deadLetters.removeAll { ($0.element as? RefusedRecord).map { $0.frame > last } ?? false }
        if input != nil { endSource(after: last) }
        recount(upTo: index, received: input == nil ? last + 1 : source.frames.count + source.spilled.count)
    }

    /// Drops damage in the member that the frame begins in and in later ones: it comes after the
    /// frame.
    private func endSource(after frame: Int) {
        let member = source.member(ofFrame: frame)
        source.damage.removeAll { $0.member >= member }
        source.keepFirst(frame + 1 + source.spilled.count { $0.beforeFrame <= frame })
    }

    private func recount(upTo index: Int, received: Int) {
        var counts = Array(repeating: StageCounts(), count: self.counts.count)
        for fate in fates ?? [] { counts[Int(fate.stage)].add(fate) }
        var passed = received
        for place in first...index {
            if place == first, input == nil {
                counts[place].added = received
            } else {
                counts[place].in = passed
            }
            passed = counts[place].open
            counts[place].out = passed
        }
        self.counts = counts
    }
}

extension StageCounts {
    mutating func add(_ fate: RecordBatch.Fate) {
        let count = Int(fate.count)
        switch fate.kind {
        case .filtered: filtered += count
        case .dropped: dropped += count
        case .dead: dead += count
        case .added: added += count
        }
    }
}
