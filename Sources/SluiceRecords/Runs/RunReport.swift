/// What a run did, as `report.json` has it, with its keys in snake case. docs/report.md describes every field.
package struct RunReport: Codable, Sendable {
    package enum Status: String, Codable, Sendable {
        /// Every record written or left out on purpose.
        case complete
        /// Complete, with dead letters or damaged inputs.
        case losses
        /// Nothing was published.
        case failed
        /// Drained before the end of the input; nothing was published.
        case interrupted
    }

    package struct Records: Codable, Sendable, Equatable {
        package var read = 0
        package var written = 0
        package var filtered = 0
        package var dead = 0
        /// Merged into others.
        package var absorbed = 0
        /// Made from others.
        package var added = 0
    }

    package struct DamageRecord: Codable, Sendable, Equatable {
        package var kind: String
        /// The byte of the compressed file.
        package var offset: UInt64
        package var member: Int
        /// Compressed bytes passed over.
        package var lostBytes: UInt64
        /// Decompressed bytes of the record that the damage cut off.
        package var lostText: UInt64

        init(_ damage: Damage) {
            kind = damage.kind.rawValue
            offset = damage.offset
            member = damage.member
            lostBytes = damage.lostBytes
            lostText = damage.lostText
        }
    }

    package struct Input: Codable, Sendable {
        package var file: String
        /// Bytes of the file that were read, compressed where it is.
        package var bytes: UInt64
        package var members: Int
        package var records: Int
        package var written: Int
        package var filtered: Int
        package var dead: Int
        /// Merged into others by a closing stage.
        package var absorbed: Int
        /// The surplus where one record became several.
        package var added: Int
        package var damage: [DamageRecord]
        /// Whether it was read to its end.
        package var whole: Bool
    }

    package struct Workers: Codable, Sendable, Equatable {
        package var min: Int
        package var max: Int
        package var peak: Int
    }

    package struct Stage: Codable, Sendable {
        package var name: String
        package var verb: String
        package var `in`: Int
        package var out: Int
        package var filtered: Int
        package var dead: Int
        /// Taken in by a stage that gives other records at the end.
        package var absorbed: Int
        /// The surplus where one record became several, and all that such a stage gives.
        package var added: Int
        /// Of the filtered, those that failed under `on_error: drop`.
        package var dropped: Int
        package var retries: Int
        package var timeouts: Int
        package var busySeconds: Double
        package var workers: Workers
    }

    package struct Output: Codable, Sendable {
        package var file: String
        package var records: Int
        package var bytes: UInt64
        package var sha256: String
    }

    package struct DeadLetters: Codable, Sendable {
        package var file: String
        package var records: Int
        package var byCode: [String: Int]
    }

    package var schema = 1
    /// `nil` in reports that were written before they had it.
    package var libraries: Libraries?
    /// `nil` where inputs and outputs are lines.
    package var framing: Framings?
    package var pipeline: String
    package var definition: String
    package var status: Status
    /// Whether `in + added = out + filtered + dead + absorbed` for the run, for every input and for every stage.
    package var balanced: Bool
    package var elapsedSeconds: Double
    package var records: Records
    package var inputs: [Input]
    package var stages: [Stage]
    package var outputs: [Output]
    package var deadLetters: DeadLetters
    /// Whether the run ended because nobody reads its standard output any more.
    package var outputClosed: Bool?
    /// Why the run failed.
    package var error: String?
}
