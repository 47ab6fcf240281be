/// What a run did, as `report.json` has it, with its keys in snake case. docs/report.md describes every field.
public struct RunReport: Codable, Sendable {
    public enum Status: String, Codable, Sendable {
        /// Every record written or left out on purpose.
        case complete
        /// Complete, with dead letters or damaged inputs.
        case losses
        /// Nothing was published.
        case failed
        /// Drained before the end of the input; nothing was published.
        case interrupted
    }

    public struct Records: Codable, Sendable, Equatable {
        public var read = 0
        public var written = 0
        public var filtered = 0
        public var dead = 0
        /// Merged into others.
        public var absorbed = 0
        /// Made from others.
        public var added = 0
    }

    public struct DamageRecord: Codable, Sendable, Equatable {
        public var kind: String
        /// The byte of the compressed file.
        public var offset: UInt64
        public var member: Int
        /// Compressed bytes passed over.
        public var lostBytes: UInt64
        /// Decompressed bytes of the record that the damage cut off.
        public var lostText: UInt64

        init(_ damage: Damage) {
            kind = damage.kind.rawValue
            offset = damage.offset
            member = damage.member
            lostBytes = damage.lostBytes
            lostText = damage.lostText
        }
    }

    public struct Input: Codable, Sendable {
        public var file: String
        /// Bytes of the file that were read, compressed where it is.
        public var bytes: UInt64
        public var members: Int
        public var records: Int
        public var written: Int
        public var filtered: Int
        public var dead: Int
        public var damage: [DamageRecord]
        /// Whether it was read to its end.
        public var whole: Bool
    }

    public struct Workers: Codable, Sendable, Equatable {
        public var min: Int
        public var max: Int
        public var peak: Int
    }

    public struct Stage: Codable, Sendable {
        public var name: String
        public var verb: String
        public var `in`: Int
        public var out: Int
        public var filtered: Int
        public var dead: Int
        /// Of the filtered, those that failed under `on_error: drop`.
        public var dropped: Int
        public var retries: Int
        public var timeouts: Int
        public var busySeconds: Double
        public var workers: Workers
    }

    public struct Output: Codable, Sendable {
        public var file: String
        public var records: Int
        public var bytes: UInt64
        public var sha256: String
    }

    public struct DeadLetters: Codable, Sendable {
        public var file: String
        public var records: Int
        public var byCode: [String: Int]
    }

    public var schema = 1
    /// `nil` in reports that were written before they had it.
    public var libraries: Libraries?
    public var pipeline: String
    public var definition: String
    public var status: Status
    /// Whether `in = out + filtered + dead + absorbed` for the run, for every input and for every stage.
    public var balanced: Bool
    public var elapsedSeconds: Double
    public var records: Records
    public var inputs: [Input]
    public var stages: [Stage]
    public var outputs: [Output]
    public var deadLetters: DeadLetters
    /// Whether the run ended because nobody reads its standard output any more.
    public var outputClosed: Bool?
    /// Why the run failed.
    public var error: String?
}
