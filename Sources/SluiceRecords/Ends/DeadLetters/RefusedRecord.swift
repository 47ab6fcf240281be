import Sluice

/// A record that a stage refused: the element of a ``DeadLetter``.
struct RefusedRecord: Sendable {
    /// Its place among the batch's frames: dead letters are written in the order of the input.
    var frame: Int
    /// Its fields as they reached the stage, as a JSON object; empty where it was never decoded.
    var record: [UInt8] = []
    /// Whether its own bytes are not to be written, since a stage has hidden parts of them.
    var withholdsRaw = false
    /// Set where the record was too long to be held in memory.
    var oversized: OversizedRecord?
}

/// Why a record was refused. A closure that throws one gives its dead letter a code.
public struct RecordFailure: Error, Sendable, Equatable {
    /// Dotted and stable, such as `score.unknown`; docs/dead-letters.md lists Sluice's own.
    public var code: String
    /// One sentence.
    public var message: String
    /// How often the record was tried.
    public var attempts = 1

    /// - Parameter attempts: a stage that tries again puts its own count in the place of a smaller
    ///   one.
    public init(code: String, message: String, attempts: Int = 1) {
        self.code = code
        self.message = message
        self.attempts = attempts
    }
}

extension DeadLetter {
    /// Stages refuse records with no other error.
    var failure: RecordFailure { error as? RecordFailure ?? RecordFailure(code: "fault", message: "\(error)") }

    var code: String { failure.code }
}
