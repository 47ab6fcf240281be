import Sluice

/// A batch after encoding: bytes for each output, dead letters, and the counts for the books.
/// Batches are committed in input order.
struct EncodedBatch: Sendable {
    /// `nil` after a closing stage.
    var input: Int?
    /// The position in the input after the batch's last record.
    var end: Position?
    /// The index of the batch in its input.
    var number = 0
    var outputs: [EncodedOutput]
    var deadLetters: [EncodedDeadLetter]
    /// One element for each place in the books.
    var counts: [StageCounts]
    var timeouts: [Int]
    /// The number of dead letters for each error code.
    var codes: [String: Int]
    /// The first failure of each code.
    var firsts: [String: FirstFailure] = [:]
    var damage: [Damage]
    var suspect: UInt64 = 0
    /// The progress of the input at the end of this batch.
    var textBytes: UInt64
    var compressedBytes: UInt64
    /// Where the input's reader is after the batch.
    var readerState: ReaderState?
    /// Whether to take a checkpoint once the batch is committed.
    var takesCheckpoint = false
    /// The states of the ordered stages after this batch, if a checkpoint is taken.
    var steps: [Checkpoint.StepState] = []
    /// For each sink, the columns of its outputs after this batch, if a checkpoint is taken.
    var columns: [Int: [SinkCheckpoint.Columns]] = [:]
    /// For each sink, the files that its outputs have reached after this batch, if a checkpoint is
    /// taken.
    var parts: [Int: [SinkCheckpoint.Part]] = [:]
    /// The records for sinks that are closures, by the sink's number.
    var records: [Int: [Record]] = [:]
    /// The room for its record until it is committed, if that is a long one.
    var room: LongRecords.Room?
    /// What became of the dead letters that were fed in again.
    var replayed: ReplayOutcome?

    /// The memory it holds, in bytes.
    var weight: Int {
        let taken = records.values.reduce(0) { $1.reduce($0) { $0 + $1.weight } }
        return outputs.reduce(0) { $0 + $1.bytes.capacity } + deadLetters.reduce(0) { $0 + $1.byteCount } + taken
    }
}

/// The first record that failed with a code.
struct FirstFailure: Codable, Sendable, Equatable {
    var message: String
    var stage: String
    /// `nil` after a closing stage.
    var line: UInt64?
    /// The file of the record, if it is not the batch's input.
    var file: String?
}

/// The part of an output that one batch contributes.
struct EncodedOutput: Sendable {
    /// The index among the sinks of the run.
    var sink: Int
    /// The output's name in the sink.
    var path: String
    /// The header of the output.
    var head: [UInt8]
    var bytes: ByteBuffer
    /// The checksum of the text, if `bytes` are a compressed block; `nil` if they are text.
    var block: TextChecksum?
    var records: Int
    /// Where each record's text ends, if the output is to be divided into files.
    var ends: [Int] = []
    /// The pieces that go to different files, if it is.
    var cuts: [Cut] = []

    /// A piece of the text for one file.
    struct Cut: Sendable {
        /// The file's number, from 1.
        var part: Int
        var path = ""
        var bytes: Range<Int>
        var records: Int
    }
}

enum EncodedDeadLetter: Sendable {
    /// Lines of JSON. The first and the last may go on in other pieces.
    case lines(ByteBuffer)
    /// Lines of JSON as a compressed block, with the number of those that end in it.
    case block(ByteBuffer, TextChecksum, records: Int)
    /// Lines of JSON, or a compressed block with its checksum, that memory has no room for.
    case stored(LetterSpool.Piece, TextChecksum?, records: Int)
    /// A letter whose `raw` is read from a spill file.
    case spilled(SpilledRecord, stage: String, failure: RecordFailure)
    /// A dead letter of an earlier run, in a spill file.
    case kept(SpilledRecord)

    /// The memory it takes in bytes. What is in a file counts an eighth, so that there are not too
    /// many of these either.
    var byteCount: Int {
        switch self {
        case .lines(let buffer), .block(let buffer, _, records: _): buffer.capacity
        case .stored(let piece, _, records: _): piece.count / 8
        case .spilled, .kept: 0
        }
    }

    /// The number of letters that end in it.
    var letters: Int {
        switch self {
        case .lines(let lines): lines.lineFeedCount
        case .block(_, _, let records), .stored(_, _, let records): records
        case .spilled, .kept: 1
        }
    }
}
