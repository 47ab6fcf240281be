internal import SluiceRecords

/// What may stand at one place of a pipeline file: an argument, or what only the file itself is
/// made of.
///
/// With the tables of verbs, formats, sources and sinks it is the one description that the file is
/// read by, and that its JSON Schema and the tables of docs/pipeline-file.md are made from.
indirect enum FileShape: Sendable {
    case argument(ArgumentShape)
    case keys([FileKey])
    /// Of any length; nothing at all stands for none.
    case list(FileShape)
    /// One alone, or a list of at least one.
    case oneOrMore(FileShape)
    /// A map with the key of one of these, what belongs to that one, and further keys.
    case one(of: [Declaration], with: [ArgumentKey])
    /// Names, each with a value or none.
    case parameters
    case anything
}

/// A key of a map of the file.
struct FileKey: Sendable {
    var name: String
    var shape: FileShape
    var isRequired: Bool
    /// Another key of the map: exactly one of the two must be there.
    var alternative: String?
    /// How it may be written.
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
    /// The declaration as a key of the map that it stands in.
    func key(isRequired: Bool) -> ArgumentKey {
        ArgumentKey(name, argument, isRequired: isRequired, example: example, summary)
    }
}
