internal import SluiceRecords

extension DefinitionReading {
    mutating func readSink(_ node: YAMLNode) -> SinkDefinition? {
        guard let map = map(node, "sink", example: "sink: {file: out/errors.jsonl.gz}") else { return nil }
        check(map, of: "sink", takes: .sink)
        guard let destination = readDestination(map) else { return nil }
        var sink = SinkDefinition(destination: destination, place: map.place)
        if let node = map["format"] { sink.format = text(node, "sink: 'format'").flatMap { writableFormat($0) } }
        if let node = map["level"] { sink.level = text(node, "sink: 'level'") }
        if let node = map["order"] { sink.order = choice(node, "sink: 'order'", of: RecordSink.Order.self) }
        return sink
    }

    private mutating func readDestination(_ map: YAMLMap) -> SinkDefinition.Destination? {
        let fix = "write 'file: out/errors.jsonl.gz' or 'stdout: true'"
        switch (map["file"], map["stdout"]) {
        case (let node?, nil):
            guard let path = text(node, "sink: 'file'", fix: fix) else { return nil }
            return .file(path)
        case (nil, let node?):
            guard let leaf = text(node, "sink: 'stdout'", fix: "write 'stdout: true'") else { return nil }
            if leaf.text != "true" { report("sink: 'stdout' cannot be '\(leaf.text)'", at: leaf.place, fix: fix) }
            return .stdout
        case (.some, let node?):
            report("sink: both 'file' and 'stdout'", at: node.place, fix: fix)
            return nil
        case (nil, nil):
            report("sink: neither 'file' nor 'stdout'", at: map.place, fix: fix)
            return nil
        }
    }

    private mutating func writableFormat(_ leaf: Leaf) -> FormatName? {
        guard leaf.isComplete else { return nil }
        let fix = "this version writes: \(FormatName.written)"
        guard let name = FormatName(leaf.text) else {
            report("sink: no such format '\(leaf.text)'\(didYouMean(leaf.text, among: FormatName.allCases.map(\.rawValue)))", at: leaf.place, fix: fix)
            return nil
        }
        if name.isWritten { return name }
        let reason = name.isRead ? "can be read but not written" : "is not supported in this version"
        report("sink: the format '\(name.rawValue)' \(reason)", at: leaf.place, fix: fix)
        return nil
    }

    mutating func readLimits(_ node: YAMLNode) -> LimitsDefinition {
        var limits = LimitsDefinition()
        guard let map = map(node, "limits", example: "limits: {dead_letters: 1%}") else { return limits }
        check(map, of: "limits", takes: .limits)
        if let node = map["dead_letters"] { limits.deadLetters = readDeadLetterLimit(node) }
        if let node = map["memory"] { limits.memory = size(node, "limits: 'memory'", in: (16 << 20)...(1 << 50)) }
        return limits
    }

    private mutating func readDeadLetterLimit(_ node: YAMLNode) -> Limits.DeadLetters? {
        let fix = "write a number of records such as 100, or a share such as 1%"
        guard let leaf = text(node, "limits: 'dead_letters'", fix: fix) else { return nil }
        if let count = Int(leaf.text), count >= 0 { return .count(count) }
        if let share = Amounts.share(leaf.text) { return .share(share) }
        report("limits: 'dead_letters' cannot be '\(leaf.text)'", at: leaf.place, fix: fix)
        return nil
    }

    /// Reads the shape of `tests`; their expectations are for the version that runs them.
    mutating func readTests(_ node: YAMLNode) -> [TestDefinition] {
        guard let nodes = list(node, "tests", example: "tests: [{name: …, input: ['…'], output: []}]") else { return [] }
        return nodes.compactMap { node in
            guard let map = map(node, "tests", example: "- {name: …, input: ['…'], output: []}") else { return nil }
            check(map, of: "tests", takes: .test)
            for key in ["output", "dead_letters"] {
                if let node = map[key] { _ = list(node, "tests: '\(key)'", example: "\(key): []") }
            }
            guard let name = map["name"].flatMap({ text($0, "tests: 'name'") }),
                let input = map["input"].flatMap({ list($0, "tests: 'input'", example: "input: ['…']") })
            else { return nil }
            return TestDefinition(name: name, input: input.compactMap { text($0, "tests: 'input'") })
        }
    }
}
