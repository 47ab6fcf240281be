internal import SluiceRecords

extension DefinitionReading {
    /// Parses `params`, and overrides the defaults with the values of `--set`.
    mutating func readParameters(_ node: YAMLNode?, settings: [String: String]) {
        if let node, !node.isNull, let map = map(node, "params", example: "params: {logs: logs/*.gz}") {
            for entry in map.entries { readParameter(entry, setting: settings[entry.key.text]) }
        }
        for name in settings.keys.sorted() where parameters[name] == nil {
            let known = parameters.names
            let fix = known.isEmpty ? "the file has no params" : "the parameters are: \(known.joined(separator: ", "))"
            report("--set \(name): no such parameter\(didYouMean(name, among: known))", at: nil, fix: fix)
        }
    }

    private mutating func readParameter(_ entry: YAMLMap.Entry, setting: String?) {
        let name = entry.key.text
        guard NameKind.parameter.admits(name) else {
            report("params: '\(name)' is not a valid name for a parameter", at: entry.key.place, fix: "use \(NameKind.parameter.rule)")
            return
        }
        guard case .leaf(let leaf) = entry.value else {
            report("params: '\(name)' must be text, a number, true or false, not \(entry.value.kind)", at: entry.value.place)
            return
        }
        let kind = leaf.isNull ? .text : Parameters.kind(of: leaf)
        if let setting {
            parameters.append(Parameters.Parameter(name: entry.key, text: setting, kind: kind))
            guard !Parameters.admits(setting, kind) else { return }
            let article = kind == .integer ? "an integer" : kind == .bool ? "true or false" : "a number"
            report("--set \(name): '\(setting)' is not \(article) like the default", at: leaf.place, fix: "quote the default to make it text")
        } else if leaf.isNull {
            parameters.append(Parameters.Parameter(name: entry.key, text: "", kind: .text, isMissing: true))
            report("params: '\(name)' has no value", at: entry.key.place, fix: "give it a default here, or one with --set \(name)=…")
        } else {
            let value = substituted(leaf)
            parameters.append(Parameters.Parameter(name: entry.key, text: value.text, kind: kind))
        }
    }

    mutating func reportUnusedParameters() {
        for parameter in parameters.all where !parameters.used.contains(parameter.name.text) {
            report(
                "params: '\(parameter.name.text)' is never used", at: parameter.name.place,
                fix: "use it as ${\(parameter.name.text)}, or remove it", severity: .warning)
        }
    }

    /// The text with `${NAME}` replaced and `$${` unescaped. The text of a parameter gets the
    /// position of its reference.
    mutating func substituted(_ leaf: Leaf) -> Leaf {
        noteNamedParameters(in: leaf.text)
        let bytes = Array(leaf.text.utf8)
        guard bytes.contains(UInt8(ascii: "$")) else { return leaf }
        var output: [UInt8] = []
        var positions: [TextPosition] = []
        var isComplete = true
        var index = 0
        while index < bytes.count {
            if bytes[index...].starts(with: "$${".utf8) {
                output += "${".utf8
                positions += [leaf.positions[index], leaf.positions[index + 2]]
                index += 3
            } else if bytes[index...].starts(with: "${".utf8) {
                let end = bytes[index...].firstIndex(of: UInt8(ascii: "}")) ?? bytes.count
                let name = String(decoding: bytes[(index + 2)..<end], as: UTF8.self)
                if let value = value(named: name, at: leaf.place(of: index..<end + 1), isClosed: end < bytes.count) {
                    output += value.utf8
                    positions += repeatElement(leaf.positions[index], count: value.utf8.count)
                } else {
                    isComplete = false
                }
                index = min(end + 1, bytes.count)
            } else {
                output.append(bytes[index])
                positions.append(leaf.positions[index])
                index += 1
            }
        }
        positions.append(leaf.positions[bytes.count])
        var result = Leaf(text: String(decoding: output, as: UTF8.self), isPlain: leaf.isPlain, positions: positions)
        result.isComplete = isComplete
        return result
    }

    private mutating func value(named name: String, at place: TextPlace, isClosed: Bool) -> String? {
        guard isClosed else {
            report("'${' is not closed", at: place, fix: "write ${NAME}, or $${ for a literal '${'")
            return nil
        }
        guard let parameter = parameters[name] else {
            let hint = didYouMean(name, among: parameters.names)
            report("no such parameter '\(name)'\(hint)", at: place, fix: "add it to 'params:', or write $${ for a literal '${'")
            return nil
        }
        parameters.markUsed(name)
        return parameter.isMissing ? nil : parameter.text
    }

    /// Marks parameters that an expression uses as `params.name` or `params['name']`.
    private mutating func noteNamedParameters(in text: String) {
        guard text.contains("params") else { return }
        for name in parameters.names where text.contains(name) { parameters.markUsed(name) }
    }
}
