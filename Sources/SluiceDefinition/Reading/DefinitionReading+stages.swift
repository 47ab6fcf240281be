internal import Sluice
internal import SluiceRecords
internal import WorkerPools

extension DefinitionReading {
    mutating func readStages(_ node: YAMLNode) -> [StageDefinition] {
        guard let nodes = rows(node, "stages", example: "stages: [{\(FileKeys.verbs[0].example)}]") else { return [] }
        var names = StageNames(taken: nodes.compactMap { StageNames.written(in: $0) })
        return nodes.enumerated().map { readStage($1, number: $0 + 1, names: &names) }
    }

    private mutating func readStage(_ node: YAMLNode, number: Int, names: inout StageNames) -> StageDefinition {
        let owner = "stage \(number)"
        var stage = StageDefinition(name: owner, label: owner, place: node.place)
        guard let map = map(node, owner, example: "- \(FileKeys.verbs[0].example)") else { return stage }
        guard let entry = verb(of: map, owner: owner), let verb = Verbs.named(entry.key.text) else { return stage }
        let declaration = verb.declaration
        stage.place = entry.key.place
        readName(of: map, verb: entry.key.text, into: &stage, names: &names)
        readOptions(of: map, into: &stage)
        let argument = argument(entry.value, as: declaration.argument, stage.label, example: declaration.example)
        if let argument, let options = values(of: map, declaration.options, of: stage.label) {
            stage.verb = VerbDefinition(verb: verb, argument: argument, options: options)
        }
        return stage
    }

    /// The one key that is a verb. Every other key must be an option of stages.
    private mutating func verb(of map: YAMLMap, owner: String) -> YAMLMap.Entry? {
        var verb: YAMLMap.Entry?
        var hadUnknown = false
        let own = map.entries.compactMap { Verbs.named($0.key.text) }.flatMap { $0.declaration.options }.map(\.name)
        let options = FileKeys.stage.map(\.name) + own
        for entry in map.entries where !options.contains(entry.key.text) {
            let key = entry.key
            if Verbs.named(key.text) != nil {
                if let first = verb {
                    report("\(owner): two verbs, '\(first.key.text)' and '\(key.text)'", at: key.place, fix: "put it in a stage of its own")
                } else {
                    verb = entry
                }
            } else if let verb = Verbs.all.first(where: { $0.declaration.elsewhere.contains(key.text.lowercased()) })?.declaration {
                hadUnknown = true
                report("\(owner): there is no verb '\(key.text)'; use '\(verb.name)'", at: key.place, fix: "write '\(verb.example)'")
            } else {
                hadUnknown = true
                let hint = didYouMean(key.text, among: Verbs.names + options)
                report(
                    "\(owner): '\(key.text)' is neither a verb nor a stage option\(hint)", at: key.place,
                    fix: "verbs: \(Verbs.names.joined(separator: ", ")); options: \(options.joined(separator: ", "))")
            }
        }
        if verb == nil, !hadUnknown {
            report("\(owner): the stage has no verb", at: map.place, fix: "add one of: \(Verbs.names.joined(separator: ", "))")
        }
        return verb
    }

    private mutating func readName(of map: YAMLMap, verb: String, into stage: inout StageDefinition, names: inout StageNames) {
        guard let node = map["name"], let name = name(node, .stage, "\(verb): 'name'", of: verb) else {
            stage.name = names.next(for: verb)
            stage.label = stage.name == verb ? verb : "\(verb) '\(stage.name)'"
            return
        }
        stage.name = name.text
        stage.label = "\(verb) '\(name.text)'"
        if let line = names.use(name.text, line: name.place.start.line) {
            report("\(verb): the name '\(name.text)' is already used by the stage on line \(line)", at: name.place, fix: "give each stage a unique name")
        }
    }

    private mutating func readOptions(of map: YAMLMap, into stage: inout StageDefinition) {
        for key in FileKeys.stage where key.name != "name" {
            guard let node = map[key.name], let value = value(of: map, key, of: stage.label) else { continue }
            switch key.name {
            case "workers": stage.pool.workers = workers(value, node, label: stage.label)
            case "queue": stage.pool.queue = value.integer
            case "timeout": stage.pool.timeout = value.duration
            case "retry": stage.pool.retry = value.keys.flatMap { retry($0, label: stage.label) }
            case "on_error": stage.onError = value.leaf.flatMap { FailurePolicy(rawValue: $0.text) } ?? stage.onError
            default: preconditionFailure("the stage option '\(key.name)' is declared, but nothing reads it")
            }
        }
    }

    /// Parses a number of workers, or `{min, max}`.
    private mutating func workers(_ value: Argument, _ node: YAMLNode, label: String) -> ClosedRange<Int>? {
        guard let keys = value.keys, let most = keys["max"]?.integer else { return nil }
        guard case .map = node else { return most...most }
        let least = keys["min"]?.integer ?? 1
        guard least <= most else {
            let place = keys["max"]?.place
            report("\(label): 'workers' has a min (\(least)) above its max (\(most))", at: place, fix: "swap them")
            return nil
        }
        return least...most
    }

    private mutating func retry(_ keys: Arguments, label: String) -> RetryPolicy? {
        guard let times = keys["times"]?.integer else { return nil }
        var policy = RetryPolicy(times: times, backoff: .milliseconds(200))
        if let backoff = keys["backoff"]?.duration { policy.backoff = backoff }
        let most = keys["max_backoff"]
        policy.maxBackoff = most?.duration ?? max(policy.maxBackoff, policy.backoff)
        if policy.backoff > policy.maxBackoff {
            report("\(label): 'retry.backoff' is longer than 'max_backoff'", at: most?.place, fix: "swap them")
        }
        return policy
    }
}

/// Names of stages: as in the file, else the verb, with a number if it is used again.
private struct StageNames {
    private var taken: Set<String>
    private var lines: [String: Int] = [:]

    init(taken: [String]) {
        self.taken = Set(taken)
    }

    static func written(in node: YAMLNode) -> String? {
        guard case .map(let map) = node, case .leaf(let leaf) = map["name"] else { return nil }
        return leaf.text
    }

    mutating func next(for verb: String) -> String {
        var name = verb
        var number = 1
        while !taken.insert(name).inserted {
            number += 1
            name = "\(verb)-\(number)"
        }
        return name
    }

    /// Registers a name. Returns the line of its first use; `nil` if this is the first.
    mutating func use(_ name: String, line: Int) -> Int? {
        if let first = lines[name] { return first }
        lines[name] = line
        return nil
    }
}
