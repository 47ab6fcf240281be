import Sluice
import SluiceCEL

/// A batch on its way through the stages: the source's bytes, the fields found in them, and what has become of each record so far.
///
/// `@unchecked Sendable`: it belongs to one job at a time, as ``Batch`` says.
package final class RecordBatch: @unchecked Sendable {
    /// What the source delivered; stays until the batch is written, since dead letters hold the records' own bytes.
    let source: Batch
    /// How the records are laid out where the batch is now.
    private(set) var segment: BoundSegment
    /// One row for each frame of ``frames``.
    private(set) var table: RowTable
    /// The frames that the rows were decoded from: the source's, or those of a stage that gave each record new bytes.
    private(set) var frames: [Frame]
    private var rebased: ByteBuffer?
    /// For each row its frame in the source, where that is no longer the same number.
    private var origins: [UInt32]?
    /// The rows that are still on their way, ascending.
    var rows: [UInt32] = []
    /// Holds the text and the values of computed cells until the batch is written.
    let scratch: Scratch
    private(set) var deadLetters: [DeadLetter] = []
    /// One for the source, one for each stage, one for the sink.
    var counts: [StageCounts]
    /// For each of them the records that took longer than their stage allows.
    var timeouts: [Int]
    /// Where the records go, where that is found out before they are encoded.
    var routing: Routing?
    /// What became of single records, kept only where a stage may have enough: see ``end(after:at:)``.
    private var fates: [Fate]?

    /// - Parameters:
    ///   - places: in the books: the source, the stages, the sink.
    ///   - tracksFates: whether ``end(after:at:)`` may be called.
    init(source: Batch, in segment: BoundSegment, scratch: Scratch, places: Int, tracksFates: Bool) {
        self.source = source
        self.segment = segment
        self.scratch = scratch
        table = segment.decoding.decode(source.frames, of: UnsafePointer(source.bytes.start))
        frames = source.frames
        counts = Array(repeating: StageCounts(), count: places)
        timeouts = Array(repeating: 0, count: places)
        fates = tracksFates ? [] : nil
    }

    /// Records that a closing stage gave: they belong to no input.
    ///
    /// - Parameter index: the stage's place in the books.
    init(results table: RowTable, rows: Int, of index: Int, in segment: BoundSegment, scratch: Scratch, places: Int) {
        source = Batch(bytes: ByteBuffer(capacity: 0), input: -1, offset: 0, line: 0)
        self.segment = segment
        self.scratch = scratch
        self.table = table
        frames = []
        self.rows = Array(0..<UInt32(rows))
        counts = Array(repeating: StageCounts(), count: places)
        timeouts = Array(repeating: 0, count: places)
        counts[index] = StageCounts(out: rows, added: rows)
    }

    /// Which input the records are from; `nil` after a closing stage.
    var input: Int? { source.input < 0 ? nil : source.input }

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

    /// Gives the rows on their way new bytes, decoded into `table`.
    ///
    /// - Parameter origins: for each frame the row that it was made of.
    func rebase(onto bytes: ByteBuffer, frames: [Frame], origins: [UInt32], table: RowTable, in next: BoundSegment) {
        precondition(frames.count == origins.count)
        segment.decoding.giveBack(self.table)
        self.origins = origins.map { UInt32(origin(Int($0))) }
        rebased = bytes
        self.frames = frames
        self.table = table
        segment = next
        rows = Array(0..<UInt32(frames.count))
    }

    /// Takes every row off its way: what a closing stage has taken in.
    func absorbRows(at index: Int, next: BoundSegment) {
        counts[index].absorbed += rows.count
        rebase(onto: ByteBuffer(capacity: 0), frames: [], origins: [], table: next.decoding.table(rows: 0), in: next)
    }

    /// Hands back what can be used again, once everything is written. The batch's cells end here.
    func release(scratches: FreeList<Scratch>, buffers: BufferPool) {
        segment.decoding.giveBack(table)
        scratch.reset()
        scratches.give(scratch)
        if input != nil { buffers.give(source.bytes) }
    }

    /// A cell over text somewhere that will be written over: the same, over a copy that lives as long as the batch.
    func kept(_ cell: Cell) -> Cell {
        switch cell.kind {
        case .string, .bytes, .decimal, .json: scratch.text(cell.kind, copying: cell.textBytes)
        default: cell
        }
    }

    /// - Parameter record: its fields as they reached the stage, as a JSON object.
    func refuse(_ row: Int, at stage: String, with failure: RecordFailure, record: [UInt8]) {
        refuse(RefusedRecord(frame: origin(row), record: record), at: stage, with: failure)
    }

    func refuse(_ record: RefusedRecord, at stage: String, with failure: RecordFailure) {
        deadLetters.append(
            DeadLetter(
                element: record, stage: stage, error: failure, attempts: failure.attempts,
                place: Place(part: source.input, index: record.frame)))
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

    /// Ends the batch with the row's record, of all that the stages before `index` have seen: what lies after it is in no book.
    ///
    /// Rows made of the same record that are not in `rows` are filtered by the stage.
    func end(after row: Int, at index: Int) {
        guard let fates, input != nil else { return }
        let last = origin(row)
        deadLetters.removeAll { ($0.element as? RefusedRecord).map { $0.frame > last } ?? false }
        source.damage = last == source.frames.count - 1 ? source.damage : []
        source.keepFirst(last + 1 + source.oversized.count { $0.beforeFrame <= last })
        var counts = Array(repeating: StageCounts(), count: self.counts.count)
        for fate in fates where Int(fate.frame) <= last {
            let count = Int(fate.count)
            switch fate.kind {
            case .filtered: counts[Int(fate.stage)].filtered += count
            case .dropped: counts[Int(fate.stage)].dropped += count
            case .dead: counts[Int(fate.stage)].dead += count
            case .added: counts[Int(fate.stage)].added += count
            }
        }
        var passed = source.frames.count + source.oversized.count
        for place in 0..<index {
            counts[place].in = passed
            counts[place].out = 0
            passed = counts[place].open
            counts[place].out = passed
        }
        counts[index].in = passed
        counts[index].out = rows.count
        counts[index].filtered += passed - rows.count - counts[index].dead - counts[index].dropped
        self.counts = counts
    }
}
