internal import Sluice
internal import SluiceCEL
internal import SluiceRecords

/// A parsed pipeline file: typed, every value with its place, parameters substituted, but nothing
/// compiled or opened.
///
/// Parts that could not be parsed are `nil` and have a diagnostic.
struct Definition: Sendable {
    var name: Leaf?
    var source: SourceDefinition?
    var flow = FlowDefinition()
    var deadLetters: Leaf?
    var limits = LimitsDefinition()
    var tests: [TestDefinition] = []
}

/// Stages, and the sinks or routes after them.
struct FlowDefinition: Sendable {
    var stages: [StageDefinition] = []
    /// Empty if there are routes.
    var sinks: [SinkDefinition] = []
    var routes: RoutesDefinition?
    /// Whether a part of it could not be parsed.
    var isIncomplete = false

    /// The sinks of all routes, in the order of the file.
    var allSinks: [SinkDefinition] { sinks + (routes?.all.flatMap(\.flow.allSinks) ?? []) }
}

struct RoutesDefinition: Sendable {
    var match = Routes.Match.first
    var all: [RouteDefinition] = []
}

struct RouteDefinition: Sendable {
    var name: Leaf
    /// `nil`: takes every record.
    var condition: Leaf?
    var flow: FlowDefinition
}

struct SourceDefinition: Sendable {
    var kind: any DeclaredSource.Type
    var argument: Argument?
    var options: Arguments
    var format: FormatArgument?
    var onDamage: DamagePolicy?
    /// In bytes.
    var maxRecord: Placed<Int>?
    var encoding: TextEncoding?
    var archive: Leaf?
    var multiline: Arguments?
    var year: Placed<Int>?
    var zone: Leaf?
}

struct StageDefinition: Sendable {
    /// As written, or derived from its verb; unique.
    var name: String
    /// The prefix of messages: `keep`, or `keep 'errors'` if the stage has a name in the file.
    var label: String
    var place: TextPlace
    var verb: VerbDefinition?
    var pool = PoolOptions()
    var onError = FailurePolicy.deadLetter
}

struct VerbDefinition: Sendable {
    var verb: any Verb.Type
    var argument: Argument
    var options: Arguments
}

struct SinkDefinition: Sendable {
    var kind: any DeclaredSink.Type
    var argument: Argument
    var options = Arguments()
    var format: FormatArgument?
    /// Whether a format is given that could not be parsed.
    var isFormatUnread = false
    var order: SinkSettings.Order?
    var place: TextPlace

    init(kind: any DeclaredSink.Type, argument: Argument, place: TextPlace) {
        self.kind = kind
        self.argument = argument
        self.place = place
    }
}

struct LimitsDefinition: Sendable {
    var deadLetters: Limits.DeadLetters?
    /// In bytes.
    var memory: Placed<Int>?
}

/// A test in the file.
struct TestDefinition: Sendable {
    var name: Leaf
    /// The input records as text, in order.
    var input: [String]
    /// `nil` if the test doesn't check the output.
    var output: ExpectedOutput?
    var deadLetters: [ExpectedDeadLetter]
    /// The position of an expected record that is given as a map, for which the sink must write
    /// records rather than text.
    var recordPlace: TextPlace?
}

/// The expected output.
enum ExpectedOutput: Sendable {
    /// The records of all outputs together.
    case records([ExpectedRecord])
    /// The records of each output, keyed by name.
    case files([(name: String, records: [ExpectedRecord])])
}

enum ExpectedRecord: Sendable {
    /// A value, regardless of the order of its fields.
    case value(Value)
    /// One or more lines, compared byte by byte.
    case text(String)
}

/// The parts of a dead letter that a test specifies.
struct ExpectedDeadLetter: Sendable {
    var stage: Leaf?
    var code: String?
    /// A substring of the message.
    var message: String?
    var raw: String?
}
