package import Sluice
package import SluiceCEL

/// A pipeline of records with every choice made: what a pipeline file comes to once it is checked,
/// its parameters are put in and its expressions are compiled. A value; nothing is opened until
/// ``run(_:)``.
package struct RecordPipeline: Sendable {
    /// Letters, digits, `-`.
    package var name: String
    /// `sha256:` and the digest of the definition with its parameters, 64 hexadecimal digits.
    package var definition: String
    package var source: SourceSettings
    package var flow: RecordFlow
    /// The dead-letter file. `.gz` compresses.
    package var deadLetters: String
    /// Where dead letters go in place of files: they are its output of that name.
    package var deadLetterSink: (any RecordSink)?
    package var limits: Limits
    /// The pipeline file that it was read from.
    package var file: String?

    package init(
        name: String, definition: String, source: SourceSettings, stages: [RecordStage], sink: SinkSettings, deadLetters: String,
        limits: Limits = Limits()
    ) {
        self.init(name: name, definition: definition, source: source, RecordFlow(stages, into: sink), deadLetters: deadLetters, limits: limits)
    }

    package init(
        name: String, definition: String, source: SourceSettings, _ flow: RecordFlow, deadLetters: String, limits: Limits = Limits()
    ) {
        self.name = name
        self.definition = definition
        self.source = source
        self.flow = flow
        self.deadLetters = deadLetters
        self.limits = limits
    }

    /// Before any routes.
    package var stages: [RecordStage] { flow.stages }

    /// Of all routes, in the order of the file.
    package var sinks: [SinkSettings] { flow.sinks }
}

/// Stages one after the other, and where their records go.
package struct RecordFlow: Sendable {
    package indirect enum End: Sendable {
        case sink(SinkSettings)
        case routes(Routes)
    }

    package var stages: [RecordStage]
    package var end: End

    package init(_ stages: [RecordStage], into end: End) {
        self.stages = stages
        self.end = end
    }

    package init(_ stages: [RecordStage], into sink: SinkSettings) {
        self.init(stages, into: .sink(sink))
    }

    package var sinks: [SinkSettings] {
        switch end {
        case .sink(let sink): [sink]
        case .routes(let routes): routes.all.flatMap(\.flow.sinks)
        }
    }

    /// Of all routes, too.
    var allStages: [RecordStage] {
        switch end {
        case .sink: stages
        case .routes(let routes): stages + routes.all.flatMap(\.flow.allStages)
        }
    }
}

/// Where a flow divides.
package struct Routes: Sendable {
    /// Which routes get a record.
    package enum Match: String, Sendable, CaseIterable {
        /// The first whose condition holds.
        case first
        /// A copy for each whose condition holds.
        case all
    }

    package var match: Match
    package var all: [Route]

    package init(_ all: [Route], match: Match = .first) {
        self.match = match
        self.all = all
    }

    /// The same records to several sinks.
    package init(copyingTo sinks: [SinkSettings]) {
        self.init(sinks.map { Route(name: nil, flow: RecordFlow([], into: $0)) }, match: .all)
    }
}

package struct Route: Sendable {
    /// Unique among its neighbours; `nil` for one of several sinks.
    package var name: String?
    /// `nil`: every record.
    package var condition: CellProgram?
    package var flow: RecordFlow

    package init(name: String?, condition: CellProgram? = nil, flow: RecordFlow) {
        self.name = name
        self.condition = condition
        self.flow = flow
    }
}

/// Where records come from, and how they are read.
package struct SourceSettings: Sendable {
    package var source: any RecordSource
    package var format: any Format
    package var onDamage: DamagePolicy
    /// Bytes. A longer record is a dead letter.
    package var maxRecord: Int

    package init(_ source: any RecordSource, format: any Format, onDamage: DamagePolicy = .salvage, maxRecord: Int = 16 << 20) {
        self.source = source
        self.format = format
        self.onDamage = onDamage
        self.maxRecord = maxRecord
    }

    /// In the order they are read.
    package var inputs: [InputFile] { source.inputs }
}

package struct RecordStage: Sendable {
    /// Unique in the pipeline.
    package var name: String
    package var verb: any Verb
    package var pool: PoolOptions
    package var onError: FailurePolicy
    /// What it may use; the run says so.
    package var room = StageRoom.standard

    package init(name: String, verb: any Verb, pool: PoolOptions = PoolOptions(), onError: FailurePolicy = .deadLetter) {
        self.name = name
        self.verb = verb
        self.pool = pool
        self.onError = onError
    }
}

/// The stage's worker pool. `nil`: the default for its verb.
package struct PoolOptions: Sendable {
    /// Between these many batches (records for `exec`) at once.
    package var workers: ClosedRange<Int>?
    /// Batches that may wait.
    package var queue: Int?
    /// For one attempt at one record.
    package var timeout: Duration?
    package var retry: RetryPolicy?

    package init(workers: ClosedRange<Int>? = nil, queue: Int? = nil, timeout: Duration? = nil, retry: RetryPolicy? = nil) {
        self.workers = workers
        self.queue = queue
        self.timeout = timeout
        self.retry = retry
    }
}

/// Where records go, and how they are written.
package struct SinkSettings: Sendable {
    package enum Order: String, Sendable, CaseIterable {
        case input, any
    }

    package var sink: any RecordSink
    package var format: any WritableFormat
    package var order: Order
    /// The fields that records have there, where that is known before a record is read.
    package var columns: [String]?

    package init(_ sink: any RecordSink, format: any WritableFormat = JSONL(), order: Order = .input, columns: [String]? = nil) {
        self.sink = sink
        self.format = format
        self.order = order
        self.columns = columns
    }
}

/// Bounds of a run.
public struct Limits: Sendable {
    /// How many records may fail.
    public enum DeadLetters: Sendable, Equatable {
        /// So many records.
        case count(Int)
        /// 0 to 1, of the records read; looked at from 1,000 records on and at the end.
        case share(Double)
    }

    /// Above it the run stops and publishes nothing. `nil`: no limit.
    package var deadLetters: DeadLetters?
    /// Bytes that batches on their way may take.
    package var memory: Int

    package init(deadLetters: DeadLetters? = nil, memory: Int = 512 << 20) {
        self.deadLetters = deadLetters
        self.memory = memory
    }
}
