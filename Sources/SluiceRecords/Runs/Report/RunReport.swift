/// What a run did. docs/report.md describes every field; `report.json` has them with snake-case
/// keys.
public struct RunReport: Codable, Sendable {
    /// How a run ended.
    public enum Status: String, Codable, Sendable {
        /// Every record was written or left out on purpose.
        case complete
        /// Complete, with dead letters or damaged inputs.
        case losses
        /// Nothing was published, or only what ``RunReport/publishing`` says.
        case failed
        /// Drained before the end of the input; nothing was published.
        case interrupted
    }

    /// Counts over the whole run.
    public struct Records: Codable, Sendable, Equatable {
        /// Records of all inputs.
        public var read = 0
        /// Records written to all outputs.
        public var written = 0
        /// Left out on purpose, or dropped.
        public var filtered = 0
        /// Written to the dead-letter file.
        public var dead = 0
        /// Absorbed by closing stages, which combine records.
        public var absorbed = 0
        /// Added by stages: copies, pieces and the results of closing stages.
        public var added = 0
        /// Records of `read` that may differ from what was compressed: all of a member that fails
        /// its check, and those that a member continues with after damage.
        public var suspect = 0
    }

    /// A place where an input was damaged.
    public struct DamageRecord: Codable, Sendable, Equatable {
        /// One of the kinds listed in docs/report.md: `truncated`, `corrupt`, `crc`, ….
        public var kind: String
        /// The offset in the compressed file. For `tar-header`, `tar-truncated` and `tar-garbage`,
        /// the offset in the decompressed archive.
        public var offset: UInt64
        /// The name of the file in an archive that the offset is in, before its own decompression;
        /// `nil`: it is in the input.
        public var file: String?
        /// The index of the gzip member, from 0.
        public var member: Int
        /// Compressed bytes that were skipped.
        public var lostBytes: UInt64
        /// Decompressed bytes of the record that the damage cut off and, of `crc`, those by which
        /// the text is too short.
        public var lostText: UInt64

        init(_ damage: Damage) {
            kind = damage.kind.rawValue
            offset = damage.offset
            file = damage.file
            member = damage.member
            lostBytes = damage.lostBytes
            lostText = damage.lostText
        }
    }

    /// A file that was read.
    public struct Input: Codable, Sendable {
        /// Its path; `-` for standard input.
        public var file: String
        /// Bytes that were read from the file, before decompression.
        public var bytes: UInt64
        /// The number of gzip members, zstd frames, or bzip2 or xz streams; 0 if the file is not
        /// compressed.
        public var members: Int
        /// Records read from the file.
        public var records: Int
        /// Records from this input, or made from them, that were written, over all outputs.
        public var written: Int
        /// Left out on purpose, or dropped.
        public var filtered: Int
        /// Written to the dead-letter file.
        public var dead: Int
        /// Absorbed by closing stages, which combine records.
        public var absorbed: Int
        /// Additional records where one became several.
        public var added: Int
        /// In the order of the file.
        public var damage: [DamageRecord]
        /// Whether it was read to its end.
        public var whole: Bool
        /// The SHA-256 of its first and last 4 KiB as the run began, if it is a regular file.
        public var ends: String? {
            get { endsDigest?.text }
            set { endsDigest = newValue.map { DigestText($0) } }
        }
        var endsDigest: DigestText?
        /// The ETag or the modification time, if it is behind an address.
        public var version: String?
        /// What the archive contained, if the file is read as one.
        public var archive: ArchiveContents?
        /// An oddity that is not damage: the name ends in `.gz`, but the file is plain text; or it
        /// is compressed without checksums.
        public var note: String?

        private enum CodingKeys: String, CodingKey {
            case file, bytes, members, records, written, filtered, dead, absorbed, added, damage, whole
            case endsDigest = "ends"
            case version, archive, note
        }
    }

    /// What an archive contained.
    public struct ArchiveContents: Codable, Sendable, Equatable {
        /// Files that were read.
        public var files: Int
        /// Files that `exclude` left out.
        public var excluded: Int
        /// Entries that are not files, by kind: `folders`, `symbolic links`, ….
        public var skipped: [String: Int]

        init(_ contents: SluiceRecords.ArchiveContents) {
            (files, excluded, skipped) = (contents.files, contents.excluded, contents.skipped)
        }
    }

    /// The number of batches, or records, that a stage works on at once.
    public struct Workers: Codable, Sendable, Equatable {
        /// The configured minimum.
        public var min: Int
        /// The configured maximum.
        public var max: Int
        /// The largest number during the run.
        public var peak: Int
    }

    /// A stage, including the source and the sinks.
    public struct Stage: Codable, Sendable {
        /// Unique in the report. In a route, it is prefixed with the route's name and `/`.
        public var name: String
        /// The route that contains it, with the enclosing ones: `errors`, `errors/slow`; `nil`
        /// outside of routes.
        public var route: String?
        /// The stage that its records come from, if that is not the previous one in the list.
        public var after: String?
        /// The verb as in pipeline files. For the source it is the format, for a sink `write`, for
        /// a closure `closure`.
        public var verb: String
        /// Records that reached the stage.
        public var `in`: Int
        /// Records passed on.
        public var out: Int
        /// Left out on purpose, or dropped.
        public var filtered: Int
        /// Written to the dead-letter file.
        public var dead: Int
        /// Absorbed by a closing stage, which produces other records at the end.
        public var absorbed: Int
        /// Additional records where one became several, and the results of a closing stage.
        public var added: Int
        /// The part of `filtered` that failed under `on_error: drop`.
        public var dropped: Int
        /// The number of retries.
        public var retries: Int
        /// Records that exceeded the stage's timeout.
        public var timeouts: Int
        /// Seconds of work, summed over the workers.
        public var busySeconds: Double
        /// The worker pool.
        public var workers: Workers
        /// For a summary: for each value that may be an estimate, the number of groups where it is
        /// one.
        public var values: [String: Exactness]?
        /// For a lookup: its table.
        public var table: Table?
    }

