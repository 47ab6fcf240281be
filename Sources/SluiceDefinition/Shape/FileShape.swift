internal import SluiceRecords

/// The shape of the value at one place of a pipeline file: an argument, or a structure that only
/// the file itself has.
///
/// Together with the tables of verbs, formats, sources and sinks, it is the single description from
/// which the parser, the JSON Schema and the tables of docs/pipeline-file.md are derived.
indirect enum FileShape: Sendable {
    case argument(ArgumentShape)
    case keys([FileKey])
    /// A list of any length, or null.
    case list(FileShape)
    /// One element, or a list of at least one.
    case oneOrMore(FileShape)
    /// A map with the key of exactly one declaration, the options of that one, and further keys.
    case one(of: [Declaration], with: [ArgumentKey])
    /// Names with optional values.
    case parameters
    case anything
}

/// A key of a map in the file.
struct FileKey: Sendable {
    var name: String
    var shape: FileShape
    var isRequired: Bool
    /// Another key of the map. Exactly one of the two must be present.
    var alternative: String?
    /// An example of the syntax.
    var example: String
    /// One line for the reference table, without a full stop.
    var summary: String
    var defaultText: String?

    init(
        _ name: String, _ shape: FileShape, isRequired: Bool = false, or alternative: String? = nil, example: String, _ summary: String
    ) {
        self.name = name
        self.shape = shape
        self.isRequired = isRequired
        self.alternative = alternative
        self.example = example
        self.summary = summary
    }

    init(_ key: ArgumentKey) {
        self.init(key.name, .argument(key.shape), isRequired: key.isRequired, example: key.example, key.summary)
        defaultText = key.defaultText
    }
}

extension Declaration {
    /// The declaration as a key of the containing map.
    func key(isRequired: Bool) -> ArgumentKey {
        ArgumentKey(name, argument, isRequired: isRequired, example: example, summary)
    }
}
