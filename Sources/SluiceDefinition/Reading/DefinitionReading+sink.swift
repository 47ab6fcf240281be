internal import SluiceRecords

extension DefinitionReading {
    private static let sinkKeys = [
        ArgumentKey("format", .writtenFormat, example: "format: jsonl", "how the records are written; by default as the file's name says, else `jsonl`"),
        ArgumentKey(
            "order", .choice(SinkSettings.Order.allCases.map(\.rawValue)), example: "order: input",
            "`input` (default): as they were read; `any`: as they come"),
    ]

    mutating func readSink(_ node: YAMLNode) -> SinkDefinition? {
        guard let map = map(node, "sink", example: "sink: {file: out/errors.jsonl.gz}") else { return nil }
        let kinds = Sinks.all.filter { map[$0.declaration.name] != nil }
        let options = (kinds.isEmpty ? Sinks.all : kinds).flatMap { $0.declaration.options }
        check(map, of: "sink", takes: Keys(Sinks.all.map { $0.declaration.key(isRequired: false) } + options + Self.sinkKeys))
        let fix = "write 'file: out/errors.jsonl.gz' or 'stdout: true'"
        guard let kind = kinds.first else {
            let names = Sinks.names.map { "'\($0)'" }.joined(separator: " nor ")
            report("sink: neither \(names)", at: map.place, fix: fix)
            return nil
        }
        let declaration = kind.declaration
        if kinds.count > 1, let other = map[kinds[1].declaration.name] {
            report("sink: both '\(declaration.name)' and '\(kinds[1].declaration.name)'", at: other.place, fix: fix)
            return nil
        }
        guard
            let argument = map[declaration.name].flatMap({
                self.argument($0, as: declaration.argument, "sink: '\(declaration.name)'", example: declaration.example)
            })
        else { return nil }
        var sink = SinkDefinition(kind: kind, argument: argument, place: map.place)
        sink.options = values(of: map, declaration.options, of: "sink") ?? Arguments()
        let settings = values(of: map, Self.sinkKeys, of: "sink")
        if case .format(let format)? = settings?["format"] { sink.format = format }
        sink.isFormatUnread = map["format"] != nil && sink.format == nil
        sink.order = settings?["order"]?.leaf.flatMap { SinkSettings.Order(rawValue: $0.text) }
        return sink
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
