import Sluice

/// What is left of a batch once it is encoded: bytes for each output, dead letters, and the counts
/// for the books. In input order it is committed.
struct EncodedBatch: Sendable {
    /// `nil` after a closing stage.
    var input: Int?
    /// Where the input goes on after the batch's last record.
    var end: Position?
    var outputs: [EncodedOutput]
    var deadLetters: [EncodedDeadLetter]
    /// One for each place in the books.
    var counts: [StageCounts]
    var timeouts: [Int]
    /// The codes of the dead letters with how many of each.
    var codes: [String: Int]
    var damage: [Damage]
    /// The input's progress at the end of this batch.
    var textBytes: UInt64
    var compressedBytes: UInt64
    /// For a sink that is a closure.
    var records: [Record] = []

    /// Bytes it holds, for the memory that batches on their way may take.
    var weight: Int { outputs.reduce(0) { $0 + $1.bytes.capacity } + deadLetters.reduce(0) { $0 + $1.byteCount } + records.reduce(0) { $0 + $1.weight } }
}

/// What one batch adds to one output.
struct EncodedOutput: Sendable {
    /// Among the sinks of the run, from 0.
    var sink: Int
    /// As the sink knows it.
    var path: String
    /// What the output begins with.
    var head: [UInt8]
    var bytes: ByteBuffer
    /// Of the text of which `bytes` are a compressed block; nil where they are text.
    var block: TextChecksum?
    var records: Int
}

enum EncodedDeadLetter: Sendable {
    /// Whole lines of JSON.
    case lines(ByteBuffer)
    /// The beginning of a line up to the record's own bytes, which are read from the spill file.
    case oversized(OversizedRecord, stage: String, failure: RecordFailure)

    var byteCount: Int {
        switch self {
        case .lines(let buffer): buffer.capacity
        case .oversized: 0
        }
    }
}
