internal import SluiceRecords

extension DefinitionReading {
    /// Reads a whole pipeline file.
    mutating func readDefinition(_ root: YAMLNode, settings: [String: String]) -> Definition {
        var definition = Definition()
        guard let map = map(root, "a pipeline file", example: "name: access-errors") else { return definition }
        check(map, of: "the pipeline file", takes: .file)
        readParameters(map["params"], settings: settings)
        if let node = map["name"] { definition.name = readPipelineName(node) }
        if let node = map["description"] { _ = text(node, "description") }
        if let node = map["source"] { definition.source = readSource(node) }
        if let node = map["stages"] { definition.stages = readStages(node) }
        if let node = map["sink"] {
            definition.sink = readSink(node)
        } else if map["routes"] == nil {
            report("the pipeline file: 'sink' is missing", at: map.place, fix: "add 'sink: {file: out/errors.jsonl.gz}' or 'sink: {stdout: true}'")
        }
        if let node = map["dead_letter"] { definition.deadLetters = text(node, "dead_letter", fix: "write 'dead_letter: out/dead-letter.jsonl.gz'") }
        if let node = map["limits"] { definition.limits = readLimits(node) }
        if let node = map["tests"] { definition.tests = readTests(node) }
        if let memory = definition.limits.memory, let longest = definition.source?.maxRecord, longest.value > memory.value {
            report("source: 'max_record' is more than 'limits.memory'", at: longest.place, fix: "raise the memory, or take shorter records")
        }
        reportUnusedParameters()
        return definition
    }

    /// The name is part of the state folder's path.
    private mutating func readPipelineName(_ node: YAMLNode) -> Leaf? {
        let fix = "use letters, digits and '-'"
        guard let name = text(node, "name", fix: fix) else { return nil }
        let isName =
            !name.text.isEmpty && name.text.utf8.count <= 100
            && name.text.unicodeScalars.allSatisfy { $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "-") }
        guard isName, name.text.first != "-" else {
            report("name: '\(name.text)' is no name for a pipeline", at: name.place, fix: fix)
            return nil
        }
        return name
    }
}
