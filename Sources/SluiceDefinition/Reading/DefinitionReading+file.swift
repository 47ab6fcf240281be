internal import SluiceRecords

extension DefinitionReading {
    /// Parses a whole pipeline file.
    mutating func readDefinition(_ root: YAMLNode, settings: [String: String]) -> Definition {
        var definition = Definition()
        guard let map = map(root, "a pipeline file", example: FileKeys.file[0].example) else { return definition }
        check(map, of: "the pipeline file", takes: FileKeys.file)
        readParameters(map["params"], settings: settings)
        if let node = map["name"] { definition.name = name(node, .pipeline, "name", of: "name") }
        if let node = map["description"] { _ = text(node, "description") }
        if let node = map["source"] { definition.source = readSource(node) }
        definition.flow = readFlow(map, "the pipeline file", depth: 0)
        if let node = map["dead_letter"] { definition.deadLetters = text(node, "dead_letter", fix: "write 'dead_letter: out/dead-letter.jsonl.gz'") }
        if let node = map["limits"] { definition.limits = readLimits(node) }
        if let node = map["tests"] { definition.tests = readTests(node, of: definition.source) }
        if let memory = definition.limits.memory, let longest = definition.source?.maxRecord, longest.value > memory.value {
            report("source: 'max_record' is greater than 'limits.memory'", at: longest.place, fix: "raise 'limits.memory', or lower 'max_record'")
        }
        reportUnusedParameters()
        return definition
    }
}
