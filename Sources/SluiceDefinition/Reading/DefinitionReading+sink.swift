internal import SluiceRecords

extension DefinitionReading {
    mutating func readSink(_ node: YAMLNode) -> SinkDefinition? {
        guard let map = map(node, "sink", example: "sink: {\(FileKeys.sinks[0].example)}") else { return nil }
        let kinds = Sinks.all.filter { map[$0.declaration.name] != nil }
        let options = (kinds.isEmpty ? Sinks.all : kinds).flatMap { $0.declaration.options }
        check(map, of: "sink", takes: FileKeys.sinks.map { $0.key(isRequired: false) } + options + FileKeys.sink)
        let fix = "write " + FileKeys.sinks.map { "'\($0.example)'" }.joined(separator: " or ")
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
                self.argument($0, as: declaration.argument, "sink: '\(declaration.name)'", example: "sink: {\(declaration.example)}")
            })
        else { return nil }
        var sink = SinkDefinition(kind: kind, argument: argument, place: map.place)
        sink.options = values(of: map, declaration.options, of: "sink") ?? Arguments()
        let settings = values(of: map, FileKeys.sink, of: "sink")
        if case .format(let format)? = settings?["format"] { sink.format = format }
        sink.isFormatUnread = map["format"] != nil && sink.format == nil
        sink.order = settings?["order"]?.leaf.flatMap { SinkSettings.Order(rawValue: $0.text) }
        return sink
    }

    mutating func readLimits(_ node: YAMLNode) -> LimitsDefinition {
        var limits = LimitsDefinition()
        guard let map = map(node, "limits", example: "limits: {dead_letters: 1%}") else { return limits }
        check(map, of: "limits", takes: FileKeys.limits)
        for key in FileKeys.limits {
            switch (key.name, value(of: map, key, of: "limits")) {
            case ("dead_letters", .integer(let count, _)?): limits.deadLetters = .count(count)
            case ("dead_letters", .share(let share, _)?): limits.deadLetters = .share(share)
            case ("dead_letters", .leaf?): limits.deadLetters = .all
            case ("memory", .integer(let bytes, let place)?): limits.memory = Placed(bytes, at: place)
            default: break
            }
        }
        return limits
    }
}
