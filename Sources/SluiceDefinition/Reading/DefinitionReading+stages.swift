internal import Sluice
internal import SluiceRecords
internal import WorkerPools

extension DefinitionReading {
    mutating func readStages(_ node: YAMLNode) -> [StageDefinition] {
        if node.isNull { return [] }
        guard let nodes = list(node, "stages", example: "stages: [{keep: status >= 500}]") else { return [] }
        var names = StageNames(taken: nodes.compactMap { StageNames.written(in: $0) })
        return nodes.enumerated().map { readStage($1, number: $0 + 1, names: &names) }
    }

    private mutating func readStage(_ node: YAMLNode, number: Int, names: inout StageNames) -> StageDefinition {
        let owner = "stage \(number)"
        var stage = StageDefinition(name: owner, label: owner, place: node.place)
        guard let map = map(node, owner, example: "- keep: status >= 500") else { return stage }
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

    /// The one key that says what the stage does; everything else must be an option of stages.
    private mutating func verb(of map: YAMLMap, owner: String) -> YAMLMap.Entry? {
        var verb: YAMLMap.Entry?
        var hadUnknown = false
        let own = map.entries.compactMap { Verbs.named($0.key.text) }.flatMap { $0.declaration.options }.map(\.name)
        let options = Keys.stageOptions + own
        for entry in map.entries where !options.contains(entry.key.text) {
            let key = entry.key
            if Verbs.named(key.text) != nil {
                if let first = verb {
                    report("\(owner): two verbs, '\(first.key.text)' and '\(key.text)'", at: key.place, fix: "make it a stage of its own")
                } else {
                    verb = entry
                }
            } else if Keys.laterVerbs.contains(key.text) {
                hadUnknown = true
                report(
                    "\(owner): '\(key.text)' is not supported in this version", at: key.place, fix: "this version has: \(Verbs.names.joined(separator: ", "))")
            } else {
                hadUnknown = true
                let hint = didYouMean(key.text, among: Verbs.names + options + Keys.laterVerbs)
                report(
                    "\(owner): '\(key.text)' is neither a verb nor an option of stages\(hint)", at: key.place,
                    fix: "verbs: \(Verbs.names.joined(separator: ", ")); options: \(options.joined(separator: ", "))")
            }
        }
        if verb == nil, !hadUnknown {
            report("\(owner): says nothing to do", at: map.place, fix: "add one of: \(Verbs.names.joined(separator: ", "))")
        }
        return verb
    }

    private mutating func readName(of map: YAMLMap, verb: String, into stage: inout StageDefinition, names: inout StageNames) {
        guard let node = map["name"], let name = text(node, "\(verb): 'name'") else {
            stage.name = names.next(for: verb)
            stage.label = stage.name == verb ? verb : "\(verb) '\(stage.name)'"
            return
        }
        stage.name = name.text
        stage.label = "\(verb) '\(name.text)'"
        if !isPlainName(name.text) {
            report("\(verb): '\(name.text)' is no name for a stage", at: name.place, fix: "use letters, digits, '-' and '_'")
        }
        if name.text == "source" || name.text == "sink" {
            report("\(verb): a stage cannot be called '\(name.text)'", at: name.place, fix: "dead letters and reports use that name already")
        }
        if let line = names.use(name.text, line: name.place.start.line) {
            report("\(verb): the name '\(name.text)' is taken by the stage on line \(line)", at: name.place, fix: "give each stage a name of its own")
        }
    }

    private mutating func readOptions(of map: YAMLMap, into stage: inout StageDefinition) {
        let label = stage.label
        if let node = map["workers"] { stage.pool.workers = readWorkers(node, label: label) }
        if let node = map["queue"] { stage.pool.queue = integer(node, "\(label): 'queue'", in: 1...65_536) }
        if let node = map["timeout"] { stage.pool.timeout = duration(node, "\(label): 'timeout'")?.value }
        if let node = map["retry"] { stage.pool.retry = readRetry(node, label: label) }
        if let node = map["on_error"], let policy = choice(node, "\(label): 'on_error'", of: FailurePolicy.self) { stage.onError = policy }
    }

    /// A number of workers, or `{min, max}`.
    private mutating func readWorkers(_ node: YAMLNode, label: String) -> ClosedRange<Int>? {
        let range = 1...4096
        guard case .map(let map) = node else {
            return integer(node, "\(label): 'workers'", in: range).map { $0...$0 }
        }
        check(map, of: "\(label): workers", takes: .workers)
        let least = map["min"].map { integer($0, "\(label): 'workers.min'", in: range) } ?? 1
        guard let node = map["max"], let most = integer(node, "\(label): 'workers.max'", in: range), let least else { return nil }
        guard least <= most else {
            report("\(label): 'workers' has a min (\(least)) above its max (\(most))", at: node.place, fix: "swap them")
            return nil
        }
        return least...most
    }

    private mutating func readRetry(_ node: YAMLNode, label: String) -> RetryPolicy? {
        guard let map = map(node, "\(label): 'retry'", example: "retry: {times: 3, backoff: 200ms}") else { return nil }
        check(map, of: "\(label): retry", takes: .retry)
        let backoff = map["backoff"].flatMap { duration($0, "\(label): 'retry.backoff'") }
        let most = map["max_backoff"].flatMap { duration($0, "\(label): 'retry.max_backoff'") }
        guard let times = map["times"].flatMap({ integer($0, "\(label): 'retry.times'", in: 0...1000) }) else { return nil }
        var options = RetryPolicy(times: times, backoff: .milliseconds(200))
        if let backoff { options.backoff = backoff.value }
        options.maxBackoff = most?.value ?? max(options.maxBackoff, options.backoff)
        if options.backoff > options.maxBackoff, let most {
            report("\(label): 'retry.backoff' is longer than 'max_backoff'", at: most.place, fix: "swap them")
        }
        return options
    }

    private func isPlainName(_ text: String) -> Bool {
        !text.isEmpty && text.unicodeScalars.allSatisfy { $0.properties.isAlphabetic || $0.properties.numericType != nil || $0 == "-" || $0 == "_" }
    }
}

/// Names for stages: as the file has them, else the verb, numbered from its second time on.
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

    /// The line where the name is used already; `nil` where this is its first use.
    mutating func use(_ name: String, line: Int) -> Int? {
        if let first = lines[name] { return first }
        lines[name] = line
        return nil
    }
}
