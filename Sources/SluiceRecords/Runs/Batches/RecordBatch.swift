import Sluice
import SluiceCEL

/// A batch on its way through the stages: the source's bytes, the fields found in them, and what
/// has become of each record so far.
///
/// Where a flow divides, it goes on as the whole of ``parts``, one for each route that records took.
///
/// `@unchecked Sendable`: it belongs to one job at a time, as ``Batch`` says, and its parts with it.
package final class RecordBatch: @unchecked Sendable {
    /// What the source delivered; stays until the batch is written, since dead letters hold the
    /// records' own bytes.
    let source: Batch
    /// How the records are laid out where the batch is now.
    private(set) var segment: BoundSegment
    /// The stages that it is among.
    private(set) var stretch: BoundStretch
    /// One row for each frame of ``frames``.
    private(set) var table: RowTable
    /// Whether the table is this part's alone, not also that of the batch which was divided.
    private var ownsTable = true
    /// The frames that the rows were decoded from: the source's, or those of a stage that gave each
    /// record new bytes.
    private(set) var frames: [Frame]
    private var rebased: ByteBuffer?
    /// For each row its frame in the source, where that is no longer the same number.
    private var origins: [UInt32]?
    /// The rows that are still on their way, ascending.
    var rows: [UInt32] = []
    /// Whether dead letters must not hold the records' own bytes, since a stage has hidden parts of
    /// them.
    var withholdsRaw = false
    /// Holds the text and the values of computed cells until the batch is written.
    let scratch: Scratch
    /// What a sink that is a closure is given.
    var records: [Record] = []
    /// Where the records go, where that is found out before they are encoded.
    var routing: Routing?
    /// The books of the batch, of all its parts together.
    private let tally: BatchTally
    /// What it was divided into.
    private(set) var parts: [RecordBatch] = []
    /// What became of single records, kept only where a stage may have enough: see
    /// ``end(afterRows:at:)``.
    private var fates: [Fate]?
    /// The place in the books where its records begin: the source, or the closing stage that gave
    /// them.
    private let first: Int

    /// - Parameters:
    ///   - places: in the books: the source, the stages, the sink.
    ///   - tracksFates: whether ``end(afterRows:at:)`` may be called.
    init(source: Batch, in segment: BoundSegment, scratch: Scratch, places: Int, tracksFates: Bool) {
        self.source = source
        self.segment = segment
        stretch = segment.stretch
        self.scratch = scratch
        table = segment.decoding.decode(source.frames, of: UnsafePointer(source.bytes.start))
        frames = source.frames
        tally = BatchTally(places: places)
        fates = tracksFates ? [] : nil
        first = 0
    }

    /// Records that a closing stage gave: they belong to no input.
    ///
    /// - Parameters:
    ///   - texts: what the rows were decoded from, where they were.
    ///   - before: how many came before these.
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

    /// Some rows of a batch that is divided.
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

    /// One for each place in the books.
    var counts: [StageCounts] {
        _read { yield tally.counts }
        _modify { yield &tally.counts }
    }

    /// For each place in the books the records that took longer than their stage allows.
    var timeouts: [Int] {
        _read { yield tally.timeouts }
        _modify { yield &tally.timeouts }
    }

    /// Of all parts.
    var deadLetters: [DeadLetter] { tally.deadLetters }

    /// The part of it that is in a flow, if any of its records are.
    func part(in flow: Int) -> RecordBatch? {
        if stretch.flow == flow { return self }
        for part in parts {
            if let found = part.part(in: flow) { return found }
        }
        return nil
    }

    /// Goes on as parts, each with rows of its own.
    func divide(_ divided: [(stretch: BoundStretch, rows: [UInt32])]) {
        parts = divided.map { RecordBatch(of: self, $0.rows, in: $0.stretch) }
        rows = []
    }

    /// Which input the records are from; `nil` after a closing stage.
    var input: Int? { source.input < 0 ? nil : source.input }

    /// What it takes in memory, about: the bytes, and what is found in them.
    var weight: Int { 6 * max(source.bytes.capacity, rebasedBytes) }

    /// Bytes that stages gave its records, each counted once.
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

    /// The row's frame in the source.
    func origin(_ row: Int) -> Int { origins.map { Int($0[row]) } ?? row }

    /// Where the row's record begins in its input; `nil` after a closing stage.
    func position(ofRow row: Int) -> Position? {
        input == nil ? nil : source.position(ofFrame: origin(row))
    }

    /// Before all its records.
    var beginning: RecordPlace { RecordPlace(input: UInt32(truncatingIfNeeded: source.input), offset: source.offset, part: 0) }

    /// Where the row's record stands among all of the run.
    func place(ofRow row: Int) -> RecordPlace {
        let frame = origin(row)
        var place = beginning
        place.offset += input == nil ? UInt64(frame) : UInt64(source.frames[frame].start)
        place.part = UInt32(row - firstRow(of: frame, upTo: row))
        return place
    }

    /// Origins are ascending.
    private func firstRow(of frame: Int, upTo row: Int) -> Int {
        guard let origins else { return row }
        var (low, high) = (0, row)
        while low < high {
            let middle = (low + high) / 2
            if Int(origins[middle]) < frame { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Gives the rows on their way new bytes, decoded into `table`.
    ///
    /// - Parameter origins: for each frame the row that it was made of.
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

    /// Takes every row off its way: what a closing stage has taken in.
    func absorbRows(at index: Int, next: BoundSegment) {
        counts[index].absorbed += rows.count
        rebase(onto: ByteBuffer(capacity: 0), frames: [], origins: [], table: next.decoding.table(rows: 0), in: next)
    }

    /// Hands back what can be used again, once everything is written. The batch's cells end here.
    func release(scratches: FreeList<Scratch>, buffers: BufferPool) {
        giveBackTables()
        scratch.reset()
        scratches.give(scratch)
        if input != nil { buffers.give(source.bytes) }
    }

    private func giveBackTables() {
        for part in parts { part.giveBackTables() }
        if ownsTable { segment.decoding.giveBack(table) }
    }

    /// A cell over text somewhere that will be written over: the same, over a copy that lives as
    /// long as the batch.
    func kept(_ cell: Cell) -> Cell {
        switch cell.kind {
        case .string, .bytes, .decimal, .json: scratch.text(cell.kind, copying: cell.textBytes)
        default: cell
        }
    }

    /// - Parameter record: its fields as they reached the stage, as a JSON object.
    func refuse(_ row: Int, at stage: String, with failure: RecordFailure, record: [UInt8]) {
        refuse(RefusedRecord(frame: origin(row), record: record, withholdsRaw: withholdsRaw), at: stage, with: failure)
    }

    func refuse(_ record: RefusedRecord, at stage: String, with failure: RecordFailure) {
        tally.deadLetters.append(
            DeadLetter(
                element: record, stage: stage, error: failure, attempts: failure.attempts,
                place: Place(part: source.input, index: record.frame)))
    }
}

/// What has become of a batch's records so far.
private final class BatchTally {
    var counts: [StageCounts]
    var timeouts: [Int]
    var deadLetters: [DeadLetter] = []

    init(places: Int) {
        counts = Array(repeating: StageCounts(), count: places)
        timeouts = Array(repeating: 0, count: places)
    }
}

// A stage that has enough ends the books at the record that gave it.
extension RecordBatch {
    /// Something that became of a record in a stage.
    private struct Fate {
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

    /// Ends the batch with its first `count` rows, of all that the stages up to `index` have seen:
    /// what lies after the record of the last of them is in no book. Other rows of that record are
    /// filtered by the stage.
    func end(afterRows count: Int, at index: Int) {
        precondition(count > 0 && fates != nil, "a batch ends after a row, and where that may be is known before")
        let last = origin(Int(rows[count - 1]))
        for row in rows[count...] where origin(Int(row)) == last { note(.filtered, Int(row), at: index) }
        rows.removeSubrange(count...)
        fates?.removeAll { Int($0.frame) > last }
        tally.deadLetters.removeAll { ($0.element as? RefusedRecord).map { $0.frame > last } ?? false }
        if input != nil { endSource(after: last) }
        recount(upTo: index, received: input == nil ? last + 1 : source.frames.count + source.oversized.count)
    }

    /// What is damaged in the member that the frame begins in, or in later ones, lies after it.
    private func endSource(after frame: Int) {
        let member = source.member(ofFrame: frame)
        source.damage.removeAll { $0.member >= member }
        source.keepFirst(frame + 1 + source.oversized.count { $0.beforeFrame <= frame })
    }

    private func recount(upTo index: Int, received: Int) {
        var counts = Array(repeating: StageCounts(), count: self.counts.count)
        for fate in fates ?? [] {
            let count = Int(fate.count)
            switch fate.kind {
            case .filtered: counts[Int(fate.stage)].filtered += count
            case .dropped: counts[Int(fate.stage)].dropped += count
            case .dead: counts[Int(fate.stage)].dead += count
            case .added: counts[Int(fate.stage)].added += count
            }
        }
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
