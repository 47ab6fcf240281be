internal import SluiceCEL
internal import SluiceRecords

extension DefinitionReading {
    mutating func readTests(_ node: YAMLNode, of source: SourceDefinition?) -> [TestDefinition] {
        guard let nodes = rows(node, "tests", example: "tests: [{name: …, input: ['…'], output: []}]") else { return [] }
        return nodes.compactMap { readTest($0, of: source) }
    }

    private mutating func readTest(_ node: YAMLNode, of source: SourceDefinition?) -> TestDefinition? {
        guard let map = map(node, "tests", example: "- {name: …, input: ['…'], output: []}") else { return nil }
        check(map, of: "tests", takes: FileKeys.test)
        let name = map["name"].flatMap { text($0, "tests: 'name'") }
        let owner = name.map { "tests '\($0.text)'" } ?? "tests"
        let input = map["input"].flatMap { rows($0, "\(owner): 'input'", example: "input: ['…']") }?.compactMap { inputRecord($0, owner, source) }
        let output = map["output"].map { readOutput($0, "\(owner): 'output'") }
        let letters = map["dead_letters"].flatMap { rows($0, "\(owner): 'dead_letters'", example: "dead_letters: [{code: …}]") } ?? []
        let expected = letters.compactMap { readDeadLetter($0, owner) }
        if map["output"] == nil, map["dead_letters"] == nil, map["input"] != nil {
            report(
                "\(owner): neither 'output' nor 'dead_letters'", at: map.place, fix: "give the expected result; 'output: []' means that nothing is written")
        }
        guard let name, let input else { return nil }
        let record = map["output"].flatMap { Self.firstRecord(in: $0) }
        return TestDefinition(name: name, input: input, output: output, deadLetters: expected, recordPlace: record?.place)
    }

    private mutating func inputRecord(_ node: YAMLNode, _ owner: String, _ source: SourceDefinition?) -> String? {
        guard case .map = node else { return text(node, "\(owner): 'input'", fix: "write the record as text: input: ['…']")?.text }
        if let format = source?.format, format.declaration.name != JSONL.name {
            report(
                "\(owner): 'input': a record of the format '\(format.declaration.name)' must be text", at: node.place,
                fix: "write the record as text: input: ['…']")
            return nil
        }
        return value(node).jsonText
    }

    /// A list of records, or a map from the names of outputs to lists.
    private mutating func readOutput(_ node: YAMLNode, _ what: String) -> ExpectedOutput {
        guard case .map(let map) = node else {
            return .records((rows(node, what, example: "output: [{status: 500}]") ?? []).compactMap { expectedRecord($0, what) })
        }
        return .files(
            map.entries.map { entry in
                let name = substituted(entry.key).text
                let records = rows(entry.value, "\(what): '\(name)'", example: "output: {out/x.jsonl: [{status: 500}]}") ?? []
                return (name, records.compactMap { expectedRecord($0, what) })
            })
    }

    private mutating func expectedRecord(_ node: YAMLNode, _ what: String) -> ExpectedRecord? {
        switch node {
        case .map: return .value(value(node))
        case .leaf: return text(node, what).map { .text($0.text) }
        case .list:
            report("\(what): a record must be a map or text, not a list", at: node.place, fix: "write 'output: [{status: 500}]'")
            return nil
        }
    }

    private static func firstRecord(in node: YAMLNode) -> YAMLNode? {
        let lists = if case .map(let map) = node { map.entries.map(\.value) } else { [node] }
        for case .list(let list) in lists {
            for case .map(let record) in list.elements { return .map(record) }
        }
        return nil
    }

    private mutating func readDeadLetter(_ node: YAMLNode, _ owner: String) -> ExpectedDeadLetter? {
        let what = "\(owner): 'dead_letters'"
        guard let map = map(node, what, example: "dead_letters: [{stage: source, code: parse.\(Formats.names[0])}]") else { return nil }
        check(map, of: "\(owner): dead_letters", takes: FileKeys.testDeadLetter)
        func leaf(_ key: String, _ reading: inout DefinitionReading) -> Leaf? { map[key].flatMap { reading.text($0, "\(what): '\(key)'") } }
        return ExpectedDeadLetter(
            stage: leaf("stage", &self), code: leaf("code", &self)?.text, message: leaf("message", &self)?.text, raw: leaf("raw", &self)?.text)
    }

    /// A scalar as a JSON value: plain numbers, `true`, `false` and null have their JSON meaning,
    /// everything else is text.
    private mutating func value(_ node: YAMLNode) -> Value {
        switch node {
        case .leaf(let leaf): leaf.isNull ? .null : Self.value(of: substituted(leaf))
        case .list(let list): .list(list.elements.map { value($0) })
        case .map(let map): .map(self.map(of: map))
        }
    }

    private mutating func map(of map: YAMLMap) -> ValueMap {
        var values = ValueMap()
        for entry in map.entries { values.set(entry.key.text, to: value(entry.value)) }
        return values
    }

    private static func value(of leaf: Leaf) -> Value {
        let text = leaf.text
        guard leaf.isPlain else { return .string(text) }
        if let number = Int64(text), !text.hasPrefix("+") { return .int(number) }
        if let number = UInt64(text), !text.hasPrefix("+") { return .uint(number) }
        if text == "true" || text == "false" { return .bool(text == "true") }
        let isNumber = text.first.map { $0.isNumber || $0 == "-" } == true && text.allSatisfy { "0123456789.eE+-".contains($0) }
        return isNumber ? Double(text).map(Value.double) ?? .string(text) : .string(text)
    }
}
