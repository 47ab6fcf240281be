/// A record that a stage refused, with the reason.
struct DeadLetter: Sendable {
    /// Its place among the batch's frames: dead letters are written in the order of the input.
    var frame: Int
    var stage: String
    var failure: RecordFailure
    /// Its fields as they reached the stage, as a JSON object; empty where it was never decoded.
    var record: [UInt8]
    /// Set where the record was too long to be held in memory.
    var oversized: OversizedRecord?
}

/// Why a record was refused.
struct RecordFailure: Error, Sendable, Equatable {
    /// Dotted and stable; docs/dead-letters.md lists them.
    var code: String
    var message: String
    var attempts = 1
}
