package import Sluice
package import SluiceCEL

/// A pipeline of records with everything decided: what a pipeline file becomes once it is checked,
/// its parameters are substituted and its expressions compiled. A value: no file is opened before
/// ``RecordRun/run()``.
package struct RecordPipeline: Sendable {
    /// Letters, digits and `-`.
    package var name: String
    /// `sha256:` and the digest, in 64 hexadecimal digits, of the definition with its parameters.
    package var definition: String
    package var source: SourceSettings
    package var flow: RecordFlow
    /// The path of the dead-letter file, compressed if it ends in `.gz`.
    package var deadLetters: String
    /// A sink that takes dead letters instead of the file, as its output of that name.
    package var deadLetterSink: (any RecordSink)?
    package var limits: Limits
    /// The path of the pipeline file that this was read from.
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

    /// The stages before any routes.
    package var stages: [RecordStage] { flow.stages }

    /// The sinks of all routes, in the order of the file.
    package var sinks: [SinkSettings] { flow.sinks }

    /// The lookup tables of the stages, followed by the inputs.
    var filesRead: [InputFile] { flow.allStages.flatMap(\.verb.files).map { InputFile(path: $0) } + source.inputs }

    /// What tells whether the secrets of the stages are the same as in another run.
    var secretProofs: [String] { flow.allStages.flatMap(\.verb.secretProofs) }
}

/// A sequence of stages, and where their records go.
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

    /// Including those of all routes.
    var allStages: [RecordStage] {
        switch end {
        case .sink: stages
        case .routes(let routes): stages + routes.all.flatMap(\.flow.allStages)
        }
    }

    /// The number of records that a batch may have.
    var mostRecords: Int { allStages.compactMap(\.verb.mostRecords).min() ?? .max }

    /// A copy with other stages.
    func replacingStages(_ replacement: (RecordStage) -> RecordStage) -> RecordFlow {
        guard case .routes(var routes) = end else { return RecordFlow(stages.map(replacement), into: end) }
        for index in routes.all.indices { routes.all[index].flow = routes.all[index].flow.replacingStages(replacement) }
        return RecordFlow(stages.map(replacement), into: .routes(routes))
    }

    /// A copy with other sinks.
    package func replacingSinks(_ replacement: (SinkSettings) -> SinkSettings) -> RecordFlow {
        switch end {
        case .sink(let sink): return RecordFlow(stages, into: replacement(sink))
        case .routes(var routes):
            for index in routes.all.indices { routes.all[index].flow = routes.all[index].flow.replacingSinks(replacement) }
            return RecordFlow(stages, into: .routes(routes))
        }
    }
}

/// The routes that a flow divides into.
package struct Routes: Sendable {
    package typealias Match = RouteMatch

    package var match: Match
    package var all: [Route]

    package init(_ all: [Route], match: Match = .first) {
        self.match = match
        self.all = all
    }

    /// Sends the same records to several sinks.
    package init(copyingTo sinks: [SinkSettings]) {
        self.init(sinks.map { Route(name: nil, flow: RecordFlow([], into: $0)) }, match: .all)
    }
}

package struct Route: Sendable {
    /// Unique among its siblings; `nil` for one of several sinks.
    package var name: String?
    /// `nil`: takes every record.
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
    /// In bytes. A longer record becomes a dead letter.
    package var maxRecord: Int
    package var encoding = TextEncoding.utf8
    /// Set if the inputs are archives of files; `nil`: they are files of records.
    package var archive: Archive?
    /// `nil` without `new_only`.
    package var newOnly: NewOnly?
    /// How lines are joined to records before the format reads them; `nil`: they are not.
    package var multiline: Multiline?
    /// Set if the inputs are dead letters, whose records are fed in again.
    var replay: Replay?
    /// In a task: the number of the run's inputs before these.
    package var inputsBefore = 0
    /// In a task: where the first input is begun, and the number of batches of the last one at
    /// which it is left; `nil`: it is read from its beginning, and to its end.
    package var start: InputCut?
    package var end: Int?
    /// In a task: the run's first input, whose records give the types if they are inferred.
    package var firstInput: InputFile?

    package init(_ source: any RecordSource, format: any Format, onDamage: DamagePolicy = .salvage, maxRecord: Int = 16 << 20) {
        self.source = source
        self.format = format
        self.onDamage = onDamage
        self.maxRecord = maxRecord
    }

    /// In the order of reading.
    package var inputs: [InputFile] { source.inputs }

    /// Reads texts of records, in UTF-8, instead of the inputs.
    package mutating func replaceInputs(by texts: [(name: String, bytes: [UInt8])]) {
        source = MemorySource(named: texts)
        archive = nil
        encoding = .utf8
    }

    /// The same settings with other files as inputs.
    package func reading(_ inputs: [InputFile]) -> SourceSettings {
        var other = self
        other.source = FileSource(inputs)
        return other
    }

    package var framing: Framing { multiline.map { .multiline($0) } ?? format.framing }
}

package struct RecordStage: Sendable {
    /// Unique in the pipeline.
    package var name: String
    package var verb: any Verb
    package var pool: PoolOptions
    package var onError: FailurePolicy
    /// The memory and folder that the stage may use; set by the run.
    package var room = StageRoom.standard
    /// The fields of the records that leave the stage, if known from the definition.
    package var fields: Schema?
    /// Whether every record passes unchanged: in a replay, the records that reach the stage have
    /// passed it before.
    var isPassed = false

    package init(name: String, verb: any Verb, pool: PoolOptions = PoolOptions(), onError: FailurePolicy = .deadLetter, fields: Schema? = nil) {
        self.fields = fields
        self.name = name
        self.verb = verb
        self.pool = pool
        self.onError = onError
    }
}

/// Settings of a stage's worker pool. `nil`: the verb's default.
package struct PoolOptions: Sendable {
    /// The minimum and maximum number of batches (records for `exec`) at once.
    package var workers: ClosedRange<Int>?
    /// The number of batches that may wait.
    package var queue: Int?
    /// The limit for one attempt at one record.
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
    /// The fields of the records there, if known before any record is read.
    package var columns: [String]?

    package init(_ sink: any RecordSink, format: any WritableFormat = JSONL(), order: Order = .input, columns: [String]? = nil) {
        self.sink = sink
        self.format = format
        self.order = order
        self.columns = columns
    }
}

/// Limits of a run.
public struct Limits: Sendable, Equatable {
    /// From how many records on a share is checked before the end.
    static let recordsForShare = 1000

    /// How many records may fail.
    public enum DeadLetters: Sendable, Equatable {
        /// An absolute number of records.
        case count(Int)
        /// A fraction, 0 to 1, of the records read; checked from 1,000 records on and at the end.
        case share(Double)
        /// No limit, even if all records fail.
        case all
    }

    /// If exceeded, the run stops and publishes nothing. `nil`: any number, but not all records if
    /// there are 100 or more.
    package var deadLetters: DeadLetters?
    /// The memory, in bytes, that batches in flight may take.
    package var memory: Int

    package init(deadLetters: DeadLetters? = nil, memory: Int = 512 << 20) {
        self.deadLetters = deadLetters
        self.memory = memory
    }
}
