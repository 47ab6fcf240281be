/// How records are read from text and, for some formats, written to it. docs/formats.md describes
/// each to the byte.
public struct RecordFormat: Sendable {
    let format: any Format.Type
    private let options: @Sendable (inout Script) -> [String: Argument]

    /// - Parameter options: makes the format's options, which it has in a pipeline file, too.
    init(_ format: any Format.Type, options: @escaping @Sendable (inout Script) -> [String: Argument] = { _ in [:] }) {
        self.format = format
        self.options = options
    }

    /// As a pipeline file would have it.
    func argument(_ script: inout Script) -> FormatArgument {
        let declaration = format.declaration
        let name = script.leaf(declaration.name)
        let values = options(&script)
        return FormatArgument(
            name: name, declaration: declaration, options: values.isEmpty ? nil : Arguments(values, at: script.place))
    }
}