    /// A table that a stage looks up records in.
    public struct Table: Codable, Sendable, Equatable {
        /// Its path.
        public var file: String
        /// The number of its rows.
        public var rows: Int
        /// The digest of the file, in 64 hexadecimal digits.
        public var sha256: String
    }

    /// For one value of a summary: the number of groups where it is exact and where it is an
    /// estimate.
    public struct Exactness: Codable, Sendable, Equatable {
        /// The number of groups with an exact value.
        public var exact: Int
        /// The number of groups with an estimate.
        public var sketch: Int
    }

    /// A file that was written.
    public struct Output: Codable, Sendable {
        /// Its path; `-` for standard output and for a closure.
        public var file: String
        /// Records written to it.
        public var records: Int
        /// Size in bytes, after compression.
        public var bytes: UInt64
        /// The digest of those bytes, in 64 hexadecimal digits.
        public var sha256: String
        /// The table in it, if it is a database.
        public var table: String?
        /// How its records are cut, if several sinks write outputs; `nil` for lines.
        package var framing: Fields?
    }

    /// The dead-letter file.
    public struct DeadLetters: Codable, Sendable {
        /// Its path.
        public var file: String
        /// The number of records in it.
        public var records: Int
        /// Size in bytes, after compression; `nil` if nothing was published.
        public var bytes: UInt64?
        /// The digest of those bytes, in 64 hexadecimal digits.
        public var sha256: String?
        /// The number of records for each error code.
        public var byCode: [String: Int]
        /// The first failure of each code. `nil` in reports of earlier versions.
        public var first: [String: Failure]?
    }

    /// Why a record failed.
    public struct Failure: Codable, Sendable, Equatable {
        /// The stage that refused it.
        public var stage: String
        /// The error message.
        public var message: String
        /// The file that contains the record; `nil` after a closing stage.
        public var file: String?
        /// The line of the record, from 1.
        public var line: UInt64?
    }

    /// The dead letters of a replay: `letters = resolved + filtered + dead + kept + known + blank`.
    public struct Replay: Codable, Sendable, Equatable {
        /// The number in the names of its outputs, from 1.
        public var number: Int
        /// Lines of the dead-letter file.
        public var letters = 0
        /// Letters whose records were written, with all that they became.
        public var resolved = 0
        /// Letters whose records a stage filtered.
        public var filtered = 0
        /// Letters that failed again, at least in part.
        public var dead = 0
        /// Letters that cannot be replayed, and are in the new dead letters as they were.
        public var kept = 0
        /// Letters that this or an earlier replay has dealt with.
        public var known = 0
        /// Empty lines.
        public var blank = 0
        /// Letters that another definition has refused.
        public var ofOtherDefinitions = 0
        /// For each reason why letters were kept, their number.
        public var reasons: [String: Int] = [:]
    }

    /// How far a run came that failed while it published.
    public struct Publishing: Codable, Sendable, Equatable {
        /// The number of files in place: outputs, and dead letters.
        public var done: Int
        /// The number of all files.
        public var of: Int
    }

    /// The types of fields that were inferred from the first records.
    public struct InferredTypes: Codable, Sendable, Equatable {
        /// A field and its type.
        public struct Field: Codable, Sendable, Equatable {
            public var name: String
            public var type: String
            /// If it is text because of this value alone: the others have a type in common. Usually
            /// a word for no value, such as `NA`.
            public var onlyText: String?

            init(_ field: InferredField) {
                (name, type, onlyText) = (field.name, field.type.rawValue, field.onlyText)
            }
        }

        /// The input that the records are in.
        public var file: String
        /// The number of records, including those that could not be read.
        public var records: Int
        /// In the order of the file.
        public var fields: [Field]
    }

    /// The version of the report's layout.
    public var schema = RunReport.schema
    static let schema = 1
    /// The SHA-256 of the report without this field, so that a change is noticed.
    package var digest: String?
    /// `nil` in reports of older versions.
    public var libraries: Libraries?
    /// `nil` if inputs and outputs are lines.
    package var framing: Framings?
    /// `nil` if no types were inferred.
    public var types: InferredTypes?
    /// The name of the pipeline.
    public var pipeline: String
    /// `sha256:` and the digest of the definition with its parameters.
    public var definition: String
    /// How the run ended.
    public var status: Status
    /// Whether `in + added = out + filtered + dead + absorbed` holds for the run, for every input
    /// and for every stage.
    public var balanced: Bool
    /// Duration of the whole run, until its outputs were published.
    public var elapsedSeconds: Double
    /// Counts over the whole run.
    public var records: Records
    /// In the order of reading.
    public var inputs: [Input]
    /// The source, the stages, the sinks; in a flow with routes, one route after the other.
    public var stages: [Stage]
    /// Ordered by name; empty if nothing was published.
    public var outputs: [Output]
    /// The file of the records that failed.
    public var deadLetters: DeadLetters
    /// For a replay of dead letters: what became of them.
    public var replay: Replay?
    /// Whether the run ended because its standard output was closed.
    public var outputClosed: Bool?
    /// For a run that was interrupted, or could not fetch an input: whether the same command
    /// resumes it.
    public var resumable: Bool?
    /// For a run that failed while it published its outputs: how many files are in place. The next
    /// run with the state folder publishes the rest.
    public var publishing: Publishing?
    /// Why the run failed.
    public var error: String?
}
