import SluiceCEL

/// Columns that a definition names and the first input does not have, which is no error: other
/// inputs may have them.
package struct MissingColumns: Sendable {
    /// For the user: `in.csv has no column 'status' (did you mean 'Status'?), which 'types' names`.
    package let messages: [String]

    /// - Parameter stages: those whose lists of fields are checked, as far as only columns can be
    ///   in them.
    /// - Returns: `nil` if all are there, or that cannot be seen from the beginning of a file.
    package init?(of settings: SourceSettings, stages: [RecordStage] = []) {
        let typed = (settings.format as? any InferringFormat)?.typedFields ?? []
        let lists = Self.lists(in: stages)
        guard !typed.isEmpty || !lists.isEmpty, let format = settings.format as? any HeadedFormat, format.needsHead,
            let input = settings.inputs.first, input.size != nil, !input.isStandardInput, !Address.isAddress(input.path),
            settings.archive == nil,
            let text = try? InputBeginning.text(of: input, from: settings.source, as: nil), let head = Self.head(of: text, settings)
        else { return nil }
        let columns = format.completed(by: head).schema.names
        guard !columns.isEmpty else { return nil }
        messages = ([(name: "types", fields: typed)] + lists).flatMap { list in
            list.fields.filter { $0.index(in: columns) == nil }.map {
                "\(input.path) has no column '\($0)'\(didYouMean($0, among: columns)), which '\(list.name)' names"
            }
        }
        if messages.isEmpty { return nil }
    }

    /// Lists of fields by stage, up to the first stage that may add a field.
    private static func lists(in stages: [RecordStage]) -> [(name: String, fields: [String])] {
        stages.prefix { $0.verb.leavesRecords || $0.verb is any FieldListVerb }.compactMap { stage in
            (stage.verb as? any FieldListVerb).map { (stage.name, $0.names) }
        }
    }

    private static func head(of text: [UInt8], _ settings: SourceSettings) -> FileHead? {
        let memory = MemorySource(["beginning": text])
        var configuration = BatchReader.Configuration(spillFolder: "")
        configuration.isPlain = true
        configuration.framing = settings.framing
        configuration.encoding = settings.encoding
        guard let input = memory.inputs.first, let bytes = try? memory.open(input, at: 0),
            let reader = try? BatchReader(
                input, of: bytes, index: 0, configuration: configuration, buffers: BufferPool(capacity: Batch.targetBytes, most: 1))
        else { return nil }
        defer { reader.close() }
        return (try? reader.next())?.head
    }
}
