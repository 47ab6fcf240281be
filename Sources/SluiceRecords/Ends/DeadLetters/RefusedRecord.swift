import Sluice

/// A record that a stage refused: the element of a ``DeadLetter``.
struct RefusedRecord: Sendable {
    /// The index of its frame in the batch: dead letters are written in the order of the input.
    var frame: Int
    /// The fields as they reached the stage, as a JSON object; `nil` if the record was never
    /// decoded.
    var record: ByteBuffer?
    /// Whether to omit its original bytes, because a stage has redacted parts of them.
    var withholdsRaw = false
    private var apart: Apart?

    /// What few records have, apart, as a batch may have many thousands of refused records.
    private indirect enum Apart {
        case apart(spilled: SpilledRecord?, kept: KeptLetter?)
    }

    init(frame: Int, record: ByteBuffer? = nil, withholdsRaw: Bool = false) {
        self.frame = frame
        self.record = record
        self.withholdsRaw = withholdsRaw
    }

    init(frame: Int, spilled: SpilledRecord?, kept: KeptLetter? = nil) {
        self.frame = frame
        if spilled != nil || kept != nil { apart = .apart(spilled: spilled, kept: kept) }
    }

    /// Set if the record was too long to hold in memory.
    var spilled: SpilledRecord? {
        if case .apart(let spilled, _)? = apart { spilled } else { nil }
    }

    /// Set if it is a dead letter of an earlier run that cannot be replayed.
    var kept: KeptLetter? {
        if case .apart(_, let kept)? = apart { kept } else { nil }
    }

    /// Whether it is the frame with its number, rather than something before it.
    var isFrame: Bool { apart == nil }
}

/// A dead letter that goes to the new dead letters as it is.
struct KeptLetter: Sendable {
    /// With the line feed; empty if it is too long for memory, and in ``RefusedRecord/spilled``.
    var bytes: [UInt8]
    /// The file and the line of its record, if they are known.
    var file: String?
    var line: UInt64?
}

/// Why a record was refused. A closure that throws one chooses the code of its dead letter.
public struct RecordFailure: Error, Sendable, Equatable {
    /// Dotted and stable, such as `score.unknown`; docs/dead-letters.md lists Sluice's own codes.
    public var code: String
    /// One sentence.
    public var message: String
    /// The number of attempts at the record.
    public var attempts = 1

    /// - Parameter attempts: a stage that retries replaces this with its own count if that is
    ///   larger.
    public init(code: String, message: String, attempts: Int = 1) {
        self.code = code
        self.message = message
        self.attempts = attempts
    }
}

extension DeadLetter {
    /// Stages refuse records only with a ``RecordFailure``.
    var failure: RecordFailure { error as? RecordFailure ?? RecordFailure(code: "fault", message: "\(error)") }

    var code: String { failure.code }
}
