/// The shape of the value at one place of a pipeline file. Parsing, the JSON Schema, the reference
/// tables and the messages about invalid definitions are derived from it.
package indirect enum ArgumentShape: Sendable {
    /// An expression of any type.
    case expression
    /// An expression that is true or false.
    case condition
    case text
    case name(NameKind)
    /// The name of a field that records have at this place.
    case field
    /// The name of a field that need not exist.
    case newField
    case integer(ClosedRange<Int>)
    /// A number of records, 0 or more, a share of them such as `1%`, or `none` for no limit.
    case countOrShare
    /// A size in bytes, with an optional unit.
    case size(ClosedRange<Int>)
    /// A positive duration with a unit.
    case duration
    case flag
    case choice([String])
    /// A format to read: its name, or a map from its name to its options.
    case format
    /// A format to write.
    case writtenFormat
    /// A list of at least one element; without duplicates if `isSet`.
    case list(ArgumentShape, isSet: Bool = false)
    /// A list or map of entries that may be empty.
    case possiblyEmpty(ArgumentShape)
    /// A map of at least one entry, in the order of the file, which is significant.
    case entries(key: ArgumentShape, value: ArgumentShape)
    /// One word, or something else.
    case word(String, or: ArgumentShape)
    /// A map with known keys.
    case keys([ArgumentKey])
    /// The shorthand for a map of keys: the value of one of its keys.
    case short(ArgumentShape, for: String, in: [ArgumentKey])
}

/// A key of a map.
package struct ArgumentKey: Sendable {
    package var name: String
    package var shape: ArgumentShape
    package var isRequired: Bool
    /// The default, as it would be written; `nil` if there is none, or if it needs an explanation.
    package var defaultText: String?
    /// An example: `max: 8`.
    package var example: String
    /// One line for the reference table, without a full stop.
    package var summary: String

    package init(
        _ name: String, _ shape: ArgumentShape, isRequired: Bool = false, default: String? = nil, example: String, _ summary: String
    ) {
        self.name = name
        self.shape = shape
        self.isRequired = isRequired
        defaultText = `default`
        self.example = example
        self.summary = summary
    }
}

/// The declaration of a verb, a format, a source or a sink.
package struct Declaration: Sendable {
    /// As in pipeline files.
    package var name: String
    /// Alternative names.
    package var aliases: [String]
    /// One line for the reference table, without a full stop.
    package var summary: String
    package var argument: ArgumentShape
    /// Keys next to its own, in the same map.
    package var options: [ArgumentKey]
    /// An example: `keep: status >= 500`.
    package var example: String
    /// Names for the same thing in other programs, for messages. Pipeline files cannot use them.
    package var elsewhere: [String]

    package init(
        _ name: String, aliases: [String] = [], _ summary: String, argument: ArgumentShape, options: [ArgumentKey] = [], example: String,
        elsewhere: [String] = []
    ) {
        self.name = name
        self.aliases = aliases
        self.summary = summary
        self.argument = argument
        self.options = options
        self.example = example
        self.elsewhere = elsewhere
    }

    package func isCalled(_ name: String) -> Bool { self.name == name || aliases.contains(name) }
}
