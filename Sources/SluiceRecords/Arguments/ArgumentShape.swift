/// What may stand at one place of a pipeline file: what reading, the JSON Schema, the reference
/// tables and the messages about wrong definitions are made from.
package indirect enum ArgumentShape: Sendable {
    /// An expression, of any type.
    case expression
    /// An expression that is true or false.
    case condition
    case text
    case name(NameKind)
    /// The name of a field that records have there.
    case field
    /// The name of a field that need not be there before.
    case newField
    case integer(ClosedRange<Int>)
    /// A number of records, 0 or more, or a share of them: `1%`.
    case countOrShare
    /// Bytes, with or without a unit.
    case size(ClosedRange<Int>)
    /// More than zero, with a unit.
    case duration
    case flag
    case choice([String])
    /// A format that is read: its name, or a map of its name to its options.
    case format
    /// A format that is written.
    case writtenFormat
    /// At least one of them; no text twice where `isSet`.
    case list(ArgumentShape, isSet: Bool = false)
    /// The same, where an empty list means something.
    case possiblyEmpty(ArgumentShape)
    /// At least one entry, in the order of the file, which is part of what the map means.
    case entries(key: ArgumentShape, value: ArgumentShape)
    /// A map of known keys.
    case keys([ArgumentKey])
    /// The short way of writing a map of keys: its one argument alone.
    case short(ArgumentShape, for: String, in: [ArgumentKey])
}

/// A key of a map.
package struct ArgumentKey: Sendable {
    package var name: String
    package var shape: ArgumentShape
    package var isRequired: Bool
    /// What holds where the key is not written, as it would be written; `nil` where that needs more
    /// words.
    package var defaultText: String?
    /// How it may be written: `max: 8`.
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

/// What a verb, a format, a source or a sink says of itself.
package struct Declaration: Sendable {
    /// As in the pipeline file.
    package var name: String
    /// Other names for the same.
    package var aliases: [String]
    /// One line for the reference table, without a full stop.
    package var summary: String
    package var argument: ArgumentShape
    /// Keys beside its own, in the same map.
    package var options: [ArgumentKey]
    /// How it may be written: `keep: status >= 500`.
    package var example: String

    package init(
        _ name: String, aliases: [String] = [], _ summary: String, argument: ArgumentShape, options: [ArgumentKey] = [], example: String
    ) {
        self.name = name
        self.aliases = aliases
        self.summary = summary
        self.argument = argument
        self.options = options
        self.example = example
    }

    package func isCalled(_ name: String) -> Bool { self.name == name || aliases.contains(name) }
}
