internal import SluiceRecords

extension DefinitionReading {
    mutating func readSource(_ node: YAMLNode) -> SourceDefinition? {
        guard let map = map(node, "source", example: "source: {files: logs/*.gz, format: combined}") else { return nil }
        check(map, of: "source", takes: .source)
        var source = SourceDefinition(files: map["files"].map { readFiles($0) } ?? [])
        if let node = map["format"] {
            source.format = readFormat(node, owner: "source")
        } else if !source.files.isEmpty {
            source.format = formatByName(of: source.files)
        }
        if let node = map["on_damage"] { source.onDamage = choice(node, "source: 'on_damage'", of: DamagePolicy.self) }
        if let node = map["max_record"] { source.maxRecord = size(node, "source: 'max_record'", in: 1...(1 << 30)) }
        return source
    }

    /// One glob, or a list of them.
    private mutating func readFiles(_ node: YAMLNode) -> [Leaf] {
        let leaves: [Leaf]
        if case .list = node {
            leaves = texts(node, "source: 'files'", example: "files: [logs/*.gz]") ?? []
        } else {
            leaves = text(node, "source: 'files'", fix: "write a path, a glob, a list of them, or '-' for standard input").map { [$0] } ?? []
        }
        for leaf in leaves where leaf.text.isEmpty && leaf.isComplete { report("source: 'files' names no file", at: leaf.place) }
        return leaves.filter { !$0.text.isEmpty && $0.isComplete }
    }

    /// JSON lines are known by their name; anything else could be several formats.
    private mutating func formatByName(of files: [Leaf]) -> FormatDefinition? {
        guard let place = files.first?.place else { return nil }
        if files.allSatisfy({ FileName($0.text).format == .jsonl }) { return FormatDefinition(name: .jsonl, place: place) }
        report("source: 'format' is missing", at: place, fix: "add 'format: combined', or one of: \(FormatName.read)")
        return nil
    }

    /// A format's name, or a map of one name to its options.
    mutating func readFormat(_ node: YAMLNode, owner: String) -> FormatDefinition? {
        guard case .map(let map) = node else {
            guard let leaf = text(node, "\(owner): 'format'"), let name = readableFormat(leaf, owner: owner) else { return nil }
            return FormatDefinition(name: name, place: leaf.place)
        }
        guard let entry = map.entries.first, map.entries.count == 1 else {
            report("\(owner): 'format' must name one format", at: map.place, fix: "write '{regex: {pattern: …}}'")
            return nil
        }
        guard let name = readableFormat(entry.key, owner: owner) else { return nil }
        guard name == .regex else {
            report("\(owner): the format '\(name.rawValue)' takes no options", at: entry.key.place, fix: "write 'format: \(name.rawValue)'")
            return nil
        }
        guard let options = self.map(entry.value, "\(owner): 'regex'", example: "regex: {pattern: …}") else { return nil }
        check(options, of: "\(owner): regex", takes: .regex)
        guard let pattern = options["pattern"].flatMap({ text($0, "\(owner): 'pattern'") }) else { return nil }
        return FormatDefinition(name: name, place: entry.key.place, pattern: pattern)
    }

    private mutating func readableFormat(_ leaf: Leaf, owner: String) -> FormatName? {
        guard leaf.isComplete else { return nil }
        let fix = "this version reads: \(FormatName.read)"
        guard let name = FormatName(leaf.text) else {
            let hint = didYouMean(leaf.text, among: FormatName.allCases.map(\.rawValue))
            report("\(owner): no such format '\(leaf.text)'\(hint)", at: leaf.place, fix: fix)
            return nil
        }
        if name.isRead { return name }
        report("\(owner): the format '\(name.rawValue)' is not supported in this version", at: leaf.place, fix: fix)
        return nil
    }
}

extension FormatName {
    /// For messages.
    static let read = allCases.filter(\.isRead).map(\.rawValue).joined(separator: ", ")
    static let written = allCases.filter(\.isWritten).map(\.rawValue).joined(separator: ", ")
}

/// What a file's name says about what is in it.
struct FileName {
    let extensions: [Substring]

    init(_ path: String) {
        let name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        extensions = Array(name.split(separator: ".", omittingEmptySubsequences: false).dropFirst())
    }

    var isGzip: Bool { extensions.last == "gz" }

    /// By what stands before `.gz`.
    var format: FormatName? {
        switch (isGzip ? extensions.dropLast() : extensions[...]).last {
        case "jsonl", "ndjson": .jsonl
        case "log", "txt": .lines
        case "csv": .csv
        case "tsv": .tsv
        default: nil
        }
    }
}
