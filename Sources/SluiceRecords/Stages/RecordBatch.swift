import SluiceCEL

/// A batch on its way through the stages: the source's bytes, the fields found in them, and what has become of each record so far.
///
/// `@unchecked Sendable`: it belongs to one job at a time, as ``Batch`` says.
final class RecordBatch: @unchecked Sendable {
    /// What the source delivered; stays until the batch is written, since dead letters hold the records' own bytes.
    let source: Batch
    /// One row for each frame of ``frames``.
    private(set) var table: RowTable
    /// What made the table, and takes it back.
    private var decoding: Decoding
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

    init(source: Batch, decodedBy decoding: Decoding, scratch: Scratch, stages: Int) {
        self.source = source
        self.decoding = decoding
        self.scratch = scratch
        table = decoding.decode(source.frames, of: UnsafePointer(source.bytes.start))
        frames = source.frames
        counts = Array(repeating: StageCounts(), count: stages)
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

    /// Gives the rows on their way new bytes, in their order, decoded into `table`.
    func rebase(onto bytes: ByteBuffer, frames: [Frame], table: RowTable, by decoding: Decoding) {
        precondition(frames.count == rows.count)
        self.decoding.giveBack(self.table)
        origins = rows.map { UInt32(origin(Int($0))) }
        rebased = bytes
        self.frames = frames
        self.table = table
        self.decoding = decoding
        rows = Array(0..<UInt32(frames.count))
    }

    /// Hands back what can be used again, once everything is written. The batch's cells end here.
    func release(scratches: FreeList<Scratch>, buffers: BufferPool) {
        decoding.giveBack(table)
        scratch.reset()
        scratches.give(scratch)
        buffers.give(source.bytes)
    }

    /// A cell over text somewhere that will be written over: the same, over a copy that lives as long as the batch.
    func kept(_ cell: Cell) -> Cell {
        switch cell.kind {
        case .string, .bytes, .decimal, .json: scratch.text(cell.kind, copying: cell.textBytes)
        default: cell
        }
    }

    func add(_ letter: DeadLetter) {
        deadLetters.append(letter)
    }
}

/// What one stage did to the records of one batch. `in = out + filtered + dead` holds for each.
struct StageCounts: Sendable, Equatable {
    var received = 0
    var passed = 0
    var filtered = 0
    var dead = 0
    /// Of the filtered, those that failed in a stage whose failures are dropped.
    var dropped = 0
    var timeouts = 0

    static func += (sum: inout StageCounts, more: StageCounts) {
        sum.received += more.received
        sum.passed += more.passed
        sum.filtered += more.filtered
        sum.dead += more.dead
        sum.dropped += more.dropped
        sum.timeouts += more.timeouts
    }
}
