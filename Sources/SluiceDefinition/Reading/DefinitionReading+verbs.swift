internal import SluiceRecords

extension DefinitionReading {
    mutating func readVerb(_ entry: YAMLMap.Entry, label: String, map: YAMLMap) -> VerbDefinition? {
        let node = entry.value
        switch entry.key.text {
        case "keep": return expression(node, label).map { .keep($0) }
        case "drop": return expression(node, label).map { .drop($0) }
        case "set": return readSet(node, label: label)
        case "select": return texts(node, label, example: "select: [time, status]").map { .select($0) }
        case "remove": return texts(node, label, example: "remove: [agent]").map { .remove($0) }
        case "rename": return readRename(node, label: label)
        case "parse": return readParse(node, label: label)
        case "exec": return readExec(node, label: label)
        default: return nil
        }
    }

    private mutating func readSet(_ node: YAMLNode, label: String) -> VerbDefinition? {
        guard let map = map(node, label, example: "set: {seconds: duration_ms / 1000.0}") else { return nil }
        if map.entries.isEmpty { report("\(label): sets no field", at: node.place, fix: "write 'set: {seconds: duration_ms / 1000.0}'") }
        return .set(
            map.entries.compactMap { entry in
                checkFieldName(entry.key, label: label)
                return expression(entry.value, "\(label): '\(entry.key.text)'").map { VerbDefinition.Assignment(field: entry.key, value: $0) }
            })
    }

    private mutating func readRename(_ node: YAMLNode, label: String) -> VerbDefinition? {
        guard let map = map(node, label, example: "rename: {old: new}") else { return nil }
        if map.entries.isEmpty { report("\(label): renames no field", at: node.place, fix: "write 'rename: {old: new}'") }
        var renamings: [VerbDefinition.Renaming] = []
        for entry in map.entries {
            guard let new = text(entry.value, "\(label): '\(entry.key.text)'", fix: "write 'old: new'") else { continue }
            checkFieldName(new, label: label)
            if renamings.contains(where: { $0.new.text == new.text }) {
                report("\(label): two fields cannot both become '\(new.text)'", at: new.place)
            }
            renamings.append(VerbDefinition.Renaming(old: entry.key, new: new))
        }
        return .rename(renamings)
    }

    private mutating func readParse(_ node: YAMLNode, label: String) -> VerbDefinition? {
        guard let map = map(node, label, example: "parse: {field: line, format: jsonl}") else { return nil }
        check(map, of: label, takes: .parse)
        var format = map["format"].flatMap { readFormat($0, owner: label) }
        if let pattern = map["pattern"].flatMap({ text($0, "\(label): 'pattern'") }) {
            if let name = format?.name, name != .regex {
                report("\(label): the format '\(name.rawValue)' takes no pattern", at: pattern.place, fix: "write 'format: regex', or take the pattern away")
            }
            format?.pattern = pattern
        }
        guard let field = map["field"].flatMap({ text($0, "\(label): 'field'") }) else { return nil }
        let into = map["into"].flatMap { text($0, "\(label): 'into'") }
        if let into { checkFieldName(into, label: label) }
        return .parse(ParseDefinition(field: field, format: format, into: into))
    }

    private mutating func readExec(_ node: YAMLNode, label: String) -> VerbDefinition? {
        guard let nodes = list(node, label, example: "exec: [./score, --jsonl]") else { return nil }
        let arguments = nodes.compactMap { text($0, label) }
        guard let command = arguments.first, !command.text.isEmpty else {
            report("\(label): names no command", at: node.place, fix: "write 'exec: [./score, --jsonl]'")
            return nil
        }
        return .exec(arguments)
    }

    private mutating func checkFieldName(_ leaf: Leaf, label: String) {
        if leaf.text.isEmpty { report("\(label): a field needs a name", at: leaf.place) }
    }
}
