/// A format that records are read from and, for some formats, written in. docs/formats.md specifies
/// each in detail.
public struct RecordFormat: Sendable {
    let format: any Format.Type
    private let options: @Sendable (inout Script) -> [String: Argument]

    /// - Parameter options: makes the format's options, which are the same as in pipeline files.
    init(_ format: any Format.Type, options: @escaping @Sendable (inout Script) -> [String: Argument] = { _ in [:] }) {
        self.format = format
        self.options = options
    }

    /// The format as in a pipeline file.
    func argument(_ script: inout Script) -> FormatArgument {
        let declaration = format.declaration
        let name = script.leaf(declaration.name)
        let values = options(&script)
        return FormatArgument(
            name: name, declaration: declaration, options: values.isEmpty ? nil : Arguments(values, at: script.place))
    }
}
