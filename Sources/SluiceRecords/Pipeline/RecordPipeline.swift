public import SluiceCEL

/// A pipeline of records with every choice made: what a pipeline file comes to once it is checked, its parameters are put in and its
/// expressions are compiled. A value; nothing is opened until ``run(_:)``.
public struct RecordPipeline: Sendable {
    /// Letters, digits, `-`.
    public var name: String
    /// `sha256:` and the digest of the definition with its parameters, 64 hexadecimal digits.
    public var definition: String
    public var source: RecordSource
    public var stages: [RecordStage]
    public var sink: RecordSink
    /// The dead-letter file. `.gz` compresses.
    public var deadLetters: String
    public var limits: Limits

    public init(
        name: String, definition: String, source: RecordSource, stages: [RecordStage], sink: RecordSink, deadLetters: String,
        limits: Limits = Limits()
    ) {
        self.name = name
        self.definition = definition
        self.source = source
        self.stages = stages
        self.sink = sink
        self.deadLetters = deadLetters
        self.limits = limits
    }
}

public struct RecordSource: Sendable {
    /// In the order they are read.
    public var inputs: [InputFile]
    public var format: Format
    public var onDamage: DamagePolicy
    /// Bytes. A longer record is a dead letter.
    public var maxRecord: Int

    public init(inputs: [InputFile], format: Format, onDamage: DamagePolicy = .salvage, maxRecord: Int = 16 << 20) {
        self.inputs = inputs
        self.format = format
        self.onDamage = onDamage
        self.maxRecord = maxRecord
    }
}

public struct RecordStage: Sendable {
    /// Unique in the pipeline.
    public var name: String
    public var verb: Verb
    public var pool: PoolOptions
    public var onError: FailurePolicy

    public init(name: String, verb: Verb, pool: PoolOptions = PoolOptions(), onError: FailurePolicy = .deadLetter) {
        self.name = name
        self.verb = verb
        self.pool = pool
        self.onError = onError
    }
}

/// What a stage does. One case a verb, named as in the pipeline file.
public enum Verb: Sendable {
    case keep(CellProgram)
    case drop(CellProgram)
    case set([(field: String, value: CellProgram)])
    case select([String])
    case remove([String])
    case rename([(old: String, new: String)])
    case parse(field: String, format: Format, into: String?)
    /// The command and its arguments.
    case exec([String])
}

/// The stage's worker pool. `nil`: the default for its verb.
public struct PoolOptions: Sendable {
    /// Between these many batches (records for `exec`) at once.
    public var workers: ClosedRange<Int>?
    /// Batches that may wait.
    public var queue: Int?
    /// For one attempt at one record.
    public var timeout: Duration?
    public var retry: RetryOptions?

    public init(workers: ClosedRange<Int>? = nil, queue: Int? = nil, timeout: Duration? = nil, retry: RetryOptions? = nil) {
        self.workers = workers
        self.queue = queue
        self.timeout = timeout
        self.retry = retry
    }
}

public enum FailurePolicy: String, Sendable, CaseIterable {
    case deadLetter = "dead_letter"
    case drop
    case stop
}

public struct RecordSink: Sendable {
    public enum Destination: Sendable {
        case stdout
        case file(PathTemplate)
    }

    public enum Order: String, Sendable, CaseIterable {
        case input, any
    }

    /// What is written: one line a record either way.
    public enum Encoding: String, Sendable, CaseIterable {
        case jsonl, lines
    }

    public var destination: Destination
    public var encoding: Encoding
    /// `nil`: not compressed.
    public var compression: CompressionLevel?
    public var order: Order

    public init(destination: Destination, encoding: Encoding, compression: CompressionLevel?, order: Order = .input) {
        self.destination = destination
        self.encoding = encoding
        self.compression = compression
        self.order = order
    }
}

/// A path with expressions in it: `out/date={string(time).substring(0, 10)}/errors.jsonl.gz`.
public struct PathTemplate: Sendable {
    public enum Piece: Sendable {
        case text(String)
        /// Its value as text; cannot leave the folder.
        case value(CellProgram)
    }

    public var pieces: [Piece]

    public init(pieces: [Piece]) {
        self.pieces = pieces
    }
}

public struct Limits: Sendable {
    public enum DeadLetters: Sendable, Equatable {
        case count(Int)
        /// 0 to 1, of the records read; looked at from 1,000 records on and at the end.
        case share(Double)
    }

    /// Above it the run stops and publishes nothing. `nil`: no limit.
    public var deadLetters: DeadLetters?
    /// Bytes that batches on their way may take.
    public var memory: Int

    public init(deadLetters: DeadLetters? = nil, memory: Int = 512 << 20) {
        self.deadLetters = deadLetters
        self.memory = memory
    }
}
