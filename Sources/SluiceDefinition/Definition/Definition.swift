internal import Sluice
internal import SluiceRecords

/// A pipeline file as it was read: typed, every leaf with its place, parameters put in, nothing
/// compiled or opened.
///
/// What could not be read is `nil`, and has a diagnostic.
struct Definition: Sendable {
    var name: Leaf?
    var source: SourceDefinition?
    var flow = FlowDefinition()
    var deadLetters: Leaf?
    var limits = LimitsDefinition()
    var tests: [TestDefinition] = []
}

/// Stages and what they end in: sinks or routes.
struct FlowDefinition: Sendable {
    var stages: [StageDefinition] = []
    /// None where there are routes.
    var sinks: [SinkDefinition] = []
    var routes: RoutesDefinition?
    /// Whether something in it could not be read.
    var isIncomplete = false

    /// Of all its routes, in the order of the file.
    var allSinks: [SinkDefinition] { sinks + (routes?.all.flatMap(\.flow.allSinks) ?? []) }
}

struct RoutesDefinition: Sendable {
    var match = Routes.Match.first
    var all: [RouteDefinition] = []
}

struct RouteDefinition: Sendable {
    var name: Leaf
    /// `nil`: every record.
    var condition: Leaf?
    var flow: FlowDefinition
}

struct SourceDefinition: Sendable {
    var kind: any DeclaredSource.Type
    var argument: Argument?
    var options: Arguments
    var format: FormatArgument?
    var onDamage: DamagePolicy?
    /// Bytes.
    var maxRecord: Placed<Int>?
}

struct StageDefinition: Sendable {
    /// As written or by its verb; unique.
    var name: String
    /// For messages: `keep`, or `keep 'errors'` where the file names it.
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
    /// A format is written there that could not be read.
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
    /// Bytes.
    var memory: Placed<Int>?
}

/// One of the file's own tests; read so that files may have them, run by a later version.
struct TestDefinition: Sendable {
    var name: Leaf
    var input: [Leaf]
}
