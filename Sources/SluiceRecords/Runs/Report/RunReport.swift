/// What a run did, as `report.json` has it, with its keys in snake case. docs/report.md describes
/// every field.
public struct RunReport: Codable, Sendable {
    /// How a run ended.
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

    /// Of the whole run.
    public struct Records: Codable, Sendable, Equatable {
        /// Of all inputs.
        public var read = 0
        /// To all outputs.
        public var written = 0
        /// Left out on purpose, or dropped.
        public var filtered = 0
        /// In the file of dead letters.
        public var dead = 0
        /// Merged into others.
        public var absorbed = 0
        /// Made from others.
        public var added = 0
    }

    /// A place where an input was damaged.
    public struct DamageRecord: Codable, Sendable, Equatable {
        /// As docs/report.md lists them: `truncated`, `corrupt`, `crc`, ….
        public var kind: String
        /// The byte of the compressed file.
        public var offset: UInt64
        /// The gzip member, from 0.
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

    /// One file that was read.
    public struct Input: Codable, Sendable {
        /// Its path; `-` for standard input.
        public var file: String
        /// Bytes of the file that were read, compressed where it is.
        public var bytes: UInt64
        /// Members of gzip; 0 where it is not compressed.
        public var members: Int
        /// Read from it.
        public var records: Int
        /// Of them, or made of them, to all outputs.
        public var written: Int
        /// Left out on purpose, or dropped.
        public var filtered: Int
        /// In the file of dead letters.
        public var dead: Int
        /// Merged into others by a closing stage.
        public var absorbed: Int
        /// The surplus where one record became several.
        public var added: Int
        /// In the order of the file.
        public var damage: [DamageRecord]
        /// Whether it was read to its end.
        public var whole: Bool
    }

    /// How many batches, or records, were in a stage at once.
    public struct Workers: Codable, Sendable, Equatable {
        /// The least that there may be.
        public var min: Int
        /// The most that there may be.
        public var max: Int
        /// The most that there were.
        public var peak: Int
    }

    /// One stage: the source, those between, the sink.
    public struct Stage: Codable, Sendable {
        /// Unique in the report; in a route, with the route's name and `/` before it.
        public var name: String
        /// The route that it is in, with those around it: `errors`, `errors/slow`; `nil` outside of
        /// routes.
        public var route: String?
        /// The stage that its records come from, where that is not the one before it in the list.
        public var after: String?
        /// The verb of pipeline files; the format of the source, `write` of the sink, `closure` of
        /// a closure.
        public var verb: String
        /// Records that came to it.
        public var `in`: Int
        /// Records that went on.
        public var out: Int
        /// Left out on purpose, or dropped.
        public var filtered: Int
        /// In the file of dead letters.
        public var dead: Int
        /// Taken in by a stage that gives other records at the end.
        public var absorbed: Int
        /// The surplus where one record became several, and all that such a stage gives.
        public var added: Int
        /// Of the filtered, those that failed under `on_error: drop`.
        public var dropped: Int
        /// Further attempts.
        public var retries: Int
        /// Records that took longer than the stage allows.
        public var timeouts: Int
        /// Summed over its workers.
        public var busySeconds: Double
        /// Its worker pool.
        public var workers: Workers
        /// Of a summary: for each value that may be an estimate, in how many groups it is one.
        public var values: [String: Exactness]?
        /// Of a lookup: its table.
        public var table: Table?
    }

    /// A table that records were looked up in.
    public struct Table: Codable, Sendable, Equatable {
        /// Its path.
        public var file: String
        /// In it.
        public var rows: Int
        /// Of the file: 64 hexadecimal digits.
        public var sha256: String
    }

    /// Of a value of a summary: in how many groups it is exact, and in how many an estimate.
    public struct Exactness: Codable, Sendable, Equatable {
        /// Groups.
        public var exact: Int
        /// Groups.
        public var sketch: Int
    }

    /// One file that was written.
    public struct Output: Codable, Sendable {
        /// Its path; `-` for standard output, and for a closure.
        public var file: String
        /// Written to it.
        public var records: Int
        /// Of the file, compressed where it is.
        public var bytes: UInt64
        /// Of those bytes: 64 hexadecimal digits.
        public var sha256: String
        /// Where several sinks write outputs, how the records of this one are cut; `nil` for lines.
        package var framing: Fields?
    }

    /// The file of dead letters.
    public struct DeadLetters: Codable, Sendable {
        /// Its path.
        public var file: String
        /// In it.
        public var records: Int
        /// By the code of their errors.
        public var byCode: [String: Int]
    }

    /// Of the layout of the report.
    public var schema = 1
    /// `nil` in reports that were written before they had it.
    public var libraries: Libraries?
    /// `nil` where inputs and outputs are lines.
    package var framing: Framings?
    /// Its name.
    public var pipeline: String
    /// `sha256:` of the definition with its parameters.
    public var definition: String
    /// How the run ended.
    public var status: Status
    /// Whether `in + added = out + filtered + dead + absorbed` for the run, forevery input and for
    /// every stage.
    public var balanced: Bool
    /// Of the whole run, until its outputs were published.
    public var elapsedSeconds: Double
    /// Of the whole run.
    public var records: Records
    /// In the order in which they are read.
    public var inputs: [Input]
    /// The source, the stages, the sink; of a flow with routes, each route's after the other.
    public var stages: [Stage]
    /// In the order of their names; none where nothing was published.
    public var outputs: [Output]
    /// Where the records are that failed.
    public var deadLetters: DeadLetters
    /// Whether the run ended because its standard output was closed.
    public var outputClosed: Bool?
    /// Why the run failed.
    public var error: String?
}
