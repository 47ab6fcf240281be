internal import Sluice
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

/// A test in the file. It is parsed so that files may have tests, but not run by this version.
struct TestDefinition: Sendable {
    var name: Leaf
    var input: [Leaf]
}
