internal import SluiceRecords

/// A pipeline file as it was read: typed, every leaf with its place, parameters put in, nothing compiled or opened.
///
/// What could not be read is `nil`, and has a diagnostic.
struct Definition: Sendable {
    var name: Leaf?
    var source: SourceDefinition?
    var stages: [StageDefinition] = []
    var sink: SinkDefinition?
    var deadLetters: Leaf?
    var limits = LimitsDefinition()
    var tests: [TestDefinition] = []
}

struct SourceDefinition: Sendable {
    var files: [Leaf]
    var format: FormatDefinition?
    var onDamage: DamagePolicy?
    /// Bytes.
    var maxRecord: Placed<Int>?
}

/// A format by its name, with what some need besides.
struct FormatDefinition: Sendable {
    var name: FormatName
    var place: Place
    var pattern: Leaf?
}

struct StageDefinition: Sendable {
    /// As written or by its verb; unique.
    var name: String
    /// For messages: `keep`, or `keep 'errors'` where the file names it.
    var label: String
    var place: Place
    var verb: VerbDefinition?
    var pool = PoolOptions()
    var onError = FailurePolicy.deadLetter
}

enum VerbDefinition: Sendable {
    case keep(Leaf)
    case drop(Leaf)
    case set([Assignment])
    case select([Leaf])
    case remove([Leaf])
    case rename([Renaming])
    case parse(ParseDefinition)
    case exec([Leaf])

    struct Assignment: Sendable {
        var field: Leaf
        var value: Leaf
    }

    struct Renaming: Sendable {
        var old: Leaf
        var new: Leaf
    }
}

struct ParseDefinition: Sendable {
    var field: Leaf
    var format: FormatDefinition?
    var into: Leaf?
}

struct SinkDefinition: Sendable {
    enum Destination: Sendable {
        case stdout
        case file(Leaf)
    }

    var destination: Destination
    var format: FormatName?
    var level: Leaf?
    var order: RecordSink.Order?
    var place: Place
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
